"""Bring a database to the present schema: `r2pflow db upgrade`, and the first start of `r2pflow serve`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData

from r2pflow.jobs import embedded
from r2pflow.persistence import deliberation, documents, history, people, publishing
from r2pflow.persistence.base import Base

TABLES_OF = (deliberation, documents, embedded, history, people, publishing)
"""The modules that put tables into the metadata by being imported."""
FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "r2pflow_alembic_version"


def upgrade(
    engine: Engine, metadata: MetaData = Base.metadata, folder: Path = FOLDER, version_table: str = VERSION_TABLE
) -> None:
    """Run the migrations that the database lacks, in one transaction where it can; nothing to do is no error."""
    config = _configure(metadata, folder, version_table)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def find_versions(engine: Engine, folder: Path = FOLDER, version_table: str = VERSION_TABLE) -> tuple[str, str]:
    """Return the version of the database, empty for one without tables, and the version of this program."""
    head = ScriptDirectory(str(folder)).get_current_head() or ""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": version_table})
        return context.get_current_revision() or "", head


def write_revision(
    engine: Engine,
    message: str,
    metadata: MetaData = Base.metadata,
    folder: Path = FOLDER,
    version_table: str = VERSION_TABLE,
) -> None:
    """Write a migration from the database to the tables in the code, for a developer to read and mend."""
    config = _configure(metadata, folder, version_table)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        number = len(list((folder / "versions").glob("*.py"))) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


def _configure(metadata: MetaData, folder: Path, version_table: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(metadata=metadata, version_table=version_table)
    return config
