"""Workflow definitions in the database: each version by content, and who may do what in it as rows for lists."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import BUILT_IN_PERMISSIONS
from r2pflow.persistence.documents import DefinitionRow, GrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork

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
            session.execute(insert(GrantRow), list(_grant_rows(workflow, row.id)))
            return row.id
    except IntegrityError:  # another process stored the same content meanwhile
        return session.scalars(known).one()


def get_workflow(work: UnitOfWork, digest: str) -> Workflow:
    """Return the stored definition with this digest: one of today's files, or an older one as it was stored."""
    found = work.catalogue.find_version(digest)
    if found is None:
        row = work.session.scalars(select(DefinitionRow).where(DefinitionRow.digest == digest)).one()
        found = work.catalogue.read_version(row.source, f"{row.workflow} version {row.version}")
        if row.above:
            found = work.catalogue.versions.setdefault(digest, place_under(found, row.above))
    return found


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
