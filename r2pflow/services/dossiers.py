"""Dossiers: made, renamed, moved and deleted; documents moved between them; and what a dossier's page shows."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update

from r2pflow.domain.errors import Conflict, InvalidInput, NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DocumentRow, DossierRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject, list_ids, make_subject, visible_to
from r2pflow.services.history import record, record_many
from r2pflow.services.people import check_choice
from r2pflow.services.placing import hold_dossier, hold_tree, list_line, settle, settle_documents
from r2pflow.services.queries import LISTED
from r2pflow.services.sharing import get_kept_dossier, is_keeper, require_keeper

DOSSIER_KINDS = ("consultation", "campaign", "conference", "crisis")
MOST_LEVELS = 20
"""So many dossiers lie inside each other at most."""


def find_dossier(work: UnitOfWork, slug: str) -> DossierRow | None:
    """Return the dossier, or None."""
    return work.session.scalars(select(DossierRow).where(DossierRow.slug == slug)).first()


def get_dossier(work: UnitOfWork, slug: str) -> DossierRow:
    """Return the dossier; raise NotFound."""
    row = find_dossier(work, slug)
    if row is None:
        raise NotFound("dossier_not_found", slug=slug)
    return row


def save_dossier(
    work: UnitOfWork, actor: Actor, slug: str, titles: Mapping[str, str], kind: str, parent: str | None = None
) -> int:
    """Create a dossier below another, or change the titles and kind of the one there is; return its id.

    One that is there stays where it is, whatever `parent` says: `move_dossier` moves it. Raises Forbidden to whom
    keeps neither it nor, of a new one, the one above, and InvalidInput naming the field.
    """
    row = find_dossier(work, slug)
    if row is not None:
        require_keeper(work, actor, row)
    above = get_kept_dossier(work, actor, parent) if row is None and parent else None
    if row is None and above is None:
        require_keeper(work, actor, None)
    check_choice("kind", kind or "?", DOSSIER_KINDS)
    if not titles or not any(titles.values()):
        raise InvalidInput("required", field="titles")
    if row is None:
        if not slug.replace("-", "").isalnum() or not slug.isascii() or slug != slug.lower() or len(slug) > 80:
            raise InvalidInput("bad_slug", field="slug", value=slug)
        _check_depth(len(list_ids(above.path)) + 1 if above else 1)
        row = DossierRow(
            slug=slug,
            titles=dict(titles),
            kind=kind,
            parent_id=above.id if above else None,
            policies={},
            created_at=work.now(),
        )
        work.session.add(row)
        work.session.flush()
        row.path = f"{above.path if above else '/'}{row.id}/"
        row.shared_path = f"{above.shared_path if above else '/'}{row.id}/"
    row.titles, row.kind = dict(titles), kind
    work.session.flush()
    return row.id


def move_dossier(work: UnitOfWork, actor: Actor, slug: str, parent: str | None) -> None:
    """Move a dossier with all in it below another, or to the top; where it is already, nothing changes.

    Roles and permissions follow at once: what is shared and granted above it is what the new place says. Each
    document in it gets an entry in its history. Raises Forbidden unless the actor keeps the dossier and both the old
    and the new one above it, InvalidInput for a place below itself or too deep.
    """
    hold_tree(work)
    row = get_kept_dossier(work, actor, slug)
    above = work.session.get(DossierRow, row.parent_id) if row.parent_id else None
    place = get_dossier(work, parent) if parent else None
    if place is above:
        return
    require_keeper(work, actor, above)
    require_keeper(work, actor, place)
    if place is not None and place.path.startswith(row.path):
        raise InvalidInput("dossier_below_itself", field="parent", value=slug)
    paths = work.session.scalars(
        select(DossierRow.path).where(DossierRow.path.startswith(row.path, autoescape=True))
    ).all()
    height = max(len(list_ids(path)) for path in paths) - len(list_ids(row.path)) + 1
    _check_depth(height + (len(list_ids(place.path)) if place else 0))
    told = {"dossier": dict(row.titles), "left": _titles(above), "place": _titles(place)}
    row.parent_id = place.id if place else None
    work.session.flush()
    settle(work, row)
    inside = DocumentRow.dossier_path.startswith(row.path, autoescape=True)
    record_many(work, inside, actor, "moved", what="above", **told)


def move_document(work: UnitOfWork, actor: Actor, reference: str | int, dossier: str | None) -> None:
    """Move a document to another dossier, or out of any; where it is already, nothing changes.

    It runs on in its workflows; roles and permissions follow at once. Raises Forbidden without the permission `share`
    on the document, or where the actor does not keep the dossiers that it leaves and enters.
    """
    subject = get_subject(work, actor, reference, "share")
    place = hold_dossier(work, dossier) if dossier else None
    if dossier and place is None:
        raise InvalidInput("unknown_dossier", field="dossier", value=dossier)
    origin = work.session.get(DossierRow, subject.dossier_id) if subject.dossier_id else None
    if place is origin:
        return
    for end in (origin, place):
        if end is not None:
            require_keeper(work, actor, end)
    told: dict[str, Any] = {"left": _titles(origin), "place": _titles(place)}
    work.write(
        update(DocumentRow)
        .where(DocumentRow.id == subject.id)
        .values(dossier_id=place.id if place else None, dossier_path=place.path if place else "")
    )
    settle_documents(work, list_line(work, place), None, subject.id)
    record(work, subject.id, actor, "moved", what="document", **told)


def delete_dossier(work: UnitOfWork, actor: Actor, slug: str) -> None:
    """Delete an empty dossier with what is shared on it.

    Raises Forbidden unless the actor keeps it and the one above, Conflict where documents or dossiers lie in it.
    """
    row = get_kept_dossier(work, actor, slug)
    require_keeper(work, actor, work.session.get(DossierRow, row.parent_id) if row.parent_id else None)
    if not is_empty(work, row):
        raise Conflict("dossier_not_empty", slug=slug)
    work.session.delete(row)
    work.session.flush()


def may_delete(work: UnitOfWork, actor: Actor, dossier: DossierRow) -> bool:
    """Tell whether the actor could delete the dossier now."""
    above = work.session.get(DossierRow, dossier.parent_id) if dossier.parent_id else None
    return all(is_keeper(work, actor, one) for one in (dossier, above)) and is_empty(work, dossier)


def is_empty(work: UnitOfWork, dossier: DossierRow) -> bool:
    """Tell whether neither a document nor a dossier lies in it, whoever may see them."""
    documents = select(DocumentRow.id).where(DocumentRow.dossier_id == dossier.id).exists()
    dossiers = select(DossierRow.id).where(DossierRow.parent_id == dossier.id).exists()
    return not work.session.scalar(select(documents | dossiers))


def _check_depth(levels: int) -> None:
    if levels > MOST_LEVELS:
        raise InvalidInput("dossiers_too_deep", field="parent", limit=MOST_LEVELS)


def _titles(row: DossierRow | None) -> dict[str, str]:
    return dict(row.titles) if row else {}


def list_recent(
    work: UnitOfWork, actor: Actor, dossier: DossierRow, limit: int = 10
) -> list[tuple[HistoryEntryRow, Subject]]:
    """Return what happened last to the documents in and below a dossier that the actor may view, newest first."""
    rows = work.session.execute(
        select(HistoryEntryRow, DocumentRow)
        .join(DocumentRow, DocumentRow.id == HistoryEntryRow.document_id)
        .where(DocumentRow.dossier_path.startswith(dossier.path, autoescape=True), visible_to(actor))
        .options(*LISTED)
        .order_by(HistoryEntryRow.id.desc())
        .limit(limit)
    )
    return [(entry, as_subject(work, actor, document)) for entry, document in rows]


def as_subject(work: UnitOfWork, actor: Actor, row: DocumentRow) -> Subject:
    """Return a document of a list as its page meets it, without its local roles: to tell of it, not to decide."""
    return make_subject(work, row, (), actor, definition=row.definition)


def count_by_dossier(work: UnitOfWork, actor: Actor) -> Mapping[int, int]:
    """Return by dossier how many documents stand in it itself that the actor may view."""
    rows = work.session.execute(
        select(DocumentRow.dossier_id, func.count())
        .where(DocumentRow.dossier_id.is_not(None), visible_to(actor))
        .group_by(DocumentRow.dossier_id)
    )
    return {dossier_id: number for dossier_id, number in rows if dossier_id is not None}
