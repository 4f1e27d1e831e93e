"""Who holds which role on a document, and from where: everybody, organisations, groups, persons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union

from r2pflow.domain.people import ANONYMOUS, AUTHENTICATED, Actor, Titles
from r2pflow.domain.reasons import Held, Source
from r2pflow.persistence.documents import DossierRow, LocalRoleRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow, OrganisationRow, PersonRow, RoleGrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, list_ids

EVERYBODY, SIGNED_IN, OWN = "everybody", "signed_in", "own"
ORGANISATION, GROUP, PERSON = "organisation", "group", "person"


@dataclass(frozen=True)
class Party:
    """Somebody who holds roles on a document: EVERYBODY, SIGNED_IN, an ORGANISATION, a GROUP or a PERSON.

    What everybody holds is not said again of each. A person has what its organisation and its groups bring (`about` is
    the organisation's name), an organisation what its groups bring.
    """

    kind: str
    id: int = 0
    called: Titles = Titles()
    about: Titles = Titles()
    organisation_id: int | None = None
    held: Held = field(default_factory=dict)
    groups: frozenset[str] = frozenset()

    def as_actor(self) -> Actor:
        """Return an actor that holds these roles and is in these groups."""
        if self.kind == EVERYBODY:
            return Actor()
        roles = frozenset({ANONYMOUS, AUTHENTICATED, *self.held})
        return Actor(person_id=self.id if self.kind == PERSON else 0, roles=roles, groups=self.groups)


def list_parties(work: UnitOfWork, subject: Subject, groups: Collection[str] = ()) -> list[Party]:
    """Return who holds any role on the document, or is in one of the groups; five queries, however many they are.

    Organisations by name, then persons; those alone that hold something beside what their organisation does.
    """
    shares = _select_shares(subject)
    shared = work.session.execute(shares).all()
    granted = select(RoleGrantRow.role, RoleGrantRow.person_id, RoleGrantRow.organisation_id)
    in_groups = sorted({row.group_id for row in shared if row.group_id is not None})
    members = (
        select(GroupRow.id, GroupRow.name, GroupRow.titles, GroupMemberRow.person_id, GroupMemberRow.organisation_id)
        .outerjoin(GroupMemberRow, GroupMemberRow.group_id == GroupRow.id)
        .where(or_(GroupRow.id.in_(in_groups), GroupRow.name.in_(sorted(groups))))
    )
    organisations = select(OrganisationRow.id, OrganisationRow.names).where(OrganisationRow.is_active)
    named = union(*(select(one.subquery().c.person_id) for one in (shares, granted, members)))
    persons = (
        select(PersonRow.id, PersonRow.name, PersonRow.organisation_id)
        .where(PersonRow.is_active, PersonRow.id.in_(named))
        .order_by(PersonRow.name, PersonRow.id)
    )
    gathered = _Gathered()
    gathered.called = {row.id: Titles(row.names) for row in work.session.execute(organisations)}
    for row in work.session.execute(granted):
        gathered.give(row, row.role, "", Titles())
    gathered.join(work.session.execute(members).all())
    for row in shared:
        gathered.give(row, row.role, "document" if row.document_id else "dossier", Titles(row.titles or {}))
    return gathered.make_parties(work.session.execute(persons).all())


def find_held(work: UnitOfWork, subject: Subject) -> Held:
    """Return the roles of the subject's actor on the document, each with where it comes from; three queries at most.

    What the actor has by neither the directory nor sharing, as a host may say, counts as its own.
    """
    actor = subject.actor
    found: dict[str, list[Source]] = {}
    if actor.person_id is not None:
        speaks = _find_called(work, actor)
        own = RoleGrantRow.person_id == actor.person_id
        if actor.organisation_id is not None:
            own = or_(own, RoleGrantRow.organisation_id == actor.organisation_id)
        for role, person_id in work.session.execute(select(RoleGrantRow.role, RoleGrantRow.person_id).where(own)):
            source = Source(OWN) if person_id is not None else Source(ORGANISATION, speaks)
            found.setdefault(role, []).append(source)
        for row in work.session.execute(_select_shares(subject, actor)):
            place = "document" if row.document_id else "dossier"
            kind, called = _find_holder(row, speaks)
            found.setdefault(row.role, []).append(Source(kind, called, place, Titles(row.titles or {})))
    held: dict[str, list[Source]] = {ANONYMOUS: [Source(EVERYBODY)]}
    if AUTHENTICATED in actor.roles:
        held[AUTHENTICATED] = [Source(SIGNED_IN)]
    for role in sorted(actor.roles - {ANONYMOUS, AUTHENTICATED}):
        held[role] = found.get(role) or [Source(OWN)]
    return held


def _find_called(work: UnitOfWork, actor: Actor) -> Titles:
    if actor.organisation_id is None:
        return Titles()
    names = work.session.scalar(select(OrganisationRow.names).where(OrganisationRow.id == actor.organisation_id))
    return Titles(names or {})


def _find_holder(row: Any, organisation: Titles) -> tuple[str, Titles]:
    if row.person_id is not None:
        return OWN, Titles()
    if row.organisation_id is not None:
        return ORGANISATION, organisation
    return GROUP, Titles(row.group_titles or {"en": row.group_name})


def _select_shares(subject: Subject, actor: Actor | None = None) -> Select[Any]:
    """Select what is shared on the document and on the dossiers that reach it, with all or with one actor."""
    places: list[ColumnElement[bool]] = [LocalRoleRow.document_id == subject.id]
    above = list_ids(subject.shared_path)
    if above:
        places.append(LocalRoleRow.dossier_id.in_(above))
    query = (
        select(
            LocalRoleRow.role,
            LocalRoleRow.document_id,
            LocalRoleRow.person_id,
            LocalRoleRow.organisation_id,
            LocalRoleRow.group_id,
            GroupRow.name.label("group_name"),
            GroupRow.titles.label("group_titles"),
            DossierRow.titles,
        )
        .outerjoin(GroupRow, GroupRow.id == LocalRoleRow.group_id)
        .outerjoin(DossierRow, DossierRow.id == LocalRoleRow.dossier_id)
        .where(or_(*places))
        .order_by(LocalRoleRow.id)
    )
    if actor is None:
        return query
    holders: list[ColumnElement[bool]] = [LocalRoleRow.person_id == actor.person_id]
    if actor.organisation_id is not None:
        holders.append(LocalRoleRow.organisation_id == actor.organisation_id)
    if actor.groups:
        holders.append(GroupRow.name.in_(sorted(actor.groups)))
    return query.where(or_(*holders))


class _Gathered:
    """What is held, by who holds it: `of` has the roles, and `groups_of` the groups, of (kind, id)."""

    def __init__(self) -> None:
        self.called: dict[int, Titles] = {}  # the active organisations
        self.groups: dict[int, tuple[str, Titles]] = {}
        self.of: dict[tuple[str, int], dict[str, list[Source]]] = {}
        self.members: dict[int, list[tuple[str, int]]] = {}
        self.groups_of: dict[tuple[str, int], set[int]] = {}

    def give(self, row: Any, role: str, place: str, where: Titles) -> None:
        """Note a role of whomever the row names; a group's goes to its members too."""
        if row.person_id is not None:
            self._add((PERSON, row.person_id), role, Source(OWN, Titles(), place, where))
        elif row.organisation_id is not None:
            called = self.called.get(row.organisation_id, Titles())
            self._add((ORGANISATION, row.organisation_id), role, Source(ORGANISATION, called, place, where))
        else:
            source = Source(GROUP, self.groups[row.group_id][1], place, where)
            for holder in ((GROUP, row.group_id), *self.members.get(row.group_id, ())):
                self._add(holder, role, source)

    def join(self, rows: Sequence[Any]) -> None:
        """Note groups and who is in them."""
        for row in rows:
            self.groups[row.id] = (row.name, Titles(row.titles or {"en": row.name}))
            member = (PERSON, row.person_id) if row.person_id is not None else (ORGANISATION, row.organisation_id)
            if member[1] is not None:
                self.members.setdefault(row.id, []).append(member)
                self.groups_of.setdefault(member, set()).add(row.id)

    def make_parties(self, persons: Sequence[Any]) -> list[Party]:
        """Return everybody, everyone signed in, then groups, organisations and persons."""
        parties = [
            Party(EVERYBODY, held={ANONYMOUS: [Source(EVERYBODY)]}),
            Party(SIGNED_IN, held={AUTHENTICATED: [Source(SIGNED_IN)]}),
        ]
        for id_, (name, titles) in sorted(self.groups.items(), key=lambda pair: pair[1][0]):
            if (GROUP, id_) in self.of:
                parties.append(
                    Party(GROUP, id_, titles, held=_own(GROUP, self.of[GROUP, id_]), groups=frozenset({name}))
                )
        for id_, called in sorted(self.called.items(), key=lambda pair: pair[1].get("en").casefold()):
            here = (ORGANISATION, id_)
            if here in self.of or here in self.groups_of:
                held = _own(ORGANISATION, self.of.get(here, {}))
                parties.append(Party(ORGANISATION, id_, called, held=held, groups=self._name(here)))
        for row in persons:
            own, through = (PERSON, row.id), (ORGANISATION, row.organisation_id)
            about = self.called.get(row.organisation_id)
            held = _merge(self.of.get(own, {}), self.of.get(through, {}) if about else {})
            groups = self._name(own) | (self._name(through) if about else frozenset())
            organisation_id = row.organisation_id if about else None
            called = Titles({"en": row.name})
            parties.append(Party(PERSON, row.id, called, about or Titles(), organisation_id, held, groups))
        return parties

    def _add(self, holder: tuple[str, int], role: str, source: Source) -> None:
        self.of.setdefault(holder, {}).setdefault(role, []).append(source)

    def _name(self, holder: tuple[str, int]) -> frozenset[str]:
        return frozenset(self.groups[one][0] for one in self.groups_of.get(holder, ()))


def _own(kind: str, held: Mapping[str, list[Source]]) -> Held:
    """Return what an organisation or a group brings to others as it holds that itself."""
    return {
        role: [Source(OWN, Titles(), one.place, one.where) if one.kind == kind else one for one in sources]
        for role, sources in held.items()
    }


def _merge(one: Mapping[str, list[Source]], other: Mapping[str, list[Source]]) -> Held:
    return {role: [*one.get(role, ()), *other.get(role, ())] for role in dict.fromkeys((*one, *other))}
