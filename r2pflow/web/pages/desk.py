"""The desk: what waits for me, what moved since I looked, and my drafts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from r2pflow.persistence.documents import DocumentRow
from r2pflow.services import drafting
from r2pflow.services.definitions import get_outline
from r2pflow.services.desk import Waiting, read_desk
from r2pflow.web.auth import current_work, has_role, require_signed_in
from r2pflow.web.i18n import gettext, language_name, ngettext, title_of
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import Route
from r2pflow.web.words import word

NEAR = timedelta(days=2)
"""A deadline nearer than this is marked."""


@dataclass(frozen=True)
class DeskRow:
    """One document on the desk: what to do with it, where, and until when."""

    title: str
    language: str
    href: str
    task: str
    type_title: str
    reference: str
    accent: str
    state: str
    changed_at: datetime
    due_at: datetime | None = None
    timezone: str = "UTC"
    is_near: bool = False


def show_desk() -> Any:
    actor, work = require_signed_in(), current_work()
    desk = read_desk(work, actor)
    return render(
        "desk.html",
        waiting=[make_row(one.document, one) for one in _drop_repeated(desk.waiting)],
        running=[make_row(one.document, one) for one in desk.running],
        moved=[make_row(one) for one in desk.moved],
        drafts=[make_row(one) for one in desk.drafts],
        has_more=desk.has_more,
        worklists=[(name, title_of(title, word(name))) for name, title in desk.worklists.items()],
        may_create=has_role(actor, drafting.CREATORS),
    )


def _drop_repeated(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Leave out a worklist's line for a document that another line already asks to be dealt with."""
    asked = {one.document.id for one in waiting if one.kind in ("comment", "decide", "translate")}
    return [one for one in waiting if one.kind != "worklist" or one.document.id not in asked]


def make_row(document: DocumentRow, waiting: Waiting | None = None) -> DeskRow:
    """Return the line of a document; with `waiting`, what is to be done with it and until when."""
    work = current_work()
    kind = work.catalogue.types.get(document.type)
    workflow = get_outline(work, document.definition.digest)
    state = workflow.states.get(document.state)
    due_at = waiting.due_at if waiting else None
    return DeskRow(
        title=document.title,
        language=document.language,
        href=_find_place(document, waiting),
        task=_say_task(waiting, workflow) if waiting else "",
        type_title=title_of(kind.title) if kind else document.type,
        reference=document.reference,
        accent=kind.accent if kind else "slate",
        state=title_of(state.title, document.state.replace("_", " ")) if state else document.state,
        changed_at=document.changed_at,
        due_at=due_at,
        timezone=waiting.timezone if waiting else "UTC",
        is_near=due_at is not None and due_at - work.now() < NEAR,
    )


PLACES = {
    "decide": "decision",
    "ballot": "decision",
    "round": "comments",
    "answered": "comments",
    "translate": "translate",
    "worklist": "document",
}


def _find_place(document: DocumentRow, waiting: Waiting | None) -> str:
    endpoint = PLACES.get(waiting.kind, "document") if waiting else "document"
    if endpoint == "translate" and waiting is not None:
        return url("translate", reference=document.reference, language=waiting.name)
    return url(endpoint, reference=document.reference)


def _say_task(waiting: Waiting, workflow: Any) -> str:
    if waiting.kind == "comment":
        return gettext("Comment for your organisation")
    if waiting.kind == "decide":
        return gettext("Record your organisation's position")
    if waiting.kind == "translate":
        return gettext("Translate into %(language)s", language=language_name(waiting.name))
    if waiting.kind == "answered":
        return ngettext("See the answer to your comment", "See the answers to %(num)s of your comments", waiting.count)
    if waiting.kind == "round":
        return gettext("Comments are open")
    if waiting.kind == "ballot":
        return gettext("The ballot is open")
    worklist = workflow.worklists.get(waiting.name)
    return title_of(worklist.title if worklist else waiting.title, word(waiting.name))


ROUTES = (Route("/desk", "desk", show_desk),)
