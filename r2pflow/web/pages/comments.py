"""Comments: write one, and the ledger in which each is answered."""

from typing import Any

from flask import Response, redirect, request

from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.text import Block
from r2pflow.persistence.deliberation import OUTCOMES, CommentRow
from r2pflow.services import comments, ledger
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.comments import NewComment
from r2pflow.services.texts import get_blocks
from r2pflow.web.auth import current_work, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, language
from r2pflow.web.pages.comment_form import comment_context
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.pagination import read_page_number
from r2pflow.web.reading import show_block, show_wording
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, POST, Route
from r2pflow.web.sentences import sentence
from r2pflow.web.words import word


def show_ledger(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    return _show_ledger(get_subject(work, actor, reference))


def _show_ledger(subject: Subject, status: int = 200, failed: tuple[int, Form] | None = None) -> Response:
    """Render the ledger; `failed` is the comment whose answer was refused, and its form."""
    work = current_work()
    narrowed = request.args.get("show", "all")
    narrowed = narrowed if narrowed in ledger.FILTERS else "all"
    page = ledger.read_ledger(work, subject, narrowed, read_page_number())
    orphans = ledger.list_orphans(work, subject) if narrowed in ("all", "unanswered") and page.number == 1 else ()
    apart = {row.id for row in orphans}
    counts = ledger.count(work, subject)
    window = comments.find_open_round(work, subject.id)
    blocks = {block.id: block for block in get_blocks(work, subject)}
    rows = [*orphans, *(row for row in page.rows if row.id not in apart)]
    return render(
        "documents/comments.html",
        status,
        **document_context(subject, "comments"),
        page=page,
        orphans=[_show_comment(subject, row, blocks) for row in orphans],
        entries=[_show_comment(subject, row, blocks) for row in page.rows if row.id not in apart],
        narrowed=narrowed,
        counts=counts,
        window=window,
        may_comment=comments.may_comment(work, subject),
        silent=ledger.list_silent(work, window) if window else [],
        may_dispose=comments.may_dispose(subject),
        may_edit=subject.may("edit") and subject.state.text == "open",
        outcome_choices=[(name, word(name)) for name in OUTCOMES],
        answer_forms={row.id: _answer_form(row, failed) for row in rows},
        failed_id=failed[0] if failed else 0,
    )


def _answer_form(row: CommentRow, failed: tuple[int, Form] | None) -> Form:
    if failed and failed[0] == row.id:
        return failed[1]
    return Form({"outcome": row.outcome or "", "reason": row.reason}, is_posted=False)


def _show_comment(subject: Subject, row: CommentRow, blocks: dict[str, Block]) -> dict[str, Any]:
    """Gather what the ledger shows of a comment."""
    place = row.current_block_id if row.health != "orphan" else ""
    block = blocks.get(place)
    actor = subject.actor
    is_own = row.author_id == actor.person_id or (
        row.organisation_id is not None and row.organisation_id == actor.organisation_id
    )
    before = row.exact or (block.plain if block else "")
    return {
        "row": row,
        "block": block,
        "excerpt": _shorten(block.plain) if block else "",
        "suggestion": show_wording(before, row.suggestion) if row.suggestion and before else None,
        "is_own": is_own,
        "is_orphan": row.health == "orphan",
    }


def _shorten(plain: str, limit: int = 140) -> str:
    folded = " ".join(plain.split())
    return folded if len(folded) <= limit else folded[:limit].rsplit(" ", 1)[0] + "…"


def write_comment(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference, "view" if request.method == "POST" else "comment")
    if request.method == "POST":
        return _post_comment(subject)
    if not comments.may_comment(work, subject):
        raise Forbidden("round_closed", reference=reference)
    form = read_form(block=request.args.get("block", ""), kind="substantive", language=language())
    return _show_form(subject, form)


def _post_comment(subject: Subject) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    language = form.text("language")
    exact, suggestion = form.text("exact"), form.text("suggestion")
    new = NewComment(
        kind=form.text("kind"),
        body=form.text("body"),
        language=language if language in LANGUAGES else actor.language,
        block_id=form.text("block"),
        exact=exact,
        prefix=form.raw("prefix"),
        suffix=form.raw("suffix"),
        suggestion="" if suggestion == exact else suggestion,
    )
    try:
        comment_id = comments.submit_comment(work, actor, subject.reference, new)
        work.commit()
    except InvalidInput as error:
        form.refuse(error)
        return _show_form(subject, form)
    except Forbidden as error:
        undo_work()
        return _show_form(subject, form, sentence(error, subject), status_of(error))
    tell(gettext("Your comment is recorded. You will be told what becomes of it."))
    if form.text("back") == "text":
        return redirect(url("document", reference=subject.reference) + (f"#b-{new.block_id}" if new.block_id else ""))
    return redirect(url("comments", reference=subject.reference, show="mine") + f"#comment-{comment_id}")


def _show_form(subject: Subject, form: Form, refusal: str = "", status: int = 0) -> Response:
    work = current_work()
    may_comment = comments.may_comment(work, subject)
    block = next((one for one in get_blocks(work, subject) if one.id == form.text("block")), None)
    return render(
        "documents/comment.html",
        status or form.status,
        **document_context(subject, "text"),
        **comment_context(subject, may_comment, form),
        form=form,
        block=block,
        shown_block=show_block(block) if block else None,
        refusal=refusal,
    )


def answer_comment(reference: str, comment: int) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    subject = get_subject(work, actor, reference)
    row = _get_comment(subject, comment)
    try:
        comments.dispose(
            work,
            actor,
            row.id,
            form.text("outcome"),
            form.text("reason"),
            seen_outcome=form.text("seen_outcome") if "seen_outcome" in form.values else None,
        )
        work.commit()
    except InvalidInput as error:
        form.refuse(error)
        return _show_ledger(get_subject(work, actor, reference), form.status, (comment, form))
    except Conflict as error:
        form.refuse(error)
        return _show_ledger(get_subject(work, actor, reference), form.status, (comment, form))
    tell(gettext("The answer is recorded, and goes to the commenter."))
    return redirect(_back_to(reference, comment))


def acknowledge_answer(reference: str, comment: int) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    subject = get_subject(work, actor, reference)
    row = _get_comment(subject, comment)
    answer = form.text("satisfied")
    if answer not in ("yes", "no"):
        raise InvalidInput("unknown_choice", field="satisfied", value=answer)
    comments.acknowledge(work, actor, row.id, answer == "yes")
    work.commit()
    tell(gettext("Thank you: your word on the answer is recorded."))
    return redirect(_back_to(reference, comment))


def _back_to(reference: str, comment: int) -> str:
    kept = {name: request.args[name] for name in ("show", "page") if name in request.args}
    if kept.get("show") == "unanswered":
        return url("comments", reference=reference, **kept)
    return url("comments", reference=reference, **kept) + f"#comment-{comment}"


def _get_comment(subject: Subject, comment_id: int) -> CommentRow:
    """Return a comment of this document; raise NotFound for one of another."""
    row = current_work().session.get(CommentRow, comment_id)
    if row is None or row.document_id != subject.id:
        raise NotFound("comment_not_found", comment=comment_id)
    return row


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/comments", "comments", show_ledger),
    Route("/documents/<reference>/comments/new", "comment", write_comment, FORM),
    Route("/documents/<reference>/comments/<int:comment>/answer", "answer_comment", answer_comment, POST),
    Route("/documents/<reference>/comments/<int:comment>/acknowledge", "acknowledge", acknowledge_answer, POST),
)
