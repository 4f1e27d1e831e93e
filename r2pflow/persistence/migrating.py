"""What Alembic runs for each of our folders of migrations; `migrate.py` says on which connection, for which tables."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON

from r2pflow.persistence.base import UTCDateTime


def render_item(kind: str, found: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own types as what they are in the database, so that old migrations import none of our code."""
    if kind == "type" and isinstance(found, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(found, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def run_migrations() -> None:
    """Run what the database lacks, within the connection and for the tables that `migrate.upgrade` named."""
    attributes = context.config.attributes
    metadata = attributes["metadata"]

    def include_name(name: str | None, kind: str, _parents: Any) -> bool:
        """Look at our own tables alone: the host's are nobody's business."""
        return kind != "table" or name in metadata.tables

    context.configure(
        connection=attributes["connection"],
        target_metadata=metadata,
        version_table=attributes["version_table"],
        render_as_batch=True,
        render_item=render_item,
        include_name=include_name,
    )
    with context.begin_transaction():
        context.run_migrations()
