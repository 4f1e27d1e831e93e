"""Schedule a transition on a document for an instant: it is fired as who asked, with the roles that they hold then.

`services/timers` fires what came due; a refusal then is written into the history and mailed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update

from r2pflow.domain import engine
from r2pflow.domain.definition import USER, Transition
from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound, Refusal, Refused
from r2pflow.domain.moments import Moment, check_ahead
from r2pflow.domain.people import Actor
from r2pflow.domain.schedule import get_timezone
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import transitions
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.bulk import LONGEST_COMMENT
from r2pflow.services.history import record
from r2pflow.services.people import ADMINISTRATORS, load_actor
from r2pflow.services.windows import SCHEDULED

MOST = 20
"""So many schedules may be open on one document."""


@dataclass(frozen=True)
class Schedule:
    """A transition that a person has set for an instant; `may_cancel` is of the reader."""

    row: TimerRow
    person: str
    may_cancel: bool


def schedule(
    work: UnitOfWork, actor: Actor, reference: str | int, transition: str, moment: Moment, comment: str = ""
) -> int:
    """Set a transition for an instant; return the id of the schedule.

    State and conditions are asked at the instant. Raises NotFound for a transition that the document's workflows
    lack, Refused where the actor lacks its permission, role or group in every state that it leaves, or where nobody
    fires it by hand, and InvalidInput for a comment or an instant that does not fit.
    """
    subject = get_subject(work, actor, reference)
    if actor.person_id is None:
        raise Forbidden("sign_in_first")
    lane = subject.find_lane(transition)
    found = engine.get_transition(lane.workflow, transition)
    reasons = find_bars(lane, found)
    if reasons:
        raise Refused(transition, reasons)
    comment = comment.strip()
    if found.comment == "required" and not comment:
        raise InvalidInput("comment_required", field="comment")
    if found.comment == "none" and comment:
        raise InvalidInput("comment_not_allowed", field="comment")
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput("too_long", field="comment", count=len(comment), limit=LONGEST_COMMENT)
    check_ahead(moment.instant, work.now())
    if len(work.session.scalars(_select_open(subject.id)).all()) >= MOST:
        raise InvalidInput("too_many_schedules", field="at", limit=MOST)
    row = TimerRow(
        document_id=subject.id,
        kind=SCHEDULED,
        name=transition,
        state=lane.state_name,
        due_at=moment.instant,
        timezone=get_timezone(moment.timezone).key,
        workflow=lane.workflow.name if lane.track else "",
        person_id=actor.person_id,
        comment=comment,
        created_at=work.now(),
    )
    work.session.add(row)
    work.session.flush()
    _record(work, subject.id, subject.actor, row, "scheduled")
    return row.id


def find_bars(lane: Subject, transition: Transition) -> tuple[Refusal, ...]:
    """Return why the lane's actor could fire the transition in none of the states that it leaves; none if in one.

    Conditions are left aside.
    """
    if USER not in transition.triggers:
        return (Refusal("not_this_trigger", {"trigger": USER, "accepted": list(transition.triggers)}),)
    bars: tuple[Refusal, ...] = ()
    for state in sorted(transition.sources, key=lambda name: name != lane.state_name):
        refusals = engine.refuse_person(lane.workflow, transition, state, lane.actor)
        if not refusals:
            return ()
        bars = bars or refusals
    return bars


def list_schedulable(subject: Subject) -> list[tuple[Subject, Transition]]:
    """Return the transitions that the subject's actor may schedule, each with its workflow of the chain."""
    return [
        (lane, transition)
        for lane in subject.lanes
        for transition in lane.workflow.transitions.values()
        if subject.actor.person_id is not None and not find_bars(lane, transition)
    ]


def list_schedules(work: UnitOfWork, subject: Subject) -> Sequence[Schedule]:
    """Return what is scheduled on a document, the next first."""
    rows = work.session.scalars(_select_open(subject.id).order_by(TimerRow.due_at, TimerRow.id)).all()
    names = _read_names(work, {row.person_id for row in rows if row.person_id is not None})
    return [Schedule(row, names.get(row.person_id or 0, ""), may_cancel(subject.actor, row)) for row in rows]


def may_cancel(actor: Actor, row: TimerRow) -> bool:
    """Tell whether the actor may take the schedule back: who set it, and the secretariat."""
    is_own = actor.person_id is not None and actor.person_id == row.person_id
    return is_own or actor.is_system or not actor.roles.isdisjoint(ADMINISTRATORS)


def cancel_schedule(work: UnitOfWork, actor: Actor, reference: str | int, schedule_id: int) -> None:
    """Take a schedule back; NotFound where none is open any more, Forbidden for who neither set it nor keeps it."""
    subject = get_subject(work, actor, reference)
    row = work.session.scalars(_select_open(subject.id).where(TimerRow.id == schedule_id)).first()
    if row is None:
        raise NotFound("schedule_not_found")
    if not may_cancel(subject.actor, row):
        raise Forbidden("not_your_schedule")
    ended = update(TimerRow).where(TimerRow.id == row.id, TimerRow.ended_at.is_(None)).values(ended_at=work.now())
    if not work.write(ended):
        raise NotFound("schedule_not_found")
    _record(work, subject.id, subject.actor, row, "unscheduled")


def fire_scheduled(work: UnitOfWork, timer: TimerRow, *, is_late: bool) -> None:
    """Fire what a person scheduled, as that person; raises as `transitions.fire` does."""
    actor = load_actor(work, timer.person_id) if timer.person_id is not None else None
    if actor is None:
        raise Refused(timer.name, [Refusal("person_inactive")])
    _record(work, timer.document_id, actor, timer, "came_late" if is_late else "came")
    transitions.fire(work, actor, timer.document_id, timer.name, comment=timer.comment)


def tell_scheduler(work: UnitOfWork, timer: TimerRow) -> dict[str, Any]:
    """Return who set a schedule, and in which zone: for the history, and to mail them."""
    names = _read_names(work, {timer.person_id} if timer.person_id is not None else set())
    return {
        "scheduled_by": timer.person_id,
        "scheduler": names.get(timer.person_id or 0, ""),
        "timezone": timer.timezone,
    }


def _select_open(document_id: int) -> Select[TimerRow]:
    return select(TimerRow).where(
        TimerRow.document_id == document_id, TimerRow.kind == SCHEDULED, TimerRow.ended_at.is_(None)
    )


def _read_names(work: UnitOfWork, person_ids: set[int]) -> Mapping[int, str]:
    rows = work.session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(person_ids)))
    return {row.id: row.name for row in rows}


def _record(work: UnitOfWork, document_id: int, actor: Actor, row: TimerRow, what: str) -> None:
    record(
        work,
        document_id,
        actor,
        "timer",
        transition=row.name,
        what=what,
        timer=SCHEDULED,
        due_at=row.due_at.isoformat(),
        timezone=row.timezone,
    )
