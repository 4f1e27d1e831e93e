"""Everything that screens read, each in a fixed number of queries whatever the number of documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, String, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import (
    DefinitionRow,
    DocumentRow,
    DossierRow,
    LocalRoleRow,
    RevisionRow,
    SeenRow,
    TrackRow,
)
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.people import GroupRow, OrganisationRow, PersonRow, RoleGrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, list_ids, visible_to

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; numbers count from 1. `total` is of all pages."""

    rows: Sequence[T]
    total: int
    number: int
    size: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True)
class Filters:
    """What a list of documents is narrowed to; empty values ask nothing. With `workflow`, `state` is the one there."""

    type: str = ""
    state: str = ""
    dossier: str = ""
    text: str = ""
    workflow: str = ""


def list_documents(work: UnitOfWork, actor: Actor, filters: Filters, number: int = 1) -> Page[DocumentRow]:
    """Return a page of the documents that the actor may view, the last changed first."""
    query = _select_documents(actor, filters)
    query = query.options(joinedload(DocumentRow.dossier), joinedload(DocumentRow.definition).load_only(*_DEFINITION))
    return paginate(work, query, number)


def list_references(work: UnitOfWork, actor: Actor, filters: Filters, limit: int) -> Sequence[str]:
    """Return the references of the documents that `list_documents` lists, in its order."""
    query = _select_documents(actor, filters).with_only_columns(DocumentRow.reference).limit(limit)
    return work.session.scalars(query).all()


def _select_documents(actor: Actor, filters: Filters) -> Select[DocumentRow]:
    query = select(DocumentRow).where(visible_to(actor))
    if filters.type:
        query = query.where(DocumentRow.type == filters.type)
    if filters.workflow:
        query = query.where(or_(_runs_in(filters, DocumentRow), DocumentRow.id.in_(_list_further(filters))))
    elif filters.state:
        query = query.where(DocumentRow.state == filters.state)
    if filters.dossier:
        above = select(DossierRow.id).where(DossierRow.slug == filters.dossier).scalar_subquery()
        query = query.where(DocumentRow.dossier_id == above)
    if filters.text.strip():
        words = filters.text.strip().split()[:8]
        query = query.where(
            and_(
                *(
                    or_(
                        DocumentRow.title.icontains(word, autoescape=True),
                        DocumentRow.reference.icontains(word, autoescape=True),
                    )
                    for word in words
                )
            )
        )
    return query.order_by(DocumentRow.changed_at.desc(), DocumentRow.id.desc())


def _runs_in(filters: Filters, row: type[DocumentRow] | type[TrackRow]) -> ColumnElement[bool]:
    of_workflow = select(DefinitionRow.id).where(DefinitionRow.workflow == filters.workflow)
    here = row.definition_id.in_(of_workflow)
    return and_(here, row.state == filters.state) if filters.state else here


def _list_further(filters: Filters) -> Select[Any]:
    return select(TrackRow.document_id).where(_runs_in(filters, TrackRow))


_DEFINITION = (DefinitionRow.digest, DefinitionRow.workflow, DefinitionRow.version)


def paginate(work: UnitOfWork, query: Select[T], number: int, size: int = 0) -> Page[T]:
    """Return one page of a query; a number out of range gives the nearest page."""
    size = size or work.settings.page_size
    total = work.session.scalar(select(func.count()).select_from(query.order_by(None).options().subquery())) or 0
    number = min(max(1, number), max(1, -(-total // size)))
    rows = work.session.scalars(query.limit(size).offset((number - 1) * size)).unique().all()
    return Page(rows, total, number, size)


LISTED = (joinedload(DocumentRow.definition).load_only(*_DEFINITION), joinedload(DocumentRow.dossier))


def mark_seen(work: UnitOfWork, actor: Actor, subject: Subject) -> int | None:
    """Note that the person looked at the newest revision; return the number that they had seen before, or None."""
    if actor.person_id is None:
        return None
    row = work.session.get(SeenRow, (actor.person_id, subject.id))
    if row is None:
        row = SeenRow(
            person_id=actor.person_id,
            document_id=subject.id,
            revision_number=subject.revision_number,
            seen_at=work.now(),
        )
        work.session.add(row)
        return None
    before = row.revision_number
    row.revision_number, row.seen_at = subject.revision_number, work.now()
    return before


def list_history(work: UnitOfWork, subject: Subject, number: int = 1) -> Page[HistoryEntryRow]:
    """Return a page of the document's history, newest first."""
    query = select(HistoryEntryRow).where(HistoryEntryRow.document_id == subject.id).order_by(HistoryEntryRow.id.desc())
    return paginate(work, query, number)


def list_revisions(work: UnitOfWork, subject: Subject) -> Sequence[RevisionRow]:
    """Return the revisions without their text, newest first."""
    return work.session.scalars(
        select(RevisionRow)
        .where(RevisionRow.document_id == subject.id)
        .options(joinedload(RevisionRow.author))
        .order_by(RevisionRow.number.desc())
    ).all()


def find_path(work: UnitOfWork, subject: Subject) -> list[str]:
    """Return the states that the document has been in, in order, the present one last.

    Those of an earlier definition that the present one lacks are left out.
    """
    rows = work.session.execute(
        select(HistoryEntryRow.source, HistoryEntryRow.target, HistoryEntryRow.kind, HistoryEntryRow.params)
        .where(HistoryEntryRow.document_id == subject.id, HistoryEntryRow.kind.in_(("transition", "migration")))
        .order_by(HistoryEntryRow.id.desc())
    ).all()
    along = subject.workflow.name if subject.track else None
    lane = []
    for row in rows:
        if row.params.get("workflow") == along:
            lane.append(row)
            if along is not None and row.kind == "migration":
                along = row.params["from_workflow"]
    path = [lane[-1].source or subject.workflow.initial if lane else subject.workflow.initial]
    for row in reversed(lane):
        if row.kind == "migration":
            path.pop()
        if not path or row.target != path[-1]:
            path.append(row.target)
    known = [state for state in path if state in subject.workflow.states]
    return known if known and known[-1] == subject.state_name else [*known, subject.state_name]


@dataclass(frozen=True)
class Share:
    """One shared role: who holds it (`kind` person, organisation or group; `names` by language), and on what.

    `place` holds the titles of the dossier that it comes from; empty when it is given on the document itself.
    """

    row: LocalRoleRow
    kind: str
    names: Mapping[str, str]
    about: str = ""
    place: Mapping[str, str] = field(default_factory=dict)


def list_local_roles(work: UnitOfWork, subject: Subject) -> Sequence[Share]:
    """Return the shared roles on the document and on the dossiers above, by role."""
    return list_shares(work, subject.id, list_ids(subject.shared_path))


def list_shares(work: UnitOfWork, document_id: int | None, dossier_ids: Sequence[int]) -> Sequence[Share]:
    """Return the shared roles on a document, where one is named, and on these dossiers, by role."""
    rows = work.session.execute(
        select(LocalRoleRow, PersonRow.name, PersonRow.email, OrganisationRow.names, GroupRow, DossierRow.titles)
        .outerjoin(PersonRow, PersonRow.id == LocalRoleRow.person_id)
        .outerjoin(OrganisationRow, OrganisationRow.id == LocalRoleRow.organisation_id)
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
        .outerjoin(DossierRow, DossierRow.id == LocalRoleRow.dossier_id)
        .where(or_(LocalRoleRow.document_id == (document_id or 0), LocalRoleRow.dossier_id.in_(dossier_ids)))
        .order_by(LocalRoleRow.role, LocalRoleRow.id)
    )
    found = []
    for row, person, email, organisation, group, place in rows:
        if person is not None:
            found.append(Share(row, "person", {"en": person}, email, place or {}))
        elif organisation is not None:
            found.append(Share(row, "organisation", organisation, "", place or {}))
        else:
            found.append(Share(row, "group", group.titles or {"en": group.name}, "", place or {}))
    return found


def list_organisations(
    work: UnitOfWork,
    *,
    text: str = "",
    region: str = "",
    sector: str = "",
    scope: str = "",
    function: str = "",
    role: str = "",
    number: int = 1,
) -> Page[OrganisationRow]:
    """Return a page of the directory, by short name."""
    query = select(OrganisationRow).where(OrganisationRow.is_active)
    for column, value in (
        (OrganisationRow.region, region),
        (OrganisationRow.sector, sector),
        (OrganisationRow.scope, scope),
    ):
        if value:
            query = query.where(column == value)
    if function:
        query = query.where(OrganisationRow.functions.cast(String).contains(f'"{function}"', autoescape=True))
    if role:
        query = query.where(
            OrganisationRow.id.in_(select(RoleGrantRow.organisation_id).where(RoleGrantRow.role == role))
        )
    if text.strip():
        query = query.where(
            or_(
                OrganisationRow.short_name.icontains(text.strip(), autoescape=True),
                OrganisationRow.slug.icontains(text.strip(), autoescape=True),
                func.lower(OrganisationRow.names.cast(String)).contains(text.strip().lower(), autoescape=True),
            )
        )
    query = query.options(selectinload(OrganisationRow.roles)).order_by(
        OrganisationRow.short_name, OrganisationRow.slug
    )
    return paginate(work, query, number)


def list_dossiers(work: UnitOfWork) -> Sequence[DossierRow]:
    """Return all dossiers, each after the one above it."""
    return work.session.scalars(select(DossierRow).order_by(DossierRow.path)).all()


def list_board(work: UnitOfWork, actor: Actor, dossier: DossierRow, limit: int = 200) -> Sequence[DocumentRow]:
    """Return the documents of a dossier and of those below it that the actor may view, the last changed first."""
    return work.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.dossier_path.startswith(dossier.path, autoescape=True), visible_to(actor))
        .options(*LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()
