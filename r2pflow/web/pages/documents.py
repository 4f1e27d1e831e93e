"""Documents: the list, the page of one, its next step, and its files."""

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, redirect, request

from r2pflow.domain.engine import Offer
from r2pflow.domain.errors import Conflict, InvalidInput, NotFound, Refused
from r2pflow.outputs.apart import export_apart
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import comments, ledger, queries, standing, transitions
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.definitions import get_outline, list_workflows
from r2pflow.services.drafting import CREATORS
from r2pflow.services.forecasts import count_fireable
from r2pflow.services.offers import find_offers_for
from r2pflow.services.printing import prepare_draft
from r2pflow.services.queries import Filters
from r2pflow.services.standing import NewestEdition
from r2pflow.services.texts import get_blocks
from r2pflow.web import forms
from r2pflow.web.auth import current_actor, current_work, has_role, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.i18n import gettext, language_name, title_of
from r2pflow.web.pages import batches, document_history, moments, scheduling
from r2pflow.web.pages.comment_form import comment_context
from r2pflow.web.pages.document_shell import document_context, state_title, transition_title
from r2pflow.web.pages.next_step import NextStep, list_steps, list_tasks
from r2pflow.web.pagination import read_page_number
from r2pflow.web.reading import show_text
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import POST, Route
from r2pflow.web.sentences import sentence
from r2pflow.web.words import word

SHOWN_BESIDE = 3
"""So many comments stand beside a block; the others are one link away."""


def list_documents() -> Any:
    actor, work = require_signed_in(), current_work()
    asked = {name: request.args.get(name, "").strip()[:200] for name in batches.FILTERS}
    found = queries.list_documents(work, actor, Filters(**asked), read_page_number())
    offers = find_offers_for(work, actor, [row.id for row in found.rows])
    types = work.catalogue.types
    states = {
        state.name: title_of(state.title, word(state.name))
        for workflow in list_workflows(work)
        for state in workflow.states.values()
    }
    dossiers = queries.list_dossiers(work)
    every = ("", gettext("All"))
    return render(
        "documents/list.html",
        page=found,
        form=forms.Form(asked, is_posted=False),
        is_filtered=any(asked.values()),
        may_create=has_role(actor, CREATORS),
        type_choices=[every, *((name, title_of(one.title, name)) for name, one in types.items())],
        state_choices=[every, *sorted(states.items(), key=lambda pair: pair[1])],
        workflow_choices=[every, *((one.name, title_of(one.title, word(one.name))) for one in list_workflows(work))],
        dossier_choices=[every, *((one.slug, title_of(one.titles, one.slug)) for one in dossiers)],
        types=types,
        state_of=lambda row: _state_title(work, row),
        state_tone=lambda row: _state_tone(work, row),
        may=_list_steps(offers),
        bulk=batches.describe_choice(list(found.rows), found.total, count_fireable(offers), asked),
    )


def _list_steps(found: Mapping[int, tuple[Subject, tuple[Offer, ...]]]) -> dict[int, str]:
    """Return by document what the actor may do next, as the titles of steps."""
    may = {
        one: [transition_title(subject, offer.transition.name) for offer in offers if offer.is_fireable]
        for one, (subject, offers) in found.items()
    }
    return {one: " · ".join(titles) for one, titles in may.items() if titles}


def _state_title(work: UnitOfWork, row: DocumentRow) -> str:
    state = get_outline(work, row.definition.digest).states.get(row.state)
    return title_of(state.title, word(state.name)) if state else word(row.state)


def _state_tone(work: UnitOfWork, row: DocumentRow) -> str:
    state = get_outline(work, row.definition.digest).states.get(row.state)
    if state is None or state.final:
        return "good" if state else ""
    return "waiting" if state.comments or state.ballot else "accent"


def show_document(reference: str) -> Any:
    actor, work = current_actor(), current_work()
    return _show_text(get_subject(work, actor, reference))


def _show_text(subject: Subject, status: int = 200, **told: Any) -> Response:
    """Render the page of a document; `told` says what became of a step that was refused."""
    work = current_work()
    blocks = get_blocks(work, subject)
    is_known = not subject.actor.is_anonymous
    beside: dict[str, list[Any]] = {}
    if is_known and not subject.state.final:
        present = {block.id for block in blocks} - {block.id for block in blocks if block.level == 1}
        for row in ledger.list_for_margin(work, subject):
            place = row.current_block_id if row.health != "orphan" and row.current_block_id in present else ""
            beside.setdefault(place, []).append(row)
    may_comment = comments.may_comment(work, subject)
    context = document_context(subject, "text")
    steps = list_steps(work, subject, context["shell"].way, told.get("kept")) if is_known else []
    edition = standing.find_newest_edition(work, subject) if subject.state.final else None
    seen = queries.mark_seen(work, subject.actor, subject) if status == 200 else None
    response = render(
        "documents/text.html",
        status,
        **context,
        **comment_context(subject, may_comment),
        text=show_text(blocks),
        beside=beside,
        shown_beside=SHOWN_BESIDE,
        steps=steps,
        schedules=scheduling.tell_schedules(subject) if is_known else [],
        near_zones=moments.list_near_zones(),
        tasks=list_tasks(subject, context["shell"], steps, may_comment) if is_known else [],
        refused=told.get("refused", ""),
        reasons=told.get("reasons", ()),
        meanwhile=told.get("meanwhile", ()),
        lost_comment=_find_lost_comment(steps, told.get("kept")),
        seen_before=seen if seen is not None and seen < subject.revision_number else None,
        may_edit=subject.may("edit") and subject.state.text == "open",
        exports=_list_files(edition) if edition else _list_exports(work, subject),
        edition=edition,
    )
    if status == 200 and is_known:
        work.commit()
    return response


def _find_lost_comment(steps: list[NextStep], kept: tuple[str, str] | None) -> str:
    """Return the comment that was typed for a step that is no longer offered, so that it can be copied."""
    if kept is None or any(step.name == kept[0] and step.is_fireable for step in steps):
        return ""
    return kept[1]


def fire_transition(reference: str, transition: str) -> Any:
    actor, work = require_signed_in(), current_work()
    form = forms.read_form()
    comment = form.text("comment")
    try:
        seen = form.number("change_number")
        work.complete(
            lambda: transitions.fire(work, actor, reference, transition, comment=comment, expected_change=seen)
        )
    except Refused as error:
        undo_work()
        subject = get_subject(work, actor, reference)
        return _show_text(
            subject,
            status_of(error),
            refused=transition_title(subject, transition),
            reasons=[sentence(one, subject) for one in error.refusals],
            kept=(transition, comment),
        )
    except Conflict as error:
        undo_work()
        subject = get_subject(work, actor, reference)
        return _show_text(
            subject,
            status_of(error),
            refused=transition_title(subject, transition),
            reasons=[sentence(Conflict(error.code), subject)],
            meanwhile=document_history.tell_meanwhile(subject, error.params.get("seen")),
            kept=(transition, comment),
        )
    subject = get_subject(work, actor, reference)
    tell(gettext("Done: %(transition)s.", transition=transition_title(subject, transition)))
    tell(gettext("The document is now in “%(state)s”.", state=state_title(subject)), "note")
    return redirect(url("document", reference=reference))


def _list_files(edition: NewestEdition) -> list[dict[str, str]]:
    return [
        {
            "label": f"PDF, {language_name(language)}",
            "href": url("file", symbol=edition.symbol, language=language, format="pdf"),
        }
        for language in edition.languages
    ]


def _list_exports(work: UnitOfWork, subject: Subject) -> list[dict[str, str]]:
    registered = work.catalogue.registry.exporters
    return [
        {
            "label": gettext(registered[name].title),
            "href": url("export", reference=subject.reference, format=name, language=subject.language),
        }
        for name in subject.type.exports or ("pdf", "docx", "html", "json")
        if name in registered
    ]


def export_document(reference: str, format: str) -> Any:
    """Send the document as it stands; the public has the files of the register, which are made once."""
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    exporter = work.catalogue.registry.exporters.get(format)
    if exporter is None or (subject.type.exports and format not in subject.type.exports):
        raise NotFound("page_not_found")
    language = request.args.get("language") or subject.language
    known = {subject.language, *subject.type.required_languages, *subject.type.optional_languages}
    if language not in known:
        raise InvalidInput("unknown_language", field="language", value=language)
    is_internal = subject.may("edit") or has_role(subject.actor, CREATORS)
    printable = prepare_draft(work, subject, language, is_internal=is_internal)
    if not printable.blocks:
        raise NotFound("not_translated_yet", language=language_name(language))
    work.rollback()  # the file may take seconds: the database need not wait with us
    response = make_response(export_apart(exporter, printable))
    response.headers["Content-Type"] = exporter.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{printable.file_stem()}.{exporter.extension}"'
    response.cache_control.no_store = True
    return response


ROUTES: tuple[Route, ...] = (
    Route("/documents", "documents", list_documents),
    Route("/documents/<reference>", "document", show_document),
    Route("/documents/<reference>/fire/<transition>", "fire", fire_transition, POST),
    Route("/documents/<reference>/export/<format>", "export", export_document),
    *document_history.ROUTES,
)
