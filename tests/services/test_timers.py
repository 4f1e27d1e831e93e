"""What came due happens once, late if need be, and a refusal is told."""

import pytest
from sqlalchemy import select

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.services import ballots
from r2pflow.services.access import get_subject
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire


@pytest.fixture
def in_comment(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    return statement


def state_of(work, reference):
    return work.session.scalar(select(DocumentRow.state).where(DocumentRow.reference == reference))


def run_all(work):
    done = []
    for timer_id in find_due(work, 10):
        done.append(run_timer(work, timer_id))
        work.commit()
    return done


def timer_entries(work):
    return work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "timer")).all()


def queued(work, kind):
    return work.session.scalars(select(JobRow).where(JobRow.kind == kind).order_by(JobRow.id)).all()


def test_nothing_is_due_before_its_instant(work, in_comment, clock):
    clock.forward(days=1, hours=23)
    assert find_due(work, 10) == []


def test_a_round_closes_by_its_timer(work, in_comment, clock):
    clock.forward(days=3, seconds=1)
    assert run_all(work) == [True, True]  # the reminder and the close
    assert state_of(work, in_comment) == "revision"
    entry = work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.transition == "close_comment")).one()
    assert (entry.trigger, entry.actor_name) == ("timer", "system")
    assert timer_entries(work) == []


def test_a_reminder_is_due_a_working_day_before(work, in_comment, clock):
    clock.forward(days=2, seconds=1)
    assert run_all(work) == [True]
    assert queued(work, "notify")[-1].payload["event"] == "reminder"
    assert state_of(work, in_comment) == "member_comment"


def test_a_timer_that_came_due_while_nothing_ran_fires_once_and_says_how_late(work, in_comment, clock):
    clock.forward(days=30)
    run_all(work)
    assert run_all(work) == []
    assert state_of(work, in_comment) == "revision"
    late = [entry for entry in timer_entries(work) if entry.params["what"] == "late"]
    assert len(late) == 1
    assert late[0].params["late_by_seconds"] == 27 * 24 * 3600
    assert late[0].params["name"] == "close_comment"


def test_two_workers_that_saw_the_same_timer_fire_it_once(work, second_work, in_comment, clock):
    clock.forward(days=3, seconds=1)
    fires = work.session.scalars(select(TimerRow.id).where(TimerRow.kind == "fire")).one()
    assert fires in find_due(second_work, 10)
    second_work.rollback()
    assert run_timer(work, fires)
    work.commit()
    assert not run_timer(second_work, fires)


def test_a_refused_timer_is_written_down_and_told_and_the_document_stays(work, coalition, statement, clock):
    document_id = get_subject(work, THE_SYSTEM, statement).id
    work.session.add(TimerRow(document_id=document_id, kind="fire", name="publish", state="drafting", due_at=clock()))
    work.commit()
    assert run_all(work) == [True]
    assert run_all(work) == []
    assert state_of(work, statement) == "drafting"
    [entry] = timer_entries(work)
    assert entry.params["what"] == "refused"
    codes = {reason["code"] for reason in entry.params["reasons"]}
    assert {"wrong_state", "not_this_trigger"} <= codes
    [notice] = queued(work, "notify")
    assert notice.payload["event"] == "timer_refused"
    assert notice.payload["transition"] == "publish"


def test_a_refusal_further_down_the_chain_undoes_the_whole_transition(work, coalition, in_comment, clock):
    document_id = get_subject(work, THE_SYSTEM, in_comment).id
    ballot = work.catalogue.workflows["statement"].ballots["simple"]
    assert ballot.electorate.role == "steering"
    work.session.add(
        TimerRow(document_id=document_id, kind="close_ballot", name="4711", state="approval", due_at=clock())
    )
    work.commit()
    assert run_all(work) == [True]
    [entry] = timer_entries(work)
    assert entry.params["reasons"] == [{"code": "ballot_not_found", "params": {"ballot": 4711}}]
    assert state_of(work, in_comment) == "member_comment"


def test_a_ballot_closes_by_its_timer_and_what_follows_follows(work, coalition, statement, clock):
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    digest = get_subject(work, THE_SYSTEM, statement).text_digest
    ballots.record_position(work, coalition["alpha"], statement, "yes", digest=digest)
    work.commit()
    clock.forward(days=5, seconds=1)
    assert run_all(work) == [True]
    ballot = work.session.scalars(select(BallotRow)).one()
    assert ballot.outcome == "lost"  # one of three is no quorum
    assert state_of(work, statement) == "revision"


def test_a_timer_of_a_state_that_was_left_does_nothing(work, coalition, in_comment, clock):
    fire(work, coalition["secretariat"], in_comment, "close_comment")
    work.commit()
    clock.forward(days=10)
    assert run_all(work) == []
