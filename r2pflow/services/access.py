"""The one place that says who may do what: global roles, local roles, and the grants of the state."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, exists, or_, select

from r2pflow.domain import engine
from r2pflow.domain.definition import DocumentType, State, Workflow
from r2pflow.domain.errors import Forbidden, NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, GrantRow, LocalRoleRow
from r2pflow.persistence.people import GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.definitions import get_workflow


@dataclass(frozen=True)
class Subject:
    """A document as one actor meets it: where it stands, and the roles that the actor holds on it."""

    id: int
    reference: str
    type: DocumentType
    title: str
    language: str
    dossier_id: int | None
    dossier_path: str
    definition_id: int
    workflow: Workflow
    state_name: str
    state_entered_at: datetime
    fields: dict[str, Any]
    text_digest: str
    revision_number: int
    author_id: int | None
    created_at: datetime
    changed_at: datetime
    change_number: int
    actor: Actor = field(default_factory=Actor)

    @property
    def state(self) -> State:
        return self.workflow.states[self.state_name]

    def may(self, permission: str) -> bool:
        """Tell whether the actor holds the permission in the present state."""
        return self.actor.is_system or engine.holds(self.workflow, self.state_name, permission, self.actor.roles)

    def require(self, permission: str) -> None:
        """Raise Forbidden (NotFound for `view`) unless the actor holds the permission."""
        if not self.may(permission):
            if permission == "view" or not self.may("view"):
                raise NotFound("document_not_found", reference=self.reference)
            raise Forbidden("no_permission", permission=permission, reference=self.reference, state=self.state_name)


_COLUMNS = (
    DocumentRow.id,
    DocumentRow.reference,
    DocumentRow.type,
    DocumentRow.title,
    DocumentRow.language,
    DocumentRow.dossier_id,
    DocumentRow.dossier_path,
    DocumentRow.definition_id,
    DocumentRow.state,
    DocumentRow.state_entered_at,
    DocumentRow.fields,
    DocumentRow.text_digest,
    DocumentRow.revision_number,
    DocumentRow.author_id,
    DocumentRow.created_at,
    DocumentRow.changed_at,
    DocumentRow.change_number,
    DefinitionRow.digest,
)
_SUBJECT = select(*_COLUMNS).join(DefinitionRow, DefinitionRow.id == DocumentRow.definition_id)


def get_subject(work: UnitOfWork, actor: Actor, reference: str | int, permission: str = "view") -> Subject:
    """Load a document by its reference (or id) for an actor.

    Raises NotFound where it does not exist or may not be seen, Forbidden where the other permission is missing.
    """
    where = DocumentRow.id == reference if isinstance(reference, int) else DocumentRow.reference == reference
    row = work.session.execute(_SUBJECT.where(where)).first()
    if row is None:
        raise NotFound("document_not_found", reference=str(reference))
    subject = Subject(
        id=row.id,
        reference=row.reference,
        type=work.document_type(row.type),
        title=row.title,
        language=row.language,
        dossier_id=row.dossier_id,
        dossier_path=row.dossier_path,
        definition_id=row.definition_id,
        workflow=get_workflow(work, row.digest),
        state_name=row.state,
        state_entered_at=row.state_entered_at,
        fields=row.fields,
        text_digest=row.text_digest,
        revision_number=row.revision_number,
        author_id=row.author_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        change_number=row.change_number,
        actor=actor.with_roles(find_local_roles(work, actor, row.id, row.dossier_path)),
    )
    if not actor.is_system:
        subject.require("view")
        subject.require(permission)
    return subject


def find_local_roles(work: UnitOfWork, actor: Actor, document_id: int, dossier_path: str) -> frozenset[str]:
    """Return the roles that sharing gives the actor on the document, from itself and from the dossiers above."""
    if actor.person_id is None:
        return frozenset()
    places = [LocalRoleRow.document_id == document_id]
    dossiers = [int(part) for part in dossier_path.split("/") if part]
    if dossiers:
        places.append(LocalRoleRow.dossier_id.in_(dossiers))
    found = work.session.scalars(select(LocalRoleRow.role).where(or_(*places), _held_by(actor)))
    return frozenset(found)


def visible_to(actor: Actor, permission: str = "view") -> ColumnElement[bool]:
    """Return the one SQL filter, for all lists, on documents on which the actor holds the permission."""
    granted = and_(
        GrantRow.definition_id == DocumentRow.definition_id,
        GrantRow.state == DocumentRow.state,
        GrantRow.permission == permission,
    )
    clauses: list[ColumnElement[bool]] = [exists().where(granted, GrantRow.role.in_(sorted(actor.roles)))]
    if actor.person_id is not None:
        here = or_(
            LocalRoleRow.document_id == DocumentRow.id,
            and_(
                LocalRoleRow.dossier_id.is_not(None),
                DocumentRow.dossier_path.contains("/" + LocalRoleRow.dossier_id.cast(String) + "/"),
            ),
        )
        clauses.append(
            exists().where(granted, GrantRow.role == LocalRoleRow.role, _held_by(actor), here).correlate(DocumentRow)
        )
    return or_(*clauses)


def _held_by(actor: Actor) -> ColumnElement[bool]:
    holders = [LocalRoleRow.person_id == actor.person_id]
    if actor.organisation_id is not None:
        holders.append(LocalRoleRow.organisation_id == actor.organisation_id)
    if actor.groups:
        named = select(GroupRow.id).where(GroupRow.name.in_(sorted(actor.groups)))
        holders.append(LocalRoleRow.group_id.in_(named))
    return or_(*holders)
