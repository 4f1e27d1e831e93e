"""What came due happens once, late if need be, and a refusal is told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.jobs.embedded import EmbeddedQueue, JobRow
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots
from r2pflow.services.access import get_subject
from r2pflow.services.notices import notify
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire
from r2pflow.settings import Settings

START = datetime.fromisoformat("2027-03-08T09:00:00+00:00")  # where the clock of these tests stands, a Monday


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


def remind(work, reference, *days):
    """Set further reminders before the close of the round, which is three days after the clock's start."""
    document_id = get_subject(work, THE_SYSTEM, reference).id
    for number in days:
        due_at = START + timedelta(days=number)
        values = {"kind": "remind", "name": "close_comment", "state": "member_comment", "due_at": due_at}
        work.session.add(TimerRow(document_id=document_id, **values))
    work.commit()


def reminders(work):
    return [job for job in queued(work, "notify") if job.payload["event"] == "reminder"]


def test_a_reminder_whose_deadline_has_come_is_not_sent(work, in_comment, clock):
    clock.forward(days=3)
    assert run_all(work) == [True, True]  # the reminder comes first, and ends without a word
    assert reminders(work) == []
    assert state_of(work, in_comment) == "revision"


def test_late_reminders_of_one_deadline_are_merged_into_one(work, in_comment, clock):
    remind(work, in_comment, 0.5, 1, 1.5, 2.9)
    clock.forward(days=2, hours=2)
    assert run_all(work) == [True, False, False, False]  # the own one of two days too; that of 2.9 is ahead
    assert len(reminders(work)) == 1
    clock.forward(hours=20)
    assert run_all(work) == [True]
    assert len(reminders(work)) == 2


def test_a_reminder_on_its_way_tells_nobody_once_the_state_was_left(work, coalition, in_comment, clock):
    clock.forward(days=2, seconds=1)
    run_all(work)
    [job] = reminders(work)
    fire(work, coalition["secretariat"], in_comment, "close_comment")
    work.commit()
    assert notify(work, job.key, **job.payload) == 0


def test_timers_outlive_the_process(work, engine, catalogue, tmp_path, in_comment, clock):
    work.session.close()
    engine.dispose()
    clock.forward(days=7)
    with Session(engine) as session:
        again = UnitOfWork(session, catalogue, Settings(instance=tmp_path), EmbeddedQueue(), clock)
        run_all(again)
        assert run_all(again) == []
        assert state_of(again, in_comment) == "revision"
        [late] = timer_entries(again)
        assert late.params["late_by_seconds"] == 4 * 24 * 3600


def test_a_clock_that_is_set_back_fires_nothing_twice(work, in_comment, clock):
    clock.forward(days=3, seconds=1)
    run_all(work)
    clock.forward(days=-2)
    assert run_all(work) == []
    clock.forward(days=2)
    assert run_all(work) == []
    assert state_of(work, in_comment) == "revision"


@pytest.mark.parametrize(
    ("begins", "closes"),
    [
        ("2027-03-26T08:00:00+00:00", "2027-03-31T07:00:00+00:00"),  # 9:00 in Paris; an hour is left out
        ("2027-10-29T07:00:00+00:00", "2027-11-03T08:00:00+00:00"),  # 9:00 in Paris; an hour comes twice
    ],
)
def test_a_timer_over_a_change_of_the_clock_fires_at_the_same_time_of_day(
    work, coalition, statement, clock, begins, closes
):
    work.settings = replace(work.settings, timezone="Europe/Paris")
    clock.at = datetime.fromisoformat(begins)
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    clock.at = datetime.fromisoformat(closes) - timedelta(seconds=1)
    run_all(work)
    assert state_of(work, statement) == "member_comment"
    clock.forward(seconds=1)
    run_all(work)
    assert state_of(work, statement) == "revision"
    assert timer_entries(work) == []


def test_a_deadline_that_was_told_keeps_its_instant_when_the_zone_of_the_settings_changes(
    work, coalition, in_comment, clock
):
    work.settings = replace(work.settings, timezone="Pacific/Auckland")
    timer = work.session.scalars(select(TimerRow).where(TimerRow.kind == "fire")).one()
    assert (timer.due_at, timer.timezone) == (START + timedelta(days=3), "UTC")
    clock.forward(days=3)
    run_all(work)
    assert state_of(work, in_comment) == "revision"


def test_timers_that_wait_for_another_try_do_not_hold_the_others(work, in_comment, clock):
    clock.forward(days=3, seconds=1)
    first, second = find_due(work, 10)
    assert find_due(work, 1) == [first]
    assert find_due(work, 1, without=[first]) == [second]
