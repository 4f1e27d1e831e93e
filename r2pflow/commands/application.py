"""The application that a command works with: the stand-alone one, or the host that R2PFLOW_APP names."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from r2pflow.accounts import migrate as accounts_migrate
from r2pflow.accounts.edge import KEY as ACCOUNTS
from r2pflow.domain.errors import SetupError
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.persistence import migrate
from r2pflow.persistence.base import PREFIX
from r2pflow.persistence.unit_of_work import UnitOfWork, is_passing, read_clock
from r2pflow.services.people import get_actor

APP_KEY = "R2PFLOW_APP"
STANDALONE = "r2pflow.standalone:create_app"


def load_app(config: Mapping[str, Any] | None = None, *, is_prepared: bool = True) -> Any:
    """Return the application; R2PFLOW_APP names another than the stand-alone one, as `module:name`.

    The name is an application, or a function that makes one. With `is_prepared`, an empty database gets its tables,
    and one of another version is refused with SetupError.
    """
    target = os.environ.get(APP_KEY) or STANDALONE
    module, _, name = target.partition(":")
    try:
        found = getattr(import_module(module), name or "application")
    except (ImportError, AttributeError) as error:
        raise SetupError(
            "bad_setting", key=APP_KEY, value=target, remedy="module:application", found=str(error)
        ) from error
    if not hasattr(found, "extensions"):
        found = found(config) if config else found()
    if is_prepared:
        prepare_database(found)
    return found


def get_engine(app: Any) -> Engine:
    """Return the engine of the application's database."""
    with app.app_context():
        engine: Engine = app.extensions["r2pflow"].db.engine
    return engine


def prepare_database(app: Any) -> None:
    """Make the tables of an empty database; refuse one of another version with SetupError."""
    with _told():
        have, wanted = migrate.find_versions(get_engine(app))
        if not have:
            upgrade(app)
        elif have != wanted:
            raise SetupError("database_not_upgraded", found=have, wanted=wanted)


def upgrade(app: Any) -> tuple[str, str]:
    """Run the migrations that the database lacks; return its version before and after."""
    engine = get_engine(app)
    with _told():
        before, _ = migrate.find_versions(engine)
        migrate.upgrade(engine)
        if ACCOUNTS in app.extensions:
            accounts_migrate.upgrade(engine)
        return before, migrate.find_versions(engine)[0]


def drop_tables(app: Any) -> None:
    """Take all tables of r2pflow away, with what is in them."""
    engine = get_engine(app)
    with _told():
        metadata = MetaData()
        metadata.reflect(engine, only=lambda name, _: name.startswith(PREFIX))
        metadata.drop_all(engine)


@contextmanager
def open_work(app: Any, clock: Callable[[], Any] = read_clock) -> Iterator[UnitOfWork]:
    """Give a unit of work on the application's database; the command commits it."""
    mount = app.extensions["r2pflow"]
    with _told(), Session(get_engine(app)) as session:
        yield UnitOfWork(session, mount.catalogue, mount.settings, mount.queue, clock)


def find_actor(work: UnitOfWork, person: str | None) -> Actor:
    """Return the person with this e-mail address or id as an actor, the system for None; raise NotFound."""
    return THE_SYSTEM if person is None else get_actor(work, person)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_passing(error):
            raise SetupError("database_busy") from error
        found = " ".join(str(error.orig).split())[:300]
        raise SetupError("database_unreachable", found=found) from error
