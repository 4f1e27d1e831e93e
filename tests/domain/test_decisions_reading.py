"""How rules are read from YAML, and what is refused with which words."""

from fractions import Fraction
from typing import Any

import pytest
from ruamel.yaml import YAML

from r2pflow.domain.decisions import (
    All,
    Base,
    Bound,
    Comparison,
    Count,
    Each,
    None_,
    Not,
    Position,
    PositionKind,
)
from r2pflow.domain.decisions import (
    Any as AnyOf,
)
from r2pflow.domain.rule_reading import RuleError, read_ballot_rule, read_positions, read_rule

POSITIONS = read_positions(["yes", "no", "abstain", {"id": "no objection", "counts": "for"}])


def load(text: str) -> Any:
    return YAML(typ="rt", pure=True).load(text)


def read(text: str) -> Any:
    return read_rule(load(text), POSITIONS)


def refuse(text: str) -> RuleError:
    with pytest.raises(RuleError) as refused:
        read(text)
    return refused.value


def test_every_clause_is_read() -> None:
    rule = read(
        """
        all:
          - quorum: 1/2
          - {count: [yes, no objection], more_than: 55%, of: eligible, weight: w, where: {house: [a, 2], x: yes}}
          - none: no
          - any: [not: {count: participating, fewer_than: 3}]
          - {each: region, at_most: all, rule: {count: yes, at_least: 62.5%}}
        """
    )
    assert rule == All(
        (
            Count(("participating",), Bound(Comparison.AT_LEAST, Fraction(1, 2)), Base.ELIGIBLE),
            Count(
                ("yes", "no objection"),
                Bound(Comparison.MORE_THAN, Fraction(11, 20)),
                Base.ELIGIBLE,
                "w",
                (("house", ("a", "2")), ("x", ("yes",))),
            ),
            None_(("no",)),
            AnyOf((Not(Count(("participating",), Bound(Comparison.FEWER_THAN, 3))),)),
            Each(
                "region",
                Bound(Comparison.AT_MOST, Fraction(1)),
                Count(("yes",), Bound(Comparison.AT_LEAST, Fraction(5, 8))),
            ),
        )
    )


def test_a_whole_number_and_a_share_of_the_same_worth_are_different() -> None:
    assert isinstance(read("quorum: 1").bound.value, int)
    assert isinstance(read("quorum: 1/1").bound.value, Fraction)
    assert isinstance(read("quorum: 100%").bound.value, Fraction)


def test_yes_and_no_stay_words() -> None:
    assert read_positions(load("[yes, no]")) == (
        Position("yes", PositionKind.FOR),
        Position("no", PositionKind.AGAINST),
    )


def test_a_known_position_may_be_spelled_out_with_its_own_kind() -> None:
    assert read_positions(load("[{id: block, counts: against}]")) == (Position("block", PositionKind.AGAINST),)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("7/0", "rule_zero_divisor"),
        ("-1", "rule_negative"),
        ("-1/2", "rule_negative"),
        ("3/2", "rule_share_too_large"),
        ("101%", "rule_share_too_large"),
        ("0.5", "rule_not_exact"),
        ("1.0", "rule_not_exact"),
        (".nan", "rule_not_exact"),
        (".inf", "rule_not_exact"),
        ("1e3", "rule_not_exact"),
        ("true", "rule_wrong_kind"),
        ("&x true", "rule_wrong_kind"),
        ("~", "rule_wrong_kind"),
        ("half", "rule_wrong_kind"),
        ("1/2/3", "rule_wrong_kind"),
        ("50 %", "rule_wrong_kind"),
        ("\u0661/\u0662", "rule_wrong_kind"),
        ("[1]", "rule_wrong_kind"),
        ("all", "rule_wrong_kind"),
        ("9" * 31, "rule_too_long"),
        ("1/" + "3" * 40, "rule_too_long"),
        ('"' + "9" * 5000 + '"', "rule_too_long"),
    ],
)
def test_a_value_that_is_no_number_or_share_is_refused(value: str, code: str) -> None:
    assert refuse(f"{{count: yes, at_least: {value}}}").code == code


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("all: []", "rule_empty"),
        ("any: []", "rule_empty"),
        ("all: {none: no}", "rule_wrong_kind"),
        ("{count: yes}", "rule_comparison"),
        ("{count: yes, at_least: 1, at_most: 2}", "rule_comparison"),
        ("{count: yes, at_least: 1, atleast: 2}", "rule_unknown_key"),
        ("{counts: yes, at_least: 1}", "rule_unknown_key"),
        ("{quorum: 1/2, of: eligible}", "rule_unknown_key"),
        ("{count: perhaps, at_least: 1}", "rule_unknown_position"),
        ("{count: [yes, participating], at_least: 1}", "rule_unknown_position"),
        ("{count: [yes, yes], at_least: 1}", "rule_duplicate"),
        ("{count: [], at_least: 1}", "rule_empty"),
        ("{count: 1, at_least: 1}", "rule_wrong_kind"),
        ("{count: yes, at_least: 1, of: everybody}", "rule_unknown_word"),
        ("{count: yes, at_least: 1, weight: 1}", "rule_wrong_kind"),
        ("{count: yes, at_least: 1, where: region}", "rule_wrong_kind"),
        ("{count: yes, at_least: 1, where: {}}", "rule_empty"),
        ("{count: yes, at_least: 1, where: {region: []}}", "rule_empty"),
        ("{count: yes, at_least: 1, where: {region: }}", "rule_wrong_kind"),
        ("{count: yes, at_least: 1, where: {region: [a, a]}}", "rule_duplicate"),
        ("{each: region, at_least: 1}", "rule_missing_key"),
        ("{each: region, rule: {none: no}}", "rule_comparison"),
        ("{all: [{none: no}], any: [{none: no}]}", "rule_several_clauses"),
        ("{}", "rule_several_clauses"),
        ("[]", "rule_wrong_kind"),
        ("yes", "rule_wrong_kind"),
    ],
)
def test_a_clause_that_makes_no_sense_is_refused(rule: str, code: str) -> None:
    assert refuse(rule).code == code


@pytest.mark.parametrize(
    ("positions", "code"),
    [
        ("[]", "rule_empty"),
        ("yes", "rule_wrong_kind"),
        ("[1]", "rule_wrong_kind"),
        ("['']", "rule_wrong_kind"),
        ("[yes, yes]", "rule_duplicate"),
        ("[participating]", "rule_reserved"),
        ("[{id: participating, counts: for}]", "rule_reserved"),
        ("[{id: yes, counts: against}]", "rule_position_kind"),
        ("[perhaps]", "rule_position_unspelled"),
        ("[{id: perhaps, counts: maybe}]", "rule_unknown_word"),
        ("[{counts: for}]", "rule_missing_key"),
        ("[{id: x, counts: for, title: X}]", "rule_unknown_key"),
    ],
)
def test_positions_that_make_no_sense_are_refused(positions: str, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        read_positions(load(positions))
    assert refused.value.code == code


def test_an_error_names_place_finding_and_the_nearest_known_name() -> None:
    error = refuse("all:\n  - quorum: 1/2\n  - {count: yes, at_least: 1, of: eligable}\n")
    assert (error.line, error.column) == (3, 35)
    assert error.params == {
        "where": "rule.all[1].of",
        "found": "'eligable'",
        "accepted": "eligible, participating, present_and_voting",
        "nearest": "eligible",
    }
    assert "(did you mean eligible?)" in error.message


def test_plain_nodes_without_places_are_read_and_refused_too() -> None:
    with pytest.raises(RuleError) as refused:
        read_rule({"all": [{"count": "yess", "at_least": 1}]}, POSITIONS)
    assert refused.value.params["where"] == "rule.all[0].count"
    assert refused.value.line == 0


def test_a_rule_that_grows_without_end_is_refused() -> None:
    node: dict[str, Any] = {"none": "no"}
    for _ in range(20):
        node = {"all": [node, node, node]}
    with pytest.raises(RuleError) as refused:
        read_rule(node, POSITIONS)
    assert refused.value.code == "rule_too_many"


def test_a_rule_that_refers_to_itself_is_refused() -> None:
    node: dict[str, Any] = {}
    node["not"] = node
    with pytest.raises(RuleError) as refused:
        read_rule(node, POSITIONS)
    assert refused.value.code == "rule_too_deep"


def test_an_entry_under_ballots_is_read_whole() -> None:
    ballot = read_ballot_rule(
        load(
            "electorate: {role: steering}\npositions: [yes, no, block]\nreason_required: [no, block]\n"
            "silence: yes\nclose_early: when_decided\nrule: {none: block}\n"
        )
    )
    assert ballot.silence == "yes"
    assert ballot.reason_required == ("no", "block")


@pytest.mark.parametrize(
    ("entry", "line", "code"),
    [
        ("positions: [yes]", 1, "rule_missing_key"),
        ("positions: [yes]\nrule: {none: yes}\nsilence: no", 3, "rule_unknown_position"),
        ("positions: [yes]\nrule: {none: yes}\nsecrecy: shut", 3, "rule_unknown_word"),
        ("positions: [yes]\nrules: {none: yes}", 2, "rule_unknown_key"),
        ("[]", 1, "rule_wrong_kind"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry: str, line: int, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        read_ballot_rule(load(entry))
    assert (refused.value.code, refused.value.line) == (code, line)
