"""Fire one step on many documents: what would become of each, how far it is, and what was refused and why."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, redirect, request

from r2pflow.domain.errors import InvalidInput, Refusal
from r2pflow.persistence.documents import DocumentRow
from r2pflow.services import batches, bulk, forecasts, queries
from r2pflow.services.access import Subject
from r2pflow.services.batches import Batch
from r2pflow.services.queries import Filters
from r2pflow.web.auth import current_actor, current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, ngettext, title_of
from r2pflow.web.pages import moments
from r2pflow.web.pages.document_shell import state_title, transition_title
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, POST, Route
from r2pflow.web.sentences import join, sentence
from r2pflow.web.words import word

FILTERS = ("type", "state", "dossier", "text", "workflow")
SHOWN = 20
"""So many documents of each kind are named before a batch begins; the others are counted."""


@dataclass(frozen=True)
class Held:
    """Documents that would be refused for the same reasons."""

    reasons: tuple[str, ...]
    documents: list[forecasts.Forecast]


def start_batch() -> Any:
    """Show what a step would come to on the documents that were chosen; when posted, begin."""
    actor, work = require_signed_in(), current_work()
    form = read_form(
        transition=request.args.get("transition", "").strip()[:80],
        references=" ".join(_read_choice()) if request.method == "GET" else "",
        timezone=work.settings.timezone,
    )
    transition, references = form.text("transition"), form.text("references").split()
    if not transition or not (references or form.is_posted):
        return render("batches/none.html")
    found: list[forecasts.Forecast] = []
    comment = "optional"
    try:
        found = forecasts.forecast(work, actor, transition, references)
        comment = bulk.ask_comment(work, transition, [one.subject.id for one in found])
        if form.is_posted:
            return _start(form, transition, found)
    except InvalidInput as error:
        form.refuse(error)
    ready = [one for one in found if not one.refusals]
    groups: dict[tuple[str, ...], list[forecasts.Forecast]] = {}
    for one in found:
        if one.refusals:
            groups.setdefault(tuple(_tell(refusal, one.subject) for refusal in one.refusals), []).append(one)
    held = sorted((Held(*group) for group in groups.items()), key=lambda group: -len(group.documents))
    return form.render(
        "batches/new.html",
        step=transition_title(found[0].subject, transition) if found else word(transition),
        found=found,
        ready=ready,
        held=held,
        shown=SHOWN,
        comment=comment,
        is_final=any(_ends(one, transition) for one in ready),
        state_of=lambda one: state_title(one.subject.find_lane(transition)),
        zones=moments.list_zones(),
    )


def _read_choice() -> list[str]:
    """Return the references that the list of documents sent: those ticked, those of the page, or all that match."""
    scope = request.args.get("scope", "ticked")
    if scope == "page":
        return request.args.get("listed", "").split()
    if scope == "all":
        filters = Filters(**{name: request.args.get(name, "").strip()[:200] for name in FILTERS})
        return list(queries.list_references(current_work(), current_actor(), filters, bulk.MOST + 1))
    return request.args.getlist("reference")


def _ends(one: forecasts.Forecast, transition: str) -> bool:
    lane = one.subject.find_lane(transition)
    target = lane.workflow.transitions[transition].target(lane.state_name)
    return target != lane.state_name and lane.workflow.states[target].final


def _start(form: Form, transition: str, found: list[forecasts.Forecast]) -> Any:
    actor, work = current_actor(), current_work()
    chosen = [one.subject.reference for one in found if not one.refusals or form.is_checked("with_held")]
    if not chosen:
        raise InvalidInput("nothing_to_fire", field="with_held")
    moment = moments.read_fields(form) if form.text("at") else None
    batch_id = bulk.start_batch(
        work,
        actor,
        transition,
        chosen,
        form.text("comment"),
        moment.instant if moment else None,
        moment.timezone if moment else "",
    )
    work.commit()
    if moment and (moved := moments.tell_moved(moment)):
        tell(moved, "note")
    return redirect(url("batch", batch=batch_id))


def list_batches() -> Any:
    actor, work = require_signed_in(), current_work()
    page = batches.list_batches(work, actor, read_page_number())
    return render("batches/list.html", page=page, title_of_step=_title_step, tone_of=_tone)


def show_batch(batch: int) -> Any:
    actor, work = require_signed_in(), current_work()
    found = batches.get_batch(work, actor, batch)
    progress = found.progress
    asked = request.args.get("show", "")
    show = asked if asked in (*batches.OUTCOMES, "all") else ("refused" if progress.refused else "all")
    entries = batches.list_entries(work, actor, found, "" if show == "all" else show, read_page_number())
    counts = {"refused": progress.refused, "done": progress.done, "waiting": progress.waiting}
    counts |= {"cancelled": progress.cancelled, "all": progress.total}
    titles = {"refused": gettext("Refused"), "done": gettext("Done"), "waiting": gettext("Waiting")}
    titles |= {"cancelled": gettext("Cancelled"), "all": gettext("All")}
    return render(
        "batches/batch.html",
        batch=found,
        step=_title_step(found),
        progress=progress,
        show=show,
        tabs_shown=[
            {
                "label": titles[name],
                "href": url("batch", batch=batch, show=name),
                "is_current": name == show,
                "count": n,
            }
            for name, n in counts.items()
            if n or name in ("all", show)
        ],
        page=entries,
        tell=_tell,
        tone_of=_tone,
        now=work.now(),
        is_part=request.headers.get("HX-Request") == "true",
    )


def _title_step(batch: Batch) -> str:
    return title_of(batch.titles, word(batch.row.transition))


def _tell(refusal: Refusal, subject: Subject | None = None) -> str:
    if refusal.code == "wrong_state" and subject is not None:
        return gettext(
            "This step leads from: %(states)s. The document is in “%(state)s”.",
            states=join(state_title(subject, name) for name in refusal.params["accepted"]),
            state=state_title(subject, refusal.params["state"]),
        )
    if refusal.code == "wrong_state":  # there is no page to reload
        return gettext("This step does not lead from the state of the document.")
    return sentence(refusal, subject)


def _tone(outcome: str) -> str:
    return {"done": "good", "refused": "bad", "waiting": "waiting"}.get(outcome, "")


def send_report(batch: int) -> Response:
    """Send what became of each document as a CSV file."""
    actor, work = require_signed_in(), current_work()
    found = batches.get_batch(work, actor, batch)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["number", "reference", "title", "outcome", "reasons", "ended_at"])
    for entry in batches.list_all_entries(work, actor, found):
        reasons = " ".join(map(_tell, entry.reasons))
        title = entry.title if entry.is_visible else gettext("A document that is not open to you")
        ended = entry.done_at.isoformat(timespec="seconds") if entry.done_at else ""
        writer.writerow([entry.rank, *map(_as_cell, (entry.reference, title, entry.outcome, reasons)), ended])
    response = make_response("\ufeff" + text.getvalue())  # spreadsheets tell UTF-8 by that mark
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="batch-{found.row.id}.csv"'
    response.cache_control.no_store = True
    return response


def _as_cell(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def cancel_batch(batch: int) -> Any:
    actor, work = require_signed_in(), current_work()
    count = work.complete(lambda: bulk.cancel_batch(work, actor, batch))
    if count:
        tell(ngettext("%(num)s document is left as it was.", "%(num)s documents are left as they were.", count))
    else:
        tell(gettext("Nothing waited any more: all was done already."), "note")
    return redirect(url("batch", batch=batch))


def describe_choice(
    rows: list[DocumentRow], total: int, counts: dict[str, Any], kept: dict[str, str]
) -> dict[str, Any] | None:
    """Return what the list of documents needs to offer steps on several; None where there is none to offer."""
    if not counts or len(rows) < 2:
        return None
    steps = sorted(((transition_title(subject, name), name, count) for name, (subject, count) in counts.items()))
    return {
        "steps": [
            (name, gettext("%(step)s (possible on %(count)s)", step=title, count=count)) for title, name, count in steps
        ],
        "listed": " ".join(row.reference for row in rows),
        "on_page": len(rows),
        "total": total,
        "most": bulk.MOST,
        "kept": {name: value for name, value in kept.items() if value},
    }


ROUTES: tuple[Route, ...] = (
    Route("/batches", "batches", list_batches),
    Route("/batches/new", "start_batch", start_batch, FORM),
    Route("/batches/<int:batch>", "batch", show_batch),
    Route("/batches/<int:batch>/report.csv", "batch_report", send_report),
    Route("/batches/<int:batch>/cancel", "cancel_batch", cancel_batch, POST),
)
