"""Workflow definitions in the database: each version by content, and who may do what in it as rows for lists."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from r2pflow.domain.definition import DocumentType, Workflow
from r2pflow.domain.errors import DefinitionErrors, SetupError
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, Titles
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, GrantRow, TrackRow
from r2pflow.persistence.unit_of_work import UnitOfWork

logger = logging.getLogger(__name__)

Above = Mapping[str, Sequence[str]]
"""What the dossiers above a document grant: permission -> roles."""


def store_definition(work: UnitOfWork, workflow: Workflow) -> int:
    """Return the id of the stored definition with this content and `above`; store it and its grants where it is new."""
    session = work.session
    digest = _digest(workflow)
    known = select(DefinitionRow.id).where(DefinitionRow.digest == digest)
    found = session.scalar(known)
    if found is not None:
        return found
    plain_id = store_definition(work, place_under(workflow, {})) if workflow.above else None
    try:
        with session.begin_nested():
            row = DefinitionRow(
                workflow=workflow.name,
                version=workflow.version,
                digest=digest,
                source=workflow.source,
                above={permission: list(roles) for permission, roles in workflow.above.items()},
                variant_of_id=plain_id,
                created_at=work.now(),
            )
            session.add(row)
            session.flush()
            grants = list(_grant_rows(workflow, row.id))
            if grants:  # without any, SQL would write one row of nothing
                session.execute(insert(GrantRow), grants)
            return row.id
    except IntegrityError:  # another process stored the same content meanwhile
        return session.scalars(known).one()


def get_workflow(work: UnitOfWork, digest: str) -> Workflow:
    """Return the stored definition with this digest: one of today's files, or an older one as it was stored."""
    found = work.catalogue.find_version(digest)
    if found is None:
        row = _get_row(work, digest)
        try:
            found = work.catalogue.read_version(row.source, name_stored(row))
        except DefinitionErrors as errors:
            raise _make_unreadable(work, row, errors) from errors
        if row.above:
            found = work.catalogue.versions.setdefault(digest, place_under(found, row.above))
        if row.workflow not in work.catalogue.workflows:
            logger.warning("no file defines the workflow %s any more: its documents keep %s", row.workflow, found.path)
    return found


def get_outline(work: UnitOfWork, digest: str) -> Workflow:
    """Return the stored definition with this digest to be told, not run: also one that cannot be run any more."""
    found = work.catalogue.outlines.get(digest)
    if found is None:
        try:
            return get_workflow(work, digest)
        except SetupError:
            row = _get_row(work, digest)
            found = place_under(work.catalogue.read_outline(row.source, name_stored(row)), row.above)
            work.catalogue.outlines[digest] = found
    return found


def get_type_outline(work: UnitOfWork, name: str) -> DocumentType:
    """Return the document type to be told: of one that no file defines any more, hardly more than its name."""
    found = work.catalogue.types.get(name)
    if found is not None:
        return found
    none = Titles()
    return DocumentType(name, none, none, name.upper()[:8], "", "en", (), (), "", "")


def list_workflows(work: UnitOfWork) -> list[Workflow]:
    """Return the workflows of today's files, and as outlines the newest version of those that are stored only."""
    today = work.catalogue.workflows
    rows = work.session.execute(
        select(DefinitionRow.workflow, DefinitionRow.digest)
        .where(DefinitionRow.workflow.not_in(list(today)), DefinitionRow.variant_of_id.is_(None))
        .order_by(DefinitionRow.id)
    )
    stored = {row.workflow: row.digest for row in rows}
    return [*today.values(), *(get_outline(work, digest) for digest in stored.values())]


def find_newest_stored(engine: Engine, name: str) -> tuple[str, str] | None:
    """Return the newest stored source of a workflow, and what to call it; None where the database knows none."""
    table = DefinitionRow.__table__
    newest = (
        select(table.c.source, table.c.workflow, table.c.version)
        .where(table.c.workflow == name)
        .order_by(table.c.id.desc())
        .limit(1)
    )
    try:
        with engine.connect() as connection:
            row = connection.execute(newest).first()
    except DBAPIError:  # no tables yet
        return None
    return (row.source, name_stored(row)) if row else None


def name_stored(row: Any) -> str:
    """Return what a stored definition is called in the place of a path."""
    return f"{row.workflow} version {row.version}, as stored"


@dataclass(frozen=True)
class Use:
    """A stored definition and how many documents stand in it; `found` is why it cannot be run, or empty.

    `digest` is that of the source.
    """

    workflow: str
    version: int
    digest: str
    count: int
    has_file: bool
    found: str = ""


def list_uses(work: UnitOfWork) -> list[Use]:
    """Return the stored definitions in which documents stand, in the first or a further workflow of their chain."""
    counts: dict[int, int] = {}
    for column in (DocumentRow.definition_id, TrackRow.definition_id):
        for definition_id, number in work.session.execute(select(column, func.count()).group_by(column)):
            counts[definition_id] = counts.get(definition_id, 0) + number
    uses = []
    rows = select(DefinitionRow).where(DefinitionRow.id.in_(counts)).order_by(DefinitionRow.id)
    for row in work.session.scalars(rows):
        found = ""
        try:
            get_workflow(work, row.digest)
        except SetupError as error:
            found = str(error.params["found"])
        has_file = row.workflow in work.catalogue.workflows and row.workflow not in work.catalogue.kept
        digest = get_outline(work, row.digest).digest
        uses.append(Use(row.workflow, row.version, digest, counts[row.id], has_file, found))
    return uses


def list_missing_types(work: UnitOfWork) -> dict[str, int]:
    """Return by type how many documents are of one that no file defines."""
    counted = select(DocumentRow.type, func.count()).group_by(DocumentRow.type)
    gone = counted.where(DocumentRow.type.not_in(list(work.catalogue.types)))
    return {name: number for name, number in work.session.execute(gone)}


def _get_row(work: UnitOfWork, digest: str) -> DefinitionRow:
    return work.session.scalars(select(DefinitionRow).where(DefinitionRow.digest == digest)).one()


def _make_unreadable(work: UnitOfWork, row: DefinitionRow, errors: DefinitionErrors) -> SetupError:
    same = select(DefinitionRow.id).where(DefinitionRow.source == row.source)
    waiting = sum(
        work.session.scalar(select(func.count()).select_from(table).where(table.definition_id.in_(same))) or 0
        for table in (DocumentRow, TrackRow)
    )
    return SetupError(
        "definition_unreadable",
        workflow=row.workflow,
        version=row.version,
        found="; ".join(error.message for error in errors.errors),
        documents=waiting,
        remedy="install the plugin that knows it, or move the documents: r2pflow workflow migrate",
    )


def place_under(workflow: Workflow, above: Above) -> Workflow:
    """Return the workflow as it applies where the dossiers above grant this."""
    grants = {permission: tuple(sorted(set(roles))) for permission, roles in sorted(above.items())}
    return workflow if grants == workflow.above else replace(workflow, above=grants)


def _digest(workflow: Workflow) -> str:
    if not workflow.above:
        return workflow.digest
    told = {permission: sorted(roles) for permission, roles in workflow.above.items()}
    return hashlib.sha256(json.dumps([workflow.digest, told], sort_keys=True).encode()).hexdigest()


def _grant_rows(workflow: Workflow, definition_id: int) -> Iterable[dict[str, object]]:
    for state in workflow.states:
        for permission in BUILT_IN_PERMISSIONS:
            for role in sorted(workflow.holders(state, permission)):
                yield {"definition_id": definition_id, "state": state, "permission": permission, "role": role}
