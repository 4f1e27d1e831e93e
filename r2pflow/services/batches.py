"""Batches as they are read: how far each is, and what became of each document, as far as the reader may know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true

from r2pflow.domain.errors import NotFound, Refusal
from r2pflow.domain.people import Actor, Titles
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, TrackRow
from r2pflow.persistence.history import BatchEntryRow, BatchRow
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import visible_to
from r2pflow.services.definitions import get_outline
from r2pflow.services.people import ADMINISTRATORS
from r2pflow.services.queries import Page, paginate

WAITING, DONE, REFUSED, CANCELLED = OUTCOMES = ("waiting", "done", "refused", "cancelled")


@dataclass(frozen=True)
class Progress:
    """How far a batch is: its entries by what became of them."""

    waiting: int = 0
    done: int = 0
    refused: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.ended

    @property
    def ended(self) -> int:
        return self.done + self.refused + self.cancelled


@dataclass(frozen=True)
class Entry:
    """One document of a batch as a reader may know it: of what they may not view, only what became of it."""

    outcome: str
    rank: int
    done_at: datetime | None
    is_visible: bool
    reference: str = ""
    title: str = ""
    language: str = "en"
    reasons: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Batch:
    """A batch with the name of the person who began it, how far it is, and the titles of its transition."""

    row: BatchRow
    person: str
    progress: Progress
    titles: Titles


def list_batches(work: UnitOfWork, actor: Actor, number: int = 1) -> Page[Batch]:
    """Return a page of the batches that the actor may see, newest first: their own, all for the secretariat."""
    page = paginate(work, select(BatchRow).where(*_seen_by(actor)).order_by(BatchRow.id.desc()), number)
    return Page(_complete(work, page.rows), page.total, page.number, page.size)


def get_batch(work: UnitOfWork, actor: Actor, batch_id: int) -> Batch:
    """Return a batch that the actor may see; NotFound for all others."""
    row = work.session.scalars(select(BatchRow).where(BatchRow.id == batch_id, *_seen_by(actor))).first()
    if row is None:
        raise NotFound("batch_not_found")
    return _complete(work, [row])[0]


def list_entries(work: UnitOfWork, actor: Actor, batch: Batch, outcome: str = "", number: int = 1) -> Page[Entry]:
    """Return a page of a batch's documents in their order, all or those with one outcome."""
    query = _select_entries(actor, batch.row.id)
    if outcome:
        query = query.where(BatchEntryRow.outcome == outcome)
    size = work.settings.page_size
    total = work.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = min(max(1, number), max(1, -(-total // size)))
    rows = work.session.execute(query.limit(size).offset((number - 1) * size))
    return Page([_show(row) for row in rows], total, number, size)


def list_all_entries(work: UnitOfWork, actor: Actor, batch: Batch) -> list[Entry]:
    """Return all documents of a batch in their order; never more than `bulk.MOST`."""
    return [_show(row) for row in work.session.execute(_select_entries(actor, batch.row.id))]


def _seen_by(actor: Actor) -> list[ColumnElement[bool]]:
    is_keeper = actor.is_system or not actor.roles.isdisjoint(ADMINISTRATORS)
    return [] if is_keeper else [BatchRow.person_id == actor.person_id]


def _complete(work: UnitOfWork, rows: Sequence[BatchRow]) -> list[Batch]:
    names = _read_names(work, {row.person_id for row in rows})
    counts, titles = _count(work, [row.id for row in rows]), _find_titles(work, rows)
    return [
        Batch(row, names.get(row.person_id, ""), counts.get(row.id, Progress()), titles.get(row.id, Titles()))
        for row in rows
    ]


def _find_titles(work: UnitOfWork, rows: Sequence[BatchRow]) -> dict[int, Titles]:
    """Return the titles of each batch's transition, as the workflows of its first document have it."""
    first = (BatchEntryRow.batch_id.in_([row.id for row in rows]), BatchEntryRow.rank == 1)
    found = select(BatchEntryRow.batch_id, DefinitionRow.digest).where(*first)
    used = [
        *work.session.execute(
            found.join(DocumentRow, DocumentRow.id == BatchEntryRow.document_id).join(
                DefinitionRow, DefinitionRow.id == DocumentRow.definition_id
            )
        ),
        *work.session.execute(
            found.join(TrackRow, TrackRow.document_id == BatchEntryRow.document_id).join(
                DefinitionRow, DefinitionRow.id == TrackRow.definition_id
            )
        ),
    ]
    names = {row.id: row.transition for row in rows}
    known = ((batch_id, get_outline(work, digest).transitions.get(names[batch_id])) for batch_id, digest in used)
    return {batch_id: transition.title for batch_id, transition in known if transition is not None}


def _read_names(work: UnitOfWork, person_ids: set[int]) -> Mapping[int, str]:
    rows = work.session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(person_ids)))
    return {row.id: row.name for row in rows}


def _count(work: UnitOfWork, batch_ids: Sequence[int]) -> Mapping[int, Progress]:
    rows = work.session.execute(
        select(BatchEntryRow.batch_id, BatchEntryRow.outcome, func.count())
        .where(BatchEntryRow.batch_id.in_(batch_ids))
        .group_by(BatchEntryRow.batch_id, BatchEntryRow.outcome)
    ).all()
    counts: dict[int, dict[str, int]] = {}
    for batch_id, outcome, number in rows:
        counts.setdefault(batch_id, {})[outcome] = number
    return {batch_id: Progress(**found) for batch_id, found in counts.items()}


def _select_entries(actor: Actor, batch_id: int) -> Select[BatchEntryRow, str, str, str, bool]:
    about = (DocumentRow.reference, DocumentRow.title, DocumentRow.language)
    is_visible = true() if actor.is_system else visible_to(actor)
    return (
        select(BatchEntryRow, *about, is_visible.label("is_visible"))
        .join(DocumentRow, DocumentRow.id == BatchEntryRow.document_id)
        .where(BatchEntryRow.batch_id == batch_id)
        .order_by(BatchEntryRow.rank)
    )


def _show(row: Any) -> Entry:
    entry, reference, title, language, is_visible = row
    if not is_visible:
        return Entry(entry.outcome, entry.rank, entry.done_at, False)
    reasons = tuple(Refusal(one["code"], one["params"]) for one in entry.reasons)
    return Entry(entry.outcome, entry.rank, entry.done_at, True, reference, title, language, reasons)
