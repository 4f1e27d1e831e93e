"""Move running documents to today's version of their workflow, or to another workflow: planned first, then one by one.

A document keeps the definition that it entered with until somebody moves it. Nothing of its past changes; the entry
`migration` of its history separates what happened in the one definition from what happened in the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, select, update

from r2pflow.domain import moving
from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import Conflict, InvalidInput, NotFound, Refusal, Refused
from r2pflow.domain.moving import Step
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, DossierRow, TrackRow
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import windows
from r2pflow.services.access import Subject, get_subject, visible_to
from r2pflow.services.chains import list_ruled
from r2pflow.services.definitions import get_outline, place_under, store_definition
from r2pflow.services.history import record
from r2pflow.services.people import require_administrator
from r2pflow.services.placing import find_grants, list_line
from r2pflow.services.transitions import fire_automatic

MIGRATE = "migrate"
"""What a refused move calls itself in the place of a transition's name."""


@dataclass(frozen=True)
class Wish:
    """What to move: the documents of a workflow, or some of them, to today's version of it or of another.

    `version` is a number or the beginning of a digest, and narrows; so do `references`, where there are some.
    """

    workflow: str
    to: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    references: Sequence[str] = ()


@dataclass(frozen=True)
class Move:
    """One document on its way; `track` is the position in its chain, 0 for the first workflow."""

    document_id: int
    reference: str
    title: str
    change_number: int
    track: int
    old: Workflow
    old_digest: str  # of the stored definition
    step: Step


@dataclass(frozen=True)
class Plan:
    """All that a wish moves, and what cannot be moved, in the order of the documents."""

    wish: Wish
    target: Workflow
    moves: tuple[Move, ...]

    @property
    def refused(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.step.refusals)


def plan_migration(work: UnitOfWork, actor: Actor, wish: Wish) -> Plan:
    """Return what would become of each document; nothing is written.

    For a person, of the documents that they may view and manage. Raises Forbidden, NotFound for a workflow that
    neither files nor documents know or for a document that does not run in it, InvalidInput for states that are not
    there.
    """
    require_administrator(actor)
    target = _find_target(work, wish)
    rows = [row for query in _select_rows(actor, wish) for row in work.session.execute(query)]
    known = {row.digest: get_outline(work, row.digest) for row in rows}
    rows = [row for row in rows if _is_meant(row, known[row.digest], wish)]
    _check_references(rows, wish)
    stored = select(DefinitionRow.digest).where(DefinitionRow.workflow == wish.workflow)
    if wish.mapping:
        moving.check_mapping((get_outline(work, one) for one in work.session.scalars(stored)), target, wish.mapping)
    rounds = _find_open(work, CommentRoundRow, wish)
    ballots = _find_open(work, BallotRow, wish)
    moves = [
        Move(
            document_id=row.id,
            reference=row.reference,
            title=row.title,
            change_number=row.change_number,
            track=row.track,
            old=known[row.digest],
            old_digest=row.digest,
            step=_plan(row, known[row.digest], target, wish, rounds, ballots),
        )
        for row in rows
        if known[row.digest].digest != target.digest
    ]
    return Plan(wish, target, tuple(sorted(moves, key=lambda move: (move.document_id, move.track))))


def migrate_document(work: UnitOfWork, actor: Actor, plan: Plan, move: Move) -> Step:
    """Move one document as it stands now, with all that follows from it, in the running transaction.

    It must be alone there. Raises Refused with what is in the way, Conflict where the document changed since it was
    planned, InvalidInput where the state that it enters cannot open what it asks for.
    """
    require_administrator(actor)
    if not actor.is_system:
        get_subject(work, actor, move.document_id, "manage")
    rounds = _find_open(work, CommentRoundRow, plan.wish, move.document_id)
    ballots = _find_open(work, BallotRow, plan.wish, move.document_id)
    row = next(
        (
            found
            for query in _select_rows(THE_SYSTEM, plan.wish, move.document_id)
            for found in work.session.execute(query)
            if found.track == move.track
        ),
        None,
    )
    if row is None or row.change_number != move.change_number or row.digest != move.old_digest:
        raise Conflict("moved_on", reference=move.reference, state=row.state if row else move.step.source)
    step = _plan(row, move.old, plan.target, plan.wish, rounds, ballots)
    if step.refusals:
        raise Refused(MIGRATE, step.refusals)
    _write(work, row, plan.target, step)
    _end_timers(work, row, move.old, plan.target, step)
    subject = get_subject(work, THE_SYSTEM, row.id).lanes[row.track]
    _open_windows(work, subject, move.old, step)
    record(
        work,
        row.id,
        actor,
        "migration",
        source=step.source,
        target=step.target,
        digest=subject.text_digest,
        deadline=step.deadline,
        from_workflow=move.old.name,
        from_version=move.old.version,
        from_digest=move.old_digest,
        to_workflow=plan.target.name,
        to_version=plan.target.version,
        **({"workflow": plan.target.name} if row.track else {}),
    )
    fire_automatic(work, row.id)
    return step


def _find_target(work: UnitOfWork, wish: Wish) -> Workflow:
    today = work.catalogue.workflows
    name = wish.to or wish.workflow
    if name not in today:
        raise NotFound("workflow_not_found", workflow=name, accepted=sorted(today))
    is_stored = select(DefinitionRow.id).where(DefinitionRow.workflow == wish.workflow).limit(1)
    if wish.workflow not in today and work.session.scalar(is_stored) is None:
        raise NotFound("workflow_not_found", workflow=wish.workflow, accepted=sorted(today))
    return today[name]


def _select_rows(actor: Actor, wish: Wish, document_id: int | None = None) -> Iterator[Any]:
    """Yield the queries of where documents stand in the workflow: first of their chain, and further."""
    about = (DocumentRow.id, DocumentRow.reference, DocumentRow.title, DocumentRow.type, DocumentRow.dossier_id)
    where: list[ColumnElement[bool]] = [DefinitionRow.workflow == wish.workflow]
    if document_id is not None:
        where.append(DocumentRow.id == document_id)
    elif wish.references:
        where.append(DocumentRow.reference.in_(wish.references))
    if not actor.is_system:
        where += [visible_to(actor), visible_to(actor, "manage")]
    shared = (*about, DocumentRow.change_number, DefinitionRow.digest, DefinitionRow.version)
    zero = DocumentRow.id - DocumentRow.id
    first = select(*shared, DocumentRow.state, DocumentRow.state_entered_at, zero.label("track"))
    yield first.join(DefinitionRow, DefinitionRow.id == DocumentRow.definition_id).where(*where)
    further = select(*shared, TrackRow.state, TrackRow.state_entered_at, TrackRow.position.label("track"))
    further = further.join(TrackRow, TrackRow.document_id == DocumentRow.id)
    yield further.join(DefinitionRow, DefinitionRow.id == TrackRow.definition_id).where(*where)


def _is_meant(row: Any, workflow: Workflow, wish: Wish) -> bool:
    return not wish.version or wish.version == str(row.version) or workflow.digest.startswith(wish.version.lower())


def _check_references(rows: Sequence[Any], wish: Wish) -> None:
    missing = set(wish.references) - {row.reference for row in rows}
    if missing:
        raise NotFound("document_not_found", reference=", ".join(sorted(missing)))
    if wish.version and not rows:
        raise InvalidInput("unknown_version", field="from", value=wish.version, workflow=wish.workflow)


def _find_open(
    work: UnitOfWork, window: type[CommentRoundRow] | type[BallotRow], wish: Wish, document_id: int | None = None
) -> frozenset[int]:
    query = select(window.document_id).where(window.closed_at.is_(None))
    if document_id is not None:
        query = query.where(window.document_id == document_id)
    return frozenset(work.session.scalars(query))


def _plan(row: Any, old: Workflow, new: Workflow, wish: Wish, rounds: frozenset[int], ballots: frozenset[int]) -> Step:
    """Plan one row; rounds and ballots belong to the first workflow of a chain."""
    is_first = row.track == 0
    return moving.plan_step(
        old,
        new,
        row.state,
        wish.mapping,
        has_round=is_first and row.id in rounds,
        has_ballot=is_first and row.id in ballots,
    )


def _write(work: UnitOfWork, row: Any, target: Workflow, step: Step) -> None:
    now = work.now()
    line = list_line(work, work.session.get(DossierRow, row.dossier_id)) if row.dossier_id else []
    definition_id = store_definition(work, place_under(target, find_grants(target, line)))
    there: dict[str, Any] = {"definition_id": definition_id, "state": step.target}
    if step.enters:
        there["state_entered_at"] = now
    touched: dict[str, Any] = {"changed_at": now, "change_number": row.change_number + 1}
    document = update(DocumentRow).where(DocumentRow.id == row.id, DocumentRow.change_number == row.change_number)
    if work.write(document.values(**touched, **({} if row.track else there))) != 1:
        raise Conflict("moved_on", reference=row.reference, state=row.state)
    if row.track:
        taken = select(TrackRow.document_id).where(TrackRow.document_id == row.id, TrackRow.workflow == target.name)
        if work.session.scalar(taken.where(TrackRow.position != row.track)) is not None:
            raise Refused(MIGRATE, [Refusal("workflow_in_chain", {"workflow": target.name})])
        rules = sorted(list_ruled(target))
        there |= {"workflow": target.name, "rules": f",{','.join(rules)}," if rules else ""}
        track = update(TrackRow).where(TrackRow.document_id == row.id, TrackRow.position == row.track)
        work.write(track.values(**there))
    work.session.expire_all()


def _end_timers(work: UnitOfWork, row: Any, old: Workflow, new: Workflow, step: Step) -> None:
    """Let the timers of the state run on in the new one, or end them; what a person scheduled runs on."""
    before, after = (old.name, new.name) if row.track else ("", "")
    of_state = update(TimerRow).where(
        TimerRow.document_id == row.id, TimerRow.workflow == before, TimerRow.ended_at.is_(None)
    )
    if step.deadline not in (moving.KEPT, moving.NONE):
        work.write(of_state.where(TimerRow.kind.in_(("fire", "remind"))).values(ended_at=work.now()))
    work.write(of_state.values(state=step.target, workflow=after))


def _open_windows(work: UnitOfWork, subject: Subject, old: Workflow, step: Step) -> None:
    """Begin the deadline of the new definition, and open what its state asks for and the old one did not."""
    here = old.states.get(step.source)
    closes_at = None
    if step.deadline == moving.BEGUN:
        closes_at = windows.start_timer(work, subject, subject.state_entered_at)
    elif step.deadline == moving.KEPT:
        running = select(TimerRow.due_at).where(TimerRow.document_id == subject.id, TimerRow.kind == "fire")
        track = subject.workflow.name if subject.track else ""
        running = running.where(TimerRow.workflow == track, TimerRow.ended_at.is_(None))
        closes_at = work.session.scalar(running.order_by(TimerRow.due_at).limit(1))
    if subject.track:
        return
    if step.enters or here is None or not here.comments:
        windows.open_round(work, subject, closes_at)
    elif step.deadline in (moving.BEGUN, moving.ENDED):
        is_open = update(CommentRoundRow).where(
            CommentRoundRow.document_id == subject.id, CommentRoundRow.closed_at.is_(None)
        )
        work.write(is_open.values(closes_at=closes_at))
    if step.enters or here is None or not here.ballot:
        windows.open_ballot(work, subject)
