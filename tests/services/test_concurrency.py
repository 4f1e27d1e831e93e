"""Many fire at once: on different documents nobody is refused; on the same one, exactly one wins."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from r2pflow.cli import tell
from r2pflow.domain.errors import Conflict, NotFound
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

WRITERS, EACH = 8, 25
ROOT = Path(__file__).resolve().parents[2]
TEXT = "<h1>Protect civilians</h1><p>States must act early.</p>"


@pytest.fixture
def statements(work, coalition) -> list[str]:
    found = [
        create_document(work, coalition["secretariat"], "statement", canonical(TEXT)) for _ in range(WRITERS * EACH)
    ]
    work.commit()
    return found


@pytest.fixture
def at_once(engine, work) -> Callable[..., list[Any]]:
    """Call a function in as many threads as there are arguments, each with a session of its own, all at one moment."""

    def at_once(function: Callable[[UnitOfWork, Any], Any], arguments: list[Any]) -> list[Any]:
        barrier = Barrier(len(arguments))

        def run(argument: Any) -> Any:
            with Session(engine) as session:
                mine = UnitOfWork(session, work.catalogue, work.settings, EmbeddedQueue(), work.clock)
                barrier.wait(30)
                try:
                    return function(mine, argument)
                except Conflict as error:
                    return error

        work.session.rollback()
        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(run, arguments))

    return at_once


def test_on_different_documents_everybody_succeeds(work, coalition, statements, at_once):
    def carry(mine: UnitOfWork, references: list[str]) -> int:
        for reference in references:
            mine.complete(lambda reference=reference: fire(mine, coalition["secretariat"], reference, "open_comment"))
        return len(references)

    shares = [statements[number::WRITERS] for number in range(WRITERS)]
    assert at_once(carry, shares) == [EACH] * WRITERS
    states = work.session.execute(select(DocumentRow.state, func.count()).group_by(DocumentRow.state)).all()
    assert [tuple(row) for row in states] == [("member_comment", WRITERS * EACH)]
    fired = select(func.count()).select_from(HistoryEntryRow).where(HistoryEntryRow.kind == "transition")
    assert work.session.scalar(fired) == WRITERS * EACH


def test_on_the_same_document_one_wins_and_the_others_are_told_who_did_what(work, coalition, statements, at_once):
    people = [coalition[name] for name in ("secretariat", "secretariat", "secretariat", "secretariat")]
    for reference in statements[:5]:
        seen = get_subject(work, THE_SYSTEM, reference).change_number

        def race(mine: UnitOfWork, actor: Any, reference=reference, seen=seen) -> Any:
            return mine.complete(lambda: fire(mine, actor, reference, "open_comment", expected_change=seen))

        outcomes = at_once(race, people)
        lost = [one for one in outcomes if isinstance(one, Conflict)]
        assert len(lost) == len(people) - 1
        for conflict in lost:
            (happened,) = conflict.params["meanwhile"]
            assert (happened["who"], happened["transition"]) == ("Secretariat", "open_comment")
            assert happened["target"] == conflict.params["state"] == "member_comment"
            assert "Secretariat chose “open comment”" in tell(conflict) and "8 March 2027, 09:00 (UTC)" in tell(
                conflict
            )
        entries = select(func.count()).select_from(HistoryEntryRow).join(DocumentRow)
        won = entries.where(HistoryEntryRow.kind == "transition", DocumentRow.reference == reference)
        assert work.session.scalar(won) == 1
        assert get_subject(work, THE_SYSTEM, reference).change_number == seen + 1


def test_who_loses_sight_of_the_document_is_not_told_where_it_went(work, coalition, statement):
    delta = coalition["delta"]
    fire(work, coalition["secretariat"], statement, "open_comment")
    seen = get_subject(work, delta, statement).change_number
    fire(work, coalition["secretariat"], statement, "close_comment")
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    with pytest.raises(Conflict) as told:
        fire(work, delta, statement, "send_back", expected_change=seen)
    assert [one["transition"] for one in told.value.params["meanwhile"]] == ["close_comment", "submit"]
    with pytest.raises(NotFound):
        fire(work, coalition["delta"].__class__(), statement, "send_back", expected_change=seen)


SCRIPT = """
import sys
from pathlib import Path
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services.people import load_actor
from r2pflow.services.transitions import fire
from r2pflow.settings import Settings

url, options, workflows, person, *references = sys.argv[1:]
engine = create_engine(url, connect_args={"options": options} if options else {})
with Session(engine) as session:
    work = UnitOfWork(session, load_catalogue(load_plugins(), [Path(workflows)]), Settings(), EmbeddedQueue())
    actor = load_actor(work, int(person))
    session.rollback()
    sys.stdin.readline()
    for reference in references:
        work.complete(lambda: fire(work, actor, reference, "open_comment"))
print("done")
"""


def test_processes_do_not_stand_in_each_others_way_either(engine, work, coalition, statements):
    url = engine.url.render_as_string(hide_password=False)
    with engine.connect() as connection:
        options = "" if engine.dialect.name == "sqlite" else f"-csearch_path={_find_schema(connection)}"
    given = [url, options, str(Path(__file__).parent / "workflows"), str(coalition["secretariat"].person_id)]
    work.session.rollback()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *given, *statements[number:100:4]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120) for process in processes]
    assert [out.strip() for out, _ in told] == ["done"] * 4, [error for _, error in told]
    moved = select(func.count()).select_from(DocumentRow).where(DocumentRow.state == "member_comment")
    assert work.session.scalar(moved) == 100


def _find_schema(connection: Any) -> str:
    return str(connection.exec_driver_sql("SELECT current_schema()").scalar())


def test_what_is_no_matter_of_other_writers_is_tried_once(work, coalition, statement):
    tries = []

    def fail() -> None:
        tries.append(1)
        work.session.connection().exec_driver_sql("SELECT * FROM no_such_table")

    with pytest.raises(DBAPIError):
        work.complete(fail)
    assert tries == [1]


def test_a_lock_that_passes_is_waited_for(engine, work, coalition, statement):
    if engine.dialect.name != "sqlite":
        pytest.skip("the lock on the whole database is SQLite's")
    impatient = create_engine(engine.url, connect_args={"timeout": 0})
    other = engine.raw_connection()
    other.driver_connection.execute("BEGIN IMMEDIATE")
    work.session.rollback()
    tries: list[int] = []
    with Session(impatient) as session:
        mine = UnitOfWork(session, work.catalogue, work.settings, EmbeddedQueue(), work.clock)

        def act() -> None:
            tries.append(1)
            if len(tries) == 3:
                other.driver_connection.rollback()
            fire(mine, coalition["secretariat"], statement, "open_comment")

        mine.complete(act)
    impatient.dispose()
    other.close()
    assert len(tries) == 3
    assert get_subject(work, THE_SYSTEM, statement).state_name == "member_comment"
