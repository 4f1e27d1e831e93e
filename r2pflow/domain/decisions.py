"""Decide a ballot: positions and a rule in, a verdict that explains itself out.

The rule's words are in `clauses`, its YAML in `rule_reading`, the arithmetic in `chances` and `rolls`, the
answer in `verdicts`.
"""

import re
from collections.abc import Iterable
from fractions import Fraction

from r2pflow.domain.chances import (
    FAILS,
    HOLDS,
    Group,
    Groups,
    Leaf,
    Negation,
    Node,
    lay_out,
)
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
    Voter,
    list_attributes,
    list_weights,
    require_quorum,
)
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.rolls import Roll, Scope
from r2pflow.domain.verdicts import (
    CARRIED,
    LOST,
    OPEN,
    SENTENCES,
    ClauseResult,
    Line,
    Phrase,
    Verdict,
    explain,
    list_names,
    say,
    say_line,
)

__all__ = [
    "CARRIED",
    "KNOWN_POSITIONS",
    "LOST",
    "OPEN",
    "PARTICIPATING",
    "SENTENCES",
    "All",
    "Any",
    "BallotRule",
    "Base",
    "Bound",
    "Clause",
    "ClauseResult",
    "Comparison",
    "Count",
    "Each",
    "Line",
    "None_",
    "Not",
    "Phrase",
    "Position",
    "PositionKind",
    "Verdict",
    "Voter",
    "check_voters",
    "explain",
    "judge",
    "list_attributes",
    "require_quorum",
    "say",
    "say_line",
]

MAX_WEIGHT = 1_000  # characters
_WEIGHT = re.compile(r"[0-9]+(\.[0-9]+)?")


def judge(rule: BallotRule, voters: Iterable[Voter], *, closed: bool, silence: str | None = None) -> Verdict:
    """Say whether the voters' positions carry the ballot.

    After the close the outcome is `carried` or `lost`, and who said nothing counts as holding `silence`
    (the ballot's own where none is given). Before it, the outcome is that of every completion by the voters
    who have not yet spoken, silence left aside, or else `open`: exactly with up to eight of them, beyond
    that `open` when in doubt.
    Raise InvalidInput as `check_voters` does, or `rule_too_large`.
    """
    voters = tuple(voters)
    check_voters(rule, voters)
    silence = silence or rule.silence or None
    if closed and silence is not None:
        if silence not in {position.id for position in rule.positions}:
            raise InvalidInput("unknown_position", position=silence)
        voters = tuple(v if v.position is not None else Voter(v.id, silence, v.attributes) for v in voters)
    roll = Roll(rule.positions, voters, rule.rule, closed)
    root = lay_out(rule.rule, Scope(roll, range(len(voters)), grouped=False))
    outcome = {HOLDS: CARRIED, FAILS: LOST}.get(root.mask, OPEN)
    return Verdict(outcome, _report(root, roll), _name(roll, roll.free), closed)


def check_voters(rule: BallotRule, voters: Iterable[Voter]) -> None:
    """Refuse voters whom the rule cannot count.

    Raise InvalidInput `duplicate_voter`, `unknown_position`, `attribute_missing`, `bad_weight` or
    `weight_too_long`, with `voter` (its id) and `position`, or `attribute` and `value`. A weight is a number of
    zero or more in decimals.
    """
    known = {position.id for position in rule.positions} | {None}
    names = list_attributes(rule.rule)
    weights = list_weights(rule.rule)
    voters = tuple(voters)
    if _are_sound(voters, known, names, weights):
        return
    seen: set[str] = set()
    for voter in voters:
        if voter.id in seen:
            raise InvalidInput("duplicate_voter", voter=voter.id)
        seen.add(voter.id)
        if voter.position not in known:
            raise InvalidInput("unknown_position", voter=voter.id, position=voter.position)
        for name in names:
            if not voter.attributes.get(name):
                raise InvalidInput("attribute_missing", voter=voter.id, attribute=name)
        for name in weights:
            value = voter.attributes[name]
            if len(value) > MAX_WEIGHT and _WEIGHT.fullmatch(value):
                raise InvalidInput("weight_too_long", voter=voter.id, attribute=name, limit=MAX_WEIGHT)
            if not _is_weight(value):
                raise InvalidInput("bad_weight", voter=voter.id, attribute=name, value=value[:60])


def _are_sound(
    voters: tuple[Voter, ...], known: set[str | None], names: tuple[str, ...], weights: tuple[str, ...]
) -> bool:
    """Ask of all at once, which is quicker, what `check_voters` then asks of each."""
    if len({voter.id for voter in voters}) < len(voters) or {voter.position for voter in voters} - known:
        return False
    columns = {name: [voter.attributes.get(name) for voter in voters] for name in names}
    return all(map(all, columns.values())) and all(all(map(_is_weight, columns[name])) for name in weights)


def _is_weight(value: str | None) -> bool:
    return value is not None and len(value) <= MAX_WEIGHT and _WEIGHT.fullmatch(value) is not None


def _report(node: Node | Group, roll: Roll) -> ClauseResult:
    holds = {HOLDS: True, FAILS: False}.get(node.mask)
    match node:
        case Leaf(clause=clause, tally=tally):
            missing = _name(roll, tally.free)
            if isinstance(clause, None_):
                return ClauseResult("none", holds, missing, has=node.has, positions=clause.positions)
            scaled = clause.weight is not None
            return ClauseResult(
                "count",
                holds,
                missing,
                has=Fraction(node.has, node.scale) if scaled else node.has,
                base=Fraction(node.base, node.scale) if scaled else node.base,
                bound=clause.bound,
                of=clause.base.value,
                positions=clause.positions,
                weight=clause.weight,
                where=clause.where,
            )
        case Group(scope=scope, inner=inner):
            holds = holds if node.mask & HOLDS else False  # a group that nobody is left in does not hold either
            told = (_report(inner, roll),)
            return ClauseResult(
                "group", holds, _name(roll, scope.free), told, group=node.name, attribute=node.attribute
            )
        case Groups(clause=each, scope=scope, groups=groups):
            return ClauseResult(
                "each",
                holds,
                _name(roll, scope.free),
                tuple(_report(group, roll) for group in groups),
                has=sum(group.mask == HOLDS for group in groups),
                base=len(groups),
                bound=each.bound,
                attribute=each.attribute,
            )
        case Negation(inner=inner):
            result = _report(inner, roll)
            return ClauseResult("not", holds, result.missing, (result,))
    results = tuple(_report(inner, roll) for inner in node.nodes)
    return ClauseResult("all" if isinstance(node.clause, All) else "any", holds, list_names(results), results)


def _name(roll: Roll, free: Iterable[int]) -> tuple[str, ...]:
    return tuple(roll.voters[i].id for i in free)
