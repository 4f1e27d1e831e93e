"""What a dossier says for all in it: who holds what states inherit, and which workflows new documents follow."""

import json
from typing import Any

from flask import redirect

from r2pflow.domain.errors import InvalidInput
from r2pflow.services import dossier_rules, sharing
from r2pflow.services.dossier_rules import Policy
from r2pflow.services.foreseeing import foresee_dossier
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.following import tell_following
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, title_of
from r2pflow.web.pages.dossiers import dossier_context, tell_chain
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.sentences import join
from r2pflow.web.words import word

AS_ABOVE, INSTEAD, BESIDE = "-", "instead", "beside"
AS_TYPE = "type"


def edit_grants(slug: str) -> Any:
    """Ask which roles hold which permission, tell what would follow, and save it once that was seen."""
    actor, work = require_signed_in(), current_work()
    row = sharing.get_kept_dossier(work, actor, slug)
    defaults: dict[str, Any] = {}
    for permission, grant in row.grants.items():
        defaults[f"mode-{permission}"] = BESIDE if grant.get("adds") else INSTEAD
        defaults[f"roles-{permission}"] = list(grant["roles"])
    form = read_form(**defaults)
    following, confirmed = None, ""
    if form.is_posted:
        grants = _read_grants(form, dossier_rules.list_grantable(work))
        confirmed = json.dumps(grants, sort_keys=True)
        try:
            if form.text("confirmed") == confirmed or grants == row.grants:
                dossier_rules.save_grants(work, actor, slug, grants)
                work.commit()
                tell(gettext("Saved."))
                return redirect(url("dossier_grants", slug=slug))
            following = foresee_dossier(work, slug, lambda: dossier_rules.save_grants(work, actor, slug, grants))
        except InvalidInput as error:
            form.refuse(error)
    row = sharing.get_kept_dossier(work, actor, slug)
    above = {one: _tell_above(*held) for one, held in dossier_rules.find_granted_above(work, row).items()}
    inheriting = dossier_rules.find_inheriting(work)
    every = dossier_rules.list_grantable(work)
    shown = [one for one in every if one in inheriting or one in row.grants or form.text(f"mode-{one}")]
    return form.render(
        "dossiers/grants.html",
        **dossier_context(row, "grants"),
        permissions=[(one, word(one), above.get(one, ""), _tell_inheriting(inheriting.get(one, []))) for one in shown],
        others=join(word(one) for one in every if one not in shown),
        mode_choices=[
            (AS_ABOVE, gettext("as above")),
            (INSTEAD, gettext("only these roles")),
            (BESIDE, gettext("these roles too, beside those above")),
        ],
        role_choices=[(role, word(role)) for role in dossier_rules.list_grantable_roles(work)],
        following=tell_following(following) if following else None,
        confirmed=confirmed,
    )


def _read_grants(form: Form, permissions: list[str]) -> dict[str, dict[str, Any]]:
    roles = dossier_rules.list_grantable_roles(current_work())
    found: dict[str, dict[str, Any]] = {}
    for permission in permissions:
        mode, chosen = form.text(f"mode-{permission}"), form.chosen(f"roles-{permission}")
        if mode in (INSTEAD, BESIDE):
            known = [role for role in roles if role in chosen]
            unknown = [role for role in chosen if role not in roles]
            found[permission] = {"roles": [*known, *unknown], "adds": mode == BESIDE}
    return found


def _tell_above(roles: list[str], reaches_top: bool) -> str:
    names = join(map(word, roles)) or gettext("nobody")
    if reaches_top:
        return gettext("Granted above: %(roles)s, beside those of the workflow.", roles=names)
    return gettext("Granted above: %(roles)s.", roles=names)


def _tell_inheriting(names: list[str]) -> str:
    workflows = current_work().catalogue.workflows
    return join(title_of(workflows[name].title, name) for name in names)


def edit_policies(slug: str) -> Any:
    """Ask for each document type which workflows new documents follow here, and save it."""
    actor, work = require_signed_in(), current_work()
    row = sharing.get_kept_dossier(work, actor, slug)
    policies = dossier_rules.list_policies(work, row, with_choices=True)
    form = read_form(**{f"policy-{one.type.name}": _as_value(one) for one in policies})
    if form.is_posted:
        chosen = {one.type.name: form.text(f"policy-{one.type.name}") for one in policies}
        said = {name: value for name, value in chosen.items() if value not in ("", AS_ABOVE)}
        wanted = {name: [] if value == AS_TYPE else value.split("+") for name, value in said.items()}
        try:
            dossier_rules.save_policies(work, actor, slug, wanted)
            work.commit()
            tell(gettext("Saved. It applies to new documents; those that are there keep their workflows."))
            return redirect(url("dossier_policies", slug=slug))
        except InvalidInput as error:
            form.refuse(error)
            row = sharing.get_kept_dossier(work, actor, slug)
    return form.render(
        "dossiers/policies.html",
        **dossier_context(row, "policies"),
        fields=[
            (f"policy-{one.type.name}", title_of(one.type.title, one.type.name), _list_choices(one), _tell_now(one))
            for one in policies
        ],
    )


def _tell_now(policy: Policy) -> str:
    return gettext("Followed now: %(workflows)s.", workflows=tell_chain(policy.chain))


def _as_value(policy: Policy) -> str:
    if policy.own is None:
        return AS_ABOVE
    return "+".join(policy.own) or AS_TYPE


def _list_choices(policy: Policy) -> list[tuple[str, str]]:
    above = tell_chain(policy.above)
    if policy.place is None:
        first = gettext("as the type says: %(workflows)s", workflows=above)
        choices = [(AS_ABOVE, first)]
    else:
        place = title_of(policy.place.titles, policy.place.slug)
        first = gettext("as in the dossier “%(place)s”: %(workflows)s", place=place, workflows=above)
        chain = tell_chain(policy.type.chain)
        choices = [(AS_ABOVE, first), (AS_TYPE, gettext("as the type says: %(workflows)s", workflows=chain))]
    if policy.own == () and policy.place is None:
        choices.append((AS_TYPE, gettext("as the type says, whatever dossiers above come to say")))
    return [*choices, *(("+".join(chain), tell_chain(chain)) for chain in policy.choices)]


ROUTES: tuple[Route, ...] = (
    Route("/dossiers/<slug>/permissions", "dossier_grants", edit_grants, FORM),
    Route("/dossiers/<slug>/workflows", "dossier_policies", edit_policies, FORM),
)
