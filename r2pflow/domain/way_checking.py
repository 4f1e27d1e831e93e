"""Do the transitions lead everywhere, and away again? By search over all that guards and triggers leave open.

A guard that nobody can pass is a wall here. Only where its permission is one that the workflow names nowhere is the
verdict a warning: workflows that were imported without the defaults of their site lack such names.
"""

from collections.abc import Iterator, Mapping, Sequence

from r2pflow.domain.definition import AUTOMATIC, USER, Transition, Workflow
from r2pflow.domain.engine import MAX_AUTOMATIC_CHAIN
from r2pflow.domain.problems import ERROR, WARNING, Problem, make_problem
from r2pflow.domain.ways import Ways, can_all_hold, everybody

MAX_CIRCLES = 10
"""So many circles are told of one workflow."""
_TOLD = 5  # names in one message
_LONGEST = 12  # states of a circle in one message

Leaving = Mapping[str, Sequence[Transition]]


def check_ways(workflow: Workflow) -> Iterator[Problem]:
    """Yield states that are not reached or not left, transitions that nothing fires, and automatic circles."""
    ways, people = Ways(workflow), everybody(workflow)
    drawn = {state: workflow.transitions_from(state) for state in workflow.states}
    fired = {state: [t for t in some if ways.find_hands(state, t, people)] for state, some in drawn.items()}
    walls = {state: _leave_out(some, fired[state]) for state, some in drawn.items()}
    lax = {state: [*some, *(t for t in walls[state] if _is_undecided(ways, state, t))] for state, some in fired.items()}
    yield from _check_reached(workflow, drawn, lax, fired)
    yield from _check_left(workflow, drawn, lax, fired)
    yield from _check_ends(workflow, lax)
    for state, some in walls.items():
        for transition in some:
            yield from _tell_wall(ways, state, transition)
    yield from _check_automatic(workflow, drawn)
    for transition in workflow.transitions.values():
        if not transition.sources:
            message = f"the transition {transition.name} leaves no state, and can never be fired"
            yield make_problem(WARNING, "transition_from_nowhere", transition, message)


def _leave_out(some: Sequence[Transition], others: Sequence[Transition]) -> list[Transition]:
    names = {one.name for one in others}
    return [one for one in some if one.name not in names]


def _is_undecided(ways: Ways, state: str, transition: Transition) -> bool:
    """Tell whether nobody fires it only because it asks for a permission of which the file says nothing at all."""
    if USER not in transition.triggers or not ways.can_hold(state, transition):
        return False
    return not ways.named.issuperset(ways.workflow.means.get(name, name) for name in transition.guard.permissions)


def _check_reached(workflow: Workflow, drawn: Leaving, lax: Leaving, fired: Leaving) -> Iterator[Problem]:
    on_paper, perhaps, surely = (_spread(workflow, ways) for ways in (drawn, lax, fired))
    for state in workflow.states.values():
        if state.name in surely:
            continue
        message = f"the state {state.name} cannot be reached from {workflow.initial}"
        if state.name in on_paper:
            message += ", for something on the way can never be fired"
        yield make_problem(WARNING if state.name in perhaps else ERROR, "unreachable_state", state, message)


def _spread(workflow: Workflow, ways: Leaving) -> set[str]:
    reached = [workflow.initial]
    seen = {workflow.initial}
    for state in reached:
        for transition in ways.get(state, ()):
            target = transition.target(state)
            if target not in seen:
                seen.add(target)
                reached.append(target)
    return seen


def _check_left(workflow: Workflow, drawn: Leaving, lax: Leaving, fired: Leaving) -> Iterator[Problem]:
    for state in workflow.states.values():
        name = state.name
        if state.final or any(t.target(name) != name for t in fired[name]):
            continue
        message = f"no transition leaves the state {name}; add one, or say `final: true`"
        blocked = [t.name for t in drawn[name] if t.target(name) != name]
        if blocked:
            message = f"no transition leaves the state {name}: {', '.join(blocked[:_TOLD])} can never be fired there"
        is_sure = all(t.target(name) == name for t in lax[name])
        yield make_problem(ERROR if is_sure else WARNING, "dead_end", state, message)


def _check_ends(workflow: Workflow, lax: Leaving) -> Iterator[Problem]:
    """Warn of states that can be left, but from which no final state is reached, where there are final states."""
    found = [name for name, state in workflow.states.items() if state.final]
    if not found:
        return
    back: dict[str, list[str]] = {}
    for name, some in lax.items():
        for transition in some:
            back.setdefault(transition.target(name), []).append(name)
    ends = set(found)
    for name in found:
        for before in back.get(name, ()):
            if before not in ends:
                ends.add(before)
                found.append(before)
    for state in workflow.states.values():
        if state.name not in ends and any(t.target(state.name) != state.name for t in lax[state.name]):
            message = f"from the state {state.name} no final state can be reached any more"
            yield make_problem(WARNING, "no_end", state, message)


def _tell_wall(ways: Ways, state: str, transition: Transition) -> Iterator[Problem]:
    name, permissions = transition.name, transition.guard.permissions
    if not can_all_hold(transition.guard.require):
        message = f"nothing can fire {name}: its conditions contradict one another"
        if state == transition.sources[0]:
            yield make_problem(WARNING, "never_holds", transition, message)
    elif not ways.can_hold(state, transition):
        message = f"nothing can fire {name} in the state {state}: it waits for a ballot, and the state opens none"
        yield make_problem(WARNING, "no_ballot_to_ask", transition, message)
    elif USER in transition.triggers:
        message = f"nobody holds {' or '.join(permissions)} in the state {state}, so nobody can fire {name} there"
        yield make_problem(WARNING, "nobody_fires", transition, message)
    elif any(one.timer and one.timer.fire == name for one in ways.workflow.states.values()):
        message = f"nothing can fire {name} in the state {state}: no timer of that state fires it"
        yield make_problem(WARNING, "no_timer_fires", transition, message)


# Automatic transitions


def _check_automatic(workflow: Workflow, drawn: Leaving) -> Iterator[Problem]:
    """Refuse circles of automatic transitions, whatever their guards: a guard that always holds would never end."""
    automatic = {state: [t for t in some if AUTOMATIC in t.triggers] for state, some in drawn.items()}
    targets = {state: [t.target(state) for t in some] for state, some in automatic.items()}
    has_circle = False
    for circle in _list_circles(targets):
        has_circle = True
        transition = next(t for t in automatic[circle[0]] if t.target(circle[0]) == circle[1 % len(circle)])
        way = circle if len(circle) <= _LONGEST else [*circle[:_LONGEST], f"... ({len(circle)} states)"]
        message = f"automatic transitions go round in a circle: {' -> '.join((*way, circle[0]))}"
        yield make_problem(ERROR, "automatic_cycle", transition, message)
    if not has_circle:
        yield from _check_chains(workflow, targets)
    for state, some in automatic.items():
        sure = next((number for number, one in enumerate(some) if not one.guard.require), len(some))
        for transition in some[sure + 1 :]:
            message = f"{transition.name} never fires by itself in the state {state}: {some[sure].name} does before it"
            yield make_problem(WARNING, "fired_before", transition, message)


def _list_circles(targets: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield circles that have no state in common, each as short as it gets from its first state in the file."""
    left = {state: [target for target in some if target in targets] for state, some in targets.items()}
    for _ in range(MAX_CIRCLES):
        left = _drop_ends(left)
        if not left:
            return
        walk: dict[str, None] = {}
        state = next(iter(left))
        while state not in walk:  # every state that is left leads on, so that the walk meets itself
            walk[state] = None
            state = left[state][0]
        met = list(walk)
        places = {name: number for number, name in enumerate(left)}
        circle = _find_circle(min(met[met.index(state) :], key=lambda name: places[name]), left)
        yield circle
        left = {name: [one for one in some if one not in circle] for name, some in left.items() if name not in circle}


def _drop_ends(targets: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the states without those from which all ways end."""
    back: dict[str, list[str]] = {}
    for state, some in targets.items():
        for target in some:
            back.setdefault(target, []).append(state)
    counts = {state: len(some) for state, some in targets.items()}
    gone = [state for state, count in counts.items() if not count]
    for state in gone:
        for before in back.get(state, ()):
            counts[before] -= 1
            if not counts[before]:
                gone.append(before)
    dropped = set(gone)
    return {
        state: [target for target in some if target not in dropped]
        for state, some in targets.items()
        if state not in dropped
    }


def _find_circle(start: str, targets: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the states of the shortest circle through the start, which lies on one."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for state in waiting:
        for target in targets[state]:
            if target not in came_from:
                came_from[target] = state
                waiting.append(target)
        if start in came_from:
            break
    path = [came_from[start]]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _check_chains(workflow: Workflow, targets: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Warn where more transitions may follow one another by themselves than are fired in one go; there is no circle."""
    longest: dict[str, int] = {}
    for start in workflow.states:
        waiting = [start]
        while waiting:
            state = waiting[-1]
            missing = [target for target in targets[state] if target not in longest]
            if missing:
                waiting += missing
            else:
                longest[state] = max((1 + longest[target] for target in targets[state]), default=0)
                waiting.pop()
    begun = max(longest, key=lambda state: longest[state], default="")
    if begun and longest[begun] > MAX_AUTOMATIC_CHAIN:
        message = f"from the state {begun} up to {longest[begun]} automatic transitions follow one another; "
        message += f"at most {MAX_AUTOMATIC_CHAIN} are fired in one go"
        yield make_problem(WARNING, "long_chain", workflow.states[begun], message)
