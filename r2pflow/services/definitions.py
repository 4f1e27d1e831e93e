"""Workflow definitions in the database: each version by content, and who may do what in it as rows for lists."""

from collections.abc import Iterable

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import BUILT_IN_PERMISSIONS
from r2pflow.persistence.documents import DefinitionRow, GrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork


def store_definition(work: UnitOfWork, workflow: Workflow) -> int:
    """Return the id of the stored definition with this content; store it and its grants where it is new."""
    session = work.session
    known = select(DefinitionRow.id).where(DefinitionRow.digest == workflow.digest)
    found = session.scalar(known)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            row = DefinitionRow(
                workflow=workflow.name,
                version=workflow.version,
                digest=workflow.digest,
                source=workflow.source,
                created_at=work.now(),
            )
            session.add(row)
            session.flush()
            session.execute(insert(GrantRow), list(_grant_rows(workflow, row.id)))
            return row.id
    except IntegrityError:  # another process stored the same content meanwhile
        return session.scalars(known).one()


def get_workflow(work: UnitOfWork, digest: str) -> Workflow:
    """Return the definition with this digest: one of today's files, or an older one as it was stored."""
    found = work.catalogue.find_version(digest)
    if found is None:
        row = work.session.scalars(select(DefinitionRow).where(DefinitionRow.digest == digest)).one()
        found = work.catalogue.read_version(row.source, f"{row.workflow} version {row.version}")
    return found


def _grant_rows(workflow: Workflow, definition_id: int) -> Iterable[dict[str, object]]:
    for state in workflow.states:
        for permission in BUILT_IN_PERMISSIONS:
            for role in sorted(workflow.holders(state, permission)):
                yield {"definition_id": definition_id, "state": state, "permission": permission, "role": role}
