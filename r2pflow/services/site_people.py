"""Whom users and groups of a Plone site are here: found by e-mail, or made without access until somebody gives it."""

import re
from collections.abc import Callable, Mapping

from sqlalchemy import select

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.plone_site import Site
from r2pflow.persistence.people import GroupMemberRow, GroupRow, PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people

EVERYBODY = frozenset({"AuthenticatedUsers"})
"""Groups that stand for everybody: a role for all of them is a grant of the workflow, not sharing."""
USUAL_GROUPS = frozenset({"Administrators", "Site Administrators", "Reviewers"})
NOWHERE = "imported.invalid"
"""The domain of e-mail addresses that stand for an unknown one (RFC 2606)."""


class Holders:
    """Find, or make, the persons and groups that a site speaks of; one that is made is inactive, or empty."""

    def __init__(
        self,
        work: UnitOfWork,
        site: Site,
        find: Callable[[str, str], int | None],
        keep: Callable[[str, str, int], None],
    ) -> None:
        self._work, self._site, self._find, self._keep = work, site, find, keep
        self._persons: dict[str, int] = {}

    def forget(self) -> None:
        """Look all up again: what was made may be undone."""
        self._persons.clear()

    def name_of(self, user: str) -> str:
        """Return the full name of a user, or the id."""
        member = self._site.members.get(user)
        return member.name if member else user

    def find(self, holder: str) -> Mapping[str, int] | None:
        """Return who holds a role here, as columns of LocalRoleRow; None for everybody."""
        if holder in EVERYBODY:
            return None
        if holder in self._site.groups or (holder in USUAL_GROUPS and holder not in self._site.members):
            return {"group_id": self._find_group(holder)}
        return {"person_id": self.find_person(holder)}

    def find_person(self, user: str, name: str = "") -> int:
        """Return the id of the person that a user is; made inactive where there is none."""
        found = self._persons.get(user) or self._find("person", user)
        if found is None:
            found = self._make_person(user, name)
            self._keep("person", user, found)
        self._persons[user] = found
        return found

    def _make_person(self, user: str, name: str) -> int:
        member = self._site.members.get(user)
        told = (member.email if member else "") or (user.lower() if "@" in user else "")
        local = re.sub(r"[^a-z0-9._-]+", ".", user.lower()).strip(".") or "somebody"
        email = told if re.fullmatch(r"[^@\s]+@[^@\s]+", told) else f"{local[:60]}@{NOWHERE}"
        known = self._work.session.scalar(select(PersonRow.id).where(PersonRow.email == email))
        if known is not None:
            return known
        values = {"name": (member.name if member else name or user)[:200], "email": email, "is_active": False}
        return people.save_person(self._work, THE_SYSTEM, values)

    def _find_group(self, group: str) -> int:
        found = self._find("group", group)
        if found is not None:
            return found
        session = self._work.session
        name = re.sub(r"[^a-z0-9]+", "_", group.lower()).strip("_")[:80] or "group"
        row = session.scalars(select(GroupRow).where(GroupRow.name == name)).first()
        if row is None:
            row = GroupRow(name=name, titles={"en": group})
            session.add(row)
            session.flush()
        have = set(session.scalars(select(GroupMemberRow.person_id).where(GroupMemberRow.group_id == row.id)))
        wanted = {self.find_person(user) for user in self._site.groups.get(group, ()) if user not in self._site.groups}
        session.add_all(GroupMemberRow(group_id=row.id, person_id=one) for one in sorted(wanted - have))
        self._keep("group", group, row.id)
        return row.id
