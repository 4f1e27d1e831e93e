"""Does a workflow that can be read make sense as a whole? What `workflow check` says beyond `reading`."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from r2pflow.domain.conditions import COMBINATIONS
from r2pflow.domain.definition import TIMER, State, Test, Workflow
from r2pflow.domain.people import LANGUAGES, Electorate, Titles
from r2pflow.domain.problems import ERROR, WARNING, Placed, Problem, make_problem
from r2pflow.domain.schedule import parse_duration
from r2pflow.domain.way_checking import check_ways
from r2pflow.domain.ways import Ways, can_all_hold

__all__ = ["ERROR", "WARNING", "Problem", "check"]


def check(workflow: Workflow) -> list[Problem]:
    """Return all problems, errors first, then by line."""
    found = [
        *check_ways(workflow),
        *_check_timers(workflow),
        *_check_permissions(workflow),
        *_check_worklists(workflow),
        *_check_ballots(workflow),
        *_check_roles(workflow),
        *_check_titles(workflow),
    ]
    return sorted(found, key=lambda problem: (problem.severity != ERROR, problem.line, problem.column))


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
            yield make_problem(ERROR, "unknown_transition", timer, message)
            continue
        if TIMER not in transition.triggers:
            message = f"the timer of {state.name} fires {timer.fire}, which lacks `timer` among its triggers"
            yield make_problem(ERROR, "timer_not_a_trigger", timer, message)
        if state.name not in transition.sources:
            message = f"the timer of {state.name} fires {timer.fire}, which does not leave that state"
            yield make_problem(ERROR, "timer_from_elsewhere", timer, message)
        for ahead in timer.remind:
            if _is_surely_longer(ahead, timer.after):
                message = f"the timer of {state.name} is to remind {ahead} ahead, but runs for {timer.after} only"
                yield make_problem(WARNING, "reminder_too_early", timer, message)
    for transition in workflow.transitions.values():
        if TIMER in transition.triggers and transition.name not in fired:
            message = f"no timer fires the transition {transition.name}, though `timer` is among its triggers"
            yield make_problem(WARNING, "trigger_without_timer", transition, message)


def _is_surely_longer(left: str, right: str) -> bool:
    """Tell whether one duration is at least as long as the other, whatever months they fall in."""
    a, b = parse_duration(left), parse_duration(right)
    shortest = timedelta(days=28 * a.months + 7 * a.weeks + a.days) + a.exact
    longest = timedelta(days=31 * b.months + 7 * b.weeks + b.days) + b.exact
    return shortest >= longest


def _check_permissions(workflow: Workflow) -> Iterator[Problem]:
    stands_behind = "view" not in workflow.named_permissions()
    if stands_behind:
        message = "nothing says who may view, so that this workflow can only stand behind another in a chain"
        yield Problem(WARNING, "only_further", message, line=1, column=1)
    for state in workflow.states.values():
        if not stands_behind and not workflow.holders(state.name, "view"):
            if any(workflow.means.get(name, name) == "view" for name in state.inherit):
                message = f"only those may view a document in the state {state.name} to whom a dossier above grants it"
                yield make_problem(WARNING, "seen_from_above", state, message)
            else:
                message = f"nobody may view a document in the state {state.name}"
                yield make_problem(ERROR, "invisible_state", state, message)
        if state.text == "open" and not workflow.holders(state.name, "edit"):
            message = f"the text is open in the state {state.name}, but nobody may edit it"
            yield make_problem(WARNING, "nobody_edits", state, message)
        if state.comments is not None and not workflow.holders(state.name, "comment"):
            message = f"a comment round opens in the state {state.name}, but nobody may comment"
            yield make_problem(WARNING, "nobody_comments", state, message)


def _check_worklists(workflow: Workflow) -> Iterator[Problem]:
    ways = Ways(workflow)
    for worklist in workflow.worklists.values():
        permissions = worklist.guard.permissions
        empty = [state for state in worklist.states if permissions and not ways.has_holder(state, permissions)]
        if empty:
            told = f"nobody holds {' or '.join(permissions)} in {', '.join(empty[:5])}"
            message = f"the worklist {worklist.name} shows nobody what is there: {told}"
            yield make_problem(WARNING, "worklist_for_nobody", worklist, message)
        if not can_all_hold((*worklist.guard.require, *worklist.where)):
            message = f"the worklist {worklist.name} is always empty: its conditions contradict one another"
            yield make_problem(WARNING, "empty_worklist", worklist, message)


def _check_ballots(workflow: Workflow) -> Iterator[Problem]:
    for state in workflow.states.values():
        if not state.ballot:
            continue
        if state.ballot not in workflow.ballots:
            message = f"the state {state.name} opens the ballot {state.ballot}, which is not defined"
            yield make_problem(ERROR, "unknown_ballot", state, message)
        if state.text == "open":
            message = f"the text is open in the state {state.name}, though its ballot is sealed to the text"
            yield make_problem(ERROR, "ballot_on_open_text", state, message)
        if not workflow.holders(state.name, "decide"):
            message = f"a ballot opens in the state {state.name}, but nobody may decide"
            yield make_problem(WARNING, "nobody_decides", state, message)
    used = {state.ballot for state in workflow.states.values()}
    for ballot in workflow.ballots.values():
        if ballot.name not in used:
            yield make_problem(WARNING, "unused_ballot", ballot, f"no state opens the ballot {ballot.name}")
    for transition in workflow.transitions.values():
        if not _asks_ballot(transition.guard.require):
            continue
        for source in transition.sources:
            if source in workflow.states and not workflow.states[source].ballot:
                message = f"{transition.name} asks for a ballot, but the state {source} opens none"
                yield make_problem(WARNING, "no_ballot_to_ask", transition, message)


def _asks_ballot(tests: Iterable[Test]) -> bool:
    return any(
        _asks_ballot(test.tests) if test.kind in COMBINATIONS else test.kind == "named" and test.name == "ballot"
        for test in tests
    )


def _check_roles(workflow: Workflow) -> Iterator[Problem]:
    """Warn of declared roles that nothing names: whoever is given one may do no more than before."""
    used = set(workflow.bypass)
    for grants in (workflow.permissions, *(state.grants for state in workflow.states.values())):
        used.update(role for roles in grants.values() for role in roles)
    guards = [one.guard for one in workflow.transitions.values()]
    guards += [one.guard for one in workflow.worklists.values()]
    used.update(role for guard in guards for role in guard.roles)
    used.update(state.comments.audience for state in workflow.states.values() if state.comments is not None)
    for ballot in workflow.ballots.values():
        tracked = (ballot.fast_track or {}).values()
        used.update(one.role for one in (ballot.electorate, *tracked) if isinstance(one, Electorate))
    known = workflow.counting_roles(used)
    for role in workflow.roles:
        if role not in known:
            line, column = workflow.places.get(role, (0, 0))
            message = f"the role {role} is declared, but nothing in the workflow asks for it or grants it anything"
            yield Problem(WARNING, "unused_role", message, line, column)


def _check_titles(workflow: Workflow) -> Iterator[Problem]:
    first = next(iter(workflow.states.values()), State(""))
    top = State("", line=min(first.line, 1), column=first.line and 1)
    named: list[tuple[str, Titles, Placed]] = [(f"the workflow {workflow.name}", workflow.title, top)]
    named += [(f"the state {state.name}", state.title, state) for state in workflow.states.values()]
    named += [(f"the transition {t.name}", t.title, t) for t in workflow.transitions.values()]
    named += [(f"the ballot {ballot.name}", ballot.title, ballot) for ballot in workflow.ballots.values()]
    named += [(f"the worklist {w.name}", w.title, w) for w in workflow.worklists.values()]
    for told, title, at in named:
        missing = [language for language in LANGUAGES if not title.by_language.get(language)]
        if missing:
            yield make_problem(WARNING, "missing_title", at, f"{told} has no title in {', '.join(missing)}")
