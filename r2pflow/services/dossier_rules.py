"""What a dossier says for all in it: who holds what states inherit, and which workflows new documents follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from r2pflow.domain.definition import DocumentType
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES, Actor
from r2pflow.persistence.documents import DossierRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.history import record_many
from r2pflow.services.people import check_choice
from r2pflow.services.placing import find_policy, list_line, settle
from r2pflow.services.sharing import get_kept_dossier


def list_grantable(work: UnitOfWork) -> list[str]:
    """Return the permissions that a dossier can grant: the built-in ones, and what states of workflows inherit."""
    return list(dict.fromkeys((*BUILT_IN_PERMISSIONS, *sorted(find_inheriting(work)))))


def find_inheriting(work: UnitOfWork) -> Mapping[str, list[str]]:
    """Return by permission the workflows of which a state takes it over from the dossiers above."""
    found: dict[str, list[str]] = {}
    for name, workflow in work.catalogue.workflows.items():
        inherited = {workflow.means.get(one, one) for state in workflow.states.values() for one in state.inherit}
        for permission in inherited:
            found.setdefault(permission, []).append(name)
    return found


def list_grantable_roles(work: UnitOfWork) -> list[str]:
    """Return the roles that a dossier can grant permissions to."""
    declared = (role for workflow in work.catalogue.workflows.values() for role in workflow.roles)
    return list(dict.fromkeys((*BUILT_IN_ROLES, *declared)))


def save_grants(work: UnitOfWork, actor: Actor, slug: str, grants: Mapping[str, Mapping[str, Any]]) -> None:
    """Say what a dossier grants: permission -> {"roles": [...], "adds": whether those above hold it too}.

    A permission that is not named is held as above. The definitions of running documents follow at once, with an
    entry in the history of each document for which something changes. Raises Forbidden to whom does not keep the
    dossier, InvalidInput for a permission or role that no workflow knows.
    """
    dossier = get_kept_dossier(work, actor, slug)
    roles, permissions = list_grantable_roles(work), list_grantable(work)
    wanted: dict[str, dict[str, Any]] = {}
    for permission, grant in grants.items():
        check_choice("permission", permission or "?", permissions)
        for role in grant["roles"]:
            check_choice(f"roles-{permission}", role or "?", roles)
        held = [role for role in roles if role in grant["roles"]]
        wanted[permission] = {"roles": held, "adds": bool(grant.get("adds"))}
    if wanted == dossier.grants:
        return
    changed = sorted(one for one in {*wanted, *dossier.grants} if wanted.get(one) != dossier.grants.get(one))
    told = {"dossier": dict(dossier.titles), "permissions": changed}
    dossier.grants = wanted
    work.session.flush()

    def note(here: ColumnElement[bool]) -> None:
        record_many(work, here, actor, "sharing", what="granted", **told)

    settle(work, dossier, note)


def find_granted_above(work: UnitOfWork, dossier: DossierRow) -> Mapping[str, tuple[list[str], bool]]:
    """Return by permission the roles that the dossiers above grant, and whether those of the workflow hold it too."""
    found: dict[str, tuple[list[str], bool]] = {}
    for place in list_line(work, dossier)[:-1]:
        for permission, grant in place.grants.items():
            before, reaches_top = found.get(permission, ([], True))
            own = list(grant["roles"])
            found[permission] = ([*before, *own], reaches_top) if grant.get("adds") else (own, False)
    return {permission: (list(dict.fromkeys(roles)), top) for permission, (roles, top) in found.items()}


@dataclass(frozen=True)
class Policy:
    """Which workflows new documents of a type follow in a dossier.

    `own` is what the dossier itself says: None for as above, empty for as the type does. `above` is what holds without
    it, from the dossier `place`, None where it is the type's own chain; `choices` are the chains that fit the type.
    """

    type: DocumentType
    own: tuple[str, ...] | None
    above: tuple[str, ...]
    place: DossierRow | None
    choices: tuple[tuple[str, ...], ...]

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the workflows that new documents follow."""
        return self.above if self.own is None else self.own or self.type.chain


def list_policies(work: UnitOfWork, dossier: DossierRow, *, with_choices: bool = False) -> list[Policy]:
    """Return for each document type which workflows new documents follow in the dossier."""
    line = list_line(work, dossier)
    found = []
    for kind in work.catalogue.types.values():
        above, place = find_policy(kind, line[:-1])
        named = dossier.policies.get(kind.name)
        own = None if named is None else tuple([named] if isinstance(named, str) else named)
        choices = _list_chains(work, kind, own) if with_choices else ()
        found.append(Policy(kind, own, tuple(above), place, choices))
    return found


def _list_chains(work: UnitOfWork, kind: DocumentType, own: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """Return the chains of one workflow and of two that fit a type, and longer ones that are in use."""
    names = list(work.catalogue.workflows)
    further = [name for name in names if "view" not in work.catalogue.workflows[name].named_permissions()]
    found = [chain for chain in (own, kind.chain) if chain]
    for first in names:
        if not work.catalogue.check_policy(kind.name, (first,)):
            found.append((first,))
        for second in further:
            if second != first and not work.catalogue.check_policy(kind.name, (first, second)):
                found.append((first, second))
    return tuple(dict.fromkeys(found))


def save_policies(work: UnitOfWork, actor: Actor, slug: str, policies: Mapping[str, Sequence[str]]) -> None:
    """Say which workflows new documents follow in a dossier and below it: document type -> the names of its chain.

    A type that is not named is as above; an empty chain means as the type itself says. Running documents keep theirs.
    Raises Forbidden to whom does not keep the dossier, InvalidInput for a type or workflow that is not there, or for
    workflows that do not fit the type or each other.
    """
    dossier = get_kept_dossier(work, actor, slug)
    catalogue = work.catalogue
    wanted: dict[str, list[str]] = {}
    for kind, names in policies.items():
        field = f"policy-{kind}"
        check_choice(field, kind or "?", list(catalogue.types))
        for name in names:
            check_choice(field, name or "?", list(catalogue.workflows))
        if len(set(names)) < len(names):
            raise InvalidInput("policy_does_not_fit", field=field, found=", ".join(names))
        faults = catalogue.check_policy(kind, names) if names else []
        if faults:
            raise InvalidInput("policy_does_not_fit", field=field, found="; ".join(one.message for one in faults))
        wanted[kind] = list(names)
    if wanted != dossier.policies:
        dossier.policies = wanted
        work.session.flush()
