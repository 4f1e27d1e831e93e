"""One small coalition on a fresh database: SQLite always, PostgreSQL where the run gives its address."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import Session

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence import deliberation, documents, history, people, publishing  # noqa: F401  (their tables)
from r2pflow.persistence.base import Base
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import people as directory
from r2pflow.services.drafting import create_document
from r2pflow.settings import Settings

HERE = Path(__file__).parent
POSTGRESQL = os.environ.get("R2PFLOW_TEST_POSTGRESQL_URL", "")
START = datetime(2027, 3, 8, 9, 0, tzinfo=UTC)  # a Monday

ORGANISATIONS = {
    "secretariat": ([], "secretariat"),
    "alpha": (["member", "steering"], "africa"),
    "beta": (["member", "steering"], "europe"),
    "gamma": (["member", "steering"], "asia_pacific"),
    "delta": (["member"], "europe"),
}
TEXT = (
    "<h1>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
    "<p data-block='p2'>They must act together.</p>"
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(load_plugins(), [HERE / "workflows"])


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    if request.param == "postgresql":
        if not POSTGRESQL:
            if os.environ.get("CI"):
                pytest.fail("CI runs the service tests on PostgreSQL too: R2PFLOW_TEST_POSTGRESQL_URL is not set")
            pytest.skip("R2PFLOW_TEST_POSTGRESQL_URL is not set")
        schema = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
        admin = create_engine(POSTGRESQL)
        with admin.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        engine = create_engine(POSTGRESQL, connect_args={"options": f"-csearch_path={schema}"})
    else:
        engine = create_engine(f"sqlite:///{tmp_path / 'test.sqlite'}")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
    if request.param == "postgresql":
        with admin.begin() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        admin.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def work(engine, catalogue: Catalogue, clock: Clock, tmp_path: Path) -> Iterator[UnitOfWork]:
    with Session(engine) as session:
        yield UnitOfWork(session, catalogue, Settings(instance=tmp_path), EmbeddedQueue(), clock)


@pytest.fixture
def second_work(engine, catalogue: Catalogue, clock: Clock, tmp_path: Path) -> Iterator[UnitOfWork]:
    """A second person's transaction on the same database."""
    with Session(engine) as session:
        yield UnitOfWork(session, catalogue, Settings(instance=tmp_path), EmbeddedQueue(), clock)


@pytest.fixture
def coalition(work: UnitOfWork) -> dict[str, Actor]:
    """One person per organisation, called like it, and `translator` and `verifier` of the delta organisation."""
    actors = {}
    for slug, (roles, region) in ORGANISATIONS.items():
        roles = roles or ["secretariat"]
        values = {
            "slug": slug,
            "names": {"en": slug.title()},
            "short_name": slug.title(),
            "region": region if region != "secretariat" else "",
            "roles": roles,
            "language": "en",
        }
        directory.save_organisation(work, THE_SYSTEM, values)
        actors[slug] = _person(work, slug, slug, [])
    actors["translator"] = _person(work, "translator", "delta", ["translator"], "fr")
    actors["verifier"] = _person(work, "verifier", "delta", ["translator"], "fr")
    work.commit()
    return actors


def _person(work: UnitOfWork, name: str, organisation: str, roles: list[str], language: str = "en") -> Actor:
    values = {
        "name": name.title(),
        "email": f"{name}@example.org",
        "organisation": organisation,
        "roles": roles,
        "language": language,
    }
    actor = directory.load_actor(work, directory.save_person(work, THE_SYSTEM, values))
    assert actor is not None
    return actor


@pytest.fixture
def statement(work: UnitOfWork, coalition: dict[str, Actor]) -> str:
    """A fresh statement in drafting; its reference."""
    reference = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    return reference
