"""What can still become of a rule: a clause tree laid over real voters, with the outcomes that are possible.

Every node knows a mask of outcomes, HOLDS and FAILS, over all completions by the voters who are still to
speak. Counts are sums over voters, so their highest and lowest values are known exactly; the groups of
`each` share no voters, so their outcomes combine exactly too. Only `all` and `any` over clauses that look
at the same voters need a search, which goes through the completions voter by voter, with those sums as
bounds. Without the search the masks are still sound: they may name an outcome that cannot happen, never
miss one that can.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from r2pflow.domain.clauses import (
    PARTICIPATING,
    All,
    Any,
    Base,
    Bound,
    Clause,
    Comparison,
    Count,
    Each,
    None_,
    Not,
)
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.rolls import Choice, Roll, Scope

HOLDS, FAILS, ABSENT = 1, 2, 4  # outcomes; ABSENT is of a group in which everybody recused themselves
MAX_REMEMBERED = 200_000  # dead ends of one search
MAX_NODES = 200_000  # clauses, counted anew for every group they are judged in
MAX_STEPS = 2_000_000  # clauses looked at in all searches of a verdict, lest one hang; then doubt is open


class Sum:
    """A linear form that must reach `least`, while the base of a share must not be empty.

    For the comparison `has >= num/den of base` it is the sum of den*[counted] - num*[in base]; for an upper
    limit its negative. Each voter still to speak adds a unit times its weight, by what it chooses.
    """

    def __init__(self, bound: Bound, scale: int = 1) -> None:
        value = bound.value
        self.is_share = isinstance(value, Fraction)
        self.of_has, self.of_base, least = value.denominator, -value.numerator, 0
        if not self.is_share:
            self.of_has, self.of_base, least = 1, 0, value.numerator * scale
        if bound.comparison in (Comparison.AT_MOST, Comparison.FEWER_THAN):
            self.of_has, self.of_base, least = -self.of_has, -self.of_base, -least
        self.least = least + (bound.comparison in (Comparison.MORE_THAN, Comparison.FEWER_THAN))

    def unit(self, counted: bool, in_base: bool) -> int:
        return self.of_has * counted + self.of_base * in_base


class Leaf:
    """A count within a scope. `deps` of all nodes: the voters still to speak that a search must try."""

    mask: int
    deps: frozenset[int]

    def __init__(self, clause: Count | None_, scope: Scope) -> None:
        roll = scope.roll
        if isinstance(clause, None_):
            bound, base, tally = Bound(Comparison.AT_MOST, 0), Base.ELIGIBLE, scope.tally(None, ())
        else:
            bound, base, tally = clause.bound, clause.base, scope.tally(clause.weight, clause.where)
        self.clause = clause
        self.scale = roll.scales[clause.weight] if isinstance(clause, Count) and clause.weight else 1
        self.tally = tally
        form = Sum(bound, self.scale)
        holders: frozenset[Choice] = frozenset(clause.positions)
        if clause.positions == (PARTICIPATING,):
            holders = roll.participating
        in_base = roll.bases[base]
        if scope.grouped:  # who recuses themselves leaves the group
            holders -= roll.recusals
        sums = tally.sums
        self.has = sum(sums[p] for p in holders if p in sums)
        # Before the close, who has no position stands in the base of the eligible, until a recusal.
        self.base = sum(sums[p] for p in in_base if p in sums)
        spoken = self.base - (sums.get(None, 0) if tally.free and None in in_base else 0)
        self.is_share, self.least = form.is_share, form.least
        self.units = {c: form.unit(c in holders, c in in_base) for c in roll.choices}
        self.in_base = in_base
        self.value = form.of_has * self.has + form.of_base * spoken
        self.in_base_now = spoken
        self._prepare(roll)
        self.deps = frozenset(self.bearers)
        self.mask = 0
        self.mask = self.possible()

    def _prepare(self, roll: Roll) -> None:
        """Find the highest and lowest that one unit of the voters still to speak can add."""
        weights = self.tally.weights
        free = self.tally.free
        heavy = [(i, weights[i]) for i in free if weights[i]] if weights is not None else [(i, 1) for i in free]
        self.left = sum(w for _, w in heavy)
        self.lightest = min((w for _, w in heavy), default=0)
        self.bearers = dict(heavy) if roll.searching else {}
        self.highest, self.lowest = max(self.units.values()), min(self.units.values())
        inside = [unit for choice, unit in self.units.items() if choice in self.in_base]
        self.highest_inside = max(inside, default=None)
        self.can_stay_outside = len(inside) < len(self.units)

    def possible(self) -> int:
        if self.mask in (HOLDS, FAILS):
            return self.mask
        high, low = self.value + self.left * self.highest, self.value + self.left * self.lowest
        if not self.is_share or self.in_base_now:
            return (high >= self.least) | (low < self.least) << 1
        if not self.left or self.highest_inside is None:
            return FAILS  # nobody is in the base, and nobody can come into it
        somebody = high - (self.highest - self.highest_inside) * self.lightest
        return (somebody >= self.least) | (low < self.least or self.can_stay_outside) << 1

    def speak(self, voter: int, choice: Choice, sign: int) -> None:
        weight = self.bearers[voter] * sign
        self.left -= weight
        self.value += weight * self.units[choice]
        if choice in self.in_base:
            self.in_base_now += weight

    def effect(self, voter: int, choice: Choice) -> tuple[int, bool]:
        return self.units[choice], self.is_share and choice in self.in_base

    def state(self) -> tuple[int, bool]:
        return self.value, self.in_base_now > 0


class Group:
    """One group of `each` and the rule within it; ABSENT when everybody in it recused themselves."""

    mask: int
    deps: frozenset[int]

    def __init__(self, attribute: str, name: str, scope: Scope, inner: "Node") -> None:
        roll = scope.roll
        self.attribute = attribute
        self.name = name
        self.scope = scope
        self.inner = inner
        self.can_recuse = bool(roll.recusals)
        self.recusals = roll.recusals
        self.present = len(scope.members) - len(scope.free)
        self.left = len(scope.free)
        self.deps = frozenset(scope.free) if roll.searching and self.can_recuse else inner.deps
        self.mask = 0
        mask = self._combine(inner.mask)
        if roll.searching and mask & ABSENT and mask & ~ABSENT:
            for outcome in (
                HOLDS,
                FAILS,
            ):  # what the rule gives only without anybody there is not the group's
                if mask & outcome and not can_reach(self, outcome, roll):
                    mask &= ~outcome
        self.mask = mask

    def possible(self) -> int:
        return self.mask if self.mask in (HOLDS, FAILS, ABSENT) else self._combine(self.inner.possible())

    def _combine(self, inner: int) -> int:
        mask = inner if self.present or self.left else 0
        if not self.present and (self.can_recuse or not self.left):
            mask |= ABSENT
        return mask

    def speak(self, voter: int, choice: Choice, sign: int) -> None:
        self.left -= sign
        if choice not in self.recusals:
            self.present += sign

    def effect(self, voter: int, choice: Choice) -> tuple[int, bool]:
        return 0, choice not in self.recusals

    def state(self) -> tuple[int, bool]:
        return 0, self.present > 0


class Groups:
    """An `each`: how many of its groups hold, against a number or a share of them."""

    mask: int
    deps: frozenset[int]

    def __init__(self, clause: Each, scope: Scope, groups: list[Group]) -> None:
        self.clause = clause
        self.scope = scope
        self.groups = groups
        form = Sum(clause.bound)
        self.least = form.least
        self.gain = {HOLDS: form.unit(True, True), FAILS: form.unit(False, True), ABSENT: 0}
        self.deps = frozenset()
        self.settled, self.standing = 0, False
        self.live: list[Group] = []
        for group in groups:
            if group.mask in (HOLDS, FAILS):
                self.settled += self.gain[group.mask]
                self.standing = True
            else:
                self.live.append(group)
                self.deps |= group.deps
        self.mask = self._combine([group.mask for group in self.live])

    def possible(self) -> int:
        if self.mask in (HOLDS, FAILS):
            return self.mask
        return self._combine([group.possible() for group in self.live])

    def _combine(self, masks: list[int]) -> int:
        high = low = self.settled
        standing, may_stand, cost = self.standing, self.standing, None
        for mask in masks:
            gains = [self.gain[o] for o in (HOLDS, FAILS, ABSENT) if mask & o]
            there = [self.gain[o] for o in (HOLDS, FAILS) if mask & o]
            high += max(gains)
            low += min(gains)
            if there:
                may_stand = True
                standing = standing or not mask & ABSENT
                dearer = max(gains) - max(there)
                cost = dearer if cost is None else min(cost, dearer)
        if not may_stand:
            return FAILS  # `each` without any group does not hold
        if not standing:
            high -= cost or 0
        return (high >= self.least) | (low < self.least or not standing) << 1


class Combination:
    """An `all` or `any`: one outcome rules, if any of the clauses has it."""

    mask: int
    deps: frozenset[int]

    def __init__(self, clause: All | Any, scope: Scope, nodes: list["Node"]) -> None:
        self.clause = clause
        self.scope = scope
        self.nodes = nodes
        self.ruling, self.other = (FAILS, HOLDS) if isinstance(clause, All) else (HOLDS, FAILS)
        self.live = [node for node in nodes if node.mask == HOLDS | FAILS]
        self.deps = frozenset().union(*(node.deps for node in self.live))
        ruled = self.ruling in [node.mask for node in nodes]
        self.mask = mask = self.ruling if ruled else self._combine(node.mask for node in self.live)
        shared = sum(len(node.deps) for node in self.live) > len(self.deps)
        if scope.roll.searching and mask == HOLDS | FAILS and shared:
            # That one clause alone has the ruling outcome is known exactly; that all have the other, is not.
            self.mask = mask if can_reach(self, self.other, scope.roll) else self.ruling

    def possible(self) -> int:
        if self.mask in (HOLDS, FAILS):
            return self.mask
        return self._combine(node.possible() for node in self.live)

    def _combine(self, masks: Iterable[int]) -> int:
        seen = 0
        for mask in masks:
            if mask == self.ruling:
                return mask
            seen |= mask
        return seen & self.ruling | self.other


class Negation:
    """A `not`."""

    mask: int
    deps: frozenset[int]

    def __init__(self, clause: Not, inner: "Node") -> None:
        self.clause = clause
        self.inner = inner
        self.deps = inner.deps
        self.mask = _turn_over(inner.mask)

    def possible(self) -> int:
        return self.mask if self.mask in (HOLDS, FAILS) else _turn_over(self.inner.possible())


def _turn_over(mask: int) -> int:
    return (mask & HOLDS) << 1 | (mask & FAILS) >> 1


Node: TypeAlias = Leaf | Groups | Combination | Negation


def lay_out(clause: Clause, scope: Scope) -> Node:
    """Lay a rule over the voters of a scope; the masks of all nodes are then final.

    Raise InvalidInput `rule_too_large` where so many clauses within so many groups are too many.
    """
    scope.roll.nodes += 1
    if scope.roll.nodes > MAX_NODES:
        raise InvalidInput("rule_too_large", limit=MAX_NODES)
    match clause:
        case Count() | None_():
            return Leaf(clause, scope)
        case Not(inner):
            return Negation(clause, lay_out(inner, scope))
        case All(clauses) | Any(clauses):
            return Combination(clause, scope, [lay_out(inner, scope) for inner in clauses])
    roll = scope.roll
    parts: defaultdict[str, list[int]] = defaultdict(list)
    column, held, recusals = roll.column(clause.attribute), roll.held, roll.recusals
    for i in scope.members:
        if held[i] not in recusals:
            parts[column[i]].append(i)
    groups = []
    for name in sorted(parts):
        inside = Scope(roll, parts[name], grouped=True)
        groups.append(Group(clause.attribute, name, inside, lay_out(clause.rule, inside)))
    return Groups(clause, scope, groups)


@dataclass(slots=True)
class _Turn:
    """One voter's turn in a search: what it bears upon, and its choices that differ in effect."""

    voter: int
    touched: list[Leaf | Group]
    likeness: tuple[tuple[int, int], ...]
    share: float
    choices: list[Choice]


def can_reach(node: Node | Group, outcome: int, roll: Roll) -> bool:
    """Tell whether some completion gives the node this outcome; try those that differ in effect."""
    bearing: list[Leaf | Group] = []
    _gather(node, bearing)
    turns = []
    for voter in roll.free:
        touched = [b for b in bearing if voter in (b.bearers if isinstance(b, Leaf) else b.scope.free)]
        if not touched:
            continue
        alike = tuple((id(b), b.bearers[voter] if isinstance(b, Leaf) else 1) for b in touched)
        choices = {tuple(b.effect(voter, c) for b in touched): c for c in roll.choices}
        share = sum(b.bearers[voter] / b.left for b in touched if isinstance(b, Leaf))
        turns.append(_Turn(voter, touched, alike, share, list(choices.values())))
    # Voters who are alike speak one after the other, so that only the multisets of their choices are tried; those
    # with the greatest weights speak first, so that dead ends show early.
    turns.sort(key=lambda turn: (-turn.share, turn.likeness))
    return _search(node, outcome, turns, bearing, roll)


def _search(node: Node | Group, outcome: int, turns: list[_Turn], bearing: list[Leaf | Group], roll: Roll) -> bool:
    dead_ends: set[object] = set()

    def speak_from(n: int, start: int) -> bool:
        mask = node.possible()
        if mask == outcome or not mask & outcome:
            return mask == outcome
        roll.steps += len(bearing)
        if roll.steps > MAX_STEPS:
            return True
        state = (n, start, *(b.state() for b in bearing))
        if state in dead_ends:
            return False
        turn = turns[n]
        is_next_alike = n + 1 < len(turns) and turns[n + 1].likeness == turn.likeness
        for k in range(start, len(turn.choices)):
            choice = turn.choices[k]
            for b in turn.touched:
                b.speak(turn.voter, choice, 1)
            found = speak_from(n + 1, k if is_next_alike else 0)
            for b in turn.touched:
                b.speak(turn.voter, choice, -1)
            if found:
                return True
        if len(dead_ends) < MAX_REMEMBERED:
            dead_ends.add(state)
        return False

    return speak_from(0, 0)


def _gather(node: Node | Group, bearing: list[Leaf | Group]) -> None:
    if node.mask in (HOLDS, FAILS, ABSENT):
        return
    match node:
        case Leaf():
            bearing.append(node)
        case Negation(inner=inner):
            _gather(inner, bearing)
        case Group(inner=inner):
            bearing.append(node)
            _gather(inner, bearing)
        case Groups(live=groups):
            for group in groups:
                _gather(group, bearing)
        case Combination(live=nodes):
            for inner in nodes:
                _gather(inner, bearing)
