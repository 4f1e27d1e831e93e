"""A person's desk: what waits for them, what runs, what moved, one query a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from r2pflow.domain.people import Actor
from r2pflow.persistence.deliberation import (
    BallotRow,
    BallotVoterRow,
    CommentRoundRow,
    CommentRow,
    PositionRow,
    TranslationRow,
)
from r2pflow.persistence.documents import (
    DefinitionRow,
    DocumentRow,
    LocalRoleRow,
    SeenRow,
)
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import visible_to
from r2pflow.services.queries import LISTED
from r2pflow.services.worklists import match_worklists


@dataclass(frozen=True)
class Waiting:
    """Something on a desk, and until when.

    What waits for the person: `comment`, `decide`, `translate`, `worklist`, `answered`. What runs, whoever acts:
    `round`, `ballot`.
    """

    kind: str
    document: DocumentRow
    due_at: datetime | None = None
    timezone: str = "UTC"
    name: str = ""  # of a worklist, or a language
    count: int = 0


@dataclass(frozen=True)
class Desk:
    """What a person's desk shows; each list is cut at `limit`, and `has_more` names the lists that were."""

    waiting: tuple[Waiting, ...] = ()
    running: tuple[Waiting, ...] = ()  # open rounds and ballots in which nothing waits for this person
    moved: tuple[DocumentRow, ...] = ()
    drafts: tuple[DocumentRow, ...] = ()
    has_more: frozenset[str] = field(default_factory=frozenset)


def read_desk(work: UnitOfWork, actor: Actor, limit: int = 20) -> Desk:
    """Return what waits for the person, by deadline; what moved since they last looked; and their own drafts."""
    if actor.person_id is None:
        return Desk()
    lists = {
        "comment": _rounds_waiting(work, actor, limit + 1),
        "decide": _ballots_waiting(work, actor, limit + 1),
        "translate": _translations_waiting(work, actor, limit + 1),
        "answered": _answers_waiting(work, actor, limit + 1),
        "worklist": _worklists_waiting(work, actor, limit + 1),
    }
    moved = _moved_since_seen(work, actor, limit + 1)
    drafts = _own_drafts(work, actor, limit + 1)
    has_more = {name for name, found in lists.items() if len(found) > limit}
    has_more |= {name for name, found in (("moved", moved), ("drafts", drafts)) if len(found) > limit}
    waiting = [one for found in lists.values() for one in found[:limit]]
    waiting.sort(key=lambda one: (one.due_at is None, one.due_at or one.document.changed_at))
    asked = {one.document.id for one in waiting}
    running = [one for one in _running(work, actor, limit) if one.document.id not in asked]
    return Desk(tuple(waiting), tuple(running), tuple(moved[:limit]), tuple(drafts[:limit]), frozenset(has_more))


def _running(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    found: list[Waiting] = []
    windows: tuple[tuple[str, type[CommentRoundRow] | type[BallotRow]], ...] = (
        ("round", CommentRoundRow),
        ("ballot", BallotRow),
    )
    for kind, window in windows:
        rows = work.session.execute(
            select(DocumentRow, window.closes_at, window.timezone)
            .join(window, window.document_id == DocumentRow.id)
            .where(window.closed_at.is_(None), visible_to(actor))
            .options(*LISTED)
            .order_by(window.closes_at.is_(None), window.closes_at)
            .limit(limit)
        )
        found += [Waiting(kind, document, due_at, timezone) for document, due_at, timezone in rows]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or one.document.changed_at))


def _rounds_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if actor.organisation_id is None:
        return []
    spoke = exists().where(
        CommentRow.round_id == CommentRoundRow.id, CommentRow.organisation_id == actor.organisation_id
    )
    rows = work.session.execute(
        select(DocumentRow, CommentRoundRow.closes_at, CommentRoundRow.timezone)
        .join(CommentRoundRow, CommentRoundRow.document_id == DocumentRow.id)
        .where(CommentRoundRow.closed_at.is_(None), ~spoke, _is_ahead(work, CommentRoundRow.closes_at))
        .where(CommentRoundRow.audience.in_(sorted(actor.roles)), visible_to(actor, "comment"))
        .options(*LISTED)
        .order_by(CommentRoundRow.closes_at.is_(None), CommentRoundRow.closes_at)
        .limit(limit)
    )
    return [Waiting("comment", document, due_at, timezone) for document, due_at, timezone in rows]


def _ballots_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if actor.organisation_id is None:
        return []
    spoke = exists().where(
        PositionRow.ballot_id == BallotRow.id,
        PositionRow.organisation_id == actor.organisation_id,
        PositionRow.superseded_at.is_(None),
    )
    rows = work.session.execute(
        select(DocumentRow, BallotRow.closes_at, BallotRow.timezone)
        .join(BallotRow, BallotRow.document_id == DocumentRow.id)
        .join(BallotVoterRow, BallotVoterRow.ballot_id == BallotRow.id)
        .where(BallotVoterRow.organisation_id == actor.organisation_id, BallotRow.closed_at.is_(None), ~spoke)
        .where(_is_ahead(work, BallotRow.closes_at), visible_to(actor, "decide"))
        .options(*LISTED)
        .order_by(BallotRow.closes_at.is_(None), BallotRow.closes_at)
        .limit(limit)
    )
    return [Waiting("decide", document, due_at, timezone) for document, due_at, timezone in rows]


def _translations_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if "translator" not in actor.roles:
        return []
    wanted = [t.name for t in work.catalogue.types.values() if actor.language in t.required_languages]
    done = exists().where(
        TranslationRow.document_id == DocumentRow.id,
        TranslationRow.language == actor.language,
        TranslationRow.status == "verified",
    )
    rows = work.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.language != actor.language, DocumentRow.type.in_(wanted), ~done)
        .where(visible_to(actor, "translate"))
        .options(*LISTED)
        .order_by(DocumentRow.state_entered_at)
        .limit(limit)
    )
    return [Waiting("translate", document, name=actor.language) for document in rows]


def _answers_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    rows = work.session.execute(
        select(DocumentRow, func.count(CommentRow.id))
        .join(CommentRow, CommentRow.document_id == DocumentRow.id)
        .where(CommentRow.author_id == actor.person_id, CommentRow.outcome.is_not(None))
        .where(CommentRow.is_satisfied.is_(None), visible_to(actor))
        .group_by(DocumentRow.id)
        .options(*LISTED)
        .order_by(func.max(CommentRow.disposed_at).desc())
        .limit(limit)
    )
    return [Waiting("answered", document, count=count) for document, count in rows]


def _worklists_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    wanted = match_worklists(work, actor)
    if not wanted:
        return []
    rows = work.session.execute(
        select(DocumentRow, case(*((clause, name) for name, clause in wanted)))
        .join(DefinitionRow, DefinitionRow.id == DocumentRow.definition_id)
        .where(or_(*(clause for _, clause in wanted)), visible_to(actor))
        .options(*LISTED)
        .order_by(DocumentRow.state_entered_at)
        .limit(limit)
    )
    return [Waiting("worklist", document, name=name) for document, name in rows]


def _moved_since_seen(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    return work.session.scalars(
        select(DocumentRow)
        .join(SeenRow, and_(SeenRow.document_id == DocumentRow.id, SeenRow.person_id == actor.person_id))
        .where(DocumentRow.changed_at > SeenRow.seen_at, visible_to(actor))
        .options(*LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


def _own_drafts(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    shared = exists().where(
        LocalRoleRow.document_id == DocumentRow.id,
        LocalRoleRow.person_id == actor.person_id,
        LocalRoleRow.role.in_(("author", "editor")),
    )
    return work.session.scalars(
        select(DocumentRow)
        .where(shared, visible_to(actor, "edit"))
        .options(*LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


def _is_ahead(work: UnitOfWork, column: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    return or_(column.is_(None), column > work.now())
