"""Organisations, persons, groups, and the roles that they hold everywhere."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload, selectinload

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import (
    ANONYMOUS,
    AUTHENTICATED,
    FUNCTIONS,
    GLOBAL_ROLES,
    LANGUAGES,
    REGIONS,
    SCOPES,
    SECTORS,
    Actor,
)
from r2pflow.persistence.people import GroupMemberRow, GroupRow, OrganisationRow, PersonRow, RoleGrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork

ADMINISTRATORS = frozenset({"secretariat", "manager"})


def load_actor(work: UnitOfWork, person_id: int) -> Actor | None:
    """Return the person as an actor with all global roles and groups; None when absent or no longer active."""
    person = work.session.scalars(
        select(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.is_active)
        .options(selectinload(PersonRow.organisation))
    ).first()
    return _as_actor(work, person) if person else None


def find_actor_by_email(work: UnitOfWork, email: str) -> Actor | None:
    """Return the active person with this address as an actor, or None; case does not count."""
    person = work.session.scalars(
        select(PersonRow).where(PersonRow.email == email.strip().lower(), PersonRow.is_active)
    ).first()
    return _as_actor(work, person) if person else None


def get_actor(work: UnitOfWork, person: str) -> Actor:
    """Return the active person with this id or e-mail address as an actor; raise NotFound."""
    is_id = person.isascii() and person.isdigit() and len(person) < 12
    found = load_actor(work, int(person)) if is_id else find_actor_by_email(work, person)
    if found is None:
        raise NotFound("person_not_found", person=person)
    return found


def load_actors(work: UnitOfWork) -> list[Actor]:
    """Return every active person as `load_actor` does, by id; three queries, however many they are."""
    persons = work.session.scalars(
        select(PersonRow).where(PersonRow.is_active).options(joinedload(PersonRow.organisation)).order_by(PersonRow.id)
    ).all()
    roles = work.session.execute(select(RoleGrantRow.role, RoleGrantRow.person_id, RoleGrantRow.organisation_id)).all()
    groups = work.session.execute(
        select(GroupRow.name, GroupMemberRow.person_id, GroupMemberRow.organisation_id).join(GroupMemberRow)
    ).all()
    of_person: dict[int, tuple[set[str], set[str]]] = {}
    of_organisation: dict[int, tuple[set[str], set[str]]] = {}
    for place, held in enumerate((roles, groups)):
        for name, person_id, organisation_id in held:
            if person_id is not None:
                of_person.setdefault(person_id, (set(), set()))[place].add(name)
            elif organisation_id is not None:
                of_organisation.setdefault(organisation_id, (set(), set()))[place].add(name)
    nothing: tuple[set[str], set[str]] = (set(), set())
    actors = []
    for person in persons:
        own = of_person.get(person.id, nothing)
        organisation_id = _speaks_for(person)
        shared = of_organisation.get(organisation_id, nothing) if organisation_id is not None else nothing
        actors.append(_make_actor(person, own[0] | shared[0], own[1] | shared[1]))
    return actors


def _as_actor(work: UnitOfWork, person: PersonRow) -> Actor:
    holder: ColumnElement[bool] = RoleGrantRow.person_id == person.id
    member: ColumnElement[bool] = GroupMemberRow.person_id == person.id
    organisation_id = _speaks_for(person)
    if organisation_id is not None:
        holder |= RoleGrantRow.organisation_id == organisation_id
        member |= GroupMemberRow.organisation_id == organisation_id
    roles = work.session.scalars(select(RoleGrantRow.role).where(holder)).all()
    groups = work.session.scalars(select(GroupRow.name).join(GroupMemberRow).where(member)).all()
    return _make_actor(person, roles, groups)


def _speaks_for(person: PersonRow) -> int | None:
    return person.organisation_id if person.organisation and person.organisation.is_active else None


def _make_actor(person: PersonRow, roles: Iterable[str], groups: Iterable[str]) -> Actor:
    return Actor(
        person_id=person.id,
        organisation_id=_speaks_for(person),
        name=person.name,
        roles=frozenset({ANONYMOUS, AUTHENTICATED, *roles}),
        groups=frozenset(groups),
        language=person.language,
        timezone=person.timezone,
    )


def require_administrator(actor: Actor) -> None:
    """Raise Forbidden unless the actor may keep the directory."""
    if not actor.is_system and not actor.roles & ADMINISTRATORS:
        raise Forbidden("not_an_administrator")


def save_organisation(work: UnitOfWork, actor: Actor, values: Mapping[str, Any], *, slug: str | None = None) -> str:
    """Create an organisation, or change the one with this slug; return its slug.

    `values`: slug (when new), names by language, short_name, country, region, sector, scope, functions, roles,
    language, is_active. Raises Forbidden, NotFound, or InvalidInput naming the field.
    """
    require_administrator(actor)
    check_choice("region", values.get("region", ""), REGIONS)
    check_choice("sector", values.get("sector", ""), SECTORS)
    check_choice("scope", values.get("scope", ""), SCOPES)
    for function in values.get("functions", ()):
        check_choice("functions", function, FUNCTIONS)
    names = {code: name.strip() for code, name in dict(values.get("names", {})).items() if name.strip()}
    if slug is None:
        slug = str(values.get("slug", "")).strip().lower()
        if not slug.replace("-", "").isalnum() or not slug.isascii() or len(slug) > 80:
            raise InvalidInput("bad_slug", field="slug", value=slug)
        if work.session.scalar(select(OrganisationRow.id).where(OrganisationRow.slug == slug)):
            raise InvalidInput("already_taken", field="slug", value=slug)
        if not names:
            raise InvalidInput("required", field="names")
        row = OrganisationRow(slug=slug, names=names, functions=[], created_at=work.now())
        work.session.add(row)
    else:
        row = get_organisation(work, slug)
    if names:
        row.names = names
    for name in ("short_name", "country", "region", "sector", "scope", "language", "is_active"):
        if name in values:
            setattr(row, name, values[name])
    if "functions" in values:
        row.functions = list(values["functions"])
    if "roles" in values:
        _set_roles(row.roles, values["roles"], actor)
    work.session.flush()
    return row.slug


def save_person(work: UnitOfWork, actor: Actor, values: Mapping[str, Any], *, person_id: int | None = None) -> int:
    """Create a person, or change the one with this id; return the id.

    `values`: name, email, organisation (slug or None), language, timezone, roles, is_active. Raises Forbidden,
    NotFound, or InvalidInput naming the field.
    """
    require_administrator(actor)
    if person_id is None:
        for name in ("name", "email"):
            if not str(values.get(name, "")).strip():
                raise InvalidInput("required", field=name)
    email = str(values.get("email", "")).strip().lower()
    if "email" in values:
        local, at, domain = email.rpartition("@")
        if not (local and at and domain) or " " in email or len(email) > 254:
            raise InvalidInput("bad_email", field="email", value=email)
        holder = work.session.scalar(select(PersonRow.id).where(PersonRow.email == email))
        if holder is not None and holder != person_id:
            raise InvalidInput("already_taken", field="email", value=email)
    if "language" in values:
        check_choice("language", values["language"], LANGUAGES)
    if "timezone" in values:
        check_choice("timezone", values["timezone"], available_timezones())
    if person_id is None:
        row = PersonRow(name=str(values["name"]).strip(), email=email, created_at=work.now())
        work.session.add(row)
    else:
        row = get_person(work, person_id)
        row.email = email or row.email
        row.name = str(values.get("name", row.name)).strip() or row.name
    for name in ("language", "timezone", "is_active"):
        if name in values:
            setattr(row, name, values[name])
    if "organisation" in values:
        row.organisation_id = get_organisation(work, values["organisation"]).id if values["organisation"] else None
    if "roles" in values:
        _set_roles(row.roles, values["roles"], actor)
    work.session.flush()
    return row.id


def save_preferences(work: UnitOfWork, actor: Actor, *, language: str, timezone: str) -> None:
    """Let a person choose the language of pages and mails and the time zone of instants."""
    if actor.person_id is None:
        raise Forbidden("sign_in_first")
    check_choice("language", language, LANGUAGES)
    check_choice("timezone", timezone, available_timezones())
    row = get_person(work, actor.person_id)
    row.language, row.timezone = language, timezone
    work.session.flush()


def _set_roles(held: list[RoleGrantRow], wanted: Sequence[str], actor: Actor) -> None:
    for role in wanted:
        check_choice("roles", role, GLOBAL_ROLES)
    changed = {grant.role for grant in held} ^ set(wanted)
    if "manager" in changed and not (actor.is_system or "manager" in actor.roles):
        raise Forbidden("only_managers_grant_manager")
    for grant in list(held):
        if grant.role not in wanted:
            held.remove(grant)
    have = {grant.role for grant in held}
    held.extend(RoleGrantRow(role=role) for role in dict.fromkeys(wanted) if role not in have)


def check_choice(field: str, value: Any, accepted: Sequence[str] | set[str] | frozenset[str]) -> None:
    """Raise InvalidInput for a value that is not empty and not among the accepted."""
    if value and value not in accepted:
        shown = sorted(accepted) if len(accepted) < 50 else []
        raise InvalidInput("unknown_choice", field=field, value=value, accepted=shown)


def get_organisation(work: UnitOfWork, slug: str) -> OrganisationRow:
    """Return the organisation; raise NotFound."""
    row = work.session.scalars(select(OrganisationRow).where(OrganisationRow.slug == slug)).first()
    if row is None:
        raise NotFound("organisation_not_found", slug=slug)
    return row


def get_person(work: UnitOfWork, person_id: int) -> PersonRow:
    """Return the person; raise NotFound."""
    row = work.session.get(PersonRow, person_id)
    if row is None:
        raise NotFound("person_not_found", person=person_id)
    return row


def save_group(
    work: UnitOfWork, actor: Actor, name: str, titles: Mapping[str, str], organisations: Sequence[str]
) -> None:
    """Create a group, or change its titles and the organisations in it; others leave it, persons in it stay.

    Raises Forbidden, NotFound for an organisation, or InvalidInput for a name that workflows could not use.
    """
    require_administrator(actor)
    if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > 80:
        raise InvalidInput("bad_group", field="name", value=name)
    wanted = {get_organisation(work, slug).id for slug in organisations}
    row = work.session.scalars(select(GroupRow).where(GroupRow.name == name)).first()
    if row is None:
        row = GroupRow(name=name, titles={})
        work.session.add(row)
        work.session.flush()
    row.titles = dict(titles)
    members = work.session.scalars(
        select(GroupMemberRow).where(GroupMemberRow.group_id == row.id, GroupMemberRow.organisation_id.is_not(None))
    ).all()
    for member in members:
        if member.organisation_id not in wanted:
            work.session.delete(member)
    have = {member.organisation_id for member in members}
    work.session.add_all(GroupMemberRow(group_id=row.id, organisation_id=one) for one in sorted(wanted - have))
    work.session.flush()
