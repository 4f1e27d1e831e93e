"""The voters of one ballot as columns, and their sums by position within a scope."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from r2pflow.domain.clauses import Base, Clause, Position, PositionKind, Voter, list_weights

SEARCH_UP_TO = 8  # voters still to speak

Choice: TypeAlias = str | None  # a position, or none


class Roll:
    """Everybody of one ballot; weights are scaled to integers, so that sums are exact and quick."""

    def __init__(self, positions: Iterable[Position], voters: Sequence[Voter], rule: Clause, closed: bool) -> None:
        self.kinds = {position.id: position.counts for position in positions}
        self.choices: tuple[Choice, ...] = (*self.kinds, None)
        self.voters = voters
        self.held = [voter.position for voter in voters]
        self.free = [] if closed else [i for i, position in enumerate(self.held) if position is None]
        self.is_free = bool(self.free)
        self.nodes = 0  # of the rule, laid out so far
        self.steps = 0  # that searches took so far
        self.searching = 0 < len(self.free) <= SEARCH_UP_TO
        self.recusals = frozenset(p for p, kind in self.kinds.items() if kind is PositionKind.RECUSAL)
        self.participating = frozenset(self.kinds) - self.recusals
        abstentions = {p for p, kind in self.kinds.items() if kind is PositionKind.ABSTENTION}
        self.bases: dict[Base, frozenset[Choice]] = {
            Base.ELIGIBLE: self.participating | {None},
            Base.PARTICIPATING: self.participating,
            Base.PRESENT_AND_VOTING: self.participating - abstentions,
        }
        self.scales: dict[str, int] = {}
        self.weights: dict[str, list[int]] = {}
        self._columns: dict[str, list[str]] = {}
        for name in list_weights(rule):
            written = [value.partition(".") for value in self.column(name)]
            places = max((len(decimals) for _, _, decimals in written), default=0)
            self.scales[name] = 10**places
            if places:
                self.weights[name] = [int(whole + part.ljust(places, "0")) for whole, _, part in written]
            else:
                self.weights[name] = [int(whole) for whole, _, _ in written]

    def column(self, name: str) -> list[str]:
        """Return everybody's value of an attribute."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = [voter.attributes[name] for voter in self.voters]
        return found


@dataclass(slots=True)
class Tally:
    """Sums by position of those voters whom a clause looks at; under None those without a position."""

    sums: dict[Choice, int]
    free: tuple[int, ...]  # those of them still to speak, in the order of the roll
    weights: list[int] | None  # of every voter of the roll, None for heads


class Scope:
    """Voters within whom a clause is judged: all, or one group without those who recused themselves."""

    def __init__(self, roll: Roll, members: Sequence[int], grouped: bool) -> None:
        self.roll = roll
        self.members = members
        self.grouped = grouped
        self.free = tuple(i for i in members if roll.held[i] is None) if roll.is_free else ()
        self._tallies: dict[object, Tally] = {}

    def tally(self, weight: str | None, where: tuple[tuple[str, tuple[str, ...]], ...]) -> Tally:
        found = self._tallies.get((weight, where))
        if found is None:
            found = self._tallies[weight, where] = self._add_up(weight, where)
        return found

    def _add_up(self, weight: str | None, where: tuple[tuple[str, tuple[str, ...]], ...]) -> Tally:
        roll, members, free = self.roll, self.members, self.free
        if where:
            for name, values in where:
                column, wanted = roll.column(name), frozenset(values)
                members = [i for i in members if column[i] in wanted]
            free = tuple(i for i in members if roll.held[i] is None) if roll.is_free else ()
        held = roll.held
        if weight is None:
            return Tally(Counter([held[i] for i in members]), free, None)
        weights = roll.weights[weight]
        sums: dict[Choice, int] = defaultdict(int)
        for i in members:
            sums[held[i]] += weights[i]
        return Tally(sums, free, weights)
