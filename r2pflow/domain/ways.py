"""Which ways a definition leaves open from a state: by whose hand, whatever the text and the facts turn out to be.

What is said here holds for every document: where `Ways.find_hands` finds nobody, nobody ever fires the transition.
The other way round it allows too much rather than too little: a condition may hold or not, a person may hold any role.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from r2pflow.domain.conditions import COMBINATIONS
from r2pflow.domain.definition import AUTOMATIC, TIMER, USER, Test, Transition, Workflow
from r2pflow.domain.people import ANONYMOUS, AUTHENTICATED, BUILT_IN_ROLES

Atom = tuple[str, ...]

MAX_UNSURE = 4
"""With more conditions in one guard that are asked for both as they are and under `not`, it is taken to hold."""
_STANDINGS = ("none", "open", "carried", "lost", "cancelled")


@dataclass(frozen=True)
class Powers:
    """What persons may be: the most roles that one of them holds, aliases included, and the groups nobody is of."""

    roles: frozenset[str]
    no_groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hand:
    """One way in which a transition is fired: by the system, or by someone who holds a role of each set.

    `past_guard` is someone of whom the guard asks nothing (`bypass`); `from_dossier` marks that a dossier above may
    grant the permission to others than those named.
    """

    trigger: str
    role_sets: tuple[tuple[str, ...], ...] = ()
    groups: tuple[str, ...] = ()
    past_guard: bool = False
    from_dossier: bool = False


def everybody(workflow: Workflow) -> Powers:
    """Return the powers of persons who may hold any role."""
    return Powers(frozenset((*BUILT_IN_ROLES, *workflow.roles)))


def only_with(workflow: Workflow, roles: Iterable[str]) -> Powers:
    """Return the powers of a person who holds these roles and no other, beside what everybody who signs in has."""
    named = workflow.counting_roles(roles)
    is_nobody = named <= workflow.counting_roles([ANONYMOUS])
    return Powers(workflow.counting_roles(named | ({ANONYMOUS} if is_nobody else {ANONYMOUS, AUTHENTICATED})))


def never_with(workflow: Workflow, powers: Powers, roles: Iterable[str]) -> Powers:
    """Return the powers without these roles; who does not even sign in holds none but `anonymous`."""
    gone = workflow.counting_roles(roles)
    left = powers.roles - gone
    if ANONYMOUS in gone:
        left = frozenset()
    elif AUTHENTICATED in gone:
        left &= workflow.counting_roles([ANONYMOUS])
    return Powers(left, powers.no_groups)


class Ways:
    """The ways of one definition, as its file alone leaves them open; `uncarried` are ballots that never carry."""

    def __init__(self, workflow: Workflow, uncarried: frozenset[str] = frozenset()) -> None:
        self.workflow = workflow
        self.uncarried = uncarried
        self._possible: dict[tuple[str, tuple[str, ...]], bool] = {}

    def find_hands(self, state: str, transition: Transition, powers: Powers) -> tuple[Hand, ...]:
        """Return how the transition may be fired from the state; nothing where it never is."""
        if state not in transition.sources:
            return ()
        hands: list[Hand] = []
        can_hold = self.can_hold(state, transition)
        if USER in transition.triggers:
            hand = self._find_person(state, transition, powers) if can_hold else None
            hand = hand or self._find_bypass(powers)
            if hand is not None:
                hands.append(hand)
        timer = self.workflow.states[state].timer
        if can_hold and TIMER in transition.triggers and timer is not None and timer.fire == transition.name:
            hands.append(Hand(TIMER))
        if can_hold and AUTOMATIC in transition.triggers:
            hands.append(Hand(AUTOMATIC))
        return tuple(hands)

    def _find_person(self, state: str, transition: Transition, powers: Powers) -> Hand | None:
        guard = transition.guard
        role_sets: list[tuple[str, ...]] = []
        from_dossier = False
        if guard.permissions:
            holders = frozenset[str]().union(*(self.workflow.holders(state, name) for name in guard.permissions))
            held = holders & powers.roles
            from_dossier = any(self.may_be_granted_above(state, name) for name in guard.permissions)
            if not held and not from_dossier:
                return None
            role_sets.append(tuple(sorted(held)))
        if guard.roles:
            held = self.workflow.counting_roles(guard.roles) & powers.roles
            if not held:
                return None
            if from_dossier or tuple(sorted(held)) not in role_sets:
                role_sets.append(tuple(sorted(held)))
        groups = tuple(name for name in guard.groups if name not in powers.no_groups)
        if (guard.groups and not groups) or not powers.roles:
            return None
        return Hand(USER, tuple(role_sets), groups, from_dossier=from_dossier)

    def _find_bypass(self, powers: Powers) -> Hand | None:
        passing = self.workflow.counting_roles(self.workflow.bypass) & powers.roles
        return Hand(USER, (tuple(sorted(passing)),), past_guard=True) if passing else None

    def has_holder(self, state: str, permissions: Iterable[str]) -> bool:
        """Tell whether anybody may hold one of the permissions in the state."""
        return any(self.workflow.holders(state, one) or self.may_be_granted_above(state, one) for one in permissions)

    def may_be_granted_above(self, state: str, permission: str) -> bool:
        """Tell whether what is not in the file may give the permission in the state to any role.

        That is a dossier, where the state inherits the permission, and in a workflow that says nowhere who may view,
        so that it stands behind another in a chain, that other one, for what this one does not name.
        """
        means = self.workflow.means
        known = means.get(permission, permission)
        names = {permission, known}
        if permission == known:
            names.update(own for own, meant in means.items() if meant == known)
        if not names.isdisjoint(self.workflow.states[state].inherit):
            return True
        return "view" not in self.named and known not in self.named

    @cached_property
    def named(self) -> frozenset[str]:
        """The permissions of which the file says who holds them."""
        return self.workflow.named_permissions()

    @cached_property
    def _has_ballots(self) -> bool:
        return any(state.ballot for state in self.workflow.states.values())

    def can_hold(self, state: str, transition: Transition) -> bool:
        """Tell whether some facts let all conditions hold at once: not where they contradict one another.

        A ballot is asked for in vain in a state that opens none; but a workflow without any ballot may stand behind
        one that has them, and then nothing is known of the ballot.
        """
        ballot = self.workflow.states[state].ballot
        standings: tuple[str, ...] = _STANDINGS if ballot or not self._has_ballots else ("none",)
        if ballot in self.uncarried:
            standings = tuple(one for one in standings if one != "carried")
        key = (transition.name, standings)
        if key not in self._possible:
            self._possible[key] = can_all_hold(transition.guard.require, standings)
        return self._possible[key]


def can_all_hold(tests: tuple[Test, ...], ballot_standings: Iterable[str] = _STANDINGS) -> bool:
    """Tell whether some facts, with a ballot that stands in one of these ways, let all the tests hold."""
    wanted: dict[Atom, set[bool]] = {}
    asks_ballot = _collect(tests, True, wanted)
    sure = {atom: True in signs for atom, signs in wanted.items() if len(signs) == 1}
    unsure = [atom for atom in wanted if atom not in sure]
    if len(unsure) > MAX_UNSURE:
        return True
    return any(
        _holds(tests, {**sure, **dict(zip(unsure, values, strict=True))}, standing)
        for standing in (ballot_standings if asks_ballot else ("none",))
        for values in product((True, False), repeat=len(unsure))
    )


def _is_of_ballot(test: Test) -> bool:
    return test.kind == "named" and test.name == "ballot"


def _atom(test: Test) -> Atom:
    return (test.kind, test.name, test.operator, repr(test.argument))


def _collect(tests: Iterable[Test], sign: bool, found: dict[Atom, set[bool]]) -> bool:
    asks_ballot = False
    for test in tests:
        if test.kind in COMBINATIONS:
            asks_ballot |= _collect(test.tests, sign != (test.kind == "not"), found)
        elif _is_of_ballot(test):
            asks_ballot = True
        else:
            found.setdefault(_atom(test), set()).add(sign)
    return asks_ballot


def _holds(tests: Iterable[Test], values: dict[Atom, bool], ballot: str) -> bool:
    for test in tests:
        if test.kind == "any":
            holds = False
            for part in test.tests:
                holds = holds or _holds((part,), values, ballot)
        elif test.kind in COMBINATIONS:
            holds = _holds(test.tests, values, ballot) == (test.kind == "all")
        elif _is_of_ballot(test):
            wanted = str(test.argument)
            holds = ballot == wanted or (wanted == "closed" and ballot in ("carried", "lost", "cancelled"))
        else:
            holds = values[_atom(test)]
        if not holds:
            return False
    return True
