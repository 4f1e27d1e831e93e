"""Roles on one document, or on a dossier and all in it: given, taken, and kept from coming down from above."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DocumentRow, DossierRow, LocalRoleRow
from r2pflow.persistence.people import GroupRow, OrganisationRow, PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject, held_by, list_ids
from r2pflow.services.history import record, record_many
from r2pflow.services.people import ADMINISTRATORS, check_choice
from r2pflow.services.placing import settle
from r2pflow.services.queries import Share, list_shares

SHARED_ROLES = ("author", "editor", "translator", "member", "secretariat")
"""Roles that sharing can give on one document or dossier, beside those that a workflow declares."""

KEEPER = "secretariat"
"""Who holds this role on a dossier, by sharing there or above, keeps it as the secretariat does."""


def list_sharable(work: UnitOfWork, place: Subject | DossierRow) -> list[str]:
    """Return the roles that sharing knows on a document, or on a dossier."""
    if isinstance(place, Subject):
        declared: Iterable[str] = (role for lane in place.lanes for role in lane.workflow.roles)
    else:
        declared = (role for workflow in work.catalogue.workflows.values() for role in workflow.roles)
    return list(dict.fromkeys((*SHARED_ROLES, *declared)))


def list_givable(work: UnitOfWork, actor: Actor, place: Subject | DossierRow) -> list[str]:
    """Return the roles of `list_sharable` that the actor may give there: `secretariat` gives only who holds it."""
    return [role for role in list_sharable(work, place) if _may_give(work, actor, place, role)]


def _may_give(work: UnitOfWork, actor: Actor, place: Subject | DossierRow, role: str) -> bool:
    if role != KEEPER or actor.is_system:
        return True
    return KEEPER in place.actor.roles if isinstance(place, Subject) else is_keeper(work, actor, place)


def is_keeper(work: UnitOfWork, actor: Actor, dossier: DossierRow | None) -> bool:
    """Tell whether the actor may share, move and change a dossier; None stands for the place above all dossiers.

    The secretariat and administrators may everywhere, else who was given the role `secretariat` on the dossier or on
    one above it whose sharing reaches it.
    """
    if actor.is_system or actor.roles & ADMINISTRATORS:
        return True
    return dossier is not None and KEEPER in find_shared_roles(work, actor, list_ids(dossier.shared_path))


def list_kept(work: UnitOfWork, actor: Actor, rows: Sequence[DossierRow]) -> list[DossierRow]:
    """Return those of the dossiers that the actor keeps; one query."""
    if actor.is_system or actor.roles & ADMINISTRATORS:
        return list(rows)
    if actor.person_id is None:
        return []
    given = select(LocalRoleRow.dossier_id).where(LocalRoleRow.role == KEEPER, held_by(actor))
    own = set(work.session.scalars(given))
    return [row for row in rows if not own.isdisjoint(list_ids(row.shared_path))]


def is_blocked(work: UnitOfWork, subject: Subject) -> bool:
    """Tell whether what is shared on dossiers above is kept from a document."""
    return bool(work.session.scalar(select(DocumentRow.blocks_sharing).where(DocumentRow.id == subject.id)))


def find_shared_roles(
    work: UnitOfWork, actor: Actor, dossier_ids: Sequence[int], document_id: int | None = None
) -> frozenset[str]:
    """Return the roles that the actor was given on these dossiers and on the document."""
    if actor.person_id is None:
        return frozenset()
    here = or_(LocalRoleRow.dossier_id.in_(dossier_ids), LocalRoleRow.document_id == (document_id or 0))
    return frozenset(work.session.scalars(select(LocalRoleRow.role).where(here, held_by(actor))))


def require_keeper(work: UnitOfWork, actor: Actor, dossier: DossierRow | None) -> None:
    """Raise Forbidden unless the actor is a keeper of the dossier."""
    if not is_keeper(work, actor, dossier):
        raise Forbidden("not_a_keeper", dossier=dossier.slug if dossier else "")


def get_kept_dossier(work: UnitOfWork, actor: Actor, slug: str) -> DossierRow:
    """Return a dossier that the actor keeps; raise Forbidden, or NotFound."""
    row = work.session.scalars(select(DossierRow).where(DossierRow.slug == slug)).first()
    require_keeper(work, actor, row)
    if row is None:
        raise NotFound("dossier_not_found", slug=slug)
    return row


def share(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    role: str,
    *,
    person_id: int | None = None,
    organisation_id: int | None = None,
    group_id: int | None = None,
) -> None:
    """Give a person, an organisation or a group a role on one document. Giving it twice changes nothing.

    Raises Forbidden without the permission `share`, InvalidInput for a role that cannot be shared or nobody named.
    """
    subject = get_subject(work, actor, reference, "share")
    row = _give(work, actor, subject, role, person_id, organisation_id, group_id)
    if row is not None:
        record(work, subject.id, actor, "sharing", what="given", **_tell(row))


def share_dossier(
    work: UnitOfWork,
    actor: Actor,
    slug: str,
    role: str,
    *,
    person_id: int | None = None,
    organisation_id: int | None = None,
    group_id: int | None = None,
) -> None:
    """Give a person, an organisation or a group a role on a dossier and on all in it; twice changes nothing.

    Raises Forbidden to whom does not keep the dossier, InvalidInput for a role that cannot be shared or nobody named.
    """
    dossier = get_kept_dossier(work, actor, slug)
    row = _give(work, actor, dossier, role, person_id, organisation_id, group_id)
    if row is not None:
        told = {"dossier": dict(dossier.titles), **_tell(row)}
        record_many(work, reached_by(dossier), actor, "sharing", what="given_above", **told)


def unshare(work: UnitOfWork, actor: Actor, reference: str | int, local_role_id: int) -> None:
    """Take a shared role away from one document. Raises Forbidden, or NotFound when it is not one of this document."""
    subject = get_subject(work, actor, reference, "share")
    row = work.session.get(LocalRoleRow, local_role_id)
    if row is None or row.document_id != subject.id:
        raise NotFound("local_role_not_found", local_role=local_role_id)
    told = _tell(row)
    work.session.delete(row)
    work.session.flush()
    record(work, subject.id, actor, "sharing", what="taken", **told)


def unshare_dossier(work: UnitOfWork, actor: Actor, slug: str, local_role_id: int) -> None:
    """Take a shared role away from a dossier. Raises Forbidden, or NotFound when it is not one of this dossier."""
    dossier = get_kept_dossier(work, actor, slug)
    row = work.session.get(LocalRoleRow, local_role_id)
    if row is None or row.dossier_id != dossier.id:
        raise NotFound("local_role_not_found", local_role=local_role_id)
    told = {"dossier": dict(dossier.titles), **_tell(row)}
    work.session.delete(row)
    work.session.flush()
    record_many(work, reached_by(dossier), actor, "sharing", what="taken_above", **told)


def block(work: UnitOfWork, actor: Actor, reference: str | int, *, blocks: bool = True) -> None:
    """Keep what is shared on dossiers above from reaching a document, or let it again; no change writes nothing.

    Who blocks keeps what they held: the roles that reached them from above are given to them on the document.
    Raises Forbidden without the permission `share`.
    """
    subject = get_subject(work, actor, reference, "share")
    here = DocumentRow.id == subject.id
    if work.session.scalar(select(DocumentRow.blocks_sharing).where(here)) == blocks:
        return
    kept = _keep_own(work, actor, list_ids(subject.shared_path), document_id=subject.id) if blocks else []
    work.write(update(DocumentRow).where(here).values(blocks_sharing=blocks))
    record(work, subject.id, actor, "sharing", what="blocked" if blocks else "unblocked", kept=kept)


def block_dossier(work: UnitOfWork, actor: Actor, slug: str, *, blocks: bool = True) -> None:
    """Keep what is shared above a dossier from reaching it and all in it, or let it again; no change writes nothing.

    Who blocks keeps what they held: the roles that reached them from above are given to them on the dossier.
    Raises Forbidden to whom does not keep the dossier.
    """
    dossier = get_kept_dossier(work, actor, slug)
    if dossier.blocks_sharing == blocks:
        return
    above = [one for one in list_ids(dossier.shared_path) if one != dossier.id]
    kept = _keep_own(work, actor, above, dossier_id=dossier.id) if blocks else []
    told = {"dossier": dict(dossier.titles), "kept": kept}
    dossier.blocks_sharing = blocks
    work.session.flush()
    settle(work, dossier)
    what = "blocked_above" if blocks else "unblocked_above"
    record_many(work, reached_by(dossier), actor, "sharing", what=what, **told)


def list_dossier_shares(work: UnitOfWork, dossier: DossierRow) -> Sequence[Share]:
    """Return the shared roles on a dossier and on those above it whose sharing reaches it, by role."""
    return list_shares(work, None, list_ids(dossier.shared_path))


def reached_by(dossier: DossierRow) -> ColumnElement[bool]:
    """Return the condition on documents that what is shared on the dossier reaches them."""
    inside = select(DossierRow.id).where(DossierRow.shared_path.contains(f"/{dossier.id}/", autoescape=True))
    return and_(DocumentRow.blocks_sharing.is_(False), DocumentRow.dossier_id.in_(inside))


def _give(
    work: UnitOfWork,
    actor: Actor,
    place: Subject | DossierRow,
    role: str,
    person_id: int | None,
    organisation_id: int | None,
    group_id: int | None,
) -> LocalRoleRow | None:
    """Write the role; return None where it is there already."""
    check_choice("role", role or "?", list_sharable(work, place))
    if not _may_give(work, actor, place, role):
        raise Forbidden("only_own_roles", role=role)
    if [person_id, organisation_id, group_id].count(None) != 2:
        raise InvalidInput("required", field="holder")
    if person_id is not None and work.session.get(PersonRow, person_id) is None:
        raise NotFound("person_not_found", person=person_id)
    if organisation_id is not None and work.session.get(OrganisationRow, organisation_id) is None:
        raise NotFound("organisation_not_found", organisation=organisation_id)
    if group_id is not None and work.session.get(GroupRow, group_id) is None:
        raise NotFound("group_not_found", group=group_id)
    is_document = isinstance(place, Subject)
    values = {
        "document_id": place.id if is_document else None,
        "dossier_id": None if is_document else place.id,
        "person_id": person_id,
        "organisation_id": organisation_id,
        "group_id": group_id,
        "role": role,
    }
    same = select(LocalRoleRow.id).where(*(getattr(LocalRoleRow, name) == value for name, value in values.items()))
    if work.session.scalar(same) is not None:
        return None
    row = LocalRoleRow(**values, granted_by_id=actor.person_id, created_at=work.now())
    work.session.add(row)
    work.session.flush()
    return row


def _keep_own(
    work: UnitOfWork,
    actor: Actor,
    above: Sequence[int],
    *,
    document_id: int | None = None,
    dossier_id: int | None = None,
) -> list[str]:
    """Give the actor what reaches them from these dossiers, where they do not hold it here; return these roles."""
    own = find_shared_roles(work, actor, [dossier_id] if dossier_id else [], document_id)
    kept = sorted(find_shared_roles(work, actor, above) - own)
    for role in kept:
        row = LocalRoleRow(document_id=document_id, dossier_id=dossier_id, person_id=actor.person_id, role=role)
        row.granted_by_id, row.created_at = actor.person_id, work.now()
        work.session.add(row)
    work.session.flush()
    return kept


def _tell(row: LocalRoleRow) -> dict[str, Any]:
    told = {"role": row.role, "person": row.person_id, "organisation": row.organisation_id}
    return {**told, "group": row.group_id}
