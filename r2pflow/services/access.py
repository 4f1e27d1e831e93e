"""The one place that says who may do what: global roles, local roles, and the grants of the state."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from r2pflow.domain import engine
from r2pflow.domain.definition import DocumentType, State, Workflow
from r2pflow.domain.errors import Forbidden, NotFound, SetupError
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import (
    DefinitionRow,
    DocumentRow,
    DossierRow,
    GrantRow,
    LocalRoleRow,
    TrackRow,
)
from r2pflow.persistence.people import GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.chains import FIRST_ALONE, Track, load_tracks, rule_together
from r2pflow.services.definitions import get_outline, get_type_outline, get_workflow


@dataclass(frozen=True)
class Subject:
    """A document as one actor meets it: where it stands, and the roles that the actor holds on it.

    `workflow` and the state are those of the first workflow of its chain, or, where `track` is not 0, of the further
    workflow of that position: `lanes` gives them all.
    """

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
    shared_path: str = ""  # the dossiers whose sharing reaches the document
    actor: Actor = field(default_factory=Actor)
    track: int = 0
    tracks: tuple[Track, ...] = ()
    standing: Mapping[str, str] = field(default_factory=dict)  # the state in each workflow of the chain

    @property
    def lanes(self) -> tuple["Subject", ...]:
        """Return the document in each workflow of its chain, the first one first."""
        return (self, *(self._along(track) for track in self.tracks)) if self.tracks else (self,)

    def find_lane(self, transition: str) -> "Subject":
        """Return the document in the workflow of its chain that knows the transition, or as it is where none does."""
        return next((lane for lane in self.lanes if transition in lane.workflow.transitions), self)

    def _along(self, track: Track) -> "Subject":
        return replace(
            self,
            workflow=track.workflow,
            definition_id=track.definition_id,
            state_name=track.state,
            state_entered_at=track.state_entered_at,
            track=track.position,
            tracks=(),
        )

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
_DOSSIER = DossierRow.__table__
SUBJECT = (
    select(*_DOCUMENT.c, _DEFINITION.c.digest, _DOSSIER.c.shared_path)
    .join_from(_DOCUMENT, _DEFINITION)
    .outerjoin(_DOSSIER, _DOSSIER.c.id == _DOCUMENT.c.dossier_id)
)
"""All that `make_subject` reads of a document, and its `shared_path`."""
_BY_ID = SUBJECT.where(_DOCUMENT.c.id == bindparam("wanted"))


def get_subject(work: UnitOfWork, actor: Actor, reference: str | int, permission: str = "view") -> Subject:
    """Load a document by its reference (or id) for an actor; one query.

    Raises NotFound where it does not exist or may not be seen, Forbidden where the other permission is missing.
    """
    subject = load_subject(work, actor, reference)
    if not actor.is_system:
        subject.require("view")
        subject.require(permission)
    return subject


def load_subject(work: UnitOfWork, actor: Actor, reference: str | int) -> Subject:
    """Load a document as an actor meets it and ask no permission: for explaining what is missing. Raises NotFound."""
    statement, values = select_subject(actor)
    key = _DOCUMENT.c.id if isinstance(reference, int) else _DOCUMENT.c.reference
    row = work.run(_narrow(statement, key), wanted=reference, **values).first()
    if row is None:
        raise NotFound("document_not_found", reference=str(reference))
    return make_subject(work, row, read_roles(row), actor)


@cache
def _narrow(statement: Select[Any], key: ColumnElement[Any]) -> Select[Any]:
    return statement.where(key == bindparam("wanted"))


def load_subjects(work: UnitOfWork, actor: Actor, document_ids: Sequence[int]) -> list[Subject]:
    """Return the documents with these ids as the actor meets them; those left out that they may not view.

    Left out are also those whose definition or type this machine lacks: their own page says so. One query, and one
    more where some run in a chain.
    """
    statement, values = select_subject(actor)
    rows = work.run(_narrow_to_many(statement), wanted=list(document_ids), **values).all() if document_ids else []
    tracks = load_tracks(work, [row.id for row in rows if row.track_count], get_outline)
    subjects = []
    for row in rows:
        if row.digest in work.catalogue.outlines:  # it was found out already that this one cannot be run
            continue
        with suppress(SetupError):
            subjects.append(make_subject(work, row, read_roles(row), actor, tracks.get(row.id, ())))
    return [subject for subject in subjects if subject.may("view")]


@cache
def _narrow_to_many(statement: Select[Any]) -> Select[Any]:
    return statement.where(_DOCUMENT.c.id.in_(bindparam("wanted", expanding=True)))


def select_subject(actor: Actor) -> tuple[Select[Any], dict[str, Any]]:
    """Return SUBJECT with the roles that sharing gives the actor on each document, for `read_roles`; and its values."""
    if actor.person_id is None:
        return SUBJECT, {}
    values: dict[str, Any] = {"person": actor.person_id, "organisation": actor.organisation_id}
    if actor.groups:
        values["groups"] = sorted(actor.groups)
    return _select_with_roles(bool(actor.groups)), values


def read_roles(row: Any) -> frozenset[str]:
    """Return the roles that sharing gives on a row of `select_subject`, from itself and from the dossiers above."""
    told = row._mapping
    found = (told.get("roles_here"), told.get("roles_above"))
    return frozenset(role for roles in found if roles for role in roles.split(_BETWEEN))


_BETWEEN = "\n"


@cache
def _select_with_roles(in_group: bool) -> Select[Any]:
    """Give the roles as texts, so that a document and what is held on it are one query."""
    role = _LOCAL_ROLE.c
    holders = [role.person_id == bindparam("person"), role.organisation_id == bindparam("organisation")]
    if in_group:
        named = GroupRow.__table__.c.name.in_(bindparam("groups", expanding=True))
        holders.append(role.group_id.in_(select(GroupRow.__table__.c.id).where(named)))
    roles = select(func.aggregate_strings(role.role, _BETWEEN)).where(or_(*holders))
    here = roles.where(role.document_id == _DOCUMENT.c.id).correlate(_DOCUMENT)
    reaches = _DOSSIER.c.shared_path.contains("/" + role.dossier_id.cast(String) + "/")
    above = roles.where(role.dossier_id > 0, _DOCUMENT.c.blocks_sharing.is_(False), reaches)
    above = above.correlate(_DOCUMENT, _DOSSIER)
    return SUBJECT.add_columns(here.scalar_subquery().label("roles_here"), above.scalar_subquery().label("roles_above"))


def make_subject(
    work: UnitOfWork,
    row: Any,
    local_roles: Iterable[str],
    actor: Actor,
    tracks: tuple[Track, ...] | None = None,
    definition: Any = None,
) -> Subject:
    """Return a document, a row of SUBJECT, as an actor with these shared roles meets it.

    A DocumentRow of a list comes with its definition beside it; what cannot be run any more is told there as it can
    be. Tracks are loaded where there are some and none are given.
    """
    read = get_workflow if definition is None else get_outline
    workflow = read(work, (row if definition is None else definition).digest)
    if tracks is None:
        tracks = load_tracks(work, [row.id], read).get(row.id, ()) if row.track_count else ()
    if tracks:
        workflow, tracks = rule_together(workflow, row.state, tracks)
    return Subject(
        id=row.id,
        reference=row.reference,
        type=work.document_type(row.type) if definition is None else get_type_outline(work, row.type),
        title=row.title,
        language=row.language,
        dossier_id=row.dossier_id,
        dossier_path=row.dossier_path,
        definition_id=row.definition_id,
        workflow=workflow,
        state_name=row.state,
        state_entered_at=row.state_entered_at,
        fields=row.fields,
        text_digest=row.text_digest,
        revision_number=row.revision_number,
        author_id=row.author_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        change_number=row.change_number,
        shared_path=find_shared_path(row) if definition is None else "",
        actor=actor.with_roles(local_roles),
        tracks=tracks,
        standing={workflow.name: row.state, **{track.workflow.name: track.state for track in tracks}},
    )


def find_shared_path(row: Any) -> str:
    """Return the path of the dossiers whose sharing reaches a row of SUBJECT; empty for none."""
    return "" if row.blocks_sharing else row.shared_path or ""


def list_viewers(work: UnitOfWork, actors: Iterable[Actor], document_id: int) -> list[Subject]:
    """Return the document as each of the actors meets it who may view it; few queries, however many they are."""
    row = work.run(_BY_ID, wanted=document_id).first()
    if row is None:
        return []
    shares = work.session.execute(
        select(LocalRoleRow.role, LocalRoleRow.person_id, LocalRoleRow.organisation_id, GroupRow.name)
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
        .where(
            or_(LocalRoleRow.document_id == document_id, LocalRoleRow.dossier_id.in_(list_ids(find_shared_path(row))))
        )
    ).all()
    tracks = load_tracks(work, [row.id]).get(row.id, ()) if row.track_count else ()
    subjects = []
    for actor in actors:
        held = {
            role
            for role, person_id, organisation_id, group in shares
            if (person_id is not None and person_id == actor.person_id)
            or (organisation_id is not None and organisation_id == actor.organisation_id)
            or group in actor.groups
        }
        subjects.append(make_subject(work, row, held, actor, tracks))
    return [subject for subject in subjects if subject.may("view")]


def list_ids(path: str) -> list[int]:
    """Return the ids of the dossiers of a path, the topmost first."""
    return [int(part) for part in path.split("/") if part]


def visible_to(actor: Actor, permission: str = "view") -> ColumnElement[bool]:
    """Return the one SQL filter, for all lists, on documents on which the actor holds the permission."""
    return _make_filter(actor, permission)


@lru_cache(maxsize=256)
def _make_filter(actor: Actor, permission: str) -> ColumnElement[bool]:
    """Build the filter; what does not depend on the document is a subquery of its own, evaluated once."""
    held = _holds(actor, permission, DocumentRow)
    if permission in FIRST_ALONE:
        return held
    rules = TrackRow.rules.contains(f",{permission},", autoescape=True)
    of_document = TrackRow.document_id == DocumentRow.id
    is_ruled = exists().where(of_document, rules).correlate(DocumentRow)
    later = aliased(TrackRow)
    is_last = ~exists().where(
        later.document_id == TrackRow.document_id,
        later.position > TrackRow.position,
        later.rules.contains(f",{permission},", autoescape=True),
    )
    ruled = exists().where(of_document, rules, is_last, _holds(actor, permission, TrackRow)).correlate(DocumentRow)
    has_none = DocumentRow.track_count == 0
    return or_(and_(or_(has_none, ~is_ruled), held), and_(~has_none, ruled))


def _holds(actor: Actor, permission: str, standing: type[DocumentRow] | type[TrackRow]) -> ColumnElement[bool]:
    """Return the filter by the workflow in which a row of documents, or of tracks, stands."""
    grant = (GrantRow.definition_id, GrantRow.state)
    place = (standing.definition_id, standing.state)
    granted = select(*grant).where(GrantRow.permission == permission, GrantRow.role.in_(sorted(actor.roles)))
    clauses: list[ColumnElement[bool]] = [tuple_(*place).in_(granted)]
    if actor.person_id is not None:
        here = exists().where(
            LocalRoleRow.document_id == DocumentRow.id,
            held_by(actor),
            GrantRow.definition_id == standing.definition_id,
            GrantRow.state == standing.state,
            GrantRow.permission == permission,
            GrantRow.role == LocalRoleRow.role,
        )
        above = (
            select(DossierRow.id, *grant)
            .join(LocalRoleRow, DossierRow.shared_path.contains("/" + LocalRoleRow.dossier_id.cast(String) + "/"))
            .join(GrantRow, and_(GrantRow.role == LocalRoleRow.role, GrantRow.permission == permission))
            .where(LocalRoleRow.dossier_id > 0, held_by(actor))
        )
        inherited = and_(DocumentRow.blocks_sharing.is_(False), tuple_(DocumentRow.dossier_id, *place).in_(above))
        clauses += [inherited, here.correlate(DocumentRow, standing)]
    return or_(*clauses)


def held_by(actor: Actor) -> ColumnElement[bool]:
    """Return the filter on what is shared with the actor, with its organisation or with one of its groups."""
    holders = [LocalRoleRow.person_id == actor.person_id]
    if actor.organisation_id is not None:
        holders.append(LocalRoleRow.organisation_id == actor.organisation_id)
    if actor.groups:
        named = select(GroupRow.id).where(GroupRow.name.in_(sorted(actor.groups)))
        holders.append(LocalRoleRow.group_id.in_(named))
    return or_(*holders)
