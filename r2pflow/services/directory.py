"""Read the people of the directory: persons, and groups with their members."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from r2pflow.persistence.people import GroupMemberRow, GroupRow, OrganisationRow, PersonRow, RoleGrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.queries import Page, paginate


def list_persons(work: UnitOfWork, *, text: str = "", role: str = "", number: int = 1) -> Page[PersonRow]:
    """Return a page of the active persons by name; `role` counts whether they or their organisation hold it."""
    query = select(PersonRow).where(PersonRow.is_active)
    for word in text.split()[:6]:
        query = query.where(
            or_(PersonRow.name.icontains(word, autoescape=True), PersonRow.email.icontains(word, autoescape=True))
        )
    if role:
        held = select(RoleGrantRow.person_id).where(RoleGrantRow.role == role, RoleGrantRow.person_id.is_not(None))
        by_organisation = select(RoleGrantRow.organisation_id).where(
            RoleGrantRow.role == role, RoleGrantRow.organisation_id.is_not(None)
        )
        query = query.where(or_(PersonRow.id.in_(held), PersonRow.organisation_id.in_(by_organisation)))
    query = query.options(joinedload(PersonRow.organisation), selectinload(PersonRow.roles))
    return paginate(work, query.order_by(PersonRow.name, PersonRow.id), number)


def list_members(work: UnitOfWork, organisation_id: int) -> Sequence[PersonRow]:
    """Return the persons of an organisation by name, those who left last."""
    return work.session.scalars(
        select(PersonRow)
        .where(PersonRow.organisation_id == organisation_id)
        .options(selectinload(PersonRow.roles))
        .order_by(PersonRow.is_active.desc(), PersonRow.name)
    ).all()


def list_choices(work: UnitOfWork) -> Sequence[OrganisationRow]:
    """Return every active organisation by slug, for a form to choose from."""
    return work.session.scalars(
        select(OrganisationRow).where(OrganisationRow.is_active).order_by(OrganisationRow.slug)
    ).all()


@dataclass(frozen=True)
class Group:
    """A group and who is in it."""

    row: GroupRow
    organisations: tuple[OrganisationRow, ...]
    persons: tuple[PersonRow, ...]


def list_groups(work: UnitOfWork) -> list[Group]:
    """Return the groups by name, each with its members; three queries."""
    rows = work.session.scalars(select(GroupRow).order_by(GroupRow.name)).all()
    organisations = work.session.execute(
        select(GroupMemberRow.group_id, OrganisationRow)
        .join(OrganisationRow, OrganisationRow.id == GroupMemberRow.organisation_id)
        .order_by(OrganisationRow.slug)
    ).all()
    persons = work.session.execute(
        select(GroupMemberRow.group_id, PersonRow)
        .join(PersonRow, PersonRow.id == GroupMemberRow.person_id)
        .order_by(PersonRow.name)
    ).all()
    return [
        Group(
            row,
            tuple(one for group_id, one in organisations if group_id == row.id),
            tuple(one for group_id, one in persons if group_id == row.id),
        )
        for row in rows
    ]


def list_groups_of(work: UnitOfWork, organisation_id: int) -> Sequence[GroupRow]:
    """Return the groups that an organisation is in."""
    return work.session.scalars(
        select(GroupRow)
        .join(GroupMemberRow, GroupMemberRow.group_id == GroupRow.id)
        .where(GroupMemberRow.organisation_id == organisation_id)
        .order_by(GroupRow.name)
    ).all()
