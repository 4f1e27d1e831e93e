"""Fire transitions: the only way by which the state of a document changes."""

import logging
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.exc import DBAPIError

from r2pflow.domain import engine
from r2pflow.domain.definition import AUTOMATIC, USER, Workflow
from r2pflow.domain.engine import Outcome
from r2pflow.domain.errors import Conflict, R2PFlowError, Refusal, Refused
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.persistence.documents import DocumentRow, TrackRow
from r2pflow.persistence.unit_of_work import UnitOfWork, is_passing
from r2pflow.plugins import signals
from r2pflow.services import windows
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.facts import gather
from r2pflow.services.history import record
from r2pflow.services.meanwhile import moved_on

logger = logging.getLogger(__name__)


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
        raise moved_on(work, actor, subject.id, expected_change)
    lane = subject.find_lane(transition)
    outcome = _fire_once(work, lane, transition, comment, trigger)
    if subject.tracks or _find_automatic(lane.workflow, outcome.target):
        fire_automatic(work, subject.id)
    return outcome


def fire_automatic(work: UnitOfWork, document_id: int) -> list[Outcome]:
    """Fire the automatic transitions whose guards hold, one after the other; call it after every change that counts.

    In a chain, those of the first workflow are tried before those of the next.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < engine.MAX_AUTOMATIC_CHAIN:
        lanes = get_subject(work, THE_SYSTEM, document_id).lanes
        chosen = next(filter(None, (_choose_automatic(work, lane) for lane in lanes)), None)
        if chosen is None:
            break
        lane, name = chosen
        try:
            outcomes.append(_fire_once(work, lane, name, "", AUTOMATIC))
        except Conflict:
            raise
        except R2PFlowError as error:  # what led here stands: a person's deed does not fail by what should follow
            _write_refusal(work, lane, name, error)
            break
    return outcomes


def _choose_automatic(work: UnitOfWork, lane: Subject) -> tuple[Subject, str] | None:
    names = _find_automatic(lane.workflow, lane.state_name)
    if not names:
        return None
    conditions = work.catalogue.registry.conditions
    facts = gather(work, lane, engine.needs(lane.workflow, names, conditions))
    found = engine.next_automatic(lane.workflow, state=lane.state_name, facts=facts, conditions=conditions)
    return (lane, found.name) if found else None


def _find_automatic(workflow: Workflow, state: str) -> list[str]:
    return [one.name for one in workflow.transitions_from(state) if AUTOMATIC in one.triggers]


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
    if trigger == AUTOMATIC or not all(map(work.catalogue.registry.is_built_in, outcome.effects)):
        with work.undone_on_error():
            moved = _write(work, subject, outcome)
            _run_effects(work, moved, outcome)
    else:
        moved = _write(work, subject, outcome)
        _run_effects(work, moved, outcome)
    work.announce(lambda: _announce(work, moved, outcome))
    return outcome


def _write(work: UnitOfWork, subject: Subject, outcome: Outcome) -> Subject:
    moved = _move(work, subject, outcome)
    record(
        work,
        subject.id,
        subject.actor,
        "transition",
        transition=outcome.transition.name,
        source=outcome.source,
        target=outcome.target,
        trigger=outcome.trigger,
        comment=outcome.comment,
        digest=subject.text_digest,
        **({"bypassed": True} if outcome.bypassed else {}),
        **({"workflow": subject.workflow.name} if subject.track else {}),
    )
    if outcome.entered:
        windows.leave_state(work, subject)
        windows.enter_state(work, moved)
    return moved


def _run_effects(work: UnitOfWork, moved: Subject, outcome: Outcome) -> None:
    """Run the effects; one that fails, other than by an error of ours, refuses the transition, and is logged."""
    for effect in outcome.effects:
        try:
            work.catalogue.registry.effects[effect.name].run(work, moved, outcome, effect.argument)
            work.session.flush()
        except R2PFlowError:
            raise
        except Exception as error:
            if isinstance(error, DBAPIError) and is_passing(error):
                raise
            name, reference = outcome.transition.name, moved.reference
            logger.exception("the effect %s of %s failed on %s", effect.name, name, reference)
            refusal = Refusal("effect_failed", {"name": effect.name, "error": type(error).__name__})
            raise Refused(name, [refusal]) from error


def _write_refusal(work: UnitOfWork, subject: Subject, name: str, error: R2PFlowError) -> None:
    logger.error("the automatic transition %s of %s is refused: %s", name, subject.reference, error)
    reasons = error.refusals if isinstance(error, Refused) else [error]
    told = [{"code": reason.code, "params": dict(reason.params)} for reason in reasons]
    record(work, subject.id, subject.actor, "refused", transition=name, trigger=AUTOMATIC, reasons=told)


_DOCUMENT, _TRACK = DocumentRow.__table__, TrackRow.__table__
_SEEN = (_DOCUMENT.c.id == bindparam("moved"), _DOCUMENT.c.change_number == bindparam("seen"))
_TOUCH = update(_DOCUMENT).where(*_SEEN)  # type: ignore[arg-type]  # a Table, typed as any FromClause
_TOUCHED: dict[str, Any] = {name: bindparam(name) for name in ("changed_at", "change_number")}
_ENTERED: dict[str, Any] = {name: bindparam(name) for name in ("state", "state_entered_at")}
_MOVE = _TOUCH.values({**_TOUCHED, **_ENTERED})
_CHANGE = _TOUCH.values(_TOUCHED)
_MOVE_TRACK = (
    update(_TRACK)  # type: ignore[arg-type]
    .where(_TRACK.c.document_id == bindparam("moved"), _TRACK.c.position == bindparam("along"))
    .values(_ENTERED)
)


def _move(work: UnitOfWork, subject: Subject, outcome: Outcome) -> Subject:
    now = work.now()
    moved = replace(
        subject,
        state_name=outcome.target,
        state_entered_at=now if outcome.entered else subject.state_entered_at,
        changed_at=now,
        change_number=subject.change_number + 1,
    )
    touched = {"moved": subject.id, "seen": subject.change_number, "changed_at": now}
    touched["change_number"] = moved.change_number
    entered = {"state": moved.state_name, "state_entered_at": moved.state_entered_at}
    written = work.run(_CHANGE, **touched) if subject.track else work.run(_MOVE, **touched, **entered)
    if written.rowcount != 1:
        raise moved_on(work, subject.actor, subject.id, subject.change_number)
    if subject.track:
        work.run(_MOVE_TRACK, moved=subject.id, along=subject.track, **entered)
    loaded = work.session.identity_map.get(work.session.identity_key(DocumentRow, subject.id))
    if loaded is not None:
        work.session.expire(loaded)
    return moved


def _announce(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    signals.transition_fired.send(work.catalogue, reference=subject.reference, outcome=outcome)
