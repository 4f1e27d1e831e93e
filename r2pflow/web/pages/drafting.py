"""Write: begin a document, edit its text, settle what two people changed at once."""

from collections.abc import Sequence
from typing import Any

from flask import Response, redirect, request

from r2pflow.domain import text
from r2pflow.domain.changes import Conflict as BlockConflict
from r2pflow.domain.changes import adopt_ids, redline
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, R2PFlowError
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.text import Block
from r2pflow.services import drafting, queries
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.drafting import CREATORS, Saved
from r2pflow.services.importing import FORMATS, read_file
from r2pflow.services.texts import get_blocks
from r2pflow.web.auth import current_work, require_role, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import NATIVE_NAMES, format_size, gettext, title_of
from r2pflow.web.mounting import get_mount
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.reading import show_block, show_change
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.sentences import join, sentence

REMOVE = "remove"


def begin_document() -> Any:
    require_role(*CREATORS)
    work = current_work()
    types = work.catalogue.types
    first = request.args.get("type", "")
    form = read_form(
        type=first if first in types else next(iter(types), ""),
        dossier=request.args.get("dossier", ""),
        language="",
    )
    if form.is_posted:
        try:
            reference = _begin(form)
            work.commit()
        except InvalidInput as error:
            form.refuse(error)
        else:
            tell(gettext("The document %(reference)s has begun.", reference=reference))
            is_imported = bool(request.files.get("file"))
            return redirect(url("document" if is_imported else "edit", reference=reference))
    nothing = ("", gettext("None"))
    return form.render(
        "documents/new.html",
        types=types,
        type_choices=[(name, title_of(one.title, name)) for name, one in types.items()],
        dossier_choices=[nothing, *((one.slug, title_of(one.titles, one.slug)) for one in queries.list_dossiers(work))],
        language_choices=[
            ("", gettext("The main language of the type")),
            *((code, NATIVE_NAMES[code]) for code in LANGUAGES),
        ],
        accepted=",".join(sorted(FORMATS)),
        limit=format_size(get_mount().settings.upload_limit),
    )


def _begin(form: Form) -> str:
    work, actor = current_work(), require_signed_in()
    kind = work.catalogue.types.get(form.text("type"))
    if kind is None:
        raise InvalidInput("unknown_document_type", field="type", value=form.text("type"))
    language = form.text("language") or kind.authoritative
    title = form.text("title")
    upload = request.files.get("file")
    blocks: tuple[Block, ...]
    if upload is not None and upload.filename:
        limit = get_mount().settings.upload_limit
        try:
            blocks = read_file(upload.filename, upload.read(), language=language, title=title, limit=limit)
        except InvalidInput as error:
            error.params.setdefault("field", "file")
            raise
    elif title:
        blocks = text.with_title((), title)
    else:
        raise InvalidInput("required", field="title")
    return drafting.create_document(
        work,
        actor,
        kind.name,
        blocks,
        language=language,
        dossier=form.text("dossier") or None,
        origin="import" if upload is not None and upload.filename else "edit",
    )


def edit_text(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    if request.method == "POST":
        return _save(reference)
    subject = get_subject(work, actor, reference, "edit")
    if subject.state.text != "open":
        raise Forbidden("text_frozen", reference=reference, state=subject.state_name)
    form = read_form(html=text.render(get_blocks(work, subject)), based_on=subject.revision_number, summary="")
    return _show_editor(subject, form)


def _show_editor(subject: Subject, form: Form) -> Response:
    return form.render("documents/edit.html", **document_context(subject, "text"))


def _save(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    form = read_form()
    try:
        subject = get_subject(work, actor, reference, "edit")
        based_on = form.number("based_on") or 0
        mine = _read_text(subject, form, based_on)
        saved = drafting.save_text(work, actor, reference, mine, based_on=based_on, summary=form.text("summary")[:500])
    except InvalidInput as error:
        form.refuse(error)
        return _show_editor(get_subject(work, actor, reference, "edit"), form)
    except (Forbidden, Conflict) as error:
        undo_work()
        return _show_unsaved(reference, error, form)
    if saved.conflicts:
        return _show_conflicts(subject, saved, form)
    work.commit()
    _tell_saved(subject, saved, based_on)
    return redirect(url("document", reference=reference))


def _read_text(subject: Subject, form: Form, based_on: int) -> tuple[Block, ...]:
    """Return the text of the form, with ids; of a text with conflicts, each settled as was chosen."""
    work = current_work()
    known = get_blocks(work, subject, based_on) if based_on else ()
    present = get_blocks(work, subject)
    taken = {block.id for block in (*known, *present)}
    blocks = adopt_ids(known, text.canonical(form.raw("html"), previous_ids=taken))
    for block_id in form.chosen("conflict"):
        blocks = _settle(tuple(blocks), block_id, form, known, taken)
    return tuple(blocks)


def _settle(
    blocks: tuple[Block, ...], block_id: str, form: Form, theirs: Sequence[Block], taken: set[str]
) -> tuple[Block, ...]:
    """Put what was chosen for a block in its place: mine is there already."""
    choice = form.text(f"choice-{block_id}", "mine")
    chosen: tuple[Block, ...] = tuple(block for block in blocks if block.id == block_id)
    if choice == "theirs":
        chosen = tuple(block for block in theirs if block.id == block_id)
    elif choice == REMOVE:
        chosen = ()
    elif choice == "edited":
        written = text.canonical(form.raw(f"edited-{block_id}"), previous_ids=taken)
        chosen = tuple(
            Block(block_id, block.kind, block.html) if place == 0 else block for place, block in enumerate(written)
        )
    if block_id not in {block.id for block in blocks}:
        return (*blocks, *chosen)
    place = next(place for place, block in enumerate(blocks) if block.id == block_id)
    return (*blocks[:place], *chosen, *blocks[place + 1 :])


def _show_conflicts(subject: Subject, saved: Saved, form: Form) -> Response:
    """Show what both changed side by side. Nothing is written yet: all of it is in the form."""
    current_work().rollback()
    theirs = queries.list_revisions(current_work(), subject)
    writers = [row.author.name for row in theirs if row.author and row.number > (form.number("based_on") or 0)]
    return render(
        "documents/conflicts.html",
        409,
        **document_context(subject, "text"),
        form=form,
        html=text.render(saved.blocks),
        based_on=saved.number,
        writers=join(dict.fromkeys(writers)),
        conflicts=[_show_conflict(one) for one in saved.conflicts],
    )


def _show_conflict(conflict: BlockConflict) -> dict[str, Any]:
    mine, theirs = conflict.mine, conflict.theirs
    start = mine or theirs
    return {
        "id": conflict.block_id,
        "base": show_block(conflict.base) if conflict.base else "",
        "mine": _show_side(conflict.base, mine),
        "theirs": _show_side(conflict.base, theirs),
        "is_mine_gone": mine is None,
        "is_theirs_gone": theirs is None,
        "start": start.element() if start else "",
    }


def _show_side(base: Block | None, side: Block | None) -> Any:
    if side is None:
        return ""
    if base is None:
        return show_block(side)
    before = Block(side.id, base.kind, base.html)
    (change,) = redline([before], [side])
    return show_change(change)


def _show_unsaved(reference: str, error: R2PFlowError, form: Form) -> Response:
    """Give back what was written where it can no longer be saved."""
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    return render(
        "documents/unsaved.html",
        status_of(error),
        **document_context(subject, "text"),
        reason=sentence(error, subject),
        html=form.raw("html"),
        may_edit=subject.may("edit") and subject.state.text == "open",
    )


def _tell_saved(subject: Subject, saved: Saved, based_on: int) -> None:
    if saved.number == subject.revision_number and not saved.merged:
        tell(gettext("Nothing was changed, so nothing was saved."), "note")
        return
    if not saved.merged:
        tell(gettext("Saved as revision %(number)s.", number=saved.number))
        return
    rows = queries.list_revisions(current_work(), subject)
    names = [row.author.name for row in rows if row.author and based_on < row.number < saved.number]
    who = join(dict.fromkeys(names))
    tell(gettext("Saved as revision %(number)s, merged with edits by %(who)s.", number=saved.number, who=who))


ROUTES: tuple[Route, ...] = (
    Route("/documents/new", "new_document", begin_document, FORM),
    Route("/documents/<reference>/edit", "edit", edit_text, FORM),
)
