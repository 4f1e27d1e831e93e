"""Let worklists be counted and paged by one index, however many documents there are elsewhere."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DOCUMENT = "r2pflow_document"
QUEUE = ["state", "state_entered_at", "id", "definition_id", "dossier_id", "blocks_sharing", "track_count"]


def upgrade() -> None:
    op.create_index("ix_r2pflow_document_queue", DOCUMENT, QUEUE)
    op.drop_index("ix_r2pflow_document_state", DOCUMENT)


def downgrade() -> None:
    op.create_index("ix_r2pflow_document_state", DOCUMENT, ["state", "state_entered_at"])
    op.drop_index("ix_r2pflow_document_queue", DOCUMENT)
