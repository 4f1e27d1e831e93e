"""Everything that screens read, each in a fixed number of queries whatever the number of documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Select, String, and_, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from r2pflow.domain.people import Actor
from r2pflow.domain.searching import fold_words
from r2pflow.persistence.deliberation import (
    BallotRow,
    BallotVoterRow,
    CommentRoundRow,
    CommentRow,
    PositionRow,
    TranslationRow,
)
from r2pflow.persistence.documents import (
    DefinitionRow,
    DocumentRow,
    DossierRow,
    LocalRoleRow,
    RevisionRow,
    SeenRow,
)
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.people import GroupRow, OrganisationRow, PersonRow, RoleGrantRow
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, visible_to
from r2pflow.services.worklists import match_worklists

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

    @property
    def has_next(self) -> bool:
        return self.number < self.last


@dataclass(frozen=True)
class Filters:
    """What a list of documents is narrowed to; empty values ask nothing."""

    type: str = ""
    state: str = ""
    dossier: str = ""
    text: str = ""


def list_documents(work: UnitOfWork, actor: Actor, filters: Filters, number: int = 1) -> Page[DocumentRow]:
    """Return a page of the documents that the actor may view, the last changed first."""
    query = select(DocumentRow).where(visible_to(actor))
    if filters.type:
        query = query.where(DocumentRow.type == filters.type)
    if filters.state:
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
    query = query.options(joinedload(DocumentRow.dossier), joinedload(DocumentRow.definition).load_only(*_DEFINITION))
    return paginate(work, query.order_by(DocumentRow.changed_at.desc(), DocumentRow.id.desc()), number)


_DEFINITION = (DefinitionRow.digest, DefinitionRow.workflow, DefinitionRow.version)


def paginate(work: UnitOfWork, query: Select[T], number: int, size: int = 0) -> Page[T]:
    """Return one page of a query; a number out of range gives the nearest page."""
    size = size or work.settings.page_size
    total = work.session.scalar(select(func.count()).select_from(query.order_by(None).options().subquery())) or 0
    number = min(max(1, number), max(1, -(-total // size)))
    rows = work.session.scalars(query.limit(size).offset((number - 1) * size)).unique().all()
    return Page(rows, total, number, size)


@dataclass(frozen=True)
class Waiting:
    """Something that waits for a person: `comment`, `decide`, `translate`, `worklist` or `answered`; until when."""

    kind: str
    document: DocumentRow
    due_at: datetime | None = None
    timezone: str = "UTC"
    name: str = ""  # of a worklist, or a language
    count: int = 0


@dataclass(frozen=True)
class Desk:
    """What a person's desk shows; each list is cut at `limit`, and `has_more` names the lists that were."""

    waiting: tuple[Waiting, ...] = ()
    moved: tuple[DocumentRow, ...] = ()
    drafts: tuple[DocumentRow, ...] = ()
    has_more: frozenset[str] = field(default_factory=frozenset)


def read_desk(work: UnitOfWork, actor: Actor, limit: int = 20) -> Desk:
    """Return what waits for the person, by deadline; what moved since they last looked; and their own drafts."""
    if actor.person_id is None:
        return Desk()
    lists = {
        "comment": _rounds_waiting(work, actor, limit + 1),
        "decide": _ballots_waiting(work, actor, limit + 1),
        "translate": _translations_waiting(work, actor, limit + 1),
        "answered": _answers_waiting(work, actor, limit + 1),
        "worklist": _worklists_waiting(work, actor, limit + 1),
    }
    moved = _moved_since_seen(work, actor, limit + 1)
    drafts = _own_drafts(work, actor, limit + 1)
    has_more = {name for name, found in lists.items() if len(found) > limit}
    has_more |= {name for name, found in (("moved", moved), ("drafts", drafts)) if len(found) > limit}
    waiting = [one for found in lists.values() for one in found[:limit]]
    waiting.sort(key=lambda one: (one.due_at is None, one.due_at or one.document.changed_at))
    return Desk(tuple(waiting), tuple(moved[:limit]), tuple(drafts[:limit]), frozenset(has_more))


def _rounds_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if actor.organisation_id is None:
        return []
    spoke = exists().where(
        CommentRow.round_id == CommentRoundRow.id, CommentRow.organisation_id == actor.organisation_id
    )
    rows = work.session.execute(
        select(DocumentRow, CommentRoundRow.closes_at, CommentRoundRow.timezone)
        .join(CommentRoundRow, CommentRoundRow.document_id == DocumentRow.id)
        .where(CommentRoundRow.closed_at.is_(None), ~spoke, _is_ahead(work, CommentRoundRow.closes_at))
        .where(CommentRoundRow.audience.in_(sorted(actor.roles)), visible_to(actor, "comment"))
        .options(*_LISTED)
        .order_by(CommentRoundRow.closes_at.is_(None), CommentRoundRow.closes_at)
        .limit(limit)
    )
    return [Waiting("comment", document, due_at, timezone) for document, due_at, timezone in rows]


def _ballots_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if actor.organisation_id is None:
        return []
    spoke = exists().where(
        PositionRow.ballot_id == BallotRow.id,
        PositionRow.organisation_id == actor.organisation_id,
        PositionRow.superseded_at.is_(None),
    )
    rows = work.session.execute(
        select(DocumentRow, BallotRow.closes_at, BallotRow.timezone)
        .join(BallotRow, BallotRow.document_id == DocumentRow.id)
        .join(BallotVoterRow, BallotVoterRow.ballot_id == BallotRow.id)
        .where(BallotVoterRow.organisation_id == actor.organisation_id, BallotRow.closed_at.is_(None), ~spoke)
        .where(_is_ahead(work, BallotRow.closes_at), visible_to(actor, "decide"))
        .options(*_LISTED)
        .order_by(BallotRow.closes_at.is_(None), BallotRow.closes_at)
        .limit(limit)
    )
    return [Waiting("decide", document, due_at, timezone) for document, due_at, timezone in rows]


def _translations_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    if "translator" not in actor.roles:
        return []
    wanted = [t.name for t in work.catalogue.types.values() if actor.language in t.required_languages]
    done = exists().where(
        TranslationRow.document_id == DocumentRow.id,
        TranslationRow.language == actor.language,
        TranslationRow.status == "verified",
    )
    rows = work.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.language != actor.language, DocumentRow.type.in_(wanted), ~done)
        .where(visible_to(actor, "translate"))
        .options(*_LISTED)
        .order_by(DocumentRow.state_entered_at)
        .limit(limit)
    )
    return [Waiting("translate", document, name=actor.language) for document in rows]


def _answers_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    rows = work.session.execute(
        select(DocumentRow, func.count(CommentRow.id))
        .join(CommentRow, CommentRow.document_id == DocumentRow.id)
        .where(CommentRow.author_id == actor.person_id, CommentRow.outcome.is_not(None))
        .where(CommentRow.is_satisfied.is_(None), visible_to(actor))
        .group_by(DocumentRow.id)
        .options(*_LISTED)
        .order_by(func.max(CommentRow.disposed_at).desc())
        .limit(limit)
    )
    return [Waiting("answered", document, count=count) for document, count in rows]


def _worklists_waiting(work: UnitOfWork, actor: Actor, limit: int) -> list[Waiting]:
    wanted = match_worklists(work, actor)
    if not wanted:
        return []
    rows = work.session.execute(
        select(DocumentRow, case(*((clause, name) for name, clause in wanted)))
        .join(DefinitionRow, DefinitionRow.id == DocumentRow.definition_id)
        .where(or_(*(clause for _, clause in wanted)), visible_to(actor))
        .options(*_LISTED)
        .order_by(DocumentRow.state_entered_at)
        .limit(limit)
    )
    return [Waiting("worklist", document, name=name) for document, name in rows]


def _moved_since_seen(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    return work.session.scalars(
        select(DocumentRow)
        .join(SeenRow, and_(SeenRow.document_id == DocumentRow.id, SeenRow.person_id == actor.person_id))
        .where(DocumentRow.changed_at > SeenRow.seen_at, visible_to(actor))
        .options(*_LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


def _own_drafts(work: UnitOfWork, actor: Actor, limit: int) -> Sequence[DocumentRow]:
    shared = exists().where(
        LocalRoleRow.document_id == DocumentRow.id,
        LocalRoleRow.person_id == actor.person_id,
        LocalRoleRow.role.in_(("author", "editor")),
    )
    return work.session.scalars(
        select(DocumentRow)
        .where(shared, visible_to(actor, "edit"))
        .options(*_LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()


_LISTED = (joinedload(DocumentRow.definition).load_only(*_DEFINITION), joinedload(DocumentRow.dossier))


def _is_ahead(work: UnitOfWork, column: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    return or_(column.is_(None), column > work.now())


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
    """Return the states that the document has been in, in order, the present one last."""
    rows = work.session.execute(
        select(HistoryEntryRow.source, HistoryEntryRow.target)
        .where(HistoryEntryRow.document_id == subject.id, HistoryEntryRow.kind == "transition")
        .order_by(HistoryEntryRow.id)
    ).all()
    path = [subject.workflow.initial]
    for _, target in rows:
        if target != path[-1]:
            path.append(target)
    return path


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
    above = [int(part) for part in subject.dossier_path.split("/") if part]
    rows = work.session.execute(
        select(LocalRoleRow, PersonRow.name, PersonRow.email, OrganisationRow.names, GroupRow, DossierRow.titles)
        .outerjoin(PersonRow, PersonRow.id == LocalRoleRow.person_id)
        .outerjoin(OrganisationRow, OrganisationRow.id == LocalRoleRow.organisation_id)
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
        .outerjoin(DossierRow, DossierRow.id == LocalRoleRow.dossier_id)
        .where(or_(LocalRoleRow.document_id == subject.id, LocalRoleRow.dossier_id.in_(above)))
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


@dataclass(frozen=True)
class Found:
    """One language of a published edition that a search found."""

    language: EditionLanguageRow
    edition: EditionRow
    publication: PublicationRow
    document: DocumentRow


def search_register(
    work: UnitOfWork,
    *,
    text: str = "",
    language: str = "",
    type_name: str = "",
    number: int = 1,
) -> Page[Found]:
    """Return a page of what is published, newest first: each publication's newest edition, once.

    With a text, all its words must occur in one of its languages. The reader's language is shown where the edition has
    it, otherwise the authoritative one.
    """
    newest = (
        select(func.max(EditionRow.number))
        .where(EditionRow.publication_id == PublicationRow.id)
        .correlate(PublicationRow)
        .scalar_subquery()
    )
    query = (
        select(EditionRow)
        .join(PublicationRow, PublicationRow.id == EditionRow.publication_id)
        .join(DocumentRow, DocumentRow.id == PublicationRow.document_id)
        .where(EditionRow.number == newest)
        .options(
            joinedload(EditionRow.publication).joinedload(PublicationRow.document),
            selectinload(EditionRow.languages).defer(EditionLanguageRow.blocks),
        )
    )
    if type_name:
        query = query.where(DocumentRow.type == type_name)
    if text.strip():
        words = fold_words(text)[:12]
        matching = and_(*(EditionLanguageRow.search_text.contains(" " + word, autoescape=True) for word in words))
        symbol = PublicationRow.symbol.icontains(text.strip(), autoescape=True)
        named = exists().where(EditionLanguageRow.edition_id == EditionRow.id, matching)
        query = query.where(or_(symbol, named) if words else symbol)
    page = paginate(work, query.order_by(EditionRow.published_at.desc(), EditionRow.id.desc()), number)
    rows = [
        Found(_choose_language(edition, language), edition, edition.publication, edition.publication.document)
        for edition in page.rows
    ]
    return Page(rows, page.total, page.number, page.size)


def _choose_language(edition: EditionRow, language: str) -> EditionLanguageRow:
    by_language = {row.language: row for row in edition.languages}
    authoritative = edition.publication.document.language
    return by_language.get(language) or by_language.get(authoritative) or edition.languages[0]


def list_feed(work: UnitOfWork, language: str, limit: int = 50) -> Sequence[EditionLanguageRow]:
    """Return the newest published texts of a language, newest first, without those withdrawn."""
    return work.session.scalars(
        select(EditionLanguageRow)
        .join(EditionRow, EditionRow.id == EditionLanguageRow.edition_id)
        .join(PublicationRow, PublicationRow.id == EditionRow.publication_id)
        .where(EditionLanguageRow.language == language, PublicationRow.withdrawn_at.is_(None))
        .options(
            joinedload(EditionLanguageRow.edition)
            .joinedload(EditionRow.publication)
            .joinedload(PublicationRow.document)
        )
        .order_by(EditionLanguageRow.added_at.desc(), EditionLanguageRow.id.desc())
        .limit(limit)
    ).all()


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


def count_documents(work: UnitOfWork, actor: Actor) -> Mapping[tuple[str, str], int]:
    """Return by (workflow, state) how many documents stand there that the actor may view."""
    rows = work.session.execute(
        select(DefinitionRow.workflow, DocumentRow.state, func.count())
        .join(DefinitionRow, DefinitionRow.id == DocumentRow.definition_id)
        .where(visible_to(actor))
        .group_by(DefinitionRow.workflow, DocumentRow.state)
    )
    return {(workflow, state): number for workflow, state, number in rows}


def list_board(work: UnitOfWork, actor: Actor, dossier: DossierRow, limit: int = 200) -> Sequence[DocumentRow]:
    """Return the documents of a dossier and of those below it that the actor may view, the last changed first."""
    return work.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.dossier_path.startswith(dossier.path, autoescape=True), visible_to(actor))
        .options(*_LISTED)
        .order_by(DocumentRow.changed_at.desc())
        .limit(limit)
    ).all()
