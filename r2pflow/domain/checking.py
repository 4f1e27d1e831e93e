"""Does a workflow that can be read make sense as a whole? What `workflow check` says beyond `reading`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from r2pflow.domain.conditions import COMBINATIONS
from r2pflow.domain.definition import AUTOMATIC, TIMER, State, Test, Transition, Workflow
from r2pflow.domain.people import LANGUAGES, Titles

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """Something wrong with a workflow, and where; only errors keep it from being loaded."""

    severity: str
    code: str
    message: str
    line: int = 0
    column: int = 0


class _Placed(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def check(workflow: Workflow) -> list[Problem]:
    """Return all problems, errors first, then by line."""
    found = [
        *_check_ways(workflow),
        *_check_automatic(workflow),
        *_check_timers(workflow),
        *_check_permissions(workflow),
        *_check_ballots(workflow),
        *_check_titles(workflow),
    ]
    return sorted(found, key=lambda problem: (problem.severity != ERROR, problem.line, problem.column))


def _problem(severity: str, code: str, at: _Placed, message: str) -> Problem:
    return Problem(severity, code, message, at.line, at.column)


def _check_ways(workflow: Workflow) -> Iterator[Problem]:
    reached = {workflow.initial}
    waiting = [workflow.initial]
    while waiting:
        state = waiting.pop()
        for transition in workflow.transitions_from(state):
            target = transition.target(state)
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    for state_def in workflow.states.values():
        name = state_def.name
        if name not in reached:
            message = f"the state {name} cannot be reached from {workflow.initial}"
            yield _problem(ERROR, "unreachable_state", state_def, message)
        if not state_def.final and all(t.target(name) == name for t in workflow.transitions_from(name)):
            message = f"no transition leaves the state {name}; add one, or say `final: true`"
            yield _problem(ERROR, "dead_end", state_def, message)
    for transition in workflow.transitions.values():
        if not transition.sources:
            message = f"the transition {transition.name} leaves no state, and can never be fired"
            yield _problem(WARNING, "transition_from_nowhere", transition, message)


def _check_automatic(workflow: Workflow) -> Iterator[Problem]:
    """Refuse circles of automatic transitions, whatever their guards: a guard that always holds would never end."""
    ways = {
        name: [(t.target(name), t) for t in workflow.transitions_from(name) if AUTOMATIC in t.triggers]
        for name in workflow.states
    }
    told: set[frozenset[str]] = set()
    for start in workflow.states:
        path = _find_circle(start, ways)
        if path and frozenset(path) not in told:
            told.add(frozenset(path))
            transition = next(t for target, t in ways[start] if target in path)
            message = f"automatic transitions go round in a circle: {' -> '.join((*path, path[0]))}"
            yield _problem(ERROR, "automatic_cycle", transition, message)


def _find_circle(start: str, ways: dict[str, list[tuple[str, Transition]]]) -> list[str]:
    """Return the states of the shortest circle from the start back to it, or nothing."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for state in waiting:
        for target, _ in ways[state]:
            if target == start:
                path = [state]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target not in came_from:
                came_from[target] = state
                waiting.append(target)
    return []


def _check_timers(workflow: Workflow) -> Iterator[Problem]:
    fired: set[str] = set()
    for state in workflow.states.values():
        timer = state.timer
        if timer is None:
            continue
        fired.add(timer.fire)
        transition = workflow.transitions.get(timer.fire)
        if transition is None:
            message = f"the timer of {state.name} fires {timer.fire}, which is no transition"
            yield _problem(ERROR, "unknown_transition", timer, message)
            continue
        if TIMER not in transition.triggers:
            message = f"the timer of {state.name} fires {timer.fire}, which lacks `timer` among its triggers"
            yield _problem(ERROR, "timer_not_a_trigger", timer, message)
        if state.name not in transition.sources:
            message = f"the timer of {state.name} fires {timer.fire}, which does not leave that state"
            yield _problem(ERROR, "timer_from_elsewhere", timer, message)
    for transition in workflow.transitions.values():
        if TIMER in transition.triggers and transition.name not in fired:
            message = f"no timer fires the transition {transition.name}, though `timer` is among its triggers"
            yield _problem(WARNING, "trigger_without_timer", transition, message)


def _check_permissions(workflow: Workflow) -> Iterator[Problem]:
    named = workflow.named_permissions()
    stands_behind = "view" not in named
    if stands_behind:
        message = "nothing says who may view, so that this workflow can only stand behind another in a chain"
        yield Problem(WARNING, "only_further", message, line=1, column=1)
    for state in workflow.states.values():
        if not stands_behind and not workflow.holders(state.name, "view"):
            message = f"nobody may view a document in the state {state.name}"
            yield _problem(ERROR, "invisible_state", state, message)
        if state.text == "open" and not workflow.holders(state.name, "edit"):
            message = f"the text is open in the state {state.name}, but nobody may edit it"
            yield _problem(WARNING, "nobody_edits", state, message)
        if state.comments is not None and not workflow.holders(state.name, "comment"):
            message = f"a comment round opens in the state {state.name}, but nobody may comment"
            yield _problem(WARNING, "nobody_comments", state, message)
    for transition in workflow.transitions.values():
        permissions = transition.guard.permissions
        for source in transition.sources:
            if stands_behind and not named.issuperset(workflow.means.get(name, name) for name in permissions):
                continue  # the first workflow of the chain says who holds it
            if permissions and not any(workflow.holders(source, name) for name in permissions):
                told = " or ".join(permissions)
                message = f"nobody holds {told} in the state {source}, so nobody can fire {transition.name} there"
                yield _problem(WARNING, "nobody_fires", transition, message)


def _check_ballots(workflow: Workflow) -> Iterator[Problem]:
    for state in workflow.states.values():
        if not state.ballot:
            continue
        if state.ballot not in workflow.ballots:
            message = f"the state {state.name} opens the ballot {state.ballot}, which is not defined"
            yield _problem(ERROR, "unknown_ballot", state, message)
        if state.text == "open":
            message = f"the text is open in the state {state.name}, though its ballot is sealed to the text"
            yield _problem(ERROR, "ballot_on_open_text", state, message)
        if not workflow.holders(state.name, "decide"):
            message = f"a ballot opens in the state {state.name}, but nobody may decide"
            yield _problem(WARNING, "nobody_decides", state, message)
    used = {state.ballot for state in workflow.states.values()}
    for ballot in workflow.ballots.values():
        if ballot.name not in used:
            yield _problem(WARNING, "unused_ballot", ballot, f"no state opens the ballot {ballot.name}")
    for transition in workflow.transitions.values():
        if not _asks_ballot(transition.guard.require):
            continue
        for source in transition.sources:
            if source in workflow.states and not workflow.states[source].ballot:
                message = f"{transition.name} asks for a ballot, but the state {source} opens none"
                yield _problem(WARNING, "no_ballot_to_ask", transition, message)


def _asks_ballot(tests: Iterable[Test]) -> bool:
    return any(
        _asks_ballot(test.tests) if test.kind in COMBINATIONS else test.kind == "named" and test.name == "ballot"
        for test in tests
    )


def _check_titles(workflow: Workflow) -> Iterator[Problem]:
    first = next(iter(workflow.states.values()), State(""))
    top = State("", line=min(first.line, 1), column=first.line and 1)
    named: list[tuple[str, Titles, _Placed]] = [(f"the workflow {workflow.name}", workflow.title, top)]
    named += [(f"the state {state.name}", state.title, state) for state in workflow.states.values()]
    named += [(f"the transition {t.name}", t.title, t) for t in workflow.transitions.values()]
    named += [(f"the ballot {ballot.name}", ballot.title, ballot) for ballot in workflow.ballots.values()]
    named += [(f"the worklist {w.name}", w.title, w) for w in workflow.worklists.values()]
    for told, title, at in named:
        missing = [language for language in LANGUAGES if not title.by_language.get(language)]
        if missing:
            yield _problem(WARNING, "missing_title", at, f"{told} has no title in {', '.join(missing)}")
