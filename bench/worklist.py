"""A worklist of 10,000 pending documents, first page and count, while the documents elsewhere grow.

SQLite always; PostgreSQL on the server that R2PFLOW_TEST_POSTGRESQL_URL names, or on one of its own where it can.
"""

import importlib.machinery
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved
from bench.host import WORKFLOWS, add_person
from r2pflow.domain.people import Actor
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence import migrate
from r2pflow.persistence.postgresql import tune_postgresql
from r2pflow.persistence.sqlite import tune_sqlite
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services.definitions import store_definition
from r2pflow.services.worklists import list_worklist
from r2pflow.settings import Settings

TARGET = 1.3
"""Times the time with few documents elsewhere."""
PENDING = 10_000
ROUNDS = 25
SIZES = {"sqlite": (20_000, 100_000), "postgresql": (20_000, 1_000_000)}
QUICK = {"sqlite": (400, 1_000), "postgresql": (400, 2_000)}
QUICK_PENDING = 200
_SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :total) ",
    "postgresql": "WITH series(n) AS (SELECT generate_series(1, :total)) ",
}
_SINCE = {
    "sqlite": "datetime('2027-01-01', '-' || (n * 7919 % 100003) || ' minutes')",
    "postgresql": "TIMESTAMPTZ '2027-01-01 00:00Z' - (n::bigint * 7919 % 100003) * INTERVAL '1 minute'",
}


def measure(folder: Path, quick: bool = False) -> Measured:
    """Read the first page and the count with few and with many documents elsewhere, in turn, on both databases."""
    found = Measured()
    with ExitStack() as stack:
        servers = {"sqlite": f"sqlite:///{folder}/", "postgresql": stack.enter_context(find_postgresql())}
        for name, url in servers.items():
            if not url:
                found.note(f"{name}: the worklist", "n/a: no PostgreSQL here, and no R2PFLOW_TEST_POSTGRESQL_URL")
                continue
            few, many = (QUICK if quick else SIZES)[name]
            pending = QUICK_PENDING if quick else PENDING
            reads = [stack.enter_context(prepare(name, url, folder, number, pending)) for number in (few, many)]
            for read in reads:
                read()
            times = time_interleaved(3 if quick else ROUNDS, *reads)
            told = f"worklist: {many:,} documents against {few:,}, {name}"
            found.figures.append(Figure(told, median_ratio(times[1], times[0]), TARGET))
            for number, seconds in zip((few, many), times, strict=True):
                found.note(f"{name}: {pending:,} pending of {number:,}, page and count", in_ms(seconds))
    return found


@contextmanager
def prepare(name: str, url: str, folder: Path, number: int, pending: int) -> Iterator[Callable[[], None]]:
    """Make a database with that many documents; give a function that reads the worklist in a transaction of its own."""
    with _open_engine(name, url, number) as engine:
        migrate.upgrade(engine)
        catalogue, settings = load_catalogue(load_plugins(), [WORKFLOWS]), Settings(instance=folder)

        def begin(session: Session) -> UnitOfWork:
            return UnitOfWork(session, catalogue, settings, EmbeddedQueue())

        with Session(engine) as session:
            if name == "postgresql":  # else the first VACUUM cannot tell that the rows are there to stay
                session.execute(text("SET LOCAL synchronous_commit = on"))
            actor = _fill(begin(session), catalogue, number, pending)
            session.commit()
        if name == "postgresql":  # what its autovacuum does in the minute after
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))

        def read() -> None:
            with Session(engine) as session:
                _, page = list_worklist(begin(session), actor, "to_review")
                assert (page.total, len(page.rows)) == (pending, settings.page_size), (page.total, len(page.rows))

        yield read


def _fill(work: UnitOfWork, catalogue: Catalogue, number: int, pending: int) -> Actor:
    """Write documents of which every so many-eth is pending; most of the others are published."""
    actor = add_person(work, "secretary", None, ["secretariat"])
    definition = store_definition(work, catalogue.workflows["bench_review"])
    dialect = work.session.get_bind().dialect.name
    values = {"total": number, "step": number // pending, "definition": definition, "person": actor.person_id}
    state = "CASE WHEN n % :step = 0 THEN 'pending' WHEN n % 10 = 1 THEN 'private' ELSE 'published' END"
    since = _SINCE[dialect]
    work.session.execute(
        text(
            "INSERT INTO r2pflow_document (id, reference, type, title, language, dossier_path, blocks_sharing, "
            "track_count, definition_id, state, state_entered_at, fields, text_digest, revision_number, author_id, "
            f"created_at, changed_at, change_number) {_SERIES[dialect]}"
            "SELECT n, 'BN-' || n, 'bench_note', 'A text of the coalition on the protection of people, number ' || n, "
            f"'en', '', false, 0, :definition, {state}, {since}, '{{}}', "
            "'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 1, :person, "
            f"{since}, {since}, 3 FROM series"
        ),
        values,
    )
    work.session.execute(
        text(
            f"INSERT INTO r2pflow_local_role (document_id, person_id, role, created_at) {_SERIES[dialect]}"
            f"SELECT n, :person, 'author', {since} FROM series"
        ),
        {"total": number, "person": actor.person_id},
    )
    return actor


@contextmanager
def _open_engine(name: str, url: str, number: int) -> Iterator[Engine]:
    if name == "sqlite":
        engine = create_engine(f"{url}worklist-{number}.sqlite")
        tune_sqlite(engine)
        yield engine
        engine.dispose()
        return
    schema = f"bench_worklist_{os.getpid()}_{number}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    engine = create_engine(url, connect_args={"options": f"-csearch_path={schema}"})
    tune_postgresql(engine)
    try:
        yield engine
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        admin.dispose()


@contextmanager
def find_postgresql() -> Iterator[str]:
    """Give the address of a PostgreSQL, starting a private one where it can; empty where there is none."""
    if url := os.environ.get("R2PFLOW_TEST_POSTGRESQL_URL", ""):
        yield url
        return
    runner = _load_runner()
    try:
        runner.find_postgresql()
    except SystemExit:
        yield ""
        return
    with runner.postgresql() as url:
        yield url


def _load_runner() -> ModuleType:
    """Load scripts/run-tests, which knows how to start a server for a while."""
    path = Path(__file__).resolve().parent.parent / "scripts" / "run-tests"
    loader = importlib.machinery.SourceFileLoader("run_tests", str(path))
    spec = importlib.util.spec_from_loader("run_tests", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
