"""Find persons, organisations and groups by what somebody types of their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import String, and_, func, or_, select
from sqlalchemy.orm import joinedload

from r2pflow.persistence.people import GroupRow, OrganisationRow, PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Holder:
    """Who could hold a role; `kind` is person, organisation or group, `about` the names of a person's organisation."""

    kind: str
    id: int
    names: Mapping[str, str]
    about: Mapping[str, str]


def find_holders(work: UnitOfWork, sought: str, limit: int = 20) -> Sequence[Holder]:
    """Return active organisations, groups, then active persons, that have every word in their name or address."""
    words = sought.split()[:6]
    if not words:
        return []
    organisations = work.session.scalars(
        select(OrganisationRow)
        .where(OrganisationRow.is_active)
        .where(
            and_(
                *(
                    or_(
                        OrganisationRow.short_name.icontains(word, autoescape=True),
                        OrganisationRow.slug.icontains(word, autoescape=True),
                        func.lower(OrganisationRow.names.cast(String)).contains(word.lower(), autoescape=True),
                    )
                    for word in words
                )
            )
        )
        .order_by(OrganisationRow.slug)
        .limit(limit)
    )
    groups = work.session.scalars(
        select(GroupRow)
        .where(
            and_(
                *(
                    or_(
                        GroupRow.name.icontains(word, autoescape=True),
                        func.lower(GroupRow.titles.cast(String)).contains(word.lower(), autoescape=True),
                    )
                    for word in words
                )
            )
        )
        .order_by(GroupRow.name)
        .limit(limit)
    )
    persons = work.session.scalars(
        select(PersonRow)
        .where(PersonRow.is_active)
        .where(
            and_(
                *(
                    or_(PersonRow.name.icontains(word, autoescape=True), PersonRow.email == word.lower())
                    for word in words
                )
            )
        )
        .options(joinedload(PersonRow.organisation))
        .order_by(PersonRow.name)
        .limit(limit)
    )
    return [
        *(Holder("organisation", row.id, row.names, {}) for row in organisations),
        *(Holder("group", row.id, row.titles or {"en": row.name}, {}) for row in groups),
        *(
            Holder("person", row.id, {"en": row.name}, row.organisation.names if row.organisation else {})
            for row in persons
        ),
    ][: 2 * limit]
