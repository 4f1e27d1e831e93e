"""Index what a desk reads first: the nearest deadlines, what stands longest, answers nobody has acknowledged."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")
UNACKNOWLEDGED = sa.text("outcome IS NOT NULL AND is_satisfied IS NULL")


LOCAL = "r2pflow_local_role"
HOLDERS = ("person", "organisation", "group")


def upgrade() -> None:
    for table in ("r2pflow_comment_round", "r2pflow_ballot"):
        op.create_index(f"ix_{table}_deadline", table, ["closes_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "ix_r2pflow_comment_unacknowledged",
        "r2pflow_comment",
        ["author_id", "document_id", "disposed_at"],
        sqlite_where=UNACKNOWLEDGED,
        postgresql_where=UNACKNOWLEDGED,
    )
    op.create_index("ix_r2pflow_document_state", "r2pflow_document", ["state", "state_entered_at"])
    op.create_index("ix_r2pflow_ballot_voter_organisation_id", "r2pflow_ballot_voter", ["organisation_id"])
    op.create_index(f"ix_{LOCAL}_document_person", LOCAL, ["document_id", "person_id"])
    op.drop_index(f"ix_{LOCAL}_document_id", LOCAL)
    for holder in HOLDERS:
        op.create_index(f"ix_{LOCAL}_{holder}_dossier", LOCAL, [f"{holder}_id", "dossier_id"])
        op.drop_index(f"ix_{LOCAL}_{holder}_id", LOCAL)


def downgrade() -> None:
    for holder in HOLDERS:
        op.create_index(f"ix_{LOCAL}_{holder}_id", LOCAL, [f"{holder}_id"])
        op.drop_index(f"ix_{LOCAL}_{holder}_dossier", LOCAL)
    op.create_index(f"ix_{LOCAL}_document_id", LOCAL, ["document_id"])
    op.drop_index(f"ix_{LOCAL}_document_person", LOCAL)
    op.drop_index("ix_r2pflow_ballot_voter_organisation_id", "r2pflow_ballot_voter")
    op.drop_index("ix_r2pflow_document_state", "r2pflow_document")
    op.drop_index("ix_r2pflow_comment_unacknowledged", "r2pflow_comment")
    for table in ("r2pflow_ballot", "r2pflow_comment_round"):
        op.drop_index(f"ix_{table}_deadline", table)
