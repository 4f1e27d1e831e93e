"""Dossiers: the tree, the board of one, and the form by which the secretariat keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import LANGUAGES
from r2pflow.persistence.documents import DocumentRow, DossierRow
from r2pflow.services import dossier_rules, dossiers, people, queries, sharing
from r2pflow.services.access import Subject
from r2pflow.services.drafting import CREATORS
from r2pflow.services.foreseeing import Following, foresee_dossier
from r2pflow.services.placing import list_line
from r2pflow.services.standing import lay_way
from r2pflow.web.auth import current_work, has_role, require_signed_in, undo_work
from r2pflow.web.flashing import tell
from r2pflow.web.following import tell_following
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, title_of
from r2pflow.web.pages.document_shell import state_title
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, POST, Route
from r2pflow.web.telling import tell_entries
from r2pflow.web.words import word

MOST = 200
"""So many documents stand on a board; the list of documents has the others."""
RESERVED = frozenset({"new"})
NOWHERE = "-"
"""Stands in forms for no dossier, or for the top: no dossier is called so."""


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
    recent = dossiers.list_recent(work, actor, row)
    return render(
        "dossiers/board.html",
        **dossier_context(row),
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
            (title_of(one.type.title, one.type.name), tell_chain(one.chain))
            for one in dossier_rules.list_policies(work, row)
            if one.own is not None or one.place is not None
        ],
        may_create=has_role(actor, CREATORS),
    )


def tell_chain(names: Sequence[str]) -> str:
    """Return the titles of the workflows of a chain, the first one first."""
    workflows = current_work().catalogue.workflows
    titles = (title_of(workflows[name].title, name) if name in workflows else name for name in names)
    return " + ".join(titles)


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
    actor, work = require_signed_in(), current_work()
    form = read_form(parent=request.args.get("parent", "") or NOWHERE, kind="campaign")
    sharing.require_keeper(work, actor, dossiers.find_dossier(work, form.text("parent")))
    return _create(form) if form.is_posted else _show_form(form, None)


def edit_dossier(slug: str) -> Any:
    actor, work = require_signed_in(), current_work()
    row = sharing.get_kept_dossier(work, actor, slug)
    titles = {f"title-{code}": row.titles.get(code, "") for code in LANGUAGES}
    form = read_form(kind=row.kind, parent=_parent_of(row), **titles)
    return _change(form, row) if form.is_posted else _show_form(form, row)


def _parent_of(row: DossierRow) -> str:
    above = current_work().session.get(DossierRow, row.parent_id) if row.parent_id else None
    return above.slug if above else NOWHERE


def _read_titles(form: Form) -> dict[str, str]:
    return {code: form.text(f"title-{code}") for code in LANGUAGES if form.text(f"title-{code}")}


def _create(form: Form) -> Any:
    actor, work = require_signed_in(), current_work()
    slug = form.text("slug").lower()
    parent = None if form.text("parent") in ("", NOWHERE) else form.text("parent")
    try:
        if slug in RESERVED or dossiers.find_dossier(work, slug):
            raise InvalidInput("already_taken", field="slug", value=slug)
        dossiers.save_dossier(work, actor, slug, _read_titles(form), form.text("kind"), parent)
        work.commit()
    except InvalidInput as error:
        form.refuse(error)
        return _show_form(form, None)
    tell(gettext("The dossier is saved."))
    return redirect(url("dossier", slug=slug))


def _change(form: Form, row: DossierRow) -> Any:
    """Save a dossier; where it is to lie elsewhere, tell first what would follow."""
    actor, work = require_signed_in(), current_work()
    slug, wanted = row.slug, form.text("parent") or _parent_of(row)
    parent = None if wanted == NOWHERE else wanted
    try:
        dossiers.save_dossier(work, actor, slug, _read_titles(form), form.text("kind"))
        if wanted != _parent_of(row) and form.text("confirmed") != wanted:
            following = foresee_dossier(work, slug, lambda: dossiers.move_dossier(work, actor, slug, parent))
            undo_work()
            return _show_form(form, dossiers.get_dossier(work, slug), following)
        dossiers.move_dossier(work, actor, slug, parent)
        work.commit()
    except (InvalidInput, NotFound, Forbidden) as error:
        form.refuse(error)
        return _show_form(form, dossiers.get_dossier(work, slug))
    tell(gettext("The dossier is saved."))
    return redirect(url("dossier", slug=slug))


def _show_form(form: Form, row: DossierRow | None, following: Following | None = None) -> Response:
    actor, work = require_signed_in(), current_work()
    context = dossier_context(row, "edit") if row else {"dossier": None, "tabs": []}
    return form.render(
        "dossiers/form.html",
        **context,
        kind_choices=[(one, word(one)) for one in dossiers.DOSSIER_KINDS],
        parent_choices=[(NOWHERE, gettext("At the top")), *list_places(row, _parent_of(row) if row else None)],
        following=tell_following(following) if following else None,
        confirmed=form.text("parent"),
        may_delete=row is not None and dossiers.may_delete(work, actor, row),
    )


def list_places(without: DossierRow | None = None, beside: str | None = None) -> list[tuple[str, str]]:
    """Return the dossiers that the reader keeps as choices, each after the one above it.

    Left out is a dossier with all in it; the one called `beside` is there whoever keeps it.
    """
    actor, work = require_signed_in(), current_work()
    rows = queries.list_dossiers(work)
    kept = {row.id for row in sharing.list_kept(work, actor, rows)}
    return [
        (one.row.slug, "– " * one.depth + title_of(one.row.titles, one.row.slug))
        for one in _climb(rows, {})
        if (one.row.id in kept or one.row.slug == beside)
        and not (without is not None and one.row.path.startswith(without.path))
    ]


def delete_dossier(slug: str) -> Any:
    actor, work = require_signed_in(), current_work()
    dossiers.delete_dossier(work, actor, slug)
    work.commit()
    tell(gettext("The dossier was deleted."))
    return redirect(url("dossiers"))


def dossier_context(row: DossierRow, tab: str = "board") -> dict[str, Any]:
    """Return what every page of a dossier has around it: `dossier`, `above`, `tabs`, `may_edit`."""
    actor, work = require_signed_in(), current_work()
    may_edit = sharing.is_keeper(work, actor, row)
    known = (
        ("board", "dossier", gettext("Documents")),
        ("sharing", "dossier_sharing", gettext("Sharing")),
        ("grants", "dossier_grants", gettext("Permissions")),
        ("policies", "dossier_policies", gettext("Workflows")),
        ("edit", "edit_dossier", gettext("Edit")),
    )
    tabs = [
        {"label": label, "href": url(endpoint, slug=row.slug), "is_current": name == tab}
        for name, endpoint, label in known
        if may_edit
    ]
    return {"dossier": row, "above": list_line(work, row)[:-1], "tabs": tabs, "may_edit": may_edit}


ROUTES: tuple[Route, ...] = (
    Route("/dossiers", "dossiers", show_dossiers),
    Route("/dossiers/new", "new_dossier", new_dossier, FORM),
    Route("/dossiers/<slug>", "dossier", show_dossier),
    Route("/dossiers/<slug>/edit", "edit_dossier", edit_dossier, FORM),
    Route("/dossiers/<slug>/delete", "delete_dossier", delete_dossier, POST),
)
