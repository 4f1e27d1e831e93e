"""Workflows: who may do what at which stage, what leads from one to the next, and how ballots decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from r2pflow.domain.definition import AUTOMATIC, STAY, TIMER, USER, DocumentType, State, Transition, Workflow
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES
from r2pflow.outputs import rules
from r2pflow.outputs.diagrams import Marks
from r2pflow.outputs.translations import translator
from r2pflow.services import lineage
from r2pflow.services.definitions import list_workflows
from r2pflow.services.standing import lay_way
from r2pflow.web import ruling
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.i18n import gettext, join_parts, language, title_of
from r2pflow.web.pagination import read_page_number
from r2pflow.web.picturing import show_workflow as show_picture
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route
from r2pflow.web.sentences import join
from r2pflow.web.words import word


@dataclass(frozen=True)
class ToldState:
    """One stage in words; `holders` are the roles by permission; `steps` lead on from it."""

    state: State
    title: str
    number: int
    is_main: bool
    count: int
    notes: tuple[str, ...]
    holders: Mapping[str, str]
    steps: tuple[tuple[str, str], ...]  # title of the transition, of the stage it leads to


@dataclass(frozen=True)
class ToldTransition:
    """One transition in words."""

    transition: Transition
    title: str
    sources: str
    target: str
    triggers: str
    who: str
    conditions: tuple[str, ...]
    effects: tuple[str, ...]


def show_workflows() -> Any:
    actor, work = require_signed_in(), current_work()
    counts = lineage.count_by_workflow(work, actor)
    types = work.catalogue.types.values()
    return render(
        "workflows/list.html",
        workflows=[
            {
                "workflow": workflow,
                "title": title_of(workflow.title, word(workflow.name)),
                "description": title_of(workflow.description),
                "way": _lay_main(workflow),
                "types": join(title_of(one.title, one.name) for one in types if workflow.name in one.chain),
                "accent": find_accent(types, workflow.name),
                "count": counts.get(workflow.name, 0),
            }
            for workflow in list_workflows(work)
        ],
    )


def find_accent(types: Iterable[DocumentType], workflow: str) -> str:
    """Return the colour of the first type of document that runs in a workflow."""
    return next((one.accent for one in types if workflow in one.chain), "slate")


def _lay_main(workflow: Workflow) -> list[str]:
    return [_title(workflow, state) for state, _ in lay_way(workflow, [workflow.initial])]


def _title(workflow: Workflow, state: str) -> str:
    known = workflow.states.get(state)
    return title_of(known.title, word(state)) if known else word(state)


def show_workflow(name: str) -> Any:
    actor, work = require_signed_in(), current_work()
    workflow = lineage.get_newest(work, name)
    standing = lineage.count_standing(work, actor, name)
    counts: dict[str, int] = {}
    for (_, state), number in standing.items():
        counts[state] = counts.get(state, 0) + number
    types = [one for one in work.catalogue.types.values() if name in one.chain]
    fields = {field.name: field.title for one in types for field in one.fields}
    main = [state for state, _ in lay_way(workflow, [workflow.initial])]
    order = [*main, *(state for state in workflow.states if state not in main)]
    permissions = [
        permission
        for permission in BUILT_IN_PERMISSIONS
        if any(workflow.holders(state, permission) for state in workflow.states)
    ]
    return render(
        "workflows/workflow.html",
        workflow=workflow,
        title=title_of(workflow.title, word(name)),
        description=title_of(workflow.description),
        types=join(title_of(one.title, one.name) for one in types),
        accent=find_accent(types, name),
        states=[
            _tell_state(workflow, state, place, state in main, counts.get(state, 0), permissions)
            for place, state in enumerate(order, 1)
        ],
        permissions=permissions,
        transitions=[_tell_transition(workflow, one, fields) for one in workflow.transitions.values()],
        ballots=[
            (ruling.tell_ballot_title(workflow, one.name), ruling.tell_terms(one), ruling.tell_rule(one.rule))
            for one in workflow.ballots.values()
        ],
        bypass=join(word(role) for role in workflow.bypass),
        picture=show_picture(workflow, _mark(workflow, counts)),
        counts=[(one, _title(workflow, one), counts[one]) for one in dict.fromkeys((*order, *counts)) if one in counts],
        by_role=_tell_roles(workflow, order, permissions) if request.args.get("by") == "role" else [],
        versions=lineage.list_versions(work, name, standing, read_page_number()),
    )


def _mark(workflow: Workflow, counts: Mapping[str, int]) -> Marks:
    return Marks(counts=counts, state_links={name: f"#state-{name}" for name in workflow.states})


def _tell_roles(workflow: Workflow, order: list[str], permissions: list[str]) -> list[tuple[str, list[str]]]:
    """Return the same matrix the other way round: each role, and what it may in each state."""
    held = {(state, permission): workflow.holders(state, permission) for state in order for permission in permissions}
    roles = dict.fromkeys(
        role for role in (*BUILT_IN_ROLES, *workflow.roles) if any(role in one for one in held.values())
    )
    rest = sorted({role for one in held.values() for role in one} - roles.keys())
    return [
        (
            ruling.capitalise(word(role)),
            [join(word(name) for name in permissions if role in held[state, name]) for state in order],
        )
        for role in (*roles, *rest)
    ]


def _tell_state(
    workflow: Workflow, name: str, number: int, is_main: bool, count: int, permissions: list[str]
) -> ToldState:
    state = workflow.states[name]
    return ToldState(
        state=state,
        title=_title(workflow, name),
        number=number,
        is_main=is_main,
        count=count,
        notes=tuple(_note(workflow, state)),
        holders={
            permission: join(sorted(word(role) for role in workflow.holders(name, permission)))
            for permission in permissions
        },
        steps=tuple(
            (title_of(one.title, word(one.name)), _title(workflow, one.target(name)))
            for one in workflow.transitions_from(name)
            if one.to != STAY
        ),
    )


def _note(workflow: Workflow, state: State) -> list[str]:
    notes = [gettext("the text can be edited") if state.text == "open" else gettext("the text is frozen")]
    if state.comments:
        notes.append(gettext("comment round for: %(who)s", who=word(state.comments.audience)))
    if state.ballot:
        notes.append(gettext("ballot: %(name)s", name=ruling.tell_ballot_title(workflow, state.ballot)))
    if state.timer:
        fires = workflow.transitions.get(state.timer.fire)
        notes.append(
            gettext(
                "after %(duration)s: %(transition)s",
                duration=ruling.tell_duration(state.timer.after, state.timer.calendar),
                transition=title_of(fires.title, word(fires.name)) if fires else word(state.timer.fire),
            )
        )
    if state.final:
        notes.append(gettext("the way ends here"))
    return notes


def _tell_transition(workflow: Workflow, one: Transition, fields: Mapping[str, Any]) -> ToldTransition:
    guard = one.guard
    registry = current_work().catalogue.registry
    who = []
    if USER in one.triggers:
        if guard.roles:
            who.append(join(word(role) for role in guard.roles))
        if guard.permissions:
            who.append(gettext("who may %(permissions)s", permissions=join(word(name) for name in guard.permissions)))
        if guard.groups:
            who.append(gettext("members of %(groups)s", groups=join(guard.groups)))
    triggers = [
        text
        for trigger, text in (
            (USER, gettext("by hand")),
            (AUTOMATIC, gettext("by itself, as soon as it can")),
            (TIMER, gettext("at its deadline")),
        )
        if trigger in one.triggers
    ]
    conditions = [ruling.tell_test(test, registry, fields) for test in guard.require]
    if one.comment == "required":
        conditions.append(gettext("a word says why"))
    return ToldTransition(
        transition=one,
        title=title_of(one.title, word(one.name)),
        sources=join(_title(workflow, state) for state in one.sources),
        target=gettext("stays") if one.to == STAY else _title(workflow, one.to),
        triggers=ruling.capitalise(join(triggers)),
        who=ruling.capitalise(join_parts(who)),
        conditions=tuple(ruling.capitalise(text) for text in conditions),
        effects=tuple(ruling.capitalise(rules.tell_effect(effect, translator(language()))) for effect in one.effects),
    )


ROUTES: tuple[Route, ...] = (
    Route("/workflows", "workflows", show_workflows),
    Route("/workflows/<name>", "workflow", show_workflow),
)
