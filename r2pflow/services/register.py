"""The public register: what is published, found in any of its languages."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from r2pflow.domain.searching import fold_words
from r2pflow.persistence.documents import (
    DocumentRow,
)
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.queries import Page, paginate


@dataclass(frozen=True)
class Found:
    """One language of a published edition that a search found."""

    language: EditionLanguageRow
    edition: EditionRow
    publication: PublicationRow
    document: DocumentRow


def search_register(
    work: UnitOfWork,
    *,
    text: str = "",
    language: str = "",
    type_name: str = "",
    number: int = 1,
) -> Page[Found]:
    """Return a page of what is published, newest first: each publication's newest edition, once.

    With a text, all its words must occur in one of its languages. The reader's language is shown where the edition has
    it, otherwise the authoritative one.
    """
    newest = (
        select(func.max(EditionRow.number))
        .where(EditionRow.publication_id == PublicationRow.id)
        .correlate(PublicationRow)
        .scalar_subquery()
    )
    query = (
        select(EditionRow)
        .join(PublicationRow, PublicationRow.id == EditionRow.publication_id)
        .join(DocumentRow, DocumentRow.id == PublicationRow.document_id)
        .where(EditionRow.number == newest)
        .options(
            joinedload(EditionRow.publication).joinedload(PublicationRow.document),
            selectinload(EditionRow.languages).defer(EditionLanguageRow.blocks),
        )
    )
    if type_name:
        query = query.where(DocumentRow.type == type_name)
    if text.strip():
        words = fold_words(text)[:12]
        matching = and_(*(EditionLanguageRow.search_text.contains(" " + word, autoescape=True) for word in words))
        symbol = PublicationRow.symbol.icontains(text.strip(), autoescape=True)
        named = exists().where(EditionLanguageRow.edition_id == EditionRow.id, matching)
        query = query.where(or_(symbol, named) if words else symbol)
    page = paginate(work, query.order_by(EditionRow.published_at.desc(), EditionRow.id.desc()), number)
    rows = [
        Found(_choose_language(edition, language), edition, edition.publication, edition.publication.document)
        for edition in page.rows
    ]
    return Page(rows, page.total, page.number, page.size)


def _choose_language(edition: EditionRow, language: str) -> EditionLanguageRow:
    by_language = {row.language: row for row in edition.languages}
    authoritative = edition.publication.document.language
    return by_language.get(language) or by_language.get(authoritative) or edition.languages[0]


def list_feed(work: UnitOfWork, language: str, limit: int = 50) -> Sequence[EditionLanguageRow]:
    """Return the newest published texts of a language, newest first, without those withdrawn."""
    return work.session.scalars(
        select(EditionLanguageRow)
        .join(EditionRow, EditionRow.id == EditionLanguageRow.edition_id)
        .join(PublicationRow, PublicationRow.id == EditionRow.publication_id)
        .where(EditionLanguageRow.language == language, PublicationRow.withdrawn_at.is_(None))
        .options(
            joinedload(EditionLanguageRow.edition)
            .joinedload(EditionRow.publication)
            .joinedload(PublicationRow.document)
        )
        .order_by(EditionLanguageRow.added_at.desc(), EditionLanguageRow.id.desc())
        .limit(limit)
    ).all()
