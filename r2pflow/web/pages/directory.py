"""The directory: organisations, persons and groups, to look up."""

from typing import Any

from flask import request

from r2pflow.domain.people import FUNCTIONS, GLOBAL_ROLES, REGIONS, SCOPES, SECTORS
from r2pflow.services import directory, people, queries
from r2pflow.web.auth import current_work, has_role, require_signed_in
from r2pflow.web.forms import Form
from r2pflow.web.i18n import gettext
from r2pflow.web.pages import directory_forms
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route
from r2pflow.web.words import word

FILTERS = {"region": REGIONS, "sector": SECTORS, "function": FUNCTIONS, "scope": SCOPES, "role": GLOBAL_ROLES}


def show_directory() -> Any:
    actor, work = require_signed_in(), current_work()
    asked = {name: request.args.get(name, "") for name in FILTERS}
    asked = {name: value if value in FILTERS[name] else "" for name, value in asked.items()}
    text = request.args.get("q", "")[:200]
    page = queries.list_organisations(work, text=text, **asked, number=read_page_number())
    labels = {
        "region": (gettext("Region"), gettext("All regions")),
        "sector": (gettext("Sector"), gettext("All sectors")),
        "function": (gettext("Function"), gettext("All functions")),
        "scope": (gettext("Scope"), gettext("All scopes")),
        "role": (gettext("Role"), gettext("All roles")),
    }
    return render(
        "directory.html",
        form=Form({"q": text, **asked}, is_posted=False),
        filters=[
            (name, *labels[name], [("", labels[name][1]), *((one, word(one)) for one in values)])
            for name, values in FILTERS.items()
        ],
        is_filtered=bool(text or any(asked.values())),
        page=page,
        may_edit=has_role(actor, people.ADMINISTRATORS),
    )


def show_organisation(slug: str) -> Any:
    actor, work = require_signed_in(), current_work()
    row = people.get_organisation(work, slug)
    return render(
        "organisation.html",
        organisation=row,
        persons=directory.list_members(work, row.id),
        groups=directory.list_groups_of(work, row.id),
        may_edit=has_role(actor, people.ADMINISTRATORS),
    )


def show_people() -> Any:
    actor, work = require_signed_in(), current_work()
    text, role = request.args.get("q", "")[:200], request.args.get("role", "")
    role = role if role in GLOBAL_ROLES else ""
    return render(
        "people.html",
        form=Form({"q": text, "role": role}, is_posted=False),
        choices=[("", gettext("All roles")), *((one, word(one)) for one in GLOBAL_ROLES)],
        is_filtered=bool(text or role),
        page=directory.list_persons(work, text=text, role=role, number=read_page_number()),
        may_edit=has_role(actor, people.ADMINISTRATORS),
    )


def show_groups() -> Any:
    require_signed_in()
    return render("groups.html", groups=directory.list_groups(current_work()))


ROUTES = (
    Route("/directory", "directory", show_directory),
    Route("/directory/people", "people", show_people),
    Route("/directory/groups", "groups", show_groups),
    Route("/directory/organisations/<slug>", "organisation", show_organisation),
    *directory_forms.ROUTES,
)
