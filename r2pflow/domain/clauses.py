"""The words of a decision rule: positions, voters, and the clauses that count them.

`rule_reading` makes clauses out of YAML, `decisions.judge` applies them to voters.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias


class PositionKind(StrEnum):
    FOR = "for"
    AGAINST = "against"
    ABSTENTION = "abstention"
    RECUSAL = "recusal"


class Base(StrEnum):
    """Name the voters of whom a share is taken; who recused themselves is in none of them."""

    ELIGIBLE = "eligible"
    PARTICIPATING = "participating"  # eligible, with a position
    PRESENT_AND_VOTING = "present_and_voting"  # participating without abstentions (UN General Assembly, rule 86)


class Comparison(StrEnum):
    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    FEWER_THAN = "fewer_than"


PARTICIPATING = "participating"  # reserved as a position: stands for every position but the recusals

KNOWN_POSITIONS: Mapping[str, PositionKind] = {
    "yes": PositionKind.FOR,
    "no": PositionKind.AGAINST,
    "block": PositionKind.AGAINST,
    "abstain": PositionKind.ABSTENTION,
    "recuse": PositionKind.RECUSAL,
}


@dataclass(frozen=True, slots=True)
class Position:
    id: str
    counts: PositionKind


@dataclass(frozen=True, slots=True)
class Voter:
    """One eligible voice; `position` is None while nothing was said. All attributes are text: "12.5"."""

    id: str
    position: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bound:
    """Compare with `value`: an `int` is a whole number, a `Fraction` from 0 to 1 a share of the base."""

    comparison: Comparison
    value: int | Fraction
    written: str = field(default="", compare=False)  # as the rule's author put it: `55%`, `all`

    def __str__(self) -> str:
        return self.written or str(self.value)


@dataclass(frozen=True, slots=True)
class Count:
    """Compare the voters who hold one of `positions` (or `("participating",)`) with the bound.

    `where` narrows both count and base to voters of whom every named attribute has one of its values.
    """

    positions: tuple[str, ...]
    bound: Bound
    base: Base = Base.PRESENT_AND_VOTING
    weight: str | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class None_:
    """Hold when nobody has one of `positions`."""

    positions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Each:
    """Group the eligible by `attribute`; hold when `rule` holds within as many groups as `bound` says."""

    attribute: str
    bound: Bound
    rule: "Clause"


@dataclass(frozen=True, slots=True)
class All:
    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Any:
    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Not:
    clause: "Clause"


Clause: TypeAlias = Count | None_ | Each | All | Any | Not


@dataclass(frozen=True, slots=True)
class BallotRule:
    """What of a ballot decides it; `silence` is the position of who said nothing until the close."""

    positions: tuple[Position, ...]
    rule: Clause
    silence: str | None = None
    reason_required: tuple[str, ...] = ()


def require_quorum(value: int | Fraction, written: str = "") -> Count:
    """Spell out `quorum: V`."""
    return Count((PARTICIPATING,), Bound(Comparison.AT_LEAST, value, written), Base.ELIGIBLE)


def walk(rule: Clause) -> Iterator[Clause]:
    """Yield every clause of a rule, the outer before the inner."""
    waiting = [rule]
    while waiting:
        clause = waiting.pop()
        yield clause
        match clause:
            case All(clauses) | Any(clauses):
                waiting.extend(reversed(clauses))
            case Not(inner) | Each(rule=inner):
                waiting.append(inner)


def list_weights(rule: Clause) -> tuple[str, ...]:
    """Name the attributes that are added up, each once."""
    return tuple(dict.fromkeys(c.weight for c in walk(rule) if isinstance(c, Count) and c.weight is not None))


def list_attributes(rule: Clause) -> tuple[str, ...]:
    """Name every attribute that a rule reads, each once: weights, `where` and `each`."""
    names: dict[str, None] = {}
    for clause in walk(rule):
        match clause:
            case Count(weight=weight, where=where):
                names |= dict.fromkeys(name for name, _ in where)
                if weight is not None:
                    names[weight] = None
            case Each(attribute=attribute):
                names[attribute] = None
    return tuple(names)
