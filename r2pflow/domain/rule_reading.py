"""Read positions and rules from parsed YAML, and say where and why one makes no sense.

Nodes are plain lists, mappings and scalars; where they are ruamel.yaml's (with `.lc`), errors carry line and
column from 1. The caller adds the path of the file.
"""

import re
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any as Node

from r2pflow.domain.clauses import (
    KNOWN_POSITIONS,
    PARTICIPATING,
    All,
    Any,
    BallotRule,
    Base,
    Bound,
    Clause,
    Comparison,
    Count,
    Each,
    None_,
    Not,
    Position,
    PositionKind,
    require_quorum,
)
from r2pflow.domain.rule_errors import RuleError, Shown, Spot, describe, is_boolean, shorten, start_of

__all__ = ["BALLOT_KEYS", "RuleError", "read_amount", "read_ballot_rule", "read_positions", "read_rule"]

MAX_DEPTH = 100  # clauses inside clauses
MAX_CLAUSES = 10_000
MAX_TEXT = 10_000  # characters, as for a cell of the voters' file
MAX_DIGITS = 30

BALLOT_KEYS = (
    "title description electorate positions reason_required open_for calendar silence close_early secrecy "
    "fast_track rule"
).split()
CLAUSE_KEYS = {
    "count": ("count", "of", "weight", "where", *Comparison),
    "quorum": ("quorum",),
    "none": ("none",),
    "each": ("each", "rule", *Comparison),
    "all": ("all",),
    "any": ("any",),
    "not": ("not",),
}
CHOICES = {"close_early": ("never", "when_decided"), "secrecy": ("named", "secret")}


def read_positions(node: Node, where: str = "positions", at: Spot | None = None) -> tuple[Position, ...]:
    """Read `positions`: known ids, or `{id, counts}`; each id once.

    Raise RuleError.
    """
    at = at or start_of(node, where)
    positions: dict[str, Position] = {}
    for index, entry in enumerate(_read_list(node, at, "a list of positions")):
        position = _read_position(entry, at.of_entry(node, index))
        if position.id in positions:
            at.of_entry(node, index).refuse("rule_duplicate", position.id)
        positions[position.id] = position
    return tuple(positions.values())


def _read_position(node: Node, at: Spot) -> Position:
    accepted = Shown("the id of a position, or {id: ..., counts: ...},")
    counts: PositionKind | None = None
    if isinstance(node, dict):
        _check_keys(node, at, ("id", "counts"))
        if "id" not in node:
            at.refuse("rule_missing_key", Shown("a position"), "id")
        name = read_text(node["id"], at.of_value(node, "id"), Shown("text"))
        if "counts" in node:
            counts = PositionKind(_read_word(node["counts"], at.of_value(node, "counts"), PositionKind))
    else:
        name = read_text(node, at, accepted)
    if name == PARTICIPATING:
        at.refuse("rule_reserved", name)
    known = KNOWN_POSITIONS.get(name)
    if known and counts and counts is not known:
        at.refuse("rule_position_kind", name, known.value)
    kind = counts or known
    if kind is None:
        at.refuse("rule_position_unspelled", name, ", ".join(KNOWN_POSITIONS), KNOWN_POSITIONS)
    return Position(name, kind)


def read_ballot_rule(node: Node, where: str = "") -> BallotRule:
    """Read what of an entry under `ballots:` decides it, and check the names of its other keys.

    Only `positions` and `rule` are required. Raise RuleError.
    """
    at = start_of(node, where)
    if not isinstance(node, dict):
        at.refuse("rule_wrong_kind", node, Shown("a mapping with positions and rule"))
    _check_keys(node, at, BALLOT_KEYS)
    for key in ("positions", "rule"):
        if key not in node:
            at.refuse("rule_missing_key", Shown("the ballot"), key)
    positions = read_positions(node["positions"], at=at.of_value(node, "positions"))
    reasons: tuple[str, ...] = ()
    silence = None
    if node.get("reason_required", []) != []:
        reasons = _read_names(node["reason_required"], positions, at.of_value(node, "reason_required"))
    if "silence" in node:
        spot = at.of_value(node, "silence")
        silence = read_text(node["silence"], spot, Shown("a position"))
        _check_position(silence, positions, spot)
    for key, words in CHOICES.items():
        if key in node:
            _read_word(node[key], at.of_value(node, key), words)
    rule = read_rule(node["rule"], positions, at=at.of_value(node, "rule"))
    return BallotRule(positions, rule, silence, reasons)


def read_rule(node: Node, positions: Iterable[Position], where: str = "rule", at: Spot | None = None) -> Clause:
    """Read one clause and all those in it.

    Raise RuleError; also for one that is nested beyond reason or refers to itself.
    """
    return _Reader(tuple(positions)).read(node, at or start_of(node, where), 0)


class _Reader:
    def __init__(self, positions: tuple[Position, ...]) -> None:
        self.positions = positions
        self.clauses = 0

    def read(self, node: Node, at: Spot, depth: int) -> Clause:
        self.clauses += 1
        if depth > MAX_DEPTH:
            at.refuse("rule_too_deep", accepted=MAX_DEPTH)
        if self.clauses > MAX_CLAUSES:
            at.refuse("rule_too_many", accepted=MAX_CLAUSES)
        heads = Shown(", ".join(CLAUSE_KEYS))
        if not isinstance(node, dict):
            at.refuse("rule_wrong_kind", node, Shown(f"a clause (a mapping with one of {heads})"))
        found = [key for key in CLAUSE_KEYS if key in node]
        if not found:
            for key in node:  # a mistyped head is nearer to a head than to nothing
                at.of_key(node, str(key)).refuse("rule_unknown_key", key, heads, CLAUSE_KEYS)
            at.refuse("rule_several_clauses", node, heads)
        if len(found) > 1:
            at.of_key(node, found[1]).refuse("rule_several_clauses", Shown(" and ".join(found)), heads)
        head = found[0]
        _check_keys(node, at, CLAUSE_KEYS[head])
        value, spot = node[head], at.of_value(node, head)
        match head:
            case "count":
                return self._read_count(node, at)
            case "quorum":
                return require_quorum(read_amount(value, spot), str(value))
            case "none":
                return None_(_read_names(value, self.positions, spot, allow_participating=True))
            case "each":
                return self._read_each(node, at, depth)
            case "not":
                return Not(self.read(value, spot, depth + 1))
        entries = _read_list(value, spot, "a list of clauses")
        inner = tuple(self.read(e, spot.of_entry(value, i), depth + 1) for i, e in enumerate(entries))
        return All(inner) if head == "all" else Any(inner)

    def _read_count(self, node: Node, at: Spot) -> Count:
        names = _read_names(node["count"], self.positions, at.of_value(node, "count"), allow_participating=True)
        base = Base.PRESENT_AND_VOTING
        weight = None
        where: list[tuple[str, tuple[str, ...]]] = []
        if "of" in node:
            base = Base(_read_word(node["of"], at.of_value(node, "of"), Base))
        if "weight" in node:
            weight = read_text(node["weight"], at.of_value(node, "weight"), Shown("the name of an attribute"))
        if "where" in node:
            spot = at.of_value(node, "where")
            wanted = node["where"]
            if not isinstance(wanted, dict):
                spot.refuse("rule_wrong_kind", wanted, Shown("a mapping of attributes to values"))
            if not wanted:
                spot.refuse("rule_empty", Shown("where"), Shown("attribute: values"))
            for key in wanted:
                name = read_text(key, spot.of_key(wanted, key), Shown("the name of an attribute"))
                where.append((name, _read_values(wanted[key], spot.of_value(wanted, key))))
        return Count(names, _read_bound(node, at), base, weight, tuple(where))

    def _read_each(self, node: Node, at: Spot, depth: int) -> Each:
        attribute = read_text(node["each"], at.of_value(node, "each"), Shown("the name of an attribute"))
        if "rule" not in node:
            at.refuse("rule_missing_key", Shown("each"), "rule")
        bound = _read_bound(node, at, allow_all=True)
        return Each(attribute, bound, self.read(node["rule"], at.of_value(node, "rule"), depth + 1))


def _read_bound(node: Node, at: Spot, allow_all: bool = False) -> Bound:
    found = [comparison for comparison in Comparison if comparison in node]
    if len(found) != 1:
        spot = at.of_key(node, found[1]) if found else at
        spot.refuse("rule_comparison", Shown(" and ".join(found) or "none"), ", ".join(Comparison))
    value, spot = node[found[0]], at.of_value(node, found[0])
    amount = Fraction(1) if allow_all and value == "all" else read_amount(value, spot, allow_all)
    return Bound(found[0], amount, str(value))


def read_amount(node: Node, at: Spot, allow_all: bool = False) -> int | Fraction:
    """Read a whole number of zero or more, or a share from 0 to 1 such as 2/3 or 62.5% (a Fraction)."""
    accepted = "a whole number, a fraction such as 2/3 or a percentage such as 55%" + ", or all" * allow_all
    if isinstance(node, float):
        at.refuse("rule_not_exact", node)
    if isinstance(node, int) and not is_boolean(node):
        if abs(node) >= 10**MAX_DIGITS:
            at.refuse("rule_too_long", accepted=MAX_DIGITS)
        return int(node) if node >= 0 else at.refuse("rule_negative", node)
    if not isinstance(node, str):
        at.refuse("rule_wrong_kind", node, Shown(accepted))
    written = re.fullmatch(r"(-?)([0-9]+)(?:(/)([0-9]+)|(?:\.([0-9]+))?(%))?", node)
    if written is None:
        decimal = re.fullmatch(r"[-+]?[0-9]*\.[0-9]*", node) and len(node) < 60
        at.refuse("rule_not_exact" if decimal else "rule_wrong_kind", node, Shown(accepted))
    if len(node) > MAX_DIGITS:
        at.refuse("rule_too_long", accepted=MAX_DIGITS)
    minus, whole, slash, divisor, decimals, percent = written.groups()
    if minus:
        at.refuse("rule_negative", node)
    if slash:
        if int(divisor) == 0:
            at.refuse("rule_zero_divisor", node)
        share = Fraction(int(whole), int(divisor))
    elif percent:
        share = Fraction(f"{whole}.{decimals or 0}") / 100
    else:
        return int(whole)
    return share if share <= 1 else at.refuse("rule_share_too_large", node)


def read_text(node: Node, at: Spot, accepted: Shown) -> str:
    """Read one word that was written as text: not empty, not a number, true, or a list."""
    if not isinstance(node, str):
        hint = " (put it in quotes)" if isinstance(node, int | float) else ""
        at.refuse("rule_wrong_kind", Shown(describe(node) + hint), accepted)
    if len(node) > MAX_TEXT:
        at.refuse("rule_too_long", accepted=MAX_TEXT)
    if not node or re.search("[\ud800-\udfff]", node):
        at.refuse("rule_wrong_kind", node, accepted)
    return str(node)


def _read_values(node: Node, at: Spot) -> tuple[str, ...]:
    """Read the values of `where`: a scalar or a list of them, each as the text that was written."""
    nodes = _read_list(node, at, "a list of values") if isinstance(node, list) else [node]
    values: dict[str, None] = {}
    for index, entry in enumerate(nodes):
        spot = at.of_entry(node, index) if isinstance(node, list) else at
        value = read_text(write_scalar(entry), spot, Shown("a value to compare with"))
        if value in values:
            spot.refuse("rule_duplicate", value)
        values[value] = None
    return tuple(values)


def write_scalar(node: Node) -> Node:
    """Return the text of a YAML number, boolean or date, as it was written where the loader kept that."""
    source = getattr(node, "source", None)
    if isinstance(source, str):
        return source
    if is_boolean(node):
        return "true" if node else "false"
    if isinstance(node, int | float):
        return str(node) if abs(node) < 10**300 else node
    return node.isoformat() if isinstance(node, date) else node


def _read_names(
    node: Node, positions: tuple[Position, ...], at: Spot, allow_participating: bool = False
) -> tuple[str, ...]:
    accepted = Shown("a position or a list of positions")
    if allow_participating and node == PARTICIPATING:
        return (PARTICIPATING,)
    if not isinstance(node, list):
        name = read_text(node, at, accepted)
        _check_position(name, positions, at)
        return (name,)
    names: dict[str, None] = {}
    for index, entry in enumerate(_read_list(node, at, "a list of positions")):
        spot = at.of_entry(node, index)
        name = read_text(entry, spot, Shown("a position"))
        _check_position(name, positions, spot)
        if name in names:
            spot.refuse("rule_duplicate", name)
        names[name] = None
    return tuple(names)


def _check_position(name: str, positions: tuple[Position, ...], at: Spot) -> None:
    ids = [position.id for position in positions]
    if name not in ids:
        at.refuse("rule_unknown_position", name, ", ".join(map(shorten, ids[:20])) + ", …" * (len(ids) > 20), ids)


def _read_word(node: Node, at: Spot, words: Iterable[str]) -> str:
    names = [str(word) for word in words]
    if not isinstance(node, str) or node not in names:
        at.refuse("rule_unknown_word", node, ", ".join(names), names)
    return str(node)


def _read_list(node: Node, at: Spot, accepted: str) -> list[Node]:
    if not isinstance(node, list):
        at.refuse("rule_wrong_kind", node, Shown(accepted))
    if not node:
        at.refuse("rule_empty", Shown("the list"), Shown(accepted.removeprefix("a list of ")))
    return node


def _check_keys(node: Node, at: Spot, known: Iterable[str]) -> None:
    names = [str(name) for name in known]
    for key in node:
        if key not in names:
            at.of_key(node, key).refuse("rule_unknown_key", key, ", ".join(names), names)
