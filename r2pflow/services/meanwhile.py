"""What happened to a document since somebody saw it: what a Conflict has to say."""

from collections.abc import Sequence

from sqlalchemy import select

from r2pflow.domain.errors import Conflict
from r2pflow.domain.people import Actor
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject

CHANGES = ("transition", "text", "fields", "migration")
"""The entries of which each stands for one step of the change number."""

_LONGEST = 10


def list_meanwhile(work: UnitOfWork, subject: Subject, seen: int) -> Sequence[HistoryEntryRow]:
    """Return what happened after the change number `seen`, newest first, at most ten entries."""
    steps = subject.change_number - seen
    if steps <= 0:
        return []
    first = (
        select(HistoryEntryRow.id)
        .where(HistoryEntryRow.document_id == subject.id, HistoryEntryRow.kind.in_(CHANGES))
        .order_by(HistoryEntryRow.id.desc())
        .offset(steps - 1)
        .limit(1)
        .scalar_subquery()
    )
    return work.session.scalars(
        select(HistoryEntryRow)
        .where(HistoryEntryRow.document_id == subject.id, HistoryEntryRow.id >= first)
        .order_by(HistoryEntryRow.id.desc())
        .limit(_LONGEST)
    ).all()


def moved_on(work: UnitOfWork, actor: Actor, document_id: int, seen: int) -> Conflict:
    """Return the conflict of an actor who saw the change number `seen`; it tells each change since, oldest first.

    Raises NotFound where the document moved out of the actor's sight.
    """
    subject = get_subject(work, actor, document_id)
    meanwhile = [
        {
            "who": entry.actor_name,
            "what": entry.kind,
            "transition": entry.transition,
            "target": entry.target,
            "at": entry.happened_at,
        }
        for entry in reversed(list_meanwhile(work, subject, seen))
        if entry.kind in CHANGES
    ]
    return Conflict("moved_on", reference=subject.reference, state=subject.state_name, seen=seen, meanwhile=meanwhile)
