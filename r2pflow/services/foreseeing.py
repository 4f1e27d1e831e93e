"""What would follow from a move, a block or a grant: it is done, looked at, and undone, before anybody decides."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select

from r2pflow.domain.people import BUILT_IN_PERMISSIONS, THE_SYSTEM, Actor
from r2pflow.persistence.documents import DocumentRow, DossierRow, GrantRow, LocalRoleRow
from r2pflow.persistence.people import GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import get_subject, list_ids
from r2pflow.services.dossiers import get_dossier
from r2pflow.services.people import load_actors
from r2pflow.services.queries import Share, list_local_roles
from r2pflow.services.sharing import list_dossier_shares

Roles = frozenset[str]
T = TypeVar("T")


@dataclass(frozen=True)
class Following:
    """What would follow: `losing` and `winning` are the names of those who could no longer read, or newly read, a
    document; `gone` and `come` the shared roles that would no longer, or newly, hold.

    `permissions`, of one document, has those that other roles would hold in its state: before and after.
    """

    documents: int
    losing: tuple[str, ...]
    winning: tuple[str, ...]
    gone: tuple[Share, ...] = ()
    come: tuple[Share, ...] = ()
    permissions: Mapping[str, tuple[Roles, Roles]] | None = None

    @property
    def is_nothing(self) -> bool:
        """Tell whether nobody would notice."""
        return not (self.losing or self.winning or self.gone or self.come or self.permissions)


def foresee_document(work: UnitOfWork, reference: str | int, change: Callable[[], object]) -> Following:
    """Return what would follow from a change for one document; what `change` raises is raised, and nothing is done."""

    def look() -> tuple[Sequence[Share], dict[str, Roles]]:
        subject = get_subject(work, THE_SYSTEM, reference)
        held = {name: subject.workflow.holders(subject.state_name, name) for name in BUILT_IN_PERMISSIONS}
        return _copy(list_local_roles(work, subject)), held

    here = DocumentRow.id == get_subject(work, THE_SYSTEM, reference).id
    (shares, held), (shares_then, held_then), found = _do_and_undo(work, here, look, change)
    differing = {name: (held[name], held_then[name]) for name in held if held[name] != held_then[name]}
    return _tell(found, shares, shares_then, differing)


def foresee_dossier(work: UnitOfWork, slug: str, change: Callable[[], object]) -> Following:
    """Return what would follow from a change of a dossier for all in it; what `change` raises is raised."""
    path = get_dossier(work, slug).path
    inside = list(work.session.scalars(select(DossierRow.id).where(DossierRow.path.startswith(path, autoescape=True))))

    def look() -> Sequence[Share]:
        return _copy(list_dossier_shares(work, get_dossier(work, slug)))

    shares, shares_then, found = _do_and_undo(work, DocumentRow.dossier_id.in_(inside), look, change)
    return _tell(found, shares, shares_then, None)


def _copy(shares: Iterable[Share]) -> list[Share]:
    """Return them so that they can be told when what made them is undone."""
    names = ("id", "role", "document_id", "dossier_id")
    return [replace(one, row=LocalRoleRow(**{name: getattr(one.row, name) for name in names})) for one in shares]


class _Undone(Exception):
    """Leave a savepoint without what was done in it."""


def _do_and_undo(
    work: UnitOfWork, here: ColumnElement[bool], look: Callable[[], T], change: Callable[[], object]
) -> tuple[T, T, tuple[int, set[str], set[str]]]:
    actors = load_actors(work)
    seen, before = look(), _Readers(work, here, actors)
    try:
        with work.undone_on_error():
            change()
            seen_then, after = look(), _Readers(work, here, actors)
            raise _Undone
    except _Undone:
        work.session.expire_all()
    losing, winning = before.compare(after)
    names = {actor.person_id: actor.name for actor in actors}
    found = len(before.documents), {names[one] for one in losing}, {names[one] for one in winning}
    return seen, seen_then, found


def _tell(
    found: tuple[int, set[str], set[str]],
    before: Sequence[Share],
    after: Sequence[Share],
    permissions: dict[str, tuple[Roles, Roles]] | None,
) -> Following:
    count, losing, winning = found
    known, known_then = ({one.row.id for one in shares} for shares in (before, after))
    return Following(
        documents=count,
        losing=tuple(sorted(losing)),
        winning=tuple(sorted(winning)),
        gone=tuple(one for one in before if one.row.id not in known_then),
        come=tuple(one for one in after if one.row.id not in known),
        permissions=permissions,
    )


Class = tuple[int, str, str]
"""Documents of one definition, state and path of sharing have the same readers, beside those that share themselves."""


class _Readers:
    """Who may read each of some documents; a handful of queries, however many documents and persons there are."""

    def __init__(self, work: UnitOfWork, here: ColumnElement[bool], actors: Sequence[Actor]) -> None:
        rows = work.session.execute(
            select(
                DocumentRow.id,
                DocumentRow.definition_id,
                DocumentRow.state,
                DocumentRow.blocks_sharing,
                DossierRow.shared_path,
            )
            .outerjoin(DossierRow, DossierRow.id == DocumentRow.dossier_id)
            .where(here)
        )
        self.documents: dict[int, Class] = {
            row.id: (row.definition_id, row.state, "" if row.blocks_sharing else row.shared_path or "") for row in rows
        }
        self._actors = actors
        self._needed = self._read_needed(work)
        self._shared = self._read_shares(work, here)
        self._by_class: dict[Class, frozenset[int]] = {}

    def compare(self, after: "_Readers") -> tuple[set[int], set[int]]:
        """Return who may read some document here but not in `after`, and the other way round."""
        losing: set[int] = set()
        winning: set[int] = set()
        between: dict[tuple[Class, Class], tuple[frozenset[int], frozenset[int]]] = {}
        for number, old in self.documents.items():
            new = after.documents[number]
            was, will = self._read_class(old), after._read_class(new)
            if (old, new) not in between:
                between[old, new] = was - will, will - was
            lost, won = between[old, new]
            own, own_then = self._read_own(number, old), after._read_own(number, new)
            losing |= (lost | (own - will)) - own_then
            winning |= (won | (own_then - was)) - own
        return losing, winning

    def _read_class(self, wanted: Class) -> frozenset[int]:
        if wanted not in self._by_class:
            definition_id, state, path = wanted
            needed = self._needed.get((definition_id, state), frozenset())
            found = {actor.person_id for actor in self._actors if actor.roles & needed}
            for dossier_id in list_ids(path):
                found |= self._hold(("dossier", dossier_id), needed)
            self._by_class[wanted] = frozenset(one for one in found if one is not None)
        return self._by_class[wanted]

    def _read_own(self, number: int, wanted: Class) -> set[int]:
        needed = self._needed.get(wanted[:2], frozenset())
        return self._hold(("document", number), needed) if needed else set()

    def _hold(self, place: tuple[str, int], needed: Roles) -> set[int]:
        return {one for role, persons in self._shared.get(place, ()) if role in needed for one in persons}

    def _read_needed(self, work: UnitOfWork) -> Mapping[tuple[int, str], Roles]:
        definitions = {definition_id for definition_id, _, _ in self.documents.values()}
        rows = work.session.execute(
            select(GrantRow.definition_id, GrantRow.state, GrantRow.role).where(
                GrantRow.permission == "view", GrantRow.definition_id.in_(definitions)
            )
        )
        found: dict[tuple[int, str], set[str]] = {}
        for definition_id, state, role in rows:
            found.setdefault((definition_id, state), set()).add(role)
        return {place: frozenset(roles) for place, roles in found.items()}

    def _read_shares(
        self, work: UnitOfWork, here: ColumnElement[bool]
    ) -> Mapping[tuple[str, int], list[tuple[str, Iterable[int]]]]:
        dossiers = {one for _, _, path in self.documents.values() for one in list_ids(path)}
        rows = work.session.execute(
            select(LocalRoleRow, GroupRow.name)
            .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
            .where(
                or_(
                    LocalRoleRow.document_id.in_(select(DocumentRow.id).where(here)),
                    LocalRoleRow.dossier_id.in_(dossiers),
                )
            )
        )
        persons: dict[tuple[str, int | str], list[int]] = {}
        for actor in self._actors:
            assert actor.person_id is not None
            persons[("person", actor.person_id)] = [actor.person_id]
            if actor.organisation_id is not None:
                persons.setdefault(("organisation", actor.organisation_id), []).append(actor.person_id)
            for group in actor.groups:
                persons.setdefault(("group", group), []).append(actor.person_id)
        found: dict[tuple[str, int], list[tuple[str, Iterable[int]]]] = {}
        for row, group in rows:
            place = ("document", row.document_id) if row.document_id is not None else ("dossier", row.dossier_id or 0)
            holder: tuple[str, int | str] = ("group", group)
            if row.person_id is not None:
                holder = ("person", row.person_id)
            elif row.organisation_id is not None:
                holder = ("organisation", row.organisation_id)
            found.setdefault(place, []).append((row.role, persons.get(holder, ())))
        return found
