"""Say what may be fired, why not, and fire it. Pure: the caller brings the facts and writes the outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from r2pflow.domain.conditions import Condition, evaluate, parts_needed
from r2pflow.domain.definition import AUTOMATIC, STAY, TIMER, USER, EffectCall, Guard, Transition, Workflow
from r2pflow.domain.errors import NotFound, Refusal, Refused
from r2pflow.domain.facts import Facts
from r2pflow.domain.machine import machine_for
from r2pflow.domain.people import ANONYMOUS, AUTHENTICATED, THE_SYSTEM, Actor

MAX_AUTOMATIC_CHAIN = 20


@dataclass(frozen=True)
class Offer:
    """A transition that leaves the present state by hand, where it leads, and all that stands in its way."""

    transition: Transition
    to: str
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_fireable(self) -> bool:
        """Tell whether nothing stands in its way; a required comment is still to be asked for."""
        return not self.refusals


@dataclass(frozen=True)
class Outcome:
    """What firing came to. `entered` is false for `to: stay`: round, ballot and timer of the state go on."""

    transition: Transition
    source: str
    target: str
    trigger: str
    bypassed: bool = False
    comment: str = ""

    @property
    def effects(self) -> tuple[EffectCall, ...]:
        return self.transition.effects

    @property
    def entered(self) -> bool:
        return self.transition.to != STAY


@dataclass(frozen=True)
class Who:
    """Who could fire a transition: someone of each set that is not empty, or someone of `bypass`.

    `permission_roles` are the roles that hold one of `permissions` in the state; that set asks something only
    when `permissions` does, and then may be empty: nobody.
    """

    permissions: tuple[str, ...]
    permission_roles: frozenset[str]
    roles: frozenset[str]
    groups: frozenset[str]
    bypass: frozenset[str]
    triggers: tuple[str, ...]


def get_transition(workflow: Workflow, name: str) -> Transition:
    """Return the transition; refuse with NotFound."""
    found = workflow.transitions.get(name)
    if found is None:
        raise NotFound("unknown_transition", transition=name, workflow=workflow.name)
    return found


def roles_of(workflow: Workflow, actor: Actor) -> frozenset[str]:
    """Return the roles that count for the actor in this workflow: its own, their aliases, and `anonymous`."""
    return _counting(workflow, actor.roles, actor.person_id is not None)


def _counting(workflow: Workflow, roles: Iterable[str], is_signed_in: bool = False) -> frozenset[str]:
    extra = (ANONYMOUS, AUTHENTICATED) if is_signed_in else (ANONYMOUS,)
    return workflow.counting_roles((*roles, *extra))


def holds(workflow: Workflow, state: str, permission: str, roles: Iterable[str]) -> bool:
    """Tell whether one of the roles holds the permission in the state; what `anonymous` holds, all do."""
    return not _counting(workflow, roles).isdisjoint(workflow.holders(state, permission))


def who_could(workflow: Workflow, state: str, transition: str) -> Who:
    """Return who could fire the transition in that state, conditions aside."""
    found = get_transition(workflow, transition)
    permissions = found.guard.permissions
    holders = frozenset[str]().union(*(workflow.holders(state, permission) for permission in permissions))
    return Who(
        permissions=permissions,
        permission_roles=holders,
        roles=workflow.counting_roles(found.guard.roles),
        groups=frozenset(found.guard.groups),
        bypass=workflow.counting_roles(workflow.bypass),
        triggers=found.triggers,
    )


def may_bypass(workflow: Workflow, actor: Actor) -> bool:
    """Tell whether guards ask nothing of the actor; each use of that is written into the history."""
    return bool(workflow.bypass) and not roles_of(workflow, actor).isdisjoint(workflow.counting_roles(workflow.bypass))


def explain(
    workflow: Workflow,
    name: str,
    *,
    state: str,
    actor: Actor,
    facts: Facts,
    conditions: Mapping[str, Condition],
    comment: str | None = None,
    trigger: str = USER,
) -> tuple[Refusal, ...]:
    """Return every reason why the transition cannot be fired; none means that it can."""
    transition = get_transition(workflow, name)
    found: list[Refusal] = []
    if state not in transition.sources:
        found.append(Refusal("wrong_state", {"state": state, "accepted": list(transition.sources)}))
    if trigger not in transition.triggers:
        found.append(Refusal("not_this_trigger", {"trigger": trigger, "accepted": list(transition.triggers)}))
    acts_as_system = _acts_as_system(actor, trigger)
    if not acts_as_system:
        is_blank = comment is None or not comment.strip()
        if transition.comment == "required" and is_blank:
            found.append(Refusal("comment_required"))
        if transition.comment == "none" and not is_blank:
            found.append(Refusal("comment_not_allowed"))
    return (*found, *_guard_refusals(workflow, transition, state, actor, facts, conditions, acts_as_system))


def available(
    workflow: Workflow, *, state: str, actor: Actor, facts: Facts, conditions: Mapping[str, Condition]
) -> tuple[Offer, ...]:
    """Return an offer for every transition that leaves the state by hand, refused ones too, in file order."""
    return tuple(
        Offer(
            transition,
            transition.target(state),
            _guard_refusals(workflow, transition, state, actor, facts, conditions, actor.is_system),
        )
        for transition in workflow.transitions_from(state)
        if USER in transition.triggers
    )


def fire(
    workflow: Workflow,
    name: str,
    *,
    state: str,
    actor: Actor,
    facts: Facts,
    conditions: Mapping[str, Condition],
    comment: str | None = None,
    trigger: str = USER,
) -> Outcome:
    """Fire through the workflow's machine; refuse with Refused, which carries all refusals."""
    transition = get_transition(workflow, name)
    refusals: tuple[Refusal, ...] = ()

    def admits() -> bool:
        nonlocal refusals
        refusals = explain(
            workflow,
            name,
            state=state,
            actor=actor,
            facts=facts,
            conditions=conditions,
            comment=comment,
            trigger=trigger,
        )
        return not refusals

    target = machine_for(workflow).fire(name, state, admits)
    if target is None:
        if not refusals:  # the machine knows no such way from here, and never asked the guard
            admits()
        raise Refused(name, refusals)
    bypassed = transition.guard != Guard() and not _acts_as_system(actor, trigger)
    return Outcome(
        transition, state, target, trigger, bypassed and may_bypass(workflow, actor), (comment or "").strip()
    )


def next_automatic(
    workflow: Workflow, *, state: str, facts: Facts, conditions: Mapping[str, Condition]
) -> Transition | None:
    """Return the first automatic transition from the state whose `require` holds, in file order.

    The caller fires it as THE_SYSTEM, gathers facts anew, asks again, and stops after MAX_AUTOMATIC_CHAIN.
    """
    for transition in workflow.transitions_from(state):
        if AUTOMATIC in transition.triggers and not evaluate(transition.guard.require, facts, THE_SYSTEM, conditions):
            return transition
    return None


def needs(workflow: Workflow, names: Iterable[str], conditions: Mapping[str, Condition]) -> frozenset[str]:
    """Return the parts of Facts that the guards of these transitions read."""
    tests = (test for name in names for test in get_transition(workflow, name).guard.require)
    return parts_needed(tests, conditions)


def refuse_person(workflow: Workflow, transition: Transition, state: str, actor: Actor) -> tuple[Refusal, ...]:
    """Return what the actor lacks to fire the transition in that state, conditions aside."""
    if actor.is_system or may_bypass(workflow, actor):
        return ()
    return _who_refusals(workflow, transition.guard, state, actor)


def _acts_as_system(actor: Actor, trigger: str) -> bool:
    return actor.is_system or trigger in (TIMER, AUTOMATIC)


def _guard_refusals(
    workflow: Workflow,
    transition: Transition,
    state: str,
    actor: Actor,
    facts: Facts,
    conditions: Mapping[str, Condition],
    acts_as_system: bool,
) -> tuple[Refusal, ...]:
    if acts_as_system:
        return evaluate(transition.guard.require, facts, actor, conditions)
    if may_bypass(workflow, actor):
        return ()
    who = _who_refusals(workflow, transition.guard, state, actor)
    return (*who, *evaluate(transition.guard.require, facts, actor, conditions))


def _who_refusals(workflow: Workflow, guard: Guard, state: str, actor: Actor) -> tuple[Refusal, ...]:
    found: list[Refusal] = []
    roles = roles_of(workflow, actor)
    if guard.permissions and not any(
        not roles.isdisjoint(workflow.holders(state, permission)) for permission in guard.permissions
    ):
        holders = frozenset[str]().union(*(workflow.holders(state, p) for p in guard.permissions))
        found.append(Refusal("no_permission", {"permissions": list(guard.permissions), "holders": sorted(holders)}))
    if guard.roles and roles.isdisjoint(workflow.counting_roles(guard.roles)):
        found.append(Refusal("no_role", {"roles": list(guard.roles)}))
    if guard.groups and actor.groups.isdisjoint(guard.groups):
        found.append(Refusal("no_group", {"groups": list(guard.groups)}))
    return tuple(found)
