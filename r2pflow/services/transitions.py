"""Fire transitions: the only way by which the state of a document changes."""

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from r2pflow.domain import engine
from r2pflow.domain.definition import AUTOMATIC, USER
from r2pflow.domain.engine import Offer, Outcome
from r2pflow.domain.errors import Conflict
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins import signals
from r2pflow.services import windows
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.facts import gather
from r2pflow.services.history import record


def fire(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    transition: str,
    *,
    comment: str = "",
    trigger: str = USER,
    expected_change: int | None = None,
) -> Outcome:
    """Fire a transition for an actor, with all that follows from it, in the running transaction.

    `expected_change` is the change number that the actor saw. Raises NotFound, Refused with all reasons, or Conflict
    when the document moved on meanwhile (nothing is written then).
    """
    subject = get_subject(work, actor, reference)
    if expected_change is not None and expected_change != subject.change_number:
        raise Conflict("moved_on", reference=subject.reference, state=subject.state_name)
    outcome = _fire_once(work, subject, transition, comment, trigger)
    fire_automatic(work, subject.id)
    return outcome


def fire_automatic(work: UnitOfWork, document_id: int) -> list[Outcome]:
    """Fire the automatic transitions whose guards hold, one after the other; call it after every change that counts."""
    outcomes: list[Outcome] = []
    while len(outcomes) < engine.MAX_AUTOMATIC_CHAIN:
        subject = get_subject(work, THE_SYSTEM, document_id)
        waiting = [t for t in subject.workflow.transitions_from(subject.state_name) if AUTOMATIC in t.triggers]
        if not waiting:
            break
        conditions = work.catalogue.registry.conditions
        names = [transition.name for transition in waiting]
        facts = gather(work, subject, engine.needs(subject.workflow, names, conditions))
        chosen = engine.next_automatic(
            subject.workflow,
            state=subject.state_name,
            facts=facts,
            conditions=conditions,
        )
        if chosen is None:
            break
        outcomes.append(_fire_once(work, subject, chosen.name, "", AUTOMATIC))
    return outcomes


def find_offers(work: UnitOfWork, subject: Subject) -> tuple[Offer, ...]:
    """Return every transition that leaves the subject's state by a user's hand, each with all that refuses it."""
    leaving = subject.workflow.transitions_from(subject.state_name)
    names = [transition.name for transition in leaving if USER in transition.triggers]
    conditions = work.catalogue.registry.conditions
    facts = gather(work, subject, engine.needs(subject.workflow, names, conditions))
    return engine.available(
        subject.workflow, state=subject.state_name, actor=subject.actor, facts=facts, conditions=conditions
    )


def _fire_once(work: UnitOfWork, subject: Subject, name: str, comment: str, trigger: str) -> Outcome:
    conditions = work.catalogue.registry.conditions
    facts = gather(work, subject, engine.needs(subject.workflow, [name], conditions))
    outcome = engine.fire(
        subject.workflow,
        name,
        state=subject.state_name,
        actor=subject.actor,
        facts=facts,
        conditions=conditions,
        comment=comment,
        trigger=trigger,
    )
    moved = _move(work, subject, outcome)
    record(
        work,
        subject.id,
        subject.actor,
        "transition",
        transition=name,
        source=outcome.source,
        target=outcome.target,
        trigger=trigger,
        comment=comment,
        digest=subject.text_digest,
        **({"bypassed": True} if outcome.bypassed else {}),
    )
    if outcome.entered:
        windows.leave_state(work, subject)
        windows.enter_state(work, moved)
    for effect in outcome.effects:
        work.catalogue.registry.effects[effect.name].get_function()(work, moved, outcome, effect.argument)
    work.announce(lambda: _announce(work, moved, outcome))
    return outcome


def _move(work: UnitOfWork, subject: Subject, outcome: Outcome) -> Subject:
    now = work.now()
    changed: dict[str, Any] = {"changed_at": now, "change_number": subject.change_number + 1}
    if outcome.entered:
        changed |= {"state": outcome.target, "state_entered_at": now}
    written = work.write(
        update(DocumentRow)
        .where(DocumentRow.id == subject.id, DocumentRow.change_number == subject.change_number)
        .values(changed)
    )
    if written != 1:
        raise Conflict("moved_on", reference=subject.reference, state=subject.state_name)
    state = changed.pop("state", subject.state_name)
    return replace(subject, state_name=state, **changed)


def _announce(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    signals.transition_fired.send(work.catalogue, reference=subject.reference, outcome=outcome)
