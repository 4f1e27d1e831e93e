"""The versions of a workflow, where documents stand in each, and the way that one document took through its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, TrackRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, visible_to
from r2pflow.services.definitions import get_outline
from r2pflow.services.queries import Page, paginate
from r2pflow.services.versions import MIGRATION

Standing = Mapping[tuple[int, str], int]
"""Numbers of documents by definition (its id) and state."""


@dataclass(frozen=True)
class Version:
    """One definition as it was stored; `documents` are those in it that the reader may view."""

    id: int
    digest: str
    number: int
    stored_at: datetime
    is_present: bool  # what the file of today says
    documents: int


@dataclass(frozen=True)
class PathStep:
    """One transition or migration of a document; `page` is that of its history on which the entry stands."""

    number: int
    entry: HistoryEntryRow
    page: int


def count_standing(work: UnitOfWork, actor: Actor, workflow: str) -> Standing:
    """Return where the documents of a workflow stand that the actor may view, first or further in their chain.

    What the dossiers above change of a definition counts as that definition.
    """
    plain = func.coalesce(DefinitionRow.variant_of_id, DefinitionRow.id)
    found: dict[tuple[int, str], int] = {}
    for query, state in ((_FIRST, DocumentRow.state), (_FURTHER, TrackRow.state)):
        rows = work.session.execute(
            query.add_columns(plain, state, func.count())
            .where(DefinitionRow.workflow == workflow, visible_to(actor))
            .group_by(plain, state)
        )
        for definition_id, name, number in rows:
            found[definition_id, name] = found.get((definition_id, name), 0) + number
    return found


def count_by_workflow(work: UnitOfWork, actor: Actor) -> Mapping[str, int]:
    """Return how many documents that the actor may view are in each workflow, first or further in their chain."""
    found: dict[str, int] = {}
    for query in (_FIRST, _FURTHER):
        rows = work.session.execute(
            query.add_columns(DefinitionRow.workflow, func.count())
            .where(visible_to(actor))
            .group_by(DefinitionRow.workflow)
        )
        for workflow, number in rows:
            found[workflow] = found.get(workflow, 0) + number
    return found


_FIRST: Select[Any] = select().join_from(DocumentRow, DefinitionRow, DocumentRow.definition_id == DefinitionRow.id)
_FURTHER: Select[Any] = (
    select()
    .join_from(TrackRow, DefinitionRow, TrackRow.definition_id == DefinitionRow.id)
    .join(DocumentRow, DocumentRow.id == TrackRow.document_id)
)


def list_versions(work: UnitOfWork, workflow: str, standing: Standing, number: int = 1) -> Page[Version]:
    """Return a page of the stored versions of a workflow, newest first; a file of which no document knows is none."""
    present = work.catalogue.workflows.get(workflow)
    query = (
        select(DefinitionRow)
        .where(DefinitionRow.workflow == workflow, DefinitionRow.variant_of_id.is_(None))
        .order_by(DefinitionRow.id.desc())
    )
    page = paginate(work, query, number)
    rows = [
        Version(
            row.id,
            row.digest,
            row.version,
            row.created_at,
            present is not None and row.digest == present.digest,
            sum(count for (definition_id, _), count in standing.items() if definition_id == row.id),
        )
        for row in page.rows
    ]
    return Page(rows, page.total, page.number, page.size)


def find_version_before(work: UnitOfWork, workflow: str, digest: str) -> str | None:
    """Return the digest of the version stored before this one, or of the newest of the others; None without any."""
    query = select(DefinitionRow.digest).where(
        DefinitionRow.workflow == workflow, DefinitionRow.variant_of_id.is_(None), DefinitionRow.digest != digest
    )
    own = select(DefinitionRow.id).where(DefinitionRow.digest == digest).scalar_subquery()
    return work.session.scalar(query.order_by((DefinitionRow.id < own).desc(), DefinitionRow.id.desc()).limit(1))


def get_newest(work: UnitOfWork, workflow: str) -> Workflow:
    """Return a workflow as today's file has it, or as it was stored last where no file does; refuse with NotFound."""
    present = work.catalogue.workflows.get(workflow)
    if present is not None:
        return present
    digest = find_version_before(work, workflow, "")
    if digest is None:
        raise NotFound("workflow_not_found", workflow=workflow)
    return get_outline(work, digest)


def get_version(work: UnitOfWork, workflow: str, digest: str) -> Workflow:
    """Return the version of a workflow with this digest, to be told and not run; refuse with NotFound."""
    present = work.catalogue.workflows.get(workflow)
    if present is not None and present.digest == digest:
        return present
    known = select(DefinitionRow.id).where(
        DefinitionRow.workflow == workflow, DefinitionRow.variant_of_id.is_(None), DefinitionRow.digest == digest
    )
    if work.session.scalar(known) is None:
        raise NotFound("version_not_found", workflow=workflow)
    return get_outline(work, digest)


def list_path(work: UnitOfWork, subject: Subject) -> Sequence[PathStep]:
    """Return the steps of a document in its workflow (of the lane that `subject` is), migrations too, in order."""
    page_size = work.settings.page_size
    ranked = (
        select(HistoryEntryRow.id, func.row_number().over(order_by=HistoryEntryRow.id.desc()).label("place"))
        .where(HistoryEntryRow.document_id == subject.id)
        .subquery()
    )
    rows = work.session.execute(
        select(HistoryEntryRow, ranked.c.place)
        .join(ranked, ranked.c.id == HistoryEntryRow.id)
        .where(HistoryEntryRow.kind.in_(("transition", MIGRATION)))
        .order_by(HistoryEntryRow.id.desc())
    )
    along = subject.workflow.name if subject.track else None
    mine: list[tuple[HistoryEntryRow, int]] = []
    for entry, place in rows:
        if entry.params.get("workflow") == along:
            mine.append((entry, place))
            if along is not None and entry.kind == MIGRATION:
                along = entry.params["from_workflow"]
    mine.reverse()
    return [
        PathStep(number, entry, (place - 1) // page_size + 1) for number, (entry, place) in enumerate(mine, start=1)
    ]


def list_digests(work: UnitOfWork, workflow: str, limit: int) -> Sequence[tuple[str, int]]:
    """Return digest and number of the stored versions of a workflow, newest first."""
    rows = work.session.execute(
        select(DefinitionRow.digest, DefinitionRow.version)
        .where(DefinitionRow.workflow == workflow, DefinitionRow.variant_of_id.is_(None))
        .order_by(DefinitionRow.id.desc())
        .limit(limit)
    )
    return [(digest, version) for digest, version in rows]
