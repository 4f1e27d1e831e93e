"""Keep the directory: the forms of organisations and persons, for the secretariat and administrators."""

from typing import Any
from zoneinfo import available_timezones

from flask import redirect, request

from r2pflow.domain.errors import Forbidden, InvalidInput
from r2pflow.domain.people import FUNCTIONS, GLOBAL_ROLES, LANGUAGES, REGIONS, SCOPES, SECTORS, Actor
from r2pflow.persistence.people import OrganisationRow
from r2pflow.services import directory, people
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import NATIVE_NAMES, get_locale, gettext, language, title_of
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.words import word


def _require_keeper() -> Actor:
    actor = require_signed_in()
    people.require_administrator(actor)
    return actor


def _role_choices(actor: Actor) -> list[tuple[str, str]]:
    return [(one, word(one)) for one in GLOBAL_ROLES if one != "manager" or "manager" in actor.roles]


def _chosen_roles(form: Form, actor: Actor, held: list[str]) -> list[str]:
    """Return the roles ticked, and those held that this person cannot see in the form."""
    shown = {name for name, _ in _role_choices(actor)}
    return [*form.chosen("roles"), *(role for role in held if role not in shown)]


def edit_organisation(slug: str = "") -> Any:
    """Create an organisation, or change one."""
    actor, work = _require_keeper(), current_work()
    row = people.get_organisation(work, slug) if slug else None
    held = [grant.role for grant in row.roles] if row else []
    form = read_form(**_organisation_defaults(row, held))
    if form.is_posted:
        values: dict[str, Any] = {
            "names": {code: form.text(f"name_{code}") for code in LANGUAGES},
            "functions": form.chosen("functions"),
            "roles": _chosen_roles(form, actor, held),
            "is_active": form.is_checked("is_active") or row is None,
            "country": form.text("country").upper()[:2],
            **{name: form.text(name) for name in ("slug", "short_name", "region", "sector", "scope", "language")},
        }
        try:
            if not any(values["names"].values()):
                raise InvalidInput("required", field=f"name_{language()}")
            saved = people.save_organisation(work, actor, values, slug=slug or None)
            work.commit()
            tell(gettext("Saved."))
            return redirect(url("organisation", slug=saved), 303)
        except (InvalidInput, Forbidden) as error:
            form.refuse(error)
    return form.render(
        "organisation_form.html",
        organisation=row,
        regions=_optional(REGIONS),
        sectors=_optional(SECTORS),
        scopes=_optional(SCOPES),
        functions=[(one, word(one)) for one in FUNCTIONS],
        roles=_role_choices(actor),
        languages_spoken=[(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        countries=_list_countries(),
    )


def _organisation_defaults(row: OrganisationRow | None, held: list[str]) -> dict[str, Any]:
    if row is None:
        return {"language": language(), "is_active": True, "roles": ["member"]}
    plain = ("slug", "short_name", "country", "region", "sector", "scope", "functions", "language", "is_active")
    names = {f"name_{code}": row.names.get(code, "") for code in LANGUAGES}
    return {name: getattr(row, name) for name in plain} | names | {"roles": held}


def edit_person(person_id: int = 0) -> Any:
    """Create a person, or change one."""
    actor, work = _require_keeper(), current_work()
    row = people.get_person(work, person_id) if person_id else None
    held = [grant.role for grant in row.roles] if row else []
    defaults: dict[str, Any] = {
        "organisation": request.args.get("organisation", ""),
        "language": language(),
        "timezone": work.settings.timezone,
        "is_active": True,
        "roles": held,
    }
    if row is not None:
        defaults |= {name: getattr(row, name) for name in ("name", "email", "language", "timezone", "is_active")}
        defaults["organisation"] = row.organisation.slug if row.organisation else ""
    form = read_form(**defaults)
    if form.is_posted:
        values: dict[str, Any] = {
            **{name: form.text(name) for name in ("name", "email", "language", "timezone")},
            "organisation": form.text("organisation") or None,
            "roles": _chosen_roles(form, actor, held),
            "is_active": form.is_checked("is_active") or row is None,
        }
        try:
            for name in ("name", "email"):
                if not values[name]:
                    raise InvalidInput("required", field=name)
            people.save_person(work, actor, values, person_id=person_id or None)
            work.commit()
            tell(gettext("Saved."))
            place = values["organisation"]
            return redirect(url("organisation", slug=place) if place else url("people"), 303)
        except (InvalidInput, Forbidden) as error:
            form.refuse(error)
    return form.render(
        "person_form.html",
        person=row,
        organisations=[
            ("", gettext("none")),
            *sorted(((one.slug, title_of(one.names, one.slug)) for one in directory.list_choices(work)), key=_by_name),
        ],
        roles=_role_choices(actor),
        languages_spoken=[(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        zones=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
    )


def _by_name(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


def _optional(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("", "–"), *((one, word(one)) for one in values)]


def _list_countries() -> list[tuple[str, str]]:
    names = get_locale(language()).territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NO_LAND]
    return [("", "–"), *sorted(found, key=_by_name)]


_NO_LAND = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})

ROUTES = (
    Route("/directory/new-organisation", "new_organisation", edit_organisation, FORM),
    Route("/directory/organisations/<slug>/edit", "edit_organisation", edit_organisation, FORM),
    Route("/directory/new-person", "new_person", edit_person, FORM),
    Route("/directory/people/<int:person_id>/edit", "edit_person", edit_person, FORM),
)
