"""The one place that says who may do what: global roles, local roles, and the grants of the state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, exists, or_, select, tuple_

from r2pflow.domain import engine
from r2pflow.domain.definition import DocumentType, State, Workflow
from r2pflow.domain.errors import Forbidden, NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, DossierRow, GrantRow, LocalRoleRow
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


_DOCUMENT, _DEFINITION, _LOCAL_ROLE = DocumentRow.__table__, DefinitionRow.__table__, LocalRoleRow.__table__
_SUBJECT = select(*_DOCUMENT.c, _DEFINITION.c.digest).join_from(_DOCUMENT, _DEFINITION)
_BY_ID = _SUBJECT.where(_DOCUMENT.c.id == bindparam("wanted"))
_BY_REFERENCE = _SUBJECT.where(_DOCUMENT.c.reference == bindparam("wanted"))


def get_subject(work: UnitOfWork, actor: Actor, reference: str | int, permission: str = "view") -> Subject:
    """Load a document by its reference (or id) for an actor.

    Raises NotFound where it does not exist or may not be seen, Forbidden where the other permission is missing.
    """
    row = work.run(_BY_ID if isinstance(reference, int) else _BY_REFERENCE, wanted=reference).first()
    if row is None:
        raise NotFound("document_not_found", reference=str(reference))
    subject = make_subject(work, row, row.digest, actor, find_local_roles(work, actor, row.id, row.dossier_path))
    if not actor.is_system:
        subject.require("view")
        subject.require(permission)
    return subject


def make_subject(work: UnitOfWork, row: Any, digest: str, actor: Actor, local_roles: Iterable[str] = ()) -> Subject:
    """Return a document, loaded with all columns of DocumentRow, as an actor with these shared roles meets it."""
    return Subject(
        id=row.id,
        reference=row.reference,
        type=work.document_type(row.type),
        title=row.title,
        language=row.language,
        dossier_id=row.dossier_id,
        dossier_path=row.dossier_path,
        definition_id=row.definition_id,
        workflow=get_workflow(work, digest),
        state_name=row.state,
        state_entered_at=row.state_entered_at,
        fields=row.fields,
        text_digest=row.text_digest,
        revision_number=row.revision_number,
        author_id=row.author_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        change_number=row.change_number,
        actor=actor.with_roles(local_roles),
    )


def list_viewers(work: UnitOfWork, actors: Iterable[Actor], document_id: int) -> list[Subject]:
    """Return the document as each of the actors meets it who may view it; two queries, however many they are."""
    row = work.run(_BY_ID, wanted=document_id).first()
    if row is None:
        return []
    above = _list_dossiers(row.dossier_path)
    shares = work.session.execute(
        select(LocalRoleRow.role, LocalRoleRow.person_id, LocalRoleRow.organisation_id, GroupRow.name)
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
        .where(or_(LocalRoleRow.document_id == document_id, LocalRoleRow.dossier_id.in_(above)))
    ).all()
    subjects = []
    for actor in actors:
        held = {
            role
            for role, person_id, organisation_id, group in shares
            if (person_id is not None and person_id == actor.person_id)
            or (organisation_id is not None and organisation_id == actor.organisation_id)
            or group in actor.groups
        }
        subjects.append(make_subject(work, row, row.digest, actor, held))
    return [subject for subject in subjects if subject.may("view")]


def _list_dossiers(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part]


def find_local_roles(work: UnitOfWork, actor: Actor, document_id: int, dossier_path: str) -> frozenset[str]:
    """Return the roles that sharing gives the actor on the document, from itself and from the dossiers above."""
    if actor.person_id is None:
        return frozenset()
    dossiers = _list_dossiers(dossier_path)
    values: dict[str, Any] = {"document": document_id, "person": actor.person_id, "organisation": actor.organisation_id}
    if dossiers:
        values["dossiers"] = dossiers
    if actor.groups:
        values["groups"] = sorted(actor.groups)
    return frozenset(work.run(_select_local_roles(bool(dossiers), bool(actor.groups)), **values).scalars())


@cache
def _select_local_roles(in_dossier: bool, in_group: bool) -> Select[Any]:
    role = _LOCAL_ROLE.c
    places = [role.document_id == bindparam("document")]
    holders = [role.person_id == bindparam("person"), role.organisation_id == bindparam("organisation")]
    if in_dossier:
        places.append(role.dossier_id.in_(bindparam("dossiers", expanding=True)))
    if in_group:
        named = GroupRow.__table__.c.name.in_(bindparam("groups", expanding=True))
        holders.append(role.group_id.in_(select(GroupRow.__table__.c.id).where(named)))
    return select(role.role).where(or_(*places), or_(*holders))


def visible_to(actor: Actor, permission: str = "view") -> ColumnElement[bool]:
    """Return the one SQL filter, for all lists, on documents on which the actor holds the permission."""
    return _make_filter(actor, permission)


@lru_cache(maxsize=256)
def _make_filter(actor: Actor, permission: str) -> ColumnElement[bool]:
    """Build the filter; what does not depend on the document is a subquery of its own, evaluated once."""
    grant = (GrantRow.definition_id, GrantRow.state)
    place = (DocumentRow.definition_id, DocumentRow.state)
    granted = select(*grant).where(GrantRow.permission == permission, GrantRow.role.in_(sorted(actor.roles)))
    clauses: list[ColumnElement[bool]] = [tuple_(*place).in_(granted)]
    if actor.person_id is not None:
        here = exists().where(
            LocalRoleRow.document_id == DocumentRow.id,
            _held_by(actor),
            GrantRow.definition_id == DocumentRow.definition_id,
            GrantRow.state == DocumentRow.state,
            GrantRow.permission == permission,
            GrantRow.role == LocalRoleRow.role,
        )
        above = (
            select(DossierRow.id, *grant)
            .join(LocalRoleRow, DossierRow.path.contains("/" + LocalRoleRow.dossier_id.cast(String) + "/"))
            .join(GrantRow, and_(GrantRow.role == LocalRoleRow.role, GrantRow.permission == permission))
            .where(LocalRoleRow.dossier_id > 0, _held_by(actor))
        )
        clauses += [tuple_(DocumentRow.dossier_id, *place).in_(above), here.correlate(DocumentRow)]
    return or_(*clauses)


def _held_by(actor: Actor) -> ColumnElement[bool]:
    holders = [LocalRoleRow.person_id == actor.person_id]
    if actor.organisation_id is not None:
        holders.append(LocalRoleRow.organisation_id == actor.organisation_id)
    if actor.groups:
        named = select(GroupRow.id).where(GroupRow.name.in_(sorted(actor.groups)))
        holders.append(LocalRoleRow.group_id.in_(named))
    return or_(*holders)
