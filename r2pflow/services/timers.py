"""Do what came due: fire a transition, remind, close a ballot; each once, late if need be, and nothing is lost."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import func, select, update

from r2pflow.domain.definition import TIMER
from r2pflow.domain.errors import Conflict, R2PFlowError, Refused, SetupError
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots, scheduling, transitions
from r2pflow.services.history import record
from r2pflow.services.windows import SCHEDULED

FIRE, REMIND, CLOSE_BALLOT = "fire", "remind", "close_ballot"

TOLERANCE = timedelta(minutes=1)
"""What comes later than that after its instant says so."""


def find_due(work: UnitOfWork, limit: int, without: Collection[int] = ()) -> Sequence[int]:
    """Return the ids of the timers that are due and not ended, the oldest first; some may be left out."""
    query = select(TimerRow.id).where(TimerRow.ended_at.is_(None), TimerRow.due_at <= work.now())
    if without:
        query = query.where(TimerRow.id.not_in(without))
    return work.session.scalars(query.order_by(TimerRow.due_at, TimerRow.id).limit(limit)).all()


def count_overdue(work: UnitOfWork, by: timedelta) -> int:
    """Count the timers that should have run that long ago."""
    late = (TimerRow.ended_at.is_(None), TimerRow.due_at <= work.now() - by)
    return work.session.scalar(select(func.count()).select_from(TimerRow).where(*late)) or 0


def run_timer(work: UnitOfWork, timer_id: int) -> bool:
    """Do what the timer is for, unless somebody did it already; tell whether it was done or refused here.

    It must be alone in its transaction: a refusal undoes what was written, then ends the timer, writes the
    refusal into the history and tells the secretariat. Raises Conflict, which asks for another try, and SetupError,
    where this machine lacks something: the timer stays due. A reminder whose deadline has come, or that came due
    together with an earlier one, is not sent.
    """
    if not _take(work, timer_id):
        return False
    timer = work.session.get_one(TimerRow, timer_id)
    try:
        _run(work, timer)
    except (Conflict, SetupError):
        raise
    except R2PFlowError as error:
        work.rollback()
        if not _take(work, timer_id):
            return False
        _write_refusal(work, timer, error)
    return True


def _take(work: UnitOfWork, timer_id: int) -> bool:
    take = update(TimerRow).where(TimerRow.id == timer_id, TimerRow.ended_at.is_(None)).values(ended_at=work.now())
    return work.session.scalar(take.returning(TimerRow.id)) is not None


def _run(work: UnitOfWork, timer: TimerRow) -> None:
    late = work.now() - timer.due_at
    if late > TOLERANCE and timer.kind not in (REMIND, SCHEDULED):
        record(
            work,
            timer.document_id,
            THE_SYSTEM,
            "timer",
            what="late",
            timer=timer.kind,
            name=timer.name,
            due_at=timer.due_at.isoformat(),
            late_by_seconds=int(late.total_seconds()),
        )
    if timer.kind == FIRE:
        transitions.fire(work, THE_SYSTEM, timer.document_id, timer.name, trigger=TIMER)
    elif timer.kind == SCHEDULED:
        scheduling.fire_scheduled(work, timer, is_late=late > TOLERANCE)
    elif timer.kind == CLOSE_BALLOT:
        ballots.close_ballot(work, int(timer.name))
    elif _is_reminder_wanted(work, timer):
        work.enqueue(
            "notify",
            f"notify:remind:{timer.id}",
            event="reminder",
            document_id=timer.document_id,
            state=timer.state,
            workflow=timer.workflow,
        )


def _is_reminder_wanted(work: UnitOfWork, timer: TimerRow) -> bool:
    """Tell whether what the reminder reminds of is still ahead; later reminders of it that are due too end here."""
    place = (TimerRow.document_id == timer.document_id, TimerRow.workflow == timer.workflow)
    same = (*place, TimerRow.name == timer.name, TimerRow.state == timer.state)
    is_open = TimerRow.ended_at.is_(None)
    due_at = work.session.scalar(select(func.min(TimerRow.due_at)).where(*same, is_open, TimerRow.kind == FIRE))
    if due_at is None or due_at <= work.now():
        return False
    overtaken = update(TimerRow).where(*same, is_open, TimerRow.kind == REMIND, TimerRow.due_at <= work.now())
    work.session.execute(overtaken.values(ended_at=work.now()))
    return True


def _write_refusal(work: UnitOfWork, timer: TimerRow, error: R2PFlowError) -> None:
    reasons = [{"code": error.code, "params": error.params}]
    if isinstance(error, Refused):
        reasons = [{"code": refusal.code, "params": dict(refusal.params)} for refusal in error.refusals]
    kind, name, due_at = timer.kind, timer.name, timer.due_at.isoformat()
    transition = name if kind in (FIRE, SCHEDULED) else ""
    by_whom = scheduling.tell_scheduler(work, timer) if kind == SCHEDULED else {}
    record(
        work,
        timer.document_id,
        THE_SYSTEM,
        "timer",
        transition=transition,
        trigger=TIMER,
        what="schedule_refused" if kind == SCHEDULED else "refused",
        timer=kind,
        name=name,
        due_at=due_at,
        reasons=reasons,
        **by_whom,
    )
    key = f"{timer.document_id}:{kind}:{name}:{due_at}" + (f":{timer.id}" if kind == SCHEDULED else "")
    work.enqueue(
        "notify",
        f"notify:refused:{key}",
        event="timer_refused",
        document_id=timer.document_id,
        transition=transition,
        was_due_at=due_at,
        reasons=reasons,
        **by_whom,
    )
