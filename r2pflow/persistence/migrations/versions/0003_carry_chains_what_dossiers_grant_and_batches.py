"""Carry chains of workflows, what dossiers grant and block, scheduled firing, batches, and what was imported.

Columns are only added: SQLite would otherwise copy tables to which others refer.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
REFERENCES = {  # table: (column, the table that it refers to)
    "r2pflow_definition": ("variant_of_id", "r2pflow_definition"),
    "r2pflow_timer": ("person_id", "r2pflow_person"),
}


def upgrade() -> None:
    for table, (column, other) in REFERENCES.items():  # the one way to add such a column that both databases know
        named = f"CONSTRAINT fk_{table}_{column} REFERENCES {other} (id)"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER {named}")
    empty, none, false = sa.text("''"), sa.text("'{}'"), sa.false()
    op.add_column("r2pflow_definition", sa.Column("above", JSON, nullable=False, server_default=none))
    op.add_column("r2pflow_document", sa.Column("blocks_sharing", sa.Boolean(), nullable=False, server_default=false))
    op.add_column("r2pflow_document", sa.Column("track_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("r2pflow_dossier", sa.Column("shared_path", sa.String(400), nullable=False, server_default=empty))
    op.add_column("r2pflow_dossier", sa.Column("blocks_sharing", sa.Boolean(), nullable=False, server_default=false))
    op.add_column("r2pflow_dossier", sa.Column("grants", JSON, nullable=False, server_default=none))
    op.execute("UPDATE r2pflow_dossier SET shared_path = path")
    op.add_column("r2pflow_timer", sa.Column("workflow", sa.String(length=80), nullable=False, server_default=empty))
    op.add_column("r2pflow_timer", sa.Column("comment", sa.Text(), nullable=False, server_default=empty))
    op.add_column("r2pflow_timer", sa.Column("created_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "r2pflow_track",
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=80), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("state_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["r2pflow_definition.id"], name=op.f("fk_r2pflow_track_definition_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_track_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "position", name=op.f("pk_r2pflow_track")),
        sa.UniqueConstraint("document_id", "workflow", name=op.f("uq_r2pflow_track_document_id_workflow")),
    )
    op.create_index("ix_r2pflow_track_definition_state", "r2pflow_track", ["definition_id", "state"])
    op.create_table(
        "r2pflow_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("transition", sa.String(length=80), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_batch_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_batch")),
    )
    op.create_index("ix_r2pflow_batch_person_id", "r2pflow_batch", ["person_id"])
    op.create_table(
        "r2pflow_batch_entry",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["r2pflow_batch.id"], name=op.f("fk_r2pflow_batch_entry_batch_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_batch_entry_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("batch_id", "document_id", name=op.f("pk_r2pflow_batch_entry")),
    )
    op.create_table(
        "r2pflow_imported",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("local_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "external_id", "kind", name=op.f("pk_r2pflow_imported")),
    )


def downgrade() -> None:
    """Take all away again; SQLite cannot drop a column that refers to another table: restore a back-up there."""
    for table, (column, _) in REFERENCES.items():
        op.drop_column(table, column)
    for table in ("r2pflow_imported", "r2pflow_batch_entry", "r2pflow_batch", "r2pflow_track"):
        op.drop_table(table)
    for table, columns in (
        ("r2pflow_timer", ("created_at", "comment", "workflow")),
        ("r2pflow_dossier", ("grants", "blocks_sharing", "shared_path")),
        ("r2pflow_document", ("track_count", "blocks_sharing")),
        ("r2pflow_definition", ("above",)),
    ):
        for column in columns:
            op.drop_column(table, column)
