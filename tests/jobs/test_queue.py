"""A job is leased by one worker at a time, comes back when the worker dies, and is given up in the end."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from r2pflow.jobs.embedded import LAST_ATTEMPT, EmbeddedQueue, JobRow

from .conftest import read_now


@pytest.fixture
def queue():
    return EmbeddedQueue()


@pytest.fixture
def session(engine):
    with Session(engine) as session:
        yield session


def add(queue, session, key, kind="mail", **options):
    queue.enqueue(session, kind, key, {"n": 1}, now=read_now(), **options)
    session.commit()


def lease(queue, session, worker="one", at=None, seconds=60, **options):
    return queue.lease(session, worker, now=at or read_now(), seconds=seconds, **options)


def test_a_key_is_queued_once(queue, session):
    add(queue, session, "a")
    add(queue, session, "a")
    assert session.scalar(select(func.count()).select_from(JobRow)) == 1


def test_a_job_is_there_exactly_when_what_caused_it_is(queue, session):
    queue.enqueue(session, "mail", "a", {}, now=read_now())
    session.rollback()
    assert lease(queue, session) is None


def test_a_leased_job_is_not_taken_again_until_its_lease_lapses(queue, session):
    add(queue, session, "a")
    assert lease(queue, session).attempts == 1
    assert lease(queue, session, "two") is None
    assert lease(queue, session, "two", at=read_now() + timedelta(seconds=61)).attempts == 2


def test_a_renewed_lease_does_not_lapse_and_only_its_holder_renews_it(queue, session):
    add(queue, session, "a")
    job = lease(queue, session)
    later = read_now() + timedelta(seconds=50)
    queue.renew(session, [job], "two", now=later, seconds=60)
    assert lease(queue, session, "two", at=read_now() + timedelta(seconds=61)).attempts == 2
    queue.renew(session, [job], "two", now=later, seconds=600)
    assert lease(queue, session, at=read_now() + timedelta(seconds=300)) is None


def test_a_released_job_is_taken_at_once_and_its_try_does_not_count(queue, session):
    add(queue, session, "a")
    job = lease(queue, session)
    queue.release(session, [job], "one", now=read_now())
    assert lease(queue, session, "two").attempts == 1


def test_jobs_are_taken_oldest_first_and_by_kind(queue, session):
    now = read_now()
    add(queue, session, "late", due_at=now - timedelta(seconds=1))
    add(queue, session, "early", kind="render", due_at=now - timedelta(seconds=2))
    add(queue, session, "not yet", due_at=now + timedelta(hours=1))
    assert lease(queue, session, kinds=("mail",)).key == "late"
    assert lease(queue, session).key == "early"
    assert lease(queue, session) is None
    assert queue.count_due(session, now=now) == 2


def test_a_failing_job_waits_longer_each_time_and_is_given_up(queue, session):
    add(queue, session, "a")
    at, waits = read_now(), []
    for attempt in range(1, LAST_ATTEMPT + 1):
        job = lease(queue, session, at=at)
        assert job.attempts == attempt
        queue.fail(session, job, "no", now=at)
        due_at = session.scalars(select(JobRow.due_at)).one()
        waits.append(due_at - at)
        at = due_at
    assert waits == sorted(set(waits))
    assert lease(queue, session, at=at + timedelta(days=1)) is None
    [failed] = queue.list_failed(session)
    assert failed.error == "no" and failed.failed_at is not None


def test_a_job_that_was_given_up_can_be_tried_again(queue, session):
    add(queue, session, "a")
    job = lease(queue, session)
    row = session.get_one(JobRow, job.id)
    row.failed_at = read_now()
    session.commit()
    assert queue.retry(session, job.id, now=read_now())
    session.commit()
    assert not queue.retry(session, job.id, now=read_now())
    assert lease(queue, session, at=read_now() + timedelta(seconds=61)).attempts == 1
