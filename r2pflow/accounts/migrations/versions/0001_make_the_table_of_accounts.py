"""Make the table of accounts"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "r2pflow_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("link_serial", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["r2pflow_person.id"],
            name=op.f("fk_r2pflow_account_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_account")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_r2pflow_account_fs_uniquifier")),
        sa.UniqueConstraint("person_id", name=op.f("uq_r2pflow_account_person_id")),
    )


def downgrade() -> None:
    op.drop_table("r2pflow_account")
