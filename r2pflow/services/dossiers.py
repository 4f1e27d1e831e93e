"""What a dossier's page shows: what happened in it, how much it holds."""

from collections.abc import Mapping

from sqlalchemy import func, select

from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DocumentRow, DossierRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, make_subject, visible_to
from r2pflow.services.queries import LISTED


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
