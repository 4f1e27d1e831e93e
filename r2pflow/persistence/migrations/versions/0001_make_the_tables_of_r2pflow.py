"""Make the tables of r2pflow"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "r2pflow_counter",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_r2pflow_counter")),
    )
    op.create_table(
        "r2pflow_definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_definition")),
        sa.UniqueConstraint("digest", name=op.f("uq_r2pflow_definition_digest")),
    )
    with op.batch_alter_table("r2pflow_definition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_definition_workflow"), ["workflow"], unique=False)

    op.create_table(
        "r2pflow_dossier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("titles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("policies", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["r2pflow_dossier.id"], name=op.f("fk_r2pflow_dossier_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_dossier")),
        sa.UniqueConstraint("slug", name=op.f("uq_r2pflow_dossier_slug")),
    )
    with op.batch_alter_table("r2pflow_dossier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_dossier_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_dossier_path"), ["path"], unique=False)

    op.create_table(
        "r2pflow_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("titles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_group")),
        sa.UniqueConstraint("name", name=op.f("uq_r2pflow_group_name")),
    )
    op.create_table(
        "r2pflow_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(length=80), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_job")),
        sa.UniqueConstraint("key", name=op.f("uq_r2pflow_job_key")),
    )
    with op.batch_alter_table("r2pflow_job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_r2pflow_job_open",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
        )

    op.create_table(
        "r2pflow_organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("names", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("short_name", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("sector", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("functions", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_organisation")),
        sa.UniqueConstraint("slug", name=op.f("uq_r2pflow_organisation_slug")),
    )
    op.create_table(
        "r2pflow_grant",
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("permission", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_id"],
            ["r2pflow_definition.id"],
            name=op.f("fk_r2pflow_grant_definition_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("definition_id", "state", "permission", "role", name=op.f("pk_r2pflow_grant")),
    )
    op.create_table(
        "r2pflow_person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["r2pflow_organisation.id"], name=op.f("fk_r2pflow_person_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_person")),
        sa.UniqueConstraint("email", name=op.f("uq_r2pflow_person_email")),
    )
    with op.batch_alter_table("r2pflow_person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_person_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "r2pflow_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("dossier_id", sa.Integer(), nullable=True),
        sa.Column("dossier_path", sa.String(length=400), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("state_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("text_digest", sa.String(length=64), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_document_author_id")),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["r2pflow_definition.id"], name=op.f("fk_r2pflow_document_definition_id")
        ),
        sa.ForeignKeyConstraint(["dossier_id"], ["r2pflow_dossier.id"], name=op.f("fk_r2pflow_document_dossier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_document")),
        sa.UniqueConstraint("reference", name=op.f("uq_r2pflow_document_reference")),
    )
    with op.batch_alter_table("r2pflow_document", schema=None) as batch_op:
        batch_op.create_index("ix_r2pflow_document_changed", ["changed_at", "id"], unique=False)
        batch_op.create_index(
            "ix_r2pflow_document_definition_state", ["definition_id", "state", "changed_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_r2pflow_document_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_document_type"), ["type"], unique=False)

    op.create_table(
        "r2pflow_group_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (organisation_id IS NULL)",
            name=op.f("ck_r2pflow_group_member_one_member"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["r2pflow_group.id"],
            name=op.f("fk_r2pflow_group_member_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["r2pflow_organisation.id"],
            name=op.f("fk_r2pflow_group_member_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["r2pflow_person.id"],
            name=op.f("fk_r2pflow_group_member_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_group_member")),
        sa.UniqueConstraint(
            "group_id", "organisation_id", name=op.f("uq_r2pflow_group_member_group_id_organisation_id")
        ),
        sa.UniqueConstraint("group_id", "person_id", name=op.f("uq_r2pflow_group_member_group_id_person_id")),
    )
    with op.batch_alter_table("r2pflow_group_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_group_member_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_group_member_person_id"), ["person_id"], unique=False)

    op.create_table(
        "r2pflow_role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_r2pflow_role_grant_one_holder")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["r2pflow_organisation.id"],
            name=op.f("fk_r2pflow_role_grant_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["r2pflow_person.id"],
            name=op.f("fk_r2pflow_role_grant_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_role_grant")),
        sa.UniqueConstraint("role", "organisation_id", name=op.f("uq_r2pflow_role_grant_role_organisation_id")),
        sa.UniqueConstraint("role", "person_id", name=op.f("uq_r2pflow_role_grant_role_person_id")),
    )
    with op.batch_alter_table("r2pflow_role_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_role_grant_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_role_grant_person_id"), ["person_id"], unique=False)

    op.create_table(
        "r2pflow_history_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("transition", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(length=80), nullable=False),
        sa.Column("trigger", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("params", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_history_entry_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["r2pflow_organisation.id"],
            name=op.f("fk_r2pflow_history_entry_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_history_entry_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_history_entry")),
    )
    with op.batch_alter_table("r2pflow_history_entry", schema=None) as batch_op:
        batch_op.create_index("ix_r2pflow_history_entry_document", ["document_id", "id"], unique=False)

    op.create_table(
        "r2pflow_local_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("dossier_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN person_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END)"
            ""
            " + (CASE WHEN group_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_r2pflow_local_role_one_holder"),
        ),
        sa.CheckConstraint(
            "(document_id IS NULL) <> (dossier_id IS NULL)", name=op.f("ck_r2pflow_local_role_one_place")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_local_role_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dossier_id"],
            ["r2pflow_dossier.id"],
            name=op.f("fk_r2pflow_local_role_dossier_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_local_role_granted_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["r2pflow_group.id"],
            name=op.f("fk_r2pflow_local_role_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["r2pflow_organisation.id"],
            name=op.f("fk_r2pflow_local_role_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["r2pflow_person.id"],
            name=op.f("fk_r2pflow_local_role_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_local_role")),
    )
    with op.batch_alter_table("r2pflow_local_role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_local_role_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_local_role_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_local_role_group_id"), ["group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_local_role_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_local_role_person_id"), ["person_id"], unique=False)

    op.create_table(
        "r2pflow_publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(length=80), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["r2pflow_document.id"], name=op.f("fk_r2pflow_publication_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_publication")),
        sa.UniqueConstraint("document_id", name=op.f("uq_r2pflow_publication_document_id")),
        sa.UniqueConstraint("symbol", name=op.f("uq_r2pflow_publication_symbol")),
    )
    op.create_table(
        "r2pflow_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("parent_number", sa.Integer(), nullable=True),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_revision_author_id")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_revision_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_revision")),
        sa.UniqueConstraint("document_id", "number", name=op.f("uq_r2pflow_revision_document_id_number")),
    )
    op.create_table(
        "r2pflow_seen",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_seen_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_seen_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "document_id", name=op.f("pk_r2pflow_seen")),
    )
    op.create_table(
        "r2pflow_timer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_timer_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_timer")),
    )
    with op.batch_alter_table("r2pflow_timer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_timer_document_id"), ["document_id"], unique=False)
        batch_op.create_index(
            "ix_r2pflow_timer_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "r2pflow_translation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("translated_count", sa.Integer(), nullable=False),
        sa.Column("stale_count", sa.Integer(), nullable=False),
        sa.Column("translator_id", sa.Integer(), nullable=True),
        sa.Column("verified_by_id", sa.Integer(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_digest", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status <> 'verified' OR verified_digest IS NOT NULL",
            name=op.f("ck_r2pflow_translation_verified"),
        ),
        sa.CheckConstraint(
            "status IN ('missing', 'in_progress', 'translated', 'verified', 'stale')",
            name=op.f("ck_r2pflow_translation_status"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_translation_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["translator_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_translation_translator_id")
        ),
        sa.ForeignKeyConstraint(
            ["verified_by_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_translation_verified_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_translation")),
        sa.UniqueConstraint("document_id", "language", name=op.f("uq_r2pflow_translation_document_id_language")),
    )
    op.create_table(
        "r2pflow_ballot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("terms", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('open', 'carried', 'lost', 'cancelled')", name=op.f("ck_r2pflow_ballot_outcome")
        ),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_r2pflow_ballot_sealed")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_ballot_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["revision_id"], ["r2pflow_revision.id"], name=op.f("fk_r2pflow_ballot_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_ballot")),
    )
    with op.batch_alter_table("r2pflow_ballot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_ballot_document_id"), ["document_id"], unique=False)
        batch_op.create_index(
            "uq_r2pflow_ballot_open",
            ["document_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "r2pflow_comment_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(length=60), nullable=False),
        sa.Column("kinds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_comment_round_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["r2pflow_revision.id"], name=op.f("fk_r2pflow_comment_round_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_comment_round")),
    )
    with op.batch_alter_table("r2pflow_comment_round", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_comment_round_document_id"), ["document_id"], unique=False)
        batch_op.create_index(
            "uq_r2pflow_comment_round_open",
            ["document_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "r2pflow_translation_block",
        sa.Column("translation_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.String(length=64), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_translation_block_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["translation_id"],
            ["r2pflow_translation.id"],
            name=op.f("fk_r2pflow_translation_block_translation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("translation_id", "block_id", name=op.f("pk_r2pflow_translation_block")),
    )
    op.create_table(
        "r2pflow_ballot_voter",
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("attributes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"],
            ["r2pflow_ballot.id"],
            name=op.f("fk_r2pflow_ballot_voter_ballot_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["r2pflow_organisation.id"],
            name=op.f("fk_r2pflow_ballot_voter_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("ballot_id", "organisation_id", name=op.f("pk_r2pflow_ballot_voter")),
    )
    op.create_table(
        "r2pflow_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("block_id", sa.String(length=64), nullable=False),
        sa.Column("exact", sa.Text(), nullable=False),
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.Column("suffix", sa.String(length=200), nullable=False),
        sa.Column("health", sa.String(length=10), nullable=False),
        sa.Column("current_block_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("disposed_by_id", sa.Integer(), nullable=True),
        sa.Column("disposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resulting_revision", sa.Integer(), nullable=True),
        sa.Column("is_satisfied", sa.Boolean(), nullable=True),
        sa.CheckConstraint("kind IN ('editorial', 'substantive', 'objection')", name=op.f("ck_r2pflow_comment_kind")),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('accepted', 'partly', 'rejected', 'out_of_scope', 'deferred')",
            name=op.f("ck_r2pflow_comment_outcome"),
        ),
        sa.CheckConstraint("outcome IS NULL OR reason <> ''", name=op.f("ck_r2pflow_comment_reason")),
        sa.ForeignKeyConstraint(["author_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_comment_author_id")),
        sa.ForeignKeyConstraint(
            ["disposed_by_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_comment_disposed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["r2pflow_document.id"],
            name=op.f("fk_r2pflow_comment_document_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["r2pflow_organisation.id"], name=op.f("fk_r2pflow_comment_organisation_id")
        ),
        sa.ForeignKeyConstraint(["revision_id"], ["r2pflow_revision.id"], name=op.f("fk_r2pflow_comment_revision_id")),
        sa.ForeignKeyConstraint(["round_id"], ["r2pflow_comment_round.id"], name=op.f("fk_r2pflow_comment_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_comment")),
    )
    with op.batch_alter_table("r2pflow_comment", schema=None) as batch_op:
        batch_op.create_index("ix_r2pflow_comment_document_outcome", ["document_id", "outcome"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_comment_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_comment_round_id"), ["round_id"], unique=False)

    op.create_table(
        "r2pflow_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("decision", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_r2pflow_edition_sealed")),
        sa.ForeignKeyConstraint(["ballot_id"], ["r2pflow_ballot.id"], name=op.f("fk_r2pflow_edition_ballot_id")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["r2pflow_publication.id"], name=op.f("fk_r2pflow_edition_publication_id")
        ),
        sa.ForeignKeyConstraint(["revision_id"], ["r2pflow_revision.id"], name=op.f("fk_r2pflow_edition_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_edition")),
        sa.UniqueConstraint("publication_id", "number", name=op.f("uq_r2pflow_edition_publication_id_number")),
    )
    with op.batch_alter_table("r2pflow_edition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_edition_digest"), ["digest"], unique=False)

    op.create_table(
        "r2pflow_edition_language",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("blocks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("stale_blocks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pdf_path", sa.String(length=300), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_size", sa.Integer(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["r2pflow_edition.id"], name=op.f("fk_r2pflow_edition_language_edition_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_edition_language")),
        sa.UniqueConstraint("edition_id", "language", name=op.f("uq_r2pflow_edition_language_edition_id_language")),
    )
    with op.batch_alter_table("r2pflow_edition_language", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_r2pflow_edition_language_language"), ["language"], unique=False)
        batch_op.create_index(batch_op.f("ix_r2pflow_edition_language_pdf_sha256"), ["pdf_sha256"], unique=False)

    op.create_table(
        "r2pflow_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["ballot_id", "organisation_id"],
            ["r2pflow_ballot_voter.ballot_id", "r2pflow_ballot_voter.organisation_id"],
            name="fk_r2pflow_position_voter",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["r2pflow_person.id"], name=op.f("fk_r2pflow_position_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_r2pflow_position")),
    )
    with op.batch_alter_table("r2pflow_position", schema=None) as batch_op:
        batch_op.create_index(
            "uq_r2pflow_position_current",
            ["ballot_id", "organisation_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("r2pflow_position", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_r2pflow_position_current",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.drop_table("r2pflow_position")
    with op.batch_alter_table("r2pflow_edition_language", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_edition_language_pdf_sha256"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_edition_language_language"))

    op.drop_table("r2pflow_edition_language")
    with op.batch_alter_table("r2pflow_edition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_edition_digest"))

    op.drop_table("r2pflow_edition")
    with op.batch_alter_table("r2pflow_comment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_comment_round_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_comment_organisation_id"))
        batch_op.drop_index("ix_r2pflow_comment_document_outcome")

    op.drop_table("r2pflow_comment")
    op.drop_table("r2pflow_ballot_voter")
    op.drop_table("r2pflow_translation_block")
    with op.batch_alter_table("r2pflow_comment_round", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_r2pflow_comment_round_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_r2pflow_comment_round_document_id"))

    op.drop_table("r2pflow_comment_round")
    with op.batch_alter_table("r2pflow_ballot", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_r2pflow_ballot_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_r2pflow_ballot_document_id"))

    op.drop_table("r2pflow_ballot")
    op.drop_table("r2pflow_translation")
    with op.batch_alter_table("r2pflow_timer", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_r2pflow_timer_due",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_r2pflow_timer_document_id"))

    op.drop_table("r2pflow_timer")
    op.drop_table("r2pflow_seen")
    op.drop_table("r2pflow_revision")
    op.drop_table("r2pflow_publication")
    with op.batch_alter_table("r2pflow_local_role", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_local_role_person_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_local_role_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_local_role_group_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_local_role_dossier_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_local_role_document_id"))

    op.drop_table("r2pflow_local_role")
    with op.batch_alter_table("r2pflow_history_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_r2pflow_history_entry_document")

    op.drop_table("r2pflow_history_entry")
    with op.batch_alter_table("r2pflow_role_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_role_grant_person_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_role_grant_organisation_id"))

    op.drop_table("r2pflow_role_grant")
    with op.batch_alter_table("r2pflow_group_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_group_member_person_id"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_group_member_organisation_id"))

    op.drop_table("r2pflow_group_member")
    with op.batch_alter_table("r2pflow_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_document_type"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_document_dossier_id"))
        batch_op.drop_index("ix_r2pflow_document_definition_state")
        batch_op.drop_index("ix_r2pflow_document_changed")

    op.drop_table("r2pflow_document")
    with op.batch_alter_table("r2pflow_person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_person_organisation_id"))

    op.drop_table("r2pflow_person")
    op.drop_table("r2pflow_grant")
    op.drop_table("r2pflow_organisation")
    with op.batch_alter_table("r2pflow_job", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_r2pflow_job_open",
            sqlite_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
        )

    op.drop_table("r2pflow_job")
    op.drop_table("r2pflow_group")
    with op.batch_alter_table("r2pflow_dossier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_dossier_path"))
        batch_op.drop_index(batch_op.f("ix_r2pflow_dossier_parent_id"))

    op.drop_table("r2pflow_dossier")
    with op.batch_alter_table("r2pflow_definition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_r2pflow_definition_workflow"))

    op.drop_table("r2pflow_definition")
    op.drop_table("r2pflow_counter")
