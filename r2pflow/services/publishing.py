"""Publish: freeze an edition under a symbol, keep each language's PDF, and answer what a digest stands for."""

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from r2pflow.domain import text
from r2pflow.domain.changes import stale_blocks
from r2pflow.domain.engine import Outcome
from r2pflow.domain.errors import InvalidInput, NotFound
from r2pflow.domain.searching import make_search_text
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import BallotRow, TranslationRow
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.ballots import describe_decision
from r2pflow.services.history import record
from r2pflow.services.numbering import next_number
from r2pflow.services.texts import get_blocks
from r2pflow.services.windows import get_revision_id


@dataclass(frozen=True)
class Checked:
    """What a digest stands for: a text (every language of the editions with it) or one PDF, byte for byte."""

    edition: EditionRow
    language: EditionLanguageRow | None


def publish_effect(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Freeze a new edition of the document and queue one rendering job per language that is ready."""
    publication = find_publication(work, subject.id)
    if publication is None:
        publication = PublicationRow(document_id=subject.id, symbol=_make_symbol(work, subject))
        work.session.add(publication)
        work.session.flush()
        number = 1
    else:
        publication.withdrawn_at, publication.withdrawal_reason = None, ""
        number = 1 + max((edition.number for edition in publication.editions), default=0)
    ballot = _find_deciding_ballot(work, subject)
    edition = EditionRow(
        publication_id=publication.id,
        number=number,
        revision_id=get_revision_id(work, subject),
        ballot_id=ballot.id if ballot else None,
        digest=subject.text_digest,
        fields=subject.fields,
        decision=describe_decision(work, ballot) if ballot else None,
        published_at=work.now(),
    )
    work.session.add(edition)
    work.session.flush()
    source = get_blocks(work, subject)
    _add_language(work, edition, subject.language, source, frozenset())
    for row in _list_translations(work, subject.id):
        if row.status == "verified":
            _add_language(work, edition, row.language, _order_blocks(row, source), frozenset())
    work.session.flush()
    record(
        work,
        subject.id,
        subject.actor,
        "publication",
        digest=edition.digest,
        what="published",
        symbol=publication.symbol,
        edition=number,
        languages=[row.language for row in edition.languages],
    )


def withdraw_effect(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Mark the publication withdrawn; its editions stay reachable and say so."""
    publication = find_publication(work, subject.id)
    if publication is not None:
        publication.withdrawn_at, publication.withdrawal_reason = work.now(), outcome.comment
        work.session.flush()
        record(work, subject.id, subject.actor, "publication", what="withdrawn", symbol=publication.symbol)


def add_late_language(work: UnitOfWork, subject: Subject, language: str) -> bool:
    """Add a verified translation to the newest edition, if that has the same text and lacks the language."""
    publication = find_publication(work, subject.id)
    if publication is None or publication.withdrawn_at is not None or not publication.editions:
        return False
    edition = publication.editions[0]
    if edition.digest != subject.text_digest or language in {row.language for row in edition.languages}:
        return False
    row = next((r for r in _list_translations(work, subject.id) if r.language == language), None)
    if row is None or row.status != "verified":
        return False
    _add_language(work, edition, language, _order_blocks(row, get_blocks(work, subject)), frozenset())
    work.session.flush()
    record(
        work,
        subject.id,
        subject.actor,
        "publication",
        digest=edition.digest,
        what="language_added",
        symbol=publication.symbol,
        edition=edition.number,
        languages=[language],
    )
    return True


def find_publication(work: UnitOfWork, document_id: int) -> PublicationRow | None:
    """Return the publication of a document with its editions and their languages, or None."""
    return work.session.scalars(
        select(PublicationRow)
        .where(PublicationRow.document_id == document_id)
        .options(selectinload(PublicationRow.editions).selectinload(EditionRow.languages))
    ).first()


def get_publication(work: UnitOfWork, symbol: str) -> PublicationRow:
    """Return what was published under a symbol; raise NotFound. Published editions are public, withdrawn ones too."""
    found = work.session.scalars(
        select(PublicationRow)
        .where(PublicationRow.symbol == symbol)
        .options(
            joinedload(PublicationRow.document),
            selectinload(PublicationRow.editions).selectinload(EditionRow.languages),
        )
    ).first()
    if found is None:
        raise NotFound("publication_not_found", symbol=symbol)
    return found


def get_edition_language(work: UnitOfWork, symbol: str, language: str, number: int | None = None) -> EditionLanguageRow:
    """Return one language of an edition, of the newest one by default; raise NotFound."""
    for edition in get_publication(work, symbol).editions:
        if number is None or edition.number == number:
            for row in edition.languages:
                if row.language == language:
                    return row
            if number is not None:
                break
    raise NotFound("language_not_published", symbol=symbol, language=language)


def check_digest(work: UnitOfWork, digest: str) -> tuple[Checked, ...]:
    """Say which published text or PDF has this SHA-256 (64 hex digits, case and spaces do not count).

    An empty answer means: nothing that was published here. Raises InvalidInput for what is no SHA-256.
    """
    wanted = "".join(digest.split()).lower()
    if len(wanted) != 64 or set(wanted) - set("0123456789abcdef"):
        raise InvalidInput("not_a_digest", field="digest", value=digest[:80])
    files = work.session.scalars(
        select(EditionLanguageRow)
        .where(EditionLanguageRow.pdf_sha256 == wanted)
        .options(joinedload(EditionLanguageRow.edition).joinedload(EditionRow.publication))
    ).all()
    texts = work.session.scalars(
        select(EditionRow)
        .where(EditionRow.digest == wanted)
        .options(joinedload(EditionRow.publication), selectinload(EditionRow.languages))
        .order_by(EditionRow.id.desc())
    ).all()
    return (*(Checked(row.edition, row) for row in files), *(Checked(edition, None) for edition in texts))


def read_pdf(work: UnitOfWork, row: EditionLanguageRow) -> bytes:
    """Return a published PDF's bytes; raise NotFound while the worker has not rendered it, or when the file is gone."""
    if not row.pdf_path:
        raise NotFound("pdf_not_ready", language=row.language)
    try:
        return (work.settings.instance / row.pdf_path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("pdf_file_missing", path=row.pdf_path) from error


def store_pdf(work: UnitOfWork, edition_language_id: int, pdf: bytes) -> str:
    """Keep a rendered PDF, once and whole, and return its path below the instance folder.

    A PDF that is there already stays as it is: what was published never changes. The file is written beside its place
    and then moved there, so that a killed worker leaves no half of it.
    """
    row = work.session.scalars(
        select(EditionLanguageRow)
        .where(EditionLanguageRow.id == edition_language_id)
        .options(joinedload(EditionLanguageRow.edition).joinedload(EditionRow.publication))
        .with_for_update(of=EditionLanguageRow)
    ).one()
    if row.pdf_path:
        return row.pdf_path
    edition = row.edition
    stem = edition.publication.symbol.replace("/", "-")
    path = work.settings.published_folder / f"{stem}-ed{edition.number}-{row.language}.pdf"
    write_whole(path, pdf)
    row.pdf_path = str(path.relative_to(work.settings.instance))
    row.pdf_sha256 = hashlib.sha256(pdf).hexdigest()
    row.pdf_size = len(pdf)
    row.rendered_at = work.now()
    work.session.flush()
    return row.pdf_path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever looks sees all of it or nothing, also after the power failed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _make_symbol(work: UnitOfWork, subject: Subject) -> str:
    year = work.now().year
    number = next_number(work, f"symbol:{subject.type.code}:{year}")
    return subject.type.symbol.format(year=year, code=subject.type.code, number=number)


def _find_deciding_ballot(work: UnitOfWork, subject: Subject) -> BallotRow | None:
    return work.session.scalars(
        select(BallotRow)
        .where(
            BallotRow.document_id == subject.id,
            BallotRow.digest == subject.text_digest,
            BallotRow.outcome == "carried",
        )
        .order_by(BallotRow.id.desc())
        .limit(1)
    ).first()


def _list_translations(work: UnitOfWork, document_id: int) -> Sequence[TranslationRow]:
    return work.session.scalars(
        select(TranslationRow)
        .where(TranslationRow.document_id == document_id)
        .options(selectinload(TranslationRow.blocks))
        .order_by(TranslationRow.language)
    ).all()


def _order_blocks(row: TranslationRow, source: Sequence[Block]) -> tuple[Block, ...]:
    done: Mapping[str, str] = {block.block_id: block.html for block in row.blocks}
    return tuple(Block(block.id, block.kind, done[block.id]) for block in source if block.id in done)


def list_stale(row: TranslationRow, source: Sequence[Block]) -> frozenset[str]:
    """Return the ids of the translated blocks that are behind the source."""
    done = {block.block_id: block.source_digest for block in row.blocks}
    return frozenset(stale_blocks(source, done) & set(done))


def _add_language(
    work: UnitOfWork, edition: EditionRow, language: str, blocks: Sequence[Block], stale: frozenset[str]
) -> None:
    row = EditionLanguageRow(
        edition=edition,
        language=language,
        title=text.title_of(blocks)[:500],
        blocks=text.as_json(blocks),
        stale_blocks=sorted(stale),
        search_text=make_search_text(text.plain_text(blocks)),
        added_at=work.now(),
    )
    work.session.add(row)
    work.session.flush()
    work.enqueue("render", f"render:{row.id}", edition_language_id=row.id)
