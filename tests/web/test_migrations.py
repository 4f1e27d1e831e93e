"""A migrated database has the tables that the code expects."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from r2pflow.accounts import migrate as account_migrate
from r2pflow.accounts.models import AccountBase
from r2pflow.persistence import migrate
from r2pflow.persistence.base import Base

POSTGRESQL = os.environ.get("R2PFLOW_TEST_POSTGRESQL_URL", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}")
        yield engine
        engine.dispose()
        return
    if not POSTGRESQL:
        pytest.skip("R2PFLOW_TEST_POSTGRESQL_URL is not set")
    schema = f"migrated_{os.getpid()}"
    admin = create_engine(POSTGRESQL)
    with admin.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    engine = create_engine(POSTGRESQL, connect_args={"options": f"-csearch_path={schema}"})
    yield engine
    engine.dispose()
    with admin.begin() as connection:
        connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
    admin.dispose()


def test_a_migrated_database_has_the_tables_of_the_code(engine: Engine):
    migrate.upgrade(engine)
    account_migrate.upgrade(engine)
    for metadata in (Base.metadata, AccountBase.metadata):
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables},  # noqa: B023
            )
            assert compare_metadata(context, metadata) == []


def test_check_constraints_travel_with_the_migration(engine: Engine, tmp_path: Path):
    migrate.upgrade(engine)
    found, wanted = inspect(engine), create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}")
    Base.metadata.create_all(wanted)
    made = inspect(wanted)
    for table in Base.metadata.tables:
        names = {one["name"] for one in made.get_check_constraints(table)}
        assert {one["name"] for one in found.get_check_constraints(table)} == names, table
    wanted.dispose()


def test_upgrading_twice_changes_nothing(engine: Engine):
    assert migrate.find_versions(engine)[0] == ""
    for _time in range(2):
        migrate.upgrade(engine)
        account_migrate.upgrade(engine)
    for one in (migrate.find_versions(engine), account_migrate.find_versions(engine)):
        assert one[0] == one[1] != ""


def test_a_hosts_tables_are_left_alone(engine: Engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoice (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
        assert "invoice" in inspect(connection).get_table_names()
