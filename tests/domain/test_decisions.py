"""What the clauses mean, one case each; whole rules are in `test_decisions_institutions`."""

import time
from typing import Any

import pytest

from r2pflow.domain.decisions import BallotRule, Verdict, Voter, explain, judge, say_line
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.rule_reading import read_positions, read_rule

POSITIONS = ["yes", "no", "abstain", "block", "recuse"]


def make_ballot(rule: dict[str, Any], silence: str | None = None) -> BallotRule:
    positions = read_positions(POSITIONS)
    return BallotRule(positions, read_rule(rule, positions), silence)


def make_voters(words: str, **attributes: str) -> list[Voter]:
    """Make a voter of each word, `-` for one without a position; attributes are given a word per voter too."""
    columns = {name: values.split() for name, values in attributes.items()}
    return [
        Voter(f"v{n}", None if word == "-" else word, {name: values[n] for name, values in columns.items()})
        for n, word in enumerate(words.split())
    ]


def decide(rule: dict[str, Any], words: str, closed: bool = True, **attributes: str) -> str:
    return judge(make_ballot(rule), make_voters(words, **attributes), closed=closed).outcome


def test_a_quorum_counts_abstentions() -> None:
    assert decide({"quorum": "1/2"}, "abstain no - -") == "carried"
    assert decide({"quorum": "1/2"}, "abstain - - -") == "lost"


def test_a_recusal_shrinks_the_base_of_the_eligible() -> None:
    assert decide({"quorum": "1/2"}, "yes - recuse") == "carried"
    assert decide({"quorum": "2/3"}, "yes - recuse") == "lost"


def test_the_default_base_leaves_abstentions_out() -> None:
    assert decide({"count": "yes", "at_least": "2/3"}, "yes yes no abstain abstain") == "carried"
    assert decide({"count": "yes", "at_least": "2/3", "of": "participating"}, "yes yes no abstain") == "lost"


def test_recusals_can_be_counted_though_they_are_in_no_base() -> None:
    assert decide({"count": "recuse", "at_most": 1}, "recuse recuse yes") == "lost"
    assert decide({"none": "recuse"}, "recuse yes") == "lost"
    # Holders are compared with the base whether or not they are in it: two of a base of one.
    assert decide({"count": "recuse", "more_than": "100%"}, "recuse recuse yes") == "carried"


def test_in_a_group_nobody_who_recused_themselves_is_counted() -> None:
    rule = {"each": "region", "at_least": 1, "rule": {"count": "recuse", "at_least": 1}}
    assert decide(rule, "recuse yes", region="a a") == "lost"


def test_a_group_of_recusals_only_is_no_group() -> None:
    rule = {"each": "region", "at_least": "all", "rule": {"count": "yes", "at_least": 1}}
    assert decide(rule, "recuse yes", region="a b") == "carried"
    assert decide(rule, "recuse recuse", region="a b") == "lost"


@pytest.mark.parametrize("comparison", ["at_least", "more_than", "at_most", "fewer_than"])
@pytest.mark.parametrize("base", ["eligible", "participating", "present_and_voting"])
def test_no_share_of_an_empty_base_holds_and_the_explanation_says_that_nobody_voted(comparison: str, base: str) -> None:
    rule = {"count": "no", comparison: "0%" if comparison == "at_least" else "1/2", "of": base}
    verdict = judge(make_ballot(rule), make_voters("recuse recuse"), closed=True)
    assert verdict.outcome == "lost"
    assert "nobody voted" in verdict.explanation


def test_a_base_whose_voters_weigh_nothing_is_empty() -> None:
    rule = {"count": "yes", "at_least": "0/1", "weight": "w"}
    assert decide(rule, "yes yes", w="0 0.0") == "lost"
    assert decide(rule, "yes yes", w="0 0.1") == "carried"


@pytest.mark.parametrize("comparison", ["at_least", "at_most", "more_than", "fewer_than"])
def test_each_without_any_group_does_not_hold(comparison: str) -> None:
    assert decide({"each": "region", comparison: 0, "rule": {"quorum": 0}}, "") == "lost"


def test_whole_numbers_are_compared_even_where_nobody_voted() -> None:
    assert decide({"count": "no", "at_most": 0}, "- -") == "carried"
    assert decide({"count": "no", "at_least": 0}, "") == "carried"


def test_weights_are_added_up_exactly() -> None:
    rule = {"count": "yes", "at_least": "3/10", "weight": "w", "of": "participating"}
    # 0.1 + 0.2 against 3/10 of 1.0, which floats miss.
    assert decide(rule, "yes yes no", w="0.1 0.2 0.7") == "carried"
    assert decide(rule, "yes yes no", w="0.1 0.2 0.70000000000000000000000001") == "lost"


def test_where_looks_at_matching_voters_only_in_count_and_in_base() -> None:
    rule = {"count": "yes", "more_than": "1/2", "where": {"house": ["upper", "crown"], "vote": 1}}
    assert decide(rule, "yes no no", house="upper lower lower", vote="1 1 1") == "carried"
    assert decide(rule, "yes no no", house="upper lower upper", vote="1 1 0") == "carried"
    assert decide(rule, "yes no no", house="upper lower upper", vote="1 1 1") == "lost"


def test_silence_counts_at_the_close_in_every_sense_and_not_before() -> None:
    ballot = make_ballot({"all": [{"quorum": "1/1"}, {"count": "yes", "at_least": "2/3"}]}, silence="yes")
    voters = make_voters("no - -")
    assert judge(ballot, voters, closed=True).outcome == "carried"
    assert judge(ballot, voters, closed=False).outcome == "open"
    assert judge(ballot, make_voters("no no -"), closed=False).outcome == "lost"


def test_silence_given_to_the_judge_stands_in_for_the_ballots_own() -> None:
    ballot = make_ballot({"none": "no"}, silence="yes")
    assert judge(ballot, make_voters("-"), closed=True, silence="no").outcome == "lost"
    with pytest.raises(InvalidInput):
        judge(ballot, make_voters("-"), closed=True, silence="perhaps")


def test_a_share_of_the_groups_is_taken_of_those_that_exist() -> None:
    rule = {"each": "region", "at_least": "2/3", "rule": {"count": "yes", "at_least": 1}}
    assert decide(rule, "yes yes no", region="a b c") == "carried"
    assert decide(rule, "yes no no", region="a b c") == "lost"
    assert decide(rule, "yes no recuse", region="a a c") == "carried"


def test_before_the_close_a_quorum_may_be_certain() -> None:
    assert decide({"quorum": "1/2"}, "yes no - -", closed=False) == "carried"
    assert decide({"quorum": "1/2"}, "yes - -", closed=False) == "open"


def test_who_has_not_spoken_may_still_recuse_themselves() -> None:
    # Two of four are not a majority of the eligible, but two of three would be.
    assert decide({"count": "yes", "more_than": "1/2", "of": "eligible"}, "yes yes no -", closed=False) == "open"
    assert decide({"count": "yes", "more_than": "2/3", "of": "eligible"}, "yes yes no -", closed=False) == "open"
    assert decide({"count": "yes", "more_than": "3/4", "of": "eligible"}, "yes yes no -", closed=False) == "lost"


def test_clauses_that_look_at_the_same_voter_are_judged_together() -> None:
    # Each clause alone could still hold; the last voter cannot satisfy both.
    rule = {"all": [{"count": "yes", "at_least": 1}, {"count": "no", "at_least": 1}]}
    verdict = judge(make_ballot(rule), make_voters("-"), closed=False)
    assert verdict.outcome == "lost"
    assert [clause.holds for clause in verdict.clauses.clauses] == [None, None]
    # And one of the two holds whatever the voter does.
    opposite = {"any": [{"count": "yes", "at_least": 1}, {"count": "yes", "fewer_than": 1}]}
    assert decide(opposite, "-", closed=False) == "carried"


def test_up_to_eight_voters_are_judged_exactly_and_more_are_open_when_in_doubt() -> None:
    rule = {"all": [{"count": "yes", "at_least": 5}, {"count": "no", "at_least": 4}]}
    assert decide(rule, "- " * 8, closed=False) == "lost"
    rule = {"all": [{"count": "yes", "at_least": 6}, {"count": "no", "at_least": 4}]}
    assert decide(rule, "- " * 9, closed=False) in ("open", "lost")
    assert decide({"count": "yes", "at_least": 10}, "- " * 9, closed=False) == "lost"


def test_a_group_holds_only_by_what_somebody_in_it_can_bring_about() -> None:
    # With everybody recused the inner `each` fails and its `not` would hold, but then there is no group either.
    inner = {"not": {"each": "class", "at_least": 1, "rule": {"count": "yes", "at_least": 0}}}
    rule = {"each": "region", "at_least": 1, "rule": inner}
    assert decide(rule, "-", closed=False, region="a", **{"class": "x"}) == "lost"


def test_the_missing_are_those_still_to_speak_of_whom_the_clause_looks_at() -> None:
    rule = {"all": [{"count": "yes", "at_least": 1, "where": {"region": "a"}}, {"quorum": "1/2"}]}
    verdict = judge(make_ballot(rule), make_voters("- - no", region="a b b"), closed=False)
    assert verdict.missing == ("v0", "v1")
    assert [clause.missing for clause in verdict.clauses.clauses] == [("v0",), ("v0", "v1")]
    assert judge(make_ballot(rule), make_voters("- - no", region="a b b"), closed=True).missing == ()


def tell(verdict: Verdict) -> dict[str, Any]:
    return verdict.as_dict()["clauses"]


def test_the_verdict_tells_what_each_clause_has_and_needs() -> None:
    rule = {"count": "yes", "at_least": "2/3", "of": "eligible"}
    assert tell(judge(make_ballot(rule), make_voters("yes yes no -"), closed=True)) == {
        "kind": "count",
        "holds": False,
        "positions": ["yes"],
        "of": "eligible",
        "comparison": "at_least",
        "value": "2/3",
        "has": 2,
        "needs": 3,
        "base": 4,
        "missing": [],
        "clauses": [],
    }


def test_numbers_that_are_not_whole_are_told_exactly() -> None:
    rule = {"count": "yes", "at_least": "1/3", "weight": "w"}
    told = tell(judge(make_ballot(rule), make_voters("yes no", w="0.5 1.5"), closed=True))
    assert (told["has"], told["base"], told["needs"]) == ("0.5", 2, "2/3")


def test_the_tree_names_the_groups() -> None:
    rule = {"each": "region", "at_least": 2, "rule": {"count": "yes", "at_least": 1}}
    told = tell(judge(make_ballot(rule), make_voters("yes no -", region="b a c"), closed=False))
    assert [(group["group"], group["holds"]) for group in told["clauses"]] == [
        ("a", False),
        ("b", True),
        ("c", None),
    ]
    assert (told["has"], told["needs"], told["base"], told["missing"]) == (1, 2, 3, ["v2"])


def test_the_explanation_has_a_line_for_each_clause() -> None:
    rule = {"all": [{"quorum": "1/2"}, {"count": "yes", "at_least": "55%", "weight": "w"}, {"none": "block"}]}
    verdict = judge(make_ballot(rule), make_voters("yes no -", w="1.5 1 1"), closed=False)
    assert verdict.explanation.split("\n") == [
        "Still open. Not yet spoken: v2.",
        "All of these – still open",
        "  Taken part: 2 of 3 (eligible); needed: at least 1/2, which is 2 – holds",
        "  yes, weighted by w: 1.5 of 2.5 (present and voting); needed: at least 55%, which is 1.375 – still open;"
        " not yet spoken: v2",
        "  block: 0; needed: nobody – still open; not yet spoken: v2",
    ]


def test_the_edge_can_say_a_clause_in_its_own_words() -> None:
    verdict = judge(make_ballot({"none": "block"}), make_voters("-"), closed=False)
    (line,) = explain(verdict)
    french = {"{who}: {has}; needed: nobody": "{who} : {has} ; il faut : personne"}
    names = {"block": "Blocage", "v0": "Organisation"}
    said = say_line(line, lambda msgid: french.get(msgid, msgid), lambda param, text: names.get(text, text))
    assert said == "Blocage : 0 ; il faut : personne – still open; not yet spoken: Organisation"


@pytest.mark.parametrize(
    ("voters", "code"),
    [
        ([Voter("a", "yes", {"w": "1"}), Voter("a", "no", {"w": "1"})], "duplicate_voter"),
        ([Voter("a", "perhaps", {"w": "1"})], "unknown_position"),
        ([Voter("a", "yes", {})], "attribute_missing"),
        ([Voter("a", "recuse", {"w": ""})], "attribute_missing"),
        ([Voter("a", "yes", {"w": "-1"})], "bad_weight"),
        ([Voter("a", None, {"w": "nan"})], "bad_weight"),
        ([Voter("a", "yes", {"w": "9" * 5000})], "weight_too_long"),
    ],
)
def test_voters_that_the_rule_cannot_count_are_refused_by_name(voters: list[Voter], code: str) -> None:
    ballot = make_ballot({"count": "yes", "at_least": 1, "weight": "w"})
    with pytest.raises(InvalidInput) as refused:
        judge(ballot, voters, closed=True)
    assert refused.value.code == code
    assert refused.value.params["voter"] == "a"


def test_five_hundred_voters_with_weights_and_nested_groups_take_no_time() -> None:
    inner = {"each": "class", "at_least": "1/2", "rule": {"count": "yes", "at_least": "1/3", "weight": "w"}}
    rule = {
        "all": [
            {"quorum": "1/2"},
            {"count": "yes", "at_least": "2/3", "weight": "w"},
            {"each": "region", "at_least": 4, "rule": inner},
        ]
    }
    words = ["yes", "no", "abstain", "-", "-"]
    voters = [
        Voter(
            f"v{n}",
            None if words[n % 5] == "-" else words[n % 5],
            {"region": str(n % 7), "class": str(n % 11), "w": f"{n}.{n % 10}"},
        )
        for n in range(500)
    ]
    start = time.perf_counter()
    assert judge(make_ballot(rule), voters, closed=False).outcome == "open"
    assert time.perf_counter() - start < 1


def test_eight_voters_of_different_weight_are_gone_through_in_no_time() -> None:
    weights = "900001 720003 633007 510011 402013 388017 291019 104023"
    half = 1974047
    rule = {
        "all": [
            {"count": "yes", "weight": "w", "at_least": half},
            {"count": "yes", "weight": "w", "at_most": half},
            {"count": ["no", "block"], "weight": "w", "at_least": "1/3", "of": "eligible"},
        ]
    }
    start = time.perf_counter()
    assert decide(rule, "- " * 8, closed=False, w=weights) in ("lost", "open")
    assert time.perf_counter() - start < 5
