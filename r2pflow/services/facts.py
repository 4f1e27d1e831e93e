"""Gather what guards may look at, in one query per part that is needed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import case, func, select

from r2pflow.domain.definition import DocumentType
from r2pflow.domain.facts import BallotFacts, CommentFacts, Facts, LanguageFacts
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow, CommentRow, TranslationRow
from r2pflow.persistence.documents import RevisionRow
from r2pflow.persistence.publishing import EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject


def gather(work: UnitOfWork, subject: Subject, parts: Iterable[str]) -> Facts:
    """Return the facts of one document with the named parts of `domain.facts.PARTS` filled."""
    wanted = frozenset(parts)
    return Facts(
        document_type=subject.type.name,
        state=subject.state_name,
        now=work.now(),
        fields=subject.fields,
        missing_fields=find_missing_fields(subject.type, subject.fields),
        standing=subject.standing,
        text_digest=subject.text_digest,
        text_blocks=_count_blocks(work, subject) if "text" in wanted else None,
        comments=count_comments(work, subject.id) if "comments" in wanted else None,
        ballot=_find_ballot(work, subject) if "ballot" in wanted else None,
        languages=_read_languages(work, subject) if "languages" in wanted else None,
        published_editions=_count_editions(work, subject) if "publication" in wanted else None,
    )


def find_missing_fields(document_type: DocumentType, fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the required fields that have no value."""
    return tuple(f.name for f in document_type.fields if f.required and fields.get(f.name) in (None, "", [], {}))


def count_comments(work: UnitOfWork, document_id: int) -> CommentFacts:
    """Count the comments of a document, those without a disposition, and say whether a round is open."""
    unanswered = CommentRow.outcome.is_(None)
    open_round = select(CommentRoundRow.id).where(
        CommentRoundRow.document_id == document_id, CommentRoundRow.closed_at.is_(None)
    )
    row = work.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((unanswered, 1), else_=0)), 0),
            func.coalesce(func.sum(case((unanswered & (CommentRow.kind != "editorial"), 1), else_=0)), 0),
            open_round.exists(),
        )
        .select_from(CommentRow)
        .where(CommentRow.document_id == document_id)
    ).one()
    return CommentFacts(row[0], row[1], row[2], bool(row[3]))


def _count_blocks(work: UnitOfWork, subject: Subject) -> int:
    blocks = work.session.scalar(
        select(RevisionRow.blocks).where(
            RevisionRow.document_id == subject.id, RevisionRow.number == subject.revision_number
        )
    )
    return len(blocks or ())


def _find_ballot(work: UnitOfWork, subject: Subject) -> BallotFacts:
    row = work.session.execute(
        select(BallotRow.id, BallotRow.name, BallotRow.outcome, BallotRow.closed_at)
        .where(BallotRow.document_id == subject.id, BallotRow.state == subject.state_name)
        .where(BallotRow.opened_at >= subject.state_entered_at)
        .order_by(BallotRow.id.desc())
        .limit(1)
    ).first()
    return BallotFacts(row.id, row.name, row.outcome, row.closed_at is not None) if row else BallotFacts()


def _read_languages(work: UnitOfWork, subject: Subject) -> LanguageFacts:
    rows = work.session.execute(
        select(TranslationRow.language, TranslationRow.status).where(TranslationRow.document_id == subject.id)
    )
    status = dict.fromkeys((*subject.type.required_languages, *subject.type.optional_languages), "missing")
    status.update((row.language, row.status) for row in rows)
    status[subject.language] = "verified"
    return LanguageFacts(subject.type.required_languages, status)


def _count_editions(work: UnitOfWork, subject: Subject) -> int:
    return (
        work.session.scalar(
            select(func.count())
            .select_from(EditionRow)
            .join(PublicationRow, PublicationRow.id == EditionRow.publication_id)
            .where(PublicationRow.document_id == subject.id)
        )
        or 0
    )
