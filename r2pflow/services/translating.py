"""Translate a text block by block: each translated block keeps the digest of what it translates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from r2pflow.domain import text
from r2pflow.domain.changes import stale_blocks
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput
from r2pflow.domain.people import Actor
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import TranslationBlockRow, TranslationRow
from r2pflow.persistence.documents import RevisionRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import publishing
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.history import record
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import fire_automatic

RECENT_REVISIONS = 20


@dataclass(frozen=True)
class Pair:
    """A source block beside its translation; status missing, stale or translated."""

    source: Block
    html: str
    status: str


@dataclass(frozen=True)
class TranslationSheet:
    """A whole translation as its editor shows it; `digest` is that of the source text."""

    language: str
    digest: str
    pairs: tuple[Pair, ...]
    row: TranslationRow | None

    @property
    def status(self) -> str:
        return self.row.status if self.row else "missing"

    def blocks(self) -> tuple[Block, ...]:
        """Return the translated text in the order of the source; a block without translation is left out."""
        return tuple(Block(p.source.id, p.source.kind, p.html) for p in self.pairs if p.html)


def get_sheet(work: UnitOfWork, subject: Subject, language: str) -> TranslationSheet:
    """Return source and translation side by side. Raises InvalidInput for a language the document does not take."""
    _check_language(subject, language)
    source = get_blocks(work, subject)
    row = _find_row(work, subject.id, language)
    done = {block.block_id: block for block in row.blocks} if row else {}
    stale = stale_blocks(source, {key: block.source_digest for key, block in done.items()})
    pairs = tuple(
        Pair(
            block,
            done[block.id].html if block.id in done else "",
            "missing" if block.id not in done else "stale" if block.id in stale else "translated",
        )
        for block in source
    )
    return TranslationSheet(language, subject.text_digest, pairs, row)


def save_translation(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    language: str,
    html_by_block: Mapping[str, str],
    *,
    digest: str,
) -> TranslationSheet:
    """Write some blocks of a translation, made from the source text with this digest.

    An empty text takes a block's translation away. Saving a block again confirms it against today's source. Raises
    Conflict when the source moved on, Forbidden without the permission `translate`, InvalidInput for an unknown block.
    """
    subject = get_subject(work, actor, reference, "translate")
    _check_language(subject, language)
    if digest != subject.text_digest:
        raise Conflict("source_moved_on", reference=subject.reference)
    source = {block.id: block for block in get_blocks(work, subject)}
    unknown = sorted(set(html_by_block) - set(source))
    if unknown:
        raise InvalidInput("unknown_block", field="block", value=unknown[0])
    notes = [block.id for block in source.values() if block.kind == "footnote"]
    now = work.now()
    row = _find_row(work, subject.id, language)
    if row is None:
        row = TranslationRow(document_id=subject.id, language=language, status="missing", changed_at=now)
        work.session.add(row)
        work.session.flush()
    done = {block.block_id: block for block in row.blocks}
    for block_id, html in html_by_block.items():
        translated = _translated_block(source[block_id], html, notes)
        if translated is None:
            if block_id in done:
                row.blocks.remove(done.pop(block_id))
            continue
        if block_id in done:
            found = done[block_id]
            if found.html == translated.html and found.source_digest == source[block_id].digest:
                continue
            found.html, found.source_digest = translated.html, source[block_id].digest
            found.person_id, found.changed_at = actor.person_id, now
        else:
            row.blocks.append(
                TranslationBlockRow(
                    block_id=block_id,
                    html=translated.html,
                    source_digest=source[block_id].digest,
                    person_id=actor.person_id,
                    changed_at=now,
                )
            )
    row.translator_id, row.changed_at = actor.person_id, now
    row.verified_by_id = row.verified_at = row.verified_digest = None
    _settle_status(row, tuple(source.values()), subject.text_digest)
    work.session.flush()
    record(
        work,
        subject.id,
        actor,
        "translation",
        digest=digest,
        what="saved",
        language=language,
        blocks=len(html_by_block),
    )
    fire_automatic(work, subject.id)
    return get_sheet(work, subject, language)


def verify_translation(work: UnitOfWork, actor: Actor, reference: str | int, language: str, *, digest: str) -> None:
    """Sign a complete translation off against the source text with this digest.

    Raises InvalidInput when blocks are missing or stale, Conflict when the source moved on, Forbidden without the
    permission `translate` or for the translator of the last change (the verifier is another person).
    """
    subject = get_subject(work, actor, reference, "translate")
    sheet = get_sheet(work, subject, language)
    if digest != subject.text_digest:
        raise Conflict("source_moved_on", reference=subject.reference)
    row = sheet.row
    open_blocks = [pair.source.id for pair in sheet.pairs if pair.status != "translated"]
    if row is None or open_blocks:
        raise InvalidInput("translation_incomplete", field="language", value=language, count=len(open_blocks))
    if row.translator_id is not None and row.translator_id == actor.person_id:
        raise Forbidden("verifier_is_translator", language=language)
    row.verified_by_id, row.verified_at, row.verified_digest = actor.person_id, work.now(), digest
    _settle_status(row, tuple(pair.source for pair in sheet.pairs), subject.text_digest)
    work.session.flush()
    record(work, subject.id, actor, "translation", digest=digest, what="verified", language=language)
    publishing.add_late_language(work, subject, language)
    fire_automatic(work, subject.id)


def refresh_status(work: UnitOfWork, document_id: int, source: Sequence[Block]) -> None:
    """Say again how each translation stands, after the source changed; only changed blocks become stale."""
    digest = text.digest(source)
    for row in work.session.scalars(select(TranslationRow).where(TranslationRow.document_id == document_id)):
        _settle_status(row, source, digest)
    work.session.flush()


def _settle_status(row: TranslationRow, source: Sequence[Block], digest: str) -> None:
    done = {block.block_id: block.source_digest for block in row.blocks}
    stale = stale_blocks(source, done) & set(done)
    present = sum(1 for block in source if block.id in done)
    row.stale_count = len(stale)
    row.translated_count = present - len(stale)
    if stale:
        row.status = "stale"
    elif present == 0:
        row.status = "missing"
    elif present < len(source):
        row.status = "in_progress"
    else:
        row.status = "verified" if row.verified_digest == digest else "translated"


def _find_row(work: UnitOfWork, document_id: int, language: str) -> TranslationRow | None:
    return work.session.scalars(
        select(TranslationRow).where(TranslationRow.document_id == document_id, TranslationRow.language == language)
    ).first()


def _check_language(subject: Subject, language: str) -> None:
    taken = (*subject.type.required_languages, *subject.type.optional_languages)
    if language not in taken or language == subject.language:
        raise InvalidInput("unknown_language", field="language", value=language)


def find_old_sources(work: UnitOfWork, subject: Subject, sheet: TranslationSheet) -> dict[str, Block]:
    """Return by id what each stale block's source read when it was translated, where a recent revision still has it."""
    stale = {pair.source.id for pair in sheet.pairs if pair.status == "stale"}
    if sheet.row is None or not stale:
        return {}
    wanted = {block.block_id: block.source_digest for block in sheet.row.blocks if block.block_id in stale}
    found: dict[str, Block] = {}
    earlier = work.session.scalars(
        select(RevisionRow.blocks)
        .where(RevisionRow.document_id == subject.id)
        .order_by(RevisionRow.number.desc())
        .limit(RECENT_REVISIONS)
    )
    for stored in earlier:
        for block in text.from_json(one for one in stored if one["id"] in wanted and one["id"] not in found):
            if block.digest == wanted[block.id]:
                found[block.id] = block
    return found


def _translated_block(source: Block, html: str, notes: Sequence[str]) -> Block | None:
    """Return the translation as one block of the source's kind, or None for an empty text.

    `notes` are the footnotes of the document, to which the block may refer.
    """
    if not html.strip():
        return None
    around = {note: f'<aside data-block="{note}" data-kind="footnote">.</aside>' for note in notes}
    found = text.canonical("".join(around.values()) + html)
    blocks = [block for block in found if block.element() != around.get(block.id)]
    if len(blocks) != 1 or blocks[0].kind != source.kind:
        raise InvalidInput("block_shape", field=source.id, value=source.kind, count=len(blocks))
    return Block(source.id, source.kind, blocks[0].html)
