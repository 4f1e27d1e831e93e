"""What changed between two versions of a workflow, as a list; empty exactly where both mean and say the same.

Who may do what is compared by what holds in the end (`Workflow.holders`), not by how it is written: a grant that moves
from the states to `permissions` is no change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from r2pflow.domain.definition import BallotDef, Guard, State, Transition, Workflow, WorklistDef
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, Titles

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
WORKFLOW, STATE, TRANSITION, BALLOT, WORKLIST = "workflow", "state", "transition", "ballot", "worklist"


@dataclass(frozen=True)
class Change:
    """One difference.

    `part` is what it concerns: workflow, state, transition, ballot or worklist, and `name` which one. `aspect` is what
    of it: empty for the whole thing, else

    - of a state: grant, inherit, text, final, comments, timer, ballot, title, description;
    - of a transition: source, target, trigger, permission, role, group, require, comment, effect, title, description;
    - of a ballot: electorate, position, rule, reason_required, open_for, calendar, silence, close_early, secrecy,
      fast_track, title;
    - of a worklist: state, permission, role, group, require, where, title;
    - of the workflow: initial, default, role, alias, means, bypass, order, title, description.

    `how` is added, removed or changed. `old` and `new` are the values where there are any: a name, a Test, an
    EffectCall, a Timer, a text in all languages. Of grants and defaults `permission` names the permission, and the
    value is the role.
    """

    part: str
    name: str
    aspect: str
    how: str
    old: Any = None
    new: Any = None
    permission: str = ""


def compare(old: Workflow, new: Workflow) -> tuple[Change, ...]:
    """Return what changed from one version to the other: first of the workflow, then state by state, and so on."""
    return tuple(
        [
            *_compare_whole(old, new),
            *_compare_states(old, new),
            *_compare_transitions(old, new),
            *_compare_ballots(old, new),
            *_compare_worklists(old, new),
        ]
    )


def find_touched(changes: Iterable[Change], part: str) -> frozenset[str]:
    """Return the names of the states, transitions, ballots or worklists that are in both versions, but not alike."""
    return frozenset(one.name for one in changes if one.part == part and one.aspect)


def _compare_whole(old: Workflow, new: Workflow) -> Iterator[Change]:
    yield from _values(WORKFLOW, new.name, ("title", "description", "initial"), old, new)
    yield from _members(WORKFLOW, new.name, "role", old.roles, new.roles)
    yield from _members(WORKFLOW, new.name, "alias", old.aliases.items(), new.aliases.items())
    yield from _members(WORKFLOW, new.name, "means", old.means.items(), new.means.items())
    yield from _members(WORKFLOW, new.name, "bypass", old.bypass, new.bypass)
    for permission in dict.fromkeys((*old.permissions, *new.permissions)):
        before, after = old.permissions.get(permission), new.permissions.get(permission)
        yield from _members(WORKFLOW, new.name, "default", before or (), after or (), permission)
    for part, names in (("state", (old.states, new.states)), ("transition", (old.transitions, new.transitions))):
        before_all, after_all = names
        before_kept = [name for name in before_all if name in after_all]
        after_kept = [name for name in after_all if name in before_all]
        if before_kept != after_kept:
            yield Change(WORKFLOW, new.name, "order", CHANGED, part, part)


def _compare_states(old: Workflow, new: Workflow) -> Iterator[Change]:
    for name, before, after in _pairs(old.states, new.states):
        if before is None or after is None:
            yield Change(STATE, name, "", ADDED if before is None else REMOVED)
            continue
        yield from _values(STATE, name, ("title", "description", "text", "final"), before, after)
        yield from _compare_grants(old, new, name)
        yield from _members(STATE, name, "inherit", before.inherit, after.inherit)
        yield from _optional(STATE, name, ("comments", "timer", "ballot"), before, after)


def _compare_grants(old: Workflow, new: Workflow, state: str) -> Iterator[Change]:
    written = (*_permissions(old, old.states[state]), *_permissions(new, new.states[state]))
    for permission in dict.fromkeys((*BUILT_IN_PERMISSIONS, *written)):
        before, after = old.holders(state, permission), new.holders(state, permission)
        yield from _members(STATE, state, "grant", sorted(before), sorted(after), permission)


def _permissions(workflow: Workflow, state: State) -> Iterator[str]:
    """Yield the permissions of other names than the built-in ones that a state knows, unless they mean one of these."""
    for permission in (*state.grants, *workflow.permissions):
        if workflow.means.get(permission, permission) not in BUILT_IN_PERMISSIONS:
            yield permission


def _compare_transitions(old: Workflow, new: Workflow) -> Iterator[Change]:
    for name, before, after in _pairs(old.transitions, new.transitions):
        if before is None or after is None:
            yield Change(TRANSITION, name, "", ADDED if before is None else REMOVED)
            continue
        yield from _values(TRANSITION, name, ("title", "description"), before, after)
        yield from _members(TRANSITION, name, "source", before.sources, after.sources)
        if before.to != after.to:
            yield Change(TRANSITION, name, "target", CHANGED, before.to, after.to)
        yield from _members(TRANSITION, name, "trigger", before.triggers, after.triggers)
        yield from _guards(TRANSITION, name, before.guard, after.guard)
        yield from _values(TRANSITION, name, ("comment",), before, after)
        yield from _members(TRANSITION, name, "effect", before.effects, after.effects)


def _compare_ballots(old: Workflow, new: Workflow) -> Iterator[Change]:
    for name, before, after in _pairs(old.ballots, new.ballots):
        if before is None or after is None:
            yield Change(BALLOT, name, "", ADDED if before is None else REMOVED)
            continue
        yield from _values(BALLOT, name, ("title", "electorate"), before, after)
        yield from _members(BALLOT, name, "position", before.positions, after.positions)
        yield from _values(BALLOT, name, ("rule",), before, after)
        yield from _members(BALLOT, name, "reason_required", before.reason_required, after.reason_required)
        terms = ("open_for", "calendar", "silence", "close_early", "secrecy", "fast_track")
        yield from _values(BALLOT, name, terms, before, after)


def _compare_worklists(old: Workflow, new: Workflow) -> Iterator[Change]:
    for name, before, after in _pairs(old.worklists, new.worklists):
        if before is None or after is None:
            yield Change(WORKLIST, name, "", ADDED if before is None else REMOVED)
            continue
        yield from _values(WORKLIST, name, ("title",), before, after)
        yield from _members(WORKLIST, name, "state", before.states, after.states)
        yield from _guards(WORKLIST, name, before.guard, after.guard)
        yield from _members(WORKLIST, name, "where", before.where, after.where)


def _guards(part: str, name: str, before: Guard, after: Guard) -> Iterator[Change]:
    yield from _members(part, name, "permission", before.permissions, after.permissions)
    yield from _members(part, name, "role", before.roles, after.roles)
    yield from _members(part, name, "group", before.groups, after.groups)
    yield from _members(part, name, "require", before.require, after.require)


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each name with what it means in both: in the order of the new version, what is gone at the end."""
    for name in dict.fromkeys((*new, *old)):
        yield name, old.get(name), new.get(name)


def _members(
    part: str, name: str, aspect: str, old: Iterable[Any], new: Iterable[Any], permission: str = ""
) -> Iterator[Change]:
    """Yield what one has that the other lacks. They may be unhashable; how often and in which order says nothing."""
    before, after = list(old), list(new)
    for one in before:
        if one not in after:
            yield Change(part, name, aspect, REMOVED, old=one, permission=permission)
    for one in after:
        if one not in before:
            yield Change(part, name, aspect, ADDED, new=one, permission=permission)


Named = Workflow | State | Transition | BallotDef | WorklistDef


def _values(part: str, name: str, aspects: Iterable[str], before: Named, after: Named) -> Iterator[Change]:
    for aspect in aspects:
        old, new = getattr(before, aspect), getattr(after, aspect)
        if old != new and not (isinstance(old, Titles) and dict(old.by_language) == dict(new.by_language)):
            yield Change(part, name, aspect, CHANGED, old, new)


def _optional(part: str, name: str, aspects: Iterable[str], before: State, after: State) -> Iterator[Change]:
    for aspect in aspects:
        old, new = getattr(before, aspect), getattr(after, aspect)
        if old != new:
            yield Change(part, name, aspect, ADDED if not old else REMOVED if not new else CHANGED, old, new)
