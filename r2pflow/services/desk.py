"""A person's desk: what waits for them, what runs, what moved, one query a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from r2pflow.domain.people import Actor, Titles
from r2pflow.persistence.deliberation import (
    BallotRow,
    BallotVoterRow,
    CommentRoundRow,
    CommentRow,
    PositionRow,
    TranslationRow,
)
from r2pflow.persistence.documents import DocumentRow, LocalRoleRow, SeenRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import visible_to
from r2pflow.services.queries import LISTED
from r2pflow.services.worklists import Match, match_worklists

MOVED_WITHIN = timedelta(days=90)
"""What moved longer ago is no news any more."""


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
    title: Titles = Titles()  # of a worklist
    count: int = 0


@dataclass(frozen=True)
class Desk:
    """What a person's desk shows; `has_more` names the lists that were cut, `worklists` are all that are for them."""

    waiting: tuple[Waiting, ...] = ()
    running: tuple[Waiting, ...] = ()  # open rounds and ballots in which nothing waits for this person
    moved: tuple[DocumentRow, ...] = ()
    drafts: tuple[DocumentRow, ...] = ()
    worklists: Mapping[str, Titles] = field(default_factory=dict)
    has_more: frozenset[str] = field(default_factory=frozenset)


def read_desk(work: UnitOfWork, actor: Actor, limit: int = 12, aside: int = 8) -> Desk:
    """Return what waits for the person, by deadline; what runs, what moved since they last looked, and their drafts.

    Each list of what waits is cut at `limit`, each of the others at `aside`.
    """
    if actor.person_id is None:
        return Desk()
    matches = match_worklists(work, actor)
    lists = {
        "comment": _rounds_waiting(work, actor, limit + 1),
        "decide": _ballots_waiting(work, actor, limit + 1),
        "translate": _translations_waiting(work, actor, limit + 1),
        "answered": _answers_waiting(work, actor, limit + 1),
        "worklist": _worklists_waiting(work, actor, matches, limit + 1),
    }
    moved = _moved_since_seen(work, actor, aside + 1)
    drafts = _own_drafts(work, actor, aside + 1)
    has_more = {name for name, found in lists.items() if len(found) > limit}
    has_more |= {name for name, found in (("moved", moved), ("drafts", drafts)) if len(found) > aside}
    waiting = [one for found in lists.values() for one in found[:limit]]
    waiting.sort(key=lambda one: (one.due_at is None, one.due_at or one.document.changed_at))
    asked = {one.document.id for one in waiting}
    running = [one for one in _running(work, actor, aside) if one.document.id not in asked]
    worklists: dict[str, Titles] = {}
    for match in matches:
        worklists.setdefault(match.name, match.title)
    return Desk(
        tuple(waiting), tuple(running), tuple(moved[:aside]), tuple(drafts[:aside]), worklists, frozenset(has_more)
    )


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
            .order_by(window.closes_at.nulls_last())
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
        .order_by(CommentRoundRow.closes_at.nulls_last())
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
    votes = BallotVoterRow.organisation_id == actor.organisation_id
    has_ballots = exists(BallotVoterRow.organisation_id).where(votes)
    is_voter = exists(BallotVoterRow.organisation_id).where(votes, BallotVoterRow.ballot_id == BallotRow.id)
    rows = work.session.execute(
        select(DocumentRow, BallotRow.closes_at, BallotRow.timezone)
        .join(BallotRow, BallotRow.document_id == DocumentRow.id)
        .where(has_ballots, BallotRow.closed_at.is_(None), is_voter, ~spoke)
        .where(_is_ahead(work, BallotRow.closes_at), visible_to(actor, "decide"))
        .options(*LISTED)
        .order_by(BallotRow.closes_at.nulls_last())
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
    answered = (
        select(CommentRow.document_id, func.count().label("number"), func.max(CommentRow.disposed_at).label("last"))
        .where(CommentRow.author_id == actor.person_id, CommentRow.outcome.is_not(None))
        .where(CommentRow.is_satisfied.is_(None))
        .group_by(CommentRow.document_id)
        .subquery()
    )
    rows = work.session.execute(
        select(DocumentRow, answered.c.number)
        .join(answered, answered.c.document_id == DocumentRow.id)
        .where(visible_to(actor))
        .options(*LISTED)
        .order_by(answered.c.last.desc())
        .limit(limit)
    )
    return [Waiting("answered", document, count=count) for document, count in rows]


def _worklists_waiting(work: UnitOfWork, actor: Actor, matches: Sequence[Match], limit: int) -> list[Waiting]:
    """Take the first of each worklist in each state, by the index on both, and of these the first."""
    if not matches:
        return []
    firsts = (
        match.first(actor, limit).add_columns(literal(rank).label("rank")).subquery()
        for rank, match in enumerate(matches)
    )
    every = union_all(*(select(first) for first in firsts)).subquery()
    once = (
        select(every.c.id, func.min(every.c.rank).label("rank"), func.min(every.c.entered).label("entered"))
        .group_by(every.c.id)
        .subquery()
    )
    rows = work.session.execute(
        select(DocumentRow, once.c.rank)
        .join(once, once.c.id == DocumentRow.id)
        .options(*LISTED)
        .order_by(once.c.entered, DocumentRow.id)
        .limit(limit)
    )
    return [
        Waiting("worklist", document, name=matches[rank].name, title=matches[rank].title) for document, rank in rows
    ]


def _moved_since_seen(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    """Go back from what changed last, rather than through all that the person ever saw."""
    was_seen = exists().where(
        SeenRow.document_id == DocumentRow.id,
        SeenRow.person_id == actor.person_id,
        SeenRow.seen_at < DocumentRow.changed_at,
    )
    return work.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.changed_at > work.now() - MOVED_WITHIN, was_seen, visible_to(actor))
        .options(*LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


def _own_drafts(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    """Go back from what changed last, where the person has any drafts at all."""
    writes = (LocalRoleRow.person_id == actor.person_id, LocalRoleRow.role.in_(("author", "editor")))
    has_drafts = exists().where(*writes)
    is_own = exists().where(LocalRoleRow.document_id == DocumentRow.id, *writes)
    return work.session.scalars(
        select(DocumentRow)
        .where(has_drafts, is_own, visible_to(actor, "edit"))
        .options(*LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


def _is_ahead(work: UnitOfWork, column: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    return or_(column.is_(None), column > work.now())
