"""Compare verdicts with plain enumeration by an evaluator that shares no code with the judge.

It reads the YAML nodes themselves, counts voter by voter, and goes through every completion.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r2pflow.domain import rolls
from r2pflow.domain.decisions import BallotRule, ClauseResult, Voter, judge
from r2pflow.domain.rule_reading import read_positions, read_rule

# `gone` is the evaluator's own: in a group, whoever recused themselves is held by no rule and in no base.
KINDS = {
    "yes": "for",
    "no": "against",
    "abstain": "abstention",
    "recuse": "recusal",
    "maybe": "for",
    "gone": "recusal",
}
POSITIONS = ["yes", "no", "abstain", "recuse", {"id": "maybe", "counts": "for"}]
CHOICES = ["yes", "no", "abstain", "recuse", "maybe", None]
COMPARISONS = {
    "at_least": lambda has, limit: has >= limit,
    "more_than": lambda has, limit: has > limit,
    "at_most": lambda has, limit: has <= limit,
    "fewer_than": lambda has, limit: has < limit,
}

Told = tuple[str | None, dict[str, str]]  # a position and the voter's attributes
Tree = tuple[bool, list[Any]]  # whether a clause holds, and the same of those in it


def is_in(base: str, position: str | None) -> bool:
    kind = KINDS[position] if position else None
    if kind == "recusal":
        return False
    if kind is None:
        return base == "eligible"
    return base != "present_and_voting" or kind != "abstention"


def evaluate(rule: dict[str, Any], now: list[Told], before: list[Told]) -> Tree:
    """Evaluate `now`; `before` has the same voters without the completion, and gives the groups to be told of."""
    if "all" in rule:
        parts = [evaluate(inner, now, before) for inner in rule["all"]]
        return all(holds for holds, _ in parts), parts
    if "any" in rule:
        parts = [evaluate(inner, now, before) for inner in rule["any"]]
        return any(holds for holds, _ in parts), parts
    if "not" in rule:
        part = evaluate(rule["not"], now, before)
        return not part[0], [part]
    if "none" in rule:
        return not any(position == rule["none"] for position, _ in now), []
    if "quorum" in rule:
        rule = {"count": "participating", "at_least": rule["quorum"], "of": "eligible"}
    comparison = next(c for c in COMPARISONS if c in rule)
    value = rule[comparison]
    is_share = isinstance(value, str)
    number = Fraction(1 if value == "all" else value)
    if "each" in rule:
        return evaluate_each(rule, now, before, COMPARISONS[comparison], number, is_share)
    wanted = rule["count"] if isinstance(rule["count"], list) else [rule["count"]]
    has = base = Fraction(0)
    for position, attributes in now:
        if all(attributes[a] in values for a, values in rule.get("where", {}).items()):
            weight = Fraction(attributes[rule["weight"]] if "weight" in rule else 1)
            if wanted == ["participating"]:
                has += weight * is_in("participating", position)
            elif position in wanted:
                has += weight
            base += weight * is_in(rule.get("of", "present_and_voting"), position)
    if is_share:
        return base > 0 and COMPARISONS[comparison](has, number * base), []
    return COMPARISONS[comparison](has, number), []


def evaluate_each(
    rule: dict[str, Any], now: list[Told], before: list[Told], compare: Any, number: Fraction, is_share: bool
) -> Tree:
    attribute = rule["each"]
    there = [n for n, (position, _) in enumerate(before) if not position or KINDS[position] != "recusal"]
    parts, groups, holding = [], 0, 0
    for name in sorted({now[n][1][attribute] for n in there}):
        members = [n for n in there if now[n][1][attribute] == name]
        inside = [("gone" if now[n][0] and KINDS[now[n][0]] == "recusal" else now[n][0], now[n][1]) for n in members]
        inner = evaluate(rule["rule"], inside, [before[n] for n in members])
        exists = any(position != "gone" for position, _ in inside)
        groups += exists
        holding += exists and inner[0]
        parts.append((exists and inner[0], [inner]))
    return groups > 0 and compare(holding, number * groups if is_share else number), parts


def complete(voters: list[Told]) -> Iterator[list[Told]]:
    free = [n for n, (position, _) in enumerate(voters) if position is None]
    for chosen in product(CHOICES, repeat=len(free)):
        now = list(voters)
        for n, position in zip(free, chosen, strict=True):
            now[n] = (position, voters[n][1])
        yield now


def unite(trees: list[Tree]) -> tuple[bool | None, list[Any]]:
    """Return what all trees agree on, None where they do not."""
    outcomes = {holds for holds, _ in trees}
    children = zip(*(parts for _, parts in trees), strict=True)
    return (outcomes.pop() if len(outcomes) == 1 else None), [unite(list(parts)) for parts in children]


def tell(result: ClauseResult) -> tuple[bool | None, list[Any]]:
    return result.holds, [tell(inner) for inner in result.clauses]


def is_sound(result: Any, truth: Any) -> bool:
    return result[0] in (None, truth[0]) and all(
        is_sound(inner, true) for inner, true in zip(result[1], truth[1], strict=True)
    )


shares = st.sampled_from(["0/1", "1/3", "1/2", "2/3", "3/4", "1/1"])
whole = st.integers(0, 4)
positions = st.sampled_from(["yes", "no", "abstain", "recuse", "maybe"])
holders = st.one_of(positions, st.just("participating"), st.lists(positions, min_size=1, max_size=3, unique=True))
wheres = st.dictionaries(
    st.sampled_from(["region", "class"]),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True),
    min_size=1,
    max_size=2,
)


@st.composite
def counts(draw: Any) -> dict[str, Any]:
    rule = {
        "count": draw(holders),
        draw(st.sampled_from(list(COMPARISONS))): draw(st.one_of(whole, shares)),
        "of": draw(st.sampled_from(["eligible", "participating", "present_and_voting"])),
    }
    if draw(st.booleans()):
        rule["weight"] = "weight"
    if draw(st.integers(0, 3)) == 0:
        rule["where"] = draw(wheres)
    return rule


@st.composite
def groupings(draw: Any, inner: Any) -> dict[str, Any]:
    return {
        "each": draw(st.sampled_from(["region", "class"])),
        draw(st.sampled_from(list(COMPARISONS))): draw(st.one_of(st.integers(0, 3), shares, st.just("all"))),
        "rule": draw(inner),
    }


def combine(inner: Any) -> Any:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda rules: {"all": rules}),
        several.map(lambda rules: {"any": rules}),
        inner.map(lambda rule: {"not": rule}),
        groupings(inner),
    )


leaves = st.one_of(
    counts(),
    counts(),
    shares.map(lambda share: {"quorum": share}),
    positions.map(lambda position: {"none": position}),
)
rules = st.recursive(leaves, combine, max_leaves=6)


@st.composite
def electorates(draw: Any, most_missing: int) -> list[Told]:
    spoken = draw(st.lists(positions, max_size=6))
    missing: list[str | None] = [None] * draw(st.integers(0, most_missing))
    return [
        (
            position,
            {
                "region": draw(st.sampled_from("abc")),
                "class": draw(st.sampled_from("ab")),
                "weight": draw(st.sampled_from(["1", "0", "2", "0.5", "1.25"])),
            },
        )
        for position in [*spoken, *missing]
    ]


def judge_nodes(rule: dict[str, Any], told: list[Told], closed: bool) -> Any:
    read = read_positions(POSITIONS)
    ballot = BallotRule(read, read_rule(rule, read))
    voters = [Voter(f"v{n}", position, attributes) for n, (position, attributes) in enumerate(told)]
    return judge(ballot, voters, closed=closed)


calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(rules, electorates(most_missing=4))
@settings(calm, max_examples=400)
def test_a_closed_verdict_equals_the_plain_count(rule: dict[str, Any], told: list[Told]) -> None:
    verdict = judge_nodes(rule, told, closed=True)
    truth = evaluate(rule, told, told)
    assert verdict.outcome == ("carried" if truth[0] else "lost")
    assert tell(verdict.clauses) == unite([truth])


@given(rules, electorates(most_missing=3))
@settings(calm, max_examples=250)
def test_an_open_verdict_and_all_its_clauses_equal_plain_enumeration(rule: dict[str, Any], told: list[Told]) -> None:
    verdict = judge_nodes(rule, told, closed=False)
    truth = unite([evaluate(rule, now, told) for now in complete(told)])
    assert verdict.outcome == {True: "carried", False: "lost", None: "open"}[truth[0]]
    assert tell(verdict.clauses) == truth
    assert verdict.missing == tuple(f"v{n}" for n, (position, _) in enumerate(told) if position is None)


@given(rules, electorates(most_missing=5))
@settings(calm, max_examples=12)
def test_five_missing_voters_are_enumerated_too(rule: dict[str, Any], told: list[Told]) -> None:
    verdict = judge_nodes(rule, told, closed=False)
    outcomes = {evaluate(rule, now, told)[0] for now in complete(told)}
    expected = ("carried" if outcomes.pop() else "lost") if len(outcomes) == 1 else "open"
    assert verdict.outcome == expected


@given(rules, electorates(most_missing=3))
@settings(calm, max_examples=250, suppress_health_check=list(HealthCheck))
def test_the_bounds_alone_are_never_wrong(
    monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any], told: list[Told]
) -> None:
    monkeypatch.setattr(rolls, "SEARCH_UP_TO", 0)
    verdict = judge_nodes(rule, told, closed=False)
    truth = unite([evaluate(rule, now, told) for now in complete(told)])
    assert is_sound(tell(verdict.clauses), truth)
