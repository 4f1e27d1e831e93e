"""Documents as they stood when something happened to them: in the definition of that time."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import select

from r2pflow.domain.definition import Workflow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.definitions import get_outline

MIGRATION = "migration"


def see_as_then(
    work: UnitOfWork, pairs: Iterable[tuple[HistoryEntryRow, Subject]]
) -> Mapping[int, tuple[Subject, Subject]]:
    """Return by entry its document in the definitions before and after it; they differ for a migration only.

    One query for all, and one for each definition that nobody read yet.
    """
    pairs = list(pairs)
    ids = {entry.document_id for entry, _ in pairs}
    rows = work.session.scalars(
        select(HistoryEntryRow)
        .where(HistoryEntryRow.document_id.in_(ids), HistoryEntryRow.kind == MIGRATION)
        .order_by(HistoryEntryRow.id.desc())
    )
    moved: dict[int, list[HistoryEntryRow]] = {}
    for row in rows:
        moved.setdefault(row.document_id, []).append(row)
    found = {}
    for entry, subject in pairs:
        after = before = subject
        for migration in moved.get(entry.document_id, ()):
            if migration.id < entry.id:
                break
            before = _undo(work, before, migration)
            if migration.id > entry.id:
                after = before
        found[entry.id] = (before, after)
    return found


def _undo(work: UnitOfWork, subject: Subject, migration: HistoryEntryRow) -> Subject:
    old: Workflow = get_outline(work, migration.params["from_digest"])
    name = migration.params.get("workflow")
    if name is None:
        return replace(subject, workflow=old)
    tracks = (replace(one, workflow=old) if one.workflow.name == name else one for one in subject.tracks)
    return replace(subject, tracks=tuple(tracks))
