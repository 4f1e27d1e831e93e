"""Moving running documents to another version of their workflow: what would become of each, and doing it."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, request

from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import InvalidInput, NotFound, R2PFlowError, Refused
from r2pflow.services.definitions import list_uses, list_workflows
from r2pflow.services.migrating import Move, Plan, Wish, migrate_document, plan_migration
from r2pflow.services.people import ADMINISTRATORS
from r2pflow.services.queries import Page
from r2pflow.web.auth import current_work, require_role, undo_work
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form
from r2pflow.web.i18n import N_, gettext, ngettext, title_of
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.sentences import sentence
from r2pflow.web.words import word

AT_ONCE = 100
"""So many documents move by one press of the button."""

DEADLINES = {
    "kept": N_("its deadline stays"),
    "ended": N_("its deadline ends"),
    "begun": N_("its deadline is counted anew"),
}


def migrate(name: str) -> Any:
    actor, work = require_role(*ADMINISTRATORS), current_work()
    given = request.form if request.method == "POST" else request.args
    form = Form(given.to_dict(), is_posted=request.method == "POST")
    known = {one.name: one for one in list_workflows(work)}
    uses = [use for use in list_uses(work) if use.workflow == name]
    if name not in known:
        raise NotFound("workflow_not_found", workflow=name)
    mapping = {key.removeprefix("map-"): value for key, value in _query(form).items() if key.startswith("map-")}
    wish = Wish(name, form.text("to"), mapping, form.text("from"))
    plan: Plan | None = None
    try:
        plan = plan_migration(work, actor, wish)
    except (InvalidInput, NotFound) as error:
        form.refuse(error)
    if plan and form.is_posted:
        moved, failed = _apply(plan)
        tell(ngettext("%(num)s document was moved.", "%(num)s documents were moved.", moved))
        for reference, why in failed:
            tell(f"{reference}: {why}", "error")
        return redirect(url("migrate", name=name, **_query(form)))
    moves = plan.moves if plan else ()
    size = work.settings.page_size
    number = min(read_page_number(), max(1, -(-len(moves) // size)))
    return form.render(
        "workflows/migrate.html",
        title=title_of(known[name].title, word(name)),
        name=name,
        target=plan.target if plan else None,
        page=Page(moves[(number - 1) * size : number * size], len(moves), number, size),
        ready=len(moves) - len(plan.refused) if plan else 0,
        at_once=AT_ONCE,
        tell_move=lambda move: _tell_move(move, plan.target if plan else known[name]),
        hidden=_query(form),
        to_choices=[(one, title_of(known[one].title, word(one))) for one in sorted(work.catalogue.workflows)],
        from_choices=[
            ("", gettext("All versions")),
            *dict.fromkeys((use.digest[:12], f"{use.version} ({use.digest[:12]})") for use in uses),
        ],
        gone=_list_gone(plan, mapping),
        state_choices=_choose_states(plan.target) if plan else [],
    )


def _apply(plan: Plan) -> tuple[int, list[tuple[str, str]]]:
    """Move what can be moved, each document in its own transaction; return how many, and why others did not."""
    actor, work = require_role(*ADMINISTRATORS), current_work()
    moved, failed = 0, []
    for move in [one for one in plan.moves if not one.step.refusals][:AT_ONCE]:
        try:
            migrate_document(work, actor, plan, move)
            work.commit()
            moved += 1
        except R2PFlowError as error:
            undo_work()
            reasons = error.refusals if isinstance(error, Refused) else [error]
            failed.append((move.reference, " ".join(sentence(reason) for reason in reasons)))
    return moved, failed[:4]  # a page shows no more notices


def _query(form: Form) -> dict[str, str]:
    kept = ("to", "from")
    return {key: str(value) for key, value in form.values.items() if value and (key in kept or key.startswith("map-"))}


def _list_gone(plan: Plan | None, mapping: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the states that need another in their place, with their titles."""
    if plan is None:
        return []
    gone: dict[str, str] = {}
    for move in plan.moves:
        if move.step.source not in plan.target.states or move.step.source in mapping:
            gone[move.step.source] = _state_title(move.old, move.step.source)
    return list(gone.items())


def _choose_states(workflow: Workflow) -> list[tuple[str, str]]:
    return [("", "–"), *((name, _state_title(workflow, name)) for name in workflow.states)]


def _state_title(workflow: Workflow, name: str) -> str:
    state = workflow.states.get(name)
    return title_of(state.title, word(name)) if state else word(name)


def _tell_move(move: Move, target: Workflow) -> dict[str, Any]:
    step = move.step
    return {
        "version": f"{title_of(move.old.title, word(move.old.name))} {move.old.version}",
        "source": _state_title(move.old, step.source),
        "target": _state_title(target, step.target) if step.target else "",
        "deadline": gettext(DEADLINES[step.deadline]) if step.deadline in DEADLINES and not step.refusals else "",
        "reasons": [sentence(refusal) for refusal in step.refusals],
    }


ROUTES: tuple[Route, ...] = (Route("/workflows/<name>/migrate", "migrate", migrate, FORM),)
