"""Dossiers: the tree, the board of one, and the form by which the secretariat keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import LANGUAGES
from r2pflow.persistence.documents import DocumentRow, DossierRow
from r2pflow.services import dossiers, people, queries
from r2pflow.services.access import Subject
from r2pflow.services.drafting import CREATORS
from r2pflow.services.standing import lay_way
from r2pflow.web.auth import current_work, has_role, require_role, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, title_of
from r2pflow.web.pages.document_shell import state_title
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.telling import tell_entries
from r2pflow.web.words import word

MOST = 200
"""So many documents stand on a board; the list of documents has the others."""
RESERVED = frozenset({"new"})


@dataclass(frozen=True)
class Branch:
    """A dossier in the tree; `count` documents of its own are open to the reader."""

    row: DossierRow
    depth: int
    count: int


def show_dossiers() -> Any:
    actor, work = require_signed_in(), current_work()
    counts = dossiers.count_by_dossier(work, actor)
    rows = queries.list_dossiers(work)
    return render(
        "dossiers/list.html",
        branches=_climb(rows, counts),
        may_edit=has_role(actor, people.ADMINISTRATORS),
    )


def _climb(rows: Sequence[DossierRow], counts: Any) -> list[Branch]:
    """Return the tree from the top, each dossier after the one above it, those beside it by title."""
    children: dict[int | None, list[DossierRow]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)
    found: list[Branch] = []

    def descend(parent: int | None, depth: int) -> None:
        for row in sorted(children.get(parent, ()), key=lambda one: title_of(one.titles, one.slug)):
            found.append(Branch(row, depth, counts.get(row.id, 0)))
            descend(row.id, depth + 1)

    descend(None, 0)
    return found


def show_dossier(slug: str) -> Any:
    actor, work = require_signed_in(), current_work()
    row = dossiers.get_dossier(work, slug)
    every = queries.list_dossiers(work)
    documents = queries.list_board(work, actor, row, MOST)
    subjects = {one.id: dossiers.as_subject(work, actor, one) for one in documents}
    counts = dossiers.count_by_dossier(work, actor)
    above = [int(part) for part in row.path.split("/") if part][:-1]
    by_id = {one.id: one for one in every}
    recent = dossiers.list_recent(work, actor, row)
    return render(
        "dossiers/board.html",
        dossier=row,
        above=[by_id[one] for one in above if one in by_id],
        below=[(one, counts.get(one.id, 0)) for one in every if one.parent_id == row.id],
        columns=_lay_board(documents, subjects),
        total=len(documents),
        is_cut=len(documents) == MOST,
        types=work.catalogue.types,
        recent=[
            (entry, subject, who, what)
            for (entry, who, what), (_, subject) in zip(tell_entries(work, recent), recent, strict=True)
        ],
        policies=[
            (title_of(work.catalogue.types[name].title, name), title_of(work.catalogue.workflows[workflow].title, name))
            for name, workflow in (row.policies or {}).items()
            if name in work.catalogue.types and workflow in work.catalogue.workflows
        ],
        may_edit=has_role(actor, people.ADMINISTRATORS),
        may_create=has_role(actor, CREATORS),
    )


def _lay_board(
    documents: Sequence[DocumentRow], subjects: dict[int, Subject]
) -> list[tuple[str, str, list[DocumentRow]]]:
    """Return the columns in the order of the workflows: title, tone, documents; empty ones are left out."""
    order: dict[str, int] = {}
    for subject in subjects.values():
        way = [state for state, _ in lay_way(subject.workflow, [subject.workflow.initial])]
        for place, state in enumerate([*way, *subject.workflow.states]):
            order.setdefault(state, place)
    columns: dict[tuple[str, str], list[DocumentRow]] = {}
    for row in documents:
        subject = subjects[row.id]
        columns.setdefault((row.state, state_title(subject)), []).append(row)
    return [
        (title, _tone(subjects[rows[0].id]), rows)
        for (state, title), rows in sorted(columns.items(), key=lambda one: order[one[0][0]])
    ]


def _tone(subject: Subject) -> str:
    state = subject.state
    if state.final:
        return "good"
    return "waiting" if state.comments or state.ballot else "accent"


def new_dossier() -> Any:
    require_role(*people.ADMINISTRATORS)
    form = read_form(parent=request.args.get("parent", ""), kind="campaign")
    return _save(form, None) if form.is_posted else _show_form(form, None)


def edit_dossier(slug: str) -> Any:
    require_role(*people.ADMINISTRATORS)
    row = dossiers.get_dossier(current_work(), slug)
    form = read_form(kind=row.kind, **{f"title-{code}": row.titles.get(code, "") for code in LANGUAGES})
    return _save(form, row) if form.is_posted else _show_form(form, row)


def _save(form: Form, row: DossierRow | None) -> Any:
    actor, work = require_signed_in(), current_work()
    titles = {code: form.text(f"title-{code}") for code in LANGUAGES if form.text(f"title-{code}")}
    slug = row.slug if row else form.text("slug").lower()
    try:
        if row is None and (slug in RESERVED or any(one.slug == slug for one in queries.list_dossiers(work))):
            raise InvalidInput("already_taken", field="slug", value=slug)
        dossiers.save_dossier(work, actor, slug, titles, form.text("kind"), form.text("parent") or None)
        work.commit()
    except InvalidInput as error:
        form.refuse(error)
        return _show_form(form, row)
    tell(gettext("The dossier is saved."))
    return redirect(url("dossier", slug=slug))


def _show_form(form: Form, row: DossierRow | None) -> Response:
    rows = queries.list_dossiers(current_work())
    indented = [(one.row.slug, "– " * one.depth + title_of(one.row.titles, one.row.slug)) for one in _climb(rows, {})]
    return form.render(
        "dossiers/form.html",
        dossier=row,
        kind_choices=[(one, word(one)) for one in dossiers.DOSSIER_KINDS],
        parent_choices=[("", gettext("At the top")), *indented],
    )


ROUTES: tuple[Route, ...] = (
    Route("/dossiers", "dossiers", show_dossiers),
    Route("/dossiers/new", "new_dossier", new_dossier, FORM),
    Route("/dossiers/<slug>", "dossier", show_dossier),
    Route("/dossiers/<slug>/edit", "edit_dossier", edit_dossier, FORM),
)
