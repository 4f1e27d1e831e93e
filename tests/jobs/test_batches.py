"""Workers carry a batch to its end, whatever happens to them."""

import os
import signal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.history import BatchEntryRow, BatchRow, HistoryEntryRow
from r2pflow.services import people
from r2pflow.services.bulk import start_batch
from r2pflow.services.drafting import create_document
from r2pflow.worker import run_worker

from .conftest import wait_until

NUMBER = 130


@pytest.fixture
def batch_id(begin, engine) -> int:
    """A batch of many statements, queued."""
    with Session(engine) as session:
        work = begin(session)
        person = {"name": "Awa Diop", "email": "awa@example.org", "roles": ["secretariat"]}
        actor = people.load_actor(work, people.save_person(work, THE_SYSTEM, person))
        text = canonical("<h1 data-block='title'>Act</h1><p data-block='p1'>Early.</p>")
        references = [create_document(work, actor, "statement", text) for _ in range(NUMBER)]
        found = start_batch(work, actor, "open_comment", references)
        work.commit()
        return found


def count_entries(engine, outcome):
    with Session(engine) as session:
        query = select(func.count()).select_from(BatchEntryRow).where(BatchEntryRow.outcome == outcome)
        return session.scalar(query)


def assert_each_was_fired_once(engine, batch_id):
    with Session(engine) as session:
        fired = select(HistoryEntryRow.document_id).where(HistoryEntryRow.transition == "open_comment")
        documents = session.scalars(fired).all()
        assert (len(documents), len(set(documents))) == (NUMBER, NUMBER)
        assert session.get_one(BatchRow, batch_id).finished_at is not None
        jobs = session.scalars(select(JobRow).where(JobRow.kind == "batch").order_by(JobRow.id)).all()
    assert [job.key for job in jobs] == [f"batch:{batch_id}:{part}" for part in (1, 2, 3)]
    assert all(job.done_at is not None and job.error == "" for job in jobs)
    assert count_entries(engine, "done") == NUMBER


def test_few_jobs_carry_a_batch_to_its_end(app, engine, batch_id):
    run_worker(app, until_idle=True)
    assert_each_was_fired_once(engine, batch_id)


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_each_document_fired_once(engine, batch_id, start_worker):
    killed = start_worker()
    wait_until(lambda: count_entries(engine, "done") >= 5)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert count_entries(engine, "waiting") > 0, "it was faster than the kill"
    second = start_worker("--until-idle")
    output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output
    assert_each_was_fired_once(engine, batch_id)
