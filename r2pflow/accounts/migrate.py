"""Bring the tables of accounts to the present schema; those of persons must be there already."""

from pathlib import Path

from sqlalchemy import Engine

from r2pflow.accounts.models import AccountBase
from r2pflow.persistence import migrate

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "r2pflow_account_alembic_version"


def upgrade(engine: Engine) -> None:
    """Run the migrations that the database lacks."""
    migrate.upgrade(engine, AccountBase.metadata, FOLDER, VERSION_TABLE)


def find_versions(engine: Engine) -> tuple[str, str]:
    """Return the version of the database, empty for one without tables, and the version of this program."""
    return migrate.find_versions(engine, FOLDER, VERSION_TABLE)
