"""The ledger of comments as its page shows it: a page of rows, those that lost their place, and who is still silent."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import joinedload

from r2pflow.domain.people import Electorate, Organisation
from r2pflow.persistence.deliberation import CommentRoundRow, CommentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.queries import Page, paginate
from r2pflow.services.windows import find_electorate

FILTERS = ("all", "unanswered", "orphan", "mine")
_WITH_PEOPLE = (
    joinedload(CommentRow.author),
    joinedload(CommentRow.organisation),
    joinedload(CommentRow.disposed_by),
)


@dataclass(frozen=True)
class Counts:
    """How many comments a document has, by what the ledger can be narrowed to."""

    total: int
    answered: int
    orphans: int


def read_ledger(work: UnitOfWork, subject: Subject, narrowed: str = "all", number: int = 1) -> Page[CommentRow]:
    """Return a page of the comments, oldest first, narrowed to one of FILTERS."""
    query = (
        select(CommentRow)
        .where(CommentRow.document_id == subject.id, *_narrow(subject, narrowed))
        .order_by(CommentRow.id)
        .options(*_WITH_PEOPLE)
    )
    return paginate(work, query, number)


def _narrow(subject: Subject, narrowed: str) -> list[ColumnElement[bool]]:
    if narrowed == "unanswered":
        return [CommentRow.outcome.is_(None)]
    if narrowed == "orphan":
        return [CommentRow.health == "orphan"]
    if narrowed == "mine":
        actor = subject.actor
        own = CommentRow.author_id == actor.person_id
        return [
            own | (CommentRow.organisation_id == actor.organisation_id) if actor.organisation_id is not None else own
        ]
    return []


def list_orphans(work: UnitOfWork, subject: Subject, limit: int = 50) -> Sequence[CommentRow]:
    """Return the unanswered comments whose words are gone from the text, oldest first."""
    return work.session.scalars(
        select(CommentRow)
        .where(CommentRow.document_id == subject.id, CommentRow.health == "orphan", CommentRow.outcome.is_(None))
        .order_by(CommentRow.id)
        .options(*_WITH_PEOPLE)
        .limit(limit)
    ).all()


def list_for_margin(work: UnitOfWork, subject: Subject, limit: int = 300) -> Sequence[CommentRow]:
    """Return the comments to be shown beside the text, oldest first."""
    return work.session.scalars(
        select(CommentRow)
        .where(CommentRow.document_id == subject.id)
        .order_by(CommentRow.id)
        .options(joinedload(CommentRow.author), joinedload(CommentRow.organisation))
        .limit(limit)
    ).all()


def count(work: UnitOfWork, subject: Subject) -> Counts:
    """Count the comments of a document."""
    row = work.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((CommentRow.outcome.is_not(None), 1), else_=0)), 0),
            func.coalesce(func.sum(case((CommentRow.health == "orphan", 1), else_=0)), 0),
        ).where(CommentRow.document_id == subject.id)
    ).one()
    return Counts(row[0], row[1], row[2])


def list_silent(work: UnitOfWork, window: CommentRoundRow) -> list[Organisation]:
    """Return the organisations of a round's audience that have not commented in it, by slug."""
    spoke = set(
        work.session.scalars(
            select(CommentRow.organisation_id)
            .where(CommentRow.round_id == window.id, CommentRow.organisation_id.is_not(None))
            .distinct()
        )
    )
    audience = find_electorate(work, Electorate(role=window.audience))
    return [organisation for organisation in audience if organisation.id not in spoke]
