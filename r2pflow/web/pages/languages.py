"""Languages of a document: how each stands, and source and translation side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, redirect, request
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from r2pflow.domain import changes
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import TranslationRow
from r2pflow.services import translating
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.texts import get_blocks
from r2pflow.services.translating import Pair, TranslationSheet
from r2pflow.web import inner
from r2pflow.web.auth import current_work, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.i18n import gettext, language_name, ngettext
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.reading import show_block, show_change
from r2pflow.web.rendering import is_htmx, render, render_text, url
from r2pflow.web.routing import FORM, POST, Route
from r2pflow.web.sentences import sentence


@dataclass(frozen=True)
class LanguageLine:
    """One language in the matrix; `row` is None where nothing is translated yet."""

    code: str
    status: str
    row: TranslationRow | None
    is_required: bool


@dataclass(frozen=True)
class Kept:
    """What was sent and could not be saved: texts as typed and faults, by block; a refusal of the whole."""

    texts: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    status: int = 200


@dataclass(frozen=True)
class ShownPair:
    """One block as the editor shows it; `typed` is what stands in the field, `hint` what changed in the source."""

    source: Block
    html: Markup
    translated: Markup | None
    typed: str
    status: str
    fault: str
    hint: Markup | None
    is_rich: bool
    missing_notes: tuple[str, ...]
    rows: int

    @property
    def id(self) -> str:
        return self.source.id


def show_languages(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    found = work.session.scalars(
        select(TranslationRow)
        .where(TranslationRow.document_id == subject.id)
        .options(joinedload(TranslationRow.translator), joinedload(TranslationRow.verified_by))
    )
    rows = {row.language: row for row in found}
    lines = [
        LanguageLine(code, rows[code].status if code in rows else "missing", rows.get(code), code in required)
        for required in (subject.type.required_languages,)
        for code in (*required, *subject.type.optional_languages)
        if code != subject.language
    ]
    return render(
        "languages/matrix.html",
        **document_context(subject, "languages"),
        lines=lines,
        total=len(get_blocks(work, subject)),
        may_translate=subject.may("translate"),
    )


def translate(reference: str, language: str) -> Any:
    actor, work = require_signed_in(), current_work()
    if request.method == "GET":
        subject = get_subject(work, actor, reference)
        return _show(subject, translating.get_sheet(work, subject, language), Kept())
    subject = get_subject(work, actor, reference, "translate")
    sheet = translating.get_sheet(work, subject, language)
    wanted = request.form.get("save", "all")
    sent = {name[6:]: value for name, value in request.form.items() if name.startswith("block-")}
    chosen = _choose_changed(sheet, sent, {wanted, *request.form.getlist("confirm")})
    try:
        if chosen:
            sheet = translating.save_translation(
                work, actor, reference, language, chosen, digest=request.form.get("digest", "")
            )
            work.commit()
        elif request.form.get("digest", "") != subject.text_digest:
            raise Conflict("source_moved_on", reference=reference)
    except InvalidInput as error:
        undo_work()
        block = str(error.params.get("field", ""))
        faults = {block: sentence(error)} if block in sent else {}
        kept = Kept(sent, faults, "" if faults else sentence(error), status_of(error))
    except Conflict as error:
        undo_work()
        kept = Kept(sent, {}, sentence(error), status_of(error))
    else:
        kept = Kept()
    if is_htmx():
        return _show_pair(get_subject(work, actor, reference), language, wanted, kept)
    if kept.status != 200:
        subject = get_subject(work, actor, reference)
        return _show(subject, translating.get_sheet(work, subject, language), kept)
    tell(
        ngettext("%(num)s paragraph saved.", "%(num)s paragraphs saved.", len(chosen))
        if chosen
        else gettext("Nothing had changed."),
        "done" if chosen else "note",
    )
    only = {"only": "open"} if request.args.get("only") == "open" else {}
    anchor = f"#pair-{wanted}" if wanted in {pair.source.id for pair in sheet.pairs} else ""
    return redirect(url("translate", reference=reference, language=language, **only) + anchor)


def _choose_changed(sheet: TranslationSheet, sent: Mapping[str, str], confirmed: set[str]) -> dict[str, str]:
    """Return the blocks to save, as elements: those typed anew, and open ones that were confirmed as they stand."""
    pairs = {pair.source.id: pair for pair in sheet.pairs}
    chosen = {}
    for block_id, typed in sent.items():
        pair = pairs.get(block_id)
        if pair is None:
            if typed.strip():
                chosen[block_id] = typed  # the service says that this block is gone
            continue
        is_new = _fold(typed) != _fold(_type(pair))
        if is_new or (pair.status != "translated" and block_id in confirmed):
            chosen[block_id] = inner.read(pair.source, typed)
    return chosen


def _fold(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _type(pair: Pair) -> str:
    """Return what stands in the field of a block at first; lists and tables start from their source."""
    if pair.html:
        return inner.write(pair.source, pair.html)
    return pair.source.html if inner.is_rich(pair.source) else ""


def _show(subject: Subject, sheet: TranslationSheet, kept: Kept) -> Response:
    work = current_work()
    only_open = request.args.get("only") == "open"
    old = translating.find_old_sources(work, subject, sheet)
    pairs = [_make_pair(pair, kept, old) for pair in sheet.pairs]
    present = {pair.source.id for pair in sheet.pairs}
    shown = [p for p in pairs if not only_open or p.status != "translated" or p.fault]
    return render(
        "languages/sheet.html",
        kept.status,
        **document_context(subject, "languages"),
        **_sheet_context(subject, sheet),
        pairs=shown,
        hidden=len(pairs) - len(shown),
        only_open=only_open,
        refusal=kept.refusal,
        faults=kept.faults,
        lost={name: text for name, text in kept.texts.items() if name not in present and text.strip()},
    )


def _sheet_context(subject: Subject, sheet: TranslationSheet) -> dict[str, Any]:
    """Return what both the page and a single block need."""
    states = [pair.status for pair in sheet.pairs]
    row = sheet.row
    is_whole = bool(states) and all(status == "translated" for status in states)
    may_translate = subject.may("translate")
    return {
        "sheet": sheet,
        "language": sheet.language,
        "name": language_name(sheet.language),
        "done": states.count("translated"),
        "stale": states.count("stale"),
        "missing": states.count("missing"),
        "total": len(states),
        "may_translate": may_translate,
        "is_own": row is not None and row.translator_id == subject.actor.person_id,
        "is_whole": is_whole,
        "can_verify": may_translate
        and is_whole
        and sheet.status != "verified"
        and not (row is not None and row.translator_id == subject.actor.person_id),
        "people": _name_people(row),
    }


def _name_people(row: TranslationRow | None) -> dict[str, str]:
    if row is None:
        return {"translator": "", "verifier": ""}
    return {
        "translator": row.translator.name if row.translator else "",
        "verifier": row.verified_by.name if row.verified_by else "",
    }


def _make_pair(pair: Pair, kept: Kept, old: Mapping[str, Block]) -> ShownPair:
    source = pair.source
    typed = kept.texts.get(source.id, _type(pair))
    translated = Block(source.id, source.kind, pair.html) if pair.html else None
    before = old.get(source.id)
    hint = None
    if before is not None:
        (change,) = changes.redline([before], [Block(source.id, source.kind, source.html)])
        hint = show_change(change)
    has = set(translated.notes) if translated else set()
    return ShownPair(
        source=source,
        html=show_block(source),
        translated=show_block(translated) if translated else None,
        typed=typed,
        status=pair.status,
        fault=kept.faults.get(source.id, ""),
        hint=hint,
        is_rich=inner.is_rich(source),
        missing_notes=tuple(note for note in dict.fromkeys(source.notes) if translated and note not in has),
        rows=max(2, min(12, len(source.plain) // 55 + 1)),
    )


def _show_pair(subject: Subject, language: str, block_id: str, kept: Kept) -> Response:
    """Answer htmx with the one block that was saved and the standing of the whole."""
    work = current_work()
    sheet = translating.get_sheet(work, subject, language)
    pair = next((one for one in sheet.pairs if one.source.id == block_id), None)
    if pair is None:  # any other status than those of a saved block adds the notice to what was typed
        raise NotFound("unknown_block")
    shown = _make_pair(pair, kept, translating.find_old_sources(work, subject, sheet))
    return Response(
        render_text(
            "languages/pair.html",
            **_sheet_context(subject, sheet),
            subject=subject,
            pair=shown,
            refusal=kept.refusal,
            only_open=request.args.get("only") == "open",
            is_saved=kept.status == 200,
        ),
        kept.status,
        content_type="text/html; charset=utf-8",
    )


def verify(reference: str, language: str) -> Any:
    actor, work = require_signed_in(), current_work()
    try:
        translating.verify_translation(work, actor, reference, language, digest=request.form.get("digest", ""))
        work.commit()
    except (InvalidInput, Conflict, Forbidden) as error:
        undo_work()
        subject = get_subject(work, actor, reference)
        sheet = translating.get_sheet(work, subject, language)
        return _show(subject, sheet, Kept(refusal=sentence(error), status=status_of(error)))
    tell(gettext("%(language)s is verified against the text as it stands.", language=language_name(language)))
    return redirect(url("languages", reference=reference))


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/languages", "languages", show_languages),
    Route("/documents/<reference>/languages/<language>", "translate", translate, FORM),
    Route("/documents/<reference>/languages/<language>/verify", "verify_translation", verify, POST),
)
