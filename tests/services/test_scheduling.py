"""A transition set for an instant: fired then, as who asked, with the roles that they hold then, or told why not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound, Refused
from r2pflow.domain.moments import read_moment
from r2pflow.domain.people import NOBODY, THE_SYSTEM
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.people import PersonRow
from r2pflow.services import people
from r2pflow.services.access import get_subject
from r2pflow.services.notices import notify, prepare_mail
from r2pflow.services.scheduling import cancel_schedule, list_schedulable, list_schedules, schedule
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire

NOON = "2027-03-10T12:00"  # two days after the clock's start, a Monday at 09:00 UTC


def at(work, text=NOON, zone="Europe/Paris"):
    return read_moment(text, zone, work.now())


def set_up(work, actor, reference, transition, text=NOON, comment=""):
    found = schedule(work, actor, reference, transition, at(work, text), comment)
    work.commit()
    return found


def run_all(work):
    done = []
    for timer_id in find_due(work, 10):
        done.append(run_timer(work, timer_id))
        work.commit()
    return done


def state_of(work, reference):
    return work.session.scalar(select(DocumentRow.state).where(DocumentRow.reference == reference))


def entries(work):
    return work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "timer")).all()


def told(work):
    return [entry.params["what"] for entry in entries(work)]


def test_a_scheduled_transition_is_fired_at_its_instant_as_who_asked(work, coalition, statement, clock):
    set_up(work, coalition["secretariat"], statement, "open_comment")
    clock.forward(days=2, hours=1, minutes=59)
    assert run_all(work) == []
    clock.forward(minutes=1)  # 12:00 in Paris is 11:00 in UTC
    assert run_all(work) == [True]
    assert state_of(work, statement) == "member_comment"
    fired = work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "transition")).one()
    assert (fired.person_id, fired.trigger) == (coalition["secretariat"].person_id, "user")
    assert told(work) == ["scheduled", "came"]
    assert run_all(work) == []


def test_a_schedule_outlives_the_state_that_it_was_set_in(work, coalition, statement, clock):
    set_up(work, coalition["secretariat"], statement, "submit")
    fire(work, coalition["secretariat"], statement, "open_comment")
    fire(work, coalition["secretariat"], statement, "close_comment")
    work.commit()
    clock.forward(days=2, hours=2)
    assert run_all(work) == [True]
    assert state_of(work, statement) == "approval"


def test_what_is_not_possible_at_the_instant_is_written_down_and_mailed(work, coalition, statement, clock):
    member = coalition["secretariat"]
    set_up(work, member, statement, "close_comment")
    clock.forward(days=2, hours=2)
    assert run_all(work) == [True]
    assert run_all(work) == []
    assert state_of(work, statement) == "drafting"
    refused = entries(work)[-1]
    assert refused.params["what"] == "schedule_refused"
    assert [one["code"] for one in refused.params["reasons"]] == ["wrong_state"]
    assert refused.params["scheduler"] == "Secretariat"
    [job] = work.session.scalars(select(JobRow).where(JobRow.kind == "notify")).all()
    assert notify(work, job.key, **job.payload) == 1
    [mail] = work.session.scalars(select(JobRow).where(JobRow.kind == "mail")).all()
    notice = prepare_mail(work, mail.key, mail.payload)
    assert (notice.email, notice.deadline_timezone) == ("secretariat@example.org", "Europe/Paris")
    assert [refusal.code for refusal in notice.refusals] == ["wrong_state"]


def test_the_scheduler_is_mailed_beside_the_secretariat(work, coalition, statement, clock):
    fire(work, coalition["secretariat"], statement, "open_comment")
    values = {"name": "Second", "email": "second@example.org", "organisation": "delta", "roles": ["secretariat"]}
    second = people.load_actor(work, people.save_person(work, THE_SYSTEM, values))
    work.commit()
    set_up(work, second, statement, "submit")
    people.save_person(work, THE_SYSTEM, {"roles": []}, person_id=second.person_id)
    work.commit()
    clock.forward(days=2, hours=2)
    run_all(work)
    codes = [one["code"] for one in entries(work)[-1].params["reasons"]]
    assert "no_role" in codes  # the roles are those held then
    job = work.session.scalars(select(JobRow).where(JobRow.key.like("notify:refused:%"))).one()
    notify(work, job.key, **job.payload)
    mails = work.session.scalars(select(JobRow).where(JobRow.key.like("mail:notify:refused:%"))).all()
    assert {mail.payload["person_id"] for mail in mails} == {coalition["secretariat"].person_id, second.person_id}


def test_a_worker_that_was_off_fires_late_and_says_so(work, coalition, statement, clock):
    set_up(work, coalition["secretariat"], statement, "open_comment")
    clock.forward(days=9)
    assert run_all(work) == [True]
    assert state_of(work, statement) == "member_comment"
    assert told(work) == ["scheduled", "came_late"]


def test_who_was_deactivated_meanwhile_fires_nothing(work, coalition, statement, clock):
    set_up(work, coalition["secretariat"], statement, "open_comment")
    work.session.execute(
        update(PersonRow).where(PersonRow.id == coalition["secretariat"].person_id).values(is_active=False)
    )
    work.commit()
    clock.forward(days=3)
    assert run_all(work) == [True]
    assert state_of(work, statement) == "drafting"
    assert entries(work)[-1].params["reasons"] == [{"code": "person_inactive", "params": {}}]


def test_two_workers_fire_a_schedule_once(work, second_work, coalition, statement, clock):
    found = set_up(work, coalition["secretariat"], statement, "open_comment")
    clock.forward(days=3)
    assert run_timer(work, found)
    work.commit()
    assert not run_timer(second_work, found)


def test_what_was_taken_back_is_not_fired(work, coalition, statement, clock):
    found = set_up(work, coalition["secretariat"], statement, "open_comment")
    cancel_schedule(work, coalition["secretariat"], statement, found)
    work.commit()
    clock.forward(days=3)
    assert run_all(work) == []
    assert told(work) == ["scheduled", "unscheduled"]
    with pytest.raises(NotFound) as caught:
        cancel_schedule(work, coalition["secretariat"], statement, found)
    assert caught.value.code == "schedule_not_found"


def test_only_who_set_it_and_the_secretariat_take_a_schedule_back(work, coalition, statement, clock):
    found = set_up(work, coalition["secretariat"], statement, "close_comment")
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    with pytest.raises(Forbidden) as caught:
        cancel_schedule(work, coalition["delta"], statement, found)
    assert caught.value.code == "not_your_schedule"
    [seen] = list_schedules(work, get_subject(work, coalition["delta"], statement))
    assert (seen.person, seen.may_cancel) == ("Secretariat", False)


def test_several_schedules_stand_on_one_document_in_the_order_of_their_instants(work, coalition, statement, clock):
    secretary = coalition["secretariat"]
    set_up(work, secretary, statement, "close_comment", "2027-03-12T12:00")
    set_up(work, secretary, statement, "open_comment")
    names = [one.row.name for one in list_schedules(work, get_subject(work, secretary, statement))]
    assert names == ["open_comment", "close_comment"]
    clock.forward(days=2, hours=2)
    run_all(work)
    clock.forward(days=2)
    run_all(work)
    assert state_of(work, statement) == "revision"


def test_who_could_never_fire_it_may_not_schedule_it(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    with pytest.raises(Refused) as caught:
        schedule(work, coalition["delta"], statement, "submit", at(work))
    assert [one.code for one in caught.value.refusals] == ["no_role"]
    with pytest.raises(Refused) as automatic:
        schedule(work, coalition["secretariat"], statement, "adopt", at(work))
    assert [one.code for one in automatic.value.refusals] == ["not_this_trigger"]
    with pytest.raises(NotFound):
        schedule(work, NOBODY, statement, "submit", at(work))
    with pytest.raises(NotFound):
        schedule(work, coalition["secretariat"], statement, "abolish", at(work))
    assert list_schedulable(get_subject(work, coalition["delta"], statement)) == []


def test_a_comment_that_the_step_requires_is_asked_for_at_once(work, coalition, statement):
    with pytest.raises(InvalidInput) as caught:
        schedule(work, coalition["secretariat"], statement, "withdraw", at(work))
    assert caught.value.code == "comment_required"


def test_one_document_holds_so_many_schedules_and_no_more(work, coalition, statement):
    for _ in range(20):
        schedule(work, coalition["secretariat"], statement, "submit", at(work))
    with pytest.raises(InvalidInput) as caught:
        schedule(work, coalition["secretariat"], statement, "submit", at(work))
    assert caught.value.code == "too_many_schedules"


NOW = datetime(2027, 3, 8, 9, tzinfo=UTC)


def test_a_time_that_the_clock_skips_is_moved_on_and_told():
    skipped = read_moment("2027-03-28T02:30", "Europe/Paris", NOW)
    assert (skipped.instant, skipped.is_moved) == (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), True)  # 03:30 there
    twice = read_moment("2027-10-31T02:30", "Europe/Paris", NOW)
    assert (twice.instant, twice.is_moved) == (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), False)
    with_offset = read_moment("2027-03-28T02:30+00:00", "Europe/Paris", NOW)
    assert (with_offset.instant, with_offset.is_moved) == (datetime(2027, 3, 28, 2, 30, tzinfo=UTC), False)


@pytest.mark.parametrize(
    ("text", "zone", "code"),
    [
        ("", "UTC", "bad_datetime"),
        ("2027-03-31", "UTC", "bad_datetime"),
        ("tomorrow at noon", "UTC", "bad_datetime"),
        ("2027-02-30T10:00", "UTC", "bad_datetime"),
        ("9999-12-31T23:59", "America/New_York", "bad_datetime"),
        ("2027-03-08T09:00", "UTC", "in_the_past"),
        ("2027-03-08T09:59", "Europe/Paris", "in_the_past"),
        ("2099-03-08T09:59", "Europe/Paris", "too_far_ahead"),
        ("2027-04-08T09:59", "Mars/Olympus", "unknown_timezone"),
        ("2027-04-08T09:59", "../../etc/passwd", "unknown_timezone"),
    ],
)
def test_what_is_no_moment_ahead_is_refused(text, zone, code):
    with pytest.raises(InvalidInput) as caught:
        read_moment(text, zone, NOW)
    assert caught.value.code == code
    assert NOW + timedelta(minutes=1) == read_moment("2027-03-08T09:01", "UTC", NOW).instant
