"""Published rules of real institutions, and votes that were taken (or could be) under them."""

from collections.abc import Mapping

import pytest
from ruamel.yaml import YAML

from r2pflow.domain.decisions import BallotRule, Voter, judge
from r2pflow.domain.rule_reading import read_ballot_rule

# Charter of the United Nations, article 27(3): nine affirmative votes including the concurring votes of the permanent
# members. That an abstention is no veto: International Court of Justice, Namibia advisory opinion (1971), paragraph 22.
SECURITY_COUNCIL = """
positions: [yes, no, abstain]
rule:
  all:
    - {count: yes, at_least: 9}
    - {count: no, at_most: 0, where: {seat: permanent}}
"""

# Rules of Procedure of the General Assembly (A/520): rule 83, important questions by two thirds of the members present
# and voting; rule 86, who abstains is not voting; rule 67, a majority of the members for any decision.
GENERAL_ASSEMBLY = """
positions: [yes, no, abstain]
rule:
  all:
    - {count: participating, more_than: 1/2, of: eligible}
    - {count: yes, at_least: 2/3, of: present_and_voting}
"""

# Treaty on European Union, article 16(4): 55% of the members, at least fifteen of them, with 65% of the population; a
# blocking minority has at least four members, failing which the majority is deemed attained.
COUNCIL_OF_THE_UNION = """
positions: [yes, no, abstain]
rule:
  all:
    - {count: yes, at_least: 55%, of: eligible}
    - {count: yes, at_least: 15}
    - any:
        - {count: yes, at_least: 65%, of: eligible, weight: population}
        - {count: [no, abstain], fewer_than: 4}
"""

# Constitution of the United States, article I, section 7: two thirds of each house to pass a bill over a veto (of those
# voting: Missouri Pacific Railway Co. v. Kansas, 1919); section 5: a majority of each house is its quorum.
TWO_HOUSES = """
positions: [yes, no, abstain]
rule:
  each: house
  at_least: all
  rule:
    all:
      - {count: participating, more_than: 1/2, of: eligible}
      - {count: yes, at_least: 2/3}
"""

# Constitution of Belgium, article 4, last paragraph: a majority in each language group, the majority of each group
# being assembled, and two thirds of the votes cast in both together.
LANGUAGE_GROUPS = """
positions: [yes, no, abstain]
rule:
  all:
    - each: group
      at_least: all
      rule:
        all:
          - {count: participating, more_than: 1/2, of: eligible}
          - {count: yes, more_than: 1/2}
    - {count: yes, at_least: 2/3}
"""

# Prague Document on Further Development of CSCE Institutions and Structures (31 January 1992), paragraph 16: steps
# may be taken without the consent of the State concerned. Silence is consent, as in the Organization's own procedure.
CONSENSUS_MINUS_ONE = """
positions: [yes, abstain, block]
silence: yes
rule: {count: block, at_most: 0, where: {concerned: no}}
"""

# IESG Ballot Procedures for standards-track documents (RFC 2026 leaves them to the IESG): one Yes, no Discuss, and
# Yes or No Objection from two thirds of the area directors who have not recused themselves.
IETF = """
positions:
  - yes
  - {id: no objection, counts: for}
  - {id: discuss, counts: against}
  - abstain
  - recuse
rule:
  all:
    - {count: yes, at_least: 1}
    - none: discuss
    - {count: [yes, no objection], at_least: 2/3, of: eligible}
"""


def read(text: str) -> BallotRule:
    return read_ballot_rule(YAML(typ="safe", pure=True).load(text))


def make_voters(counts: Mapping[tuple[str | None, str], int], attribute: str = "group") -> list[Voter]:
    """Make voters of (position, value of the attribute) and how many there are."""
    pairs = [pair for pair, number in counts.items() for _ in range(number)]
    return [Voter(f"v{n}", position, {attribute: value}) for n, (position, value) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        # Resolution 1973 (2011) on Libya: 10 to 0, abstaining Brazil, China, Germany, India, Russia.
        ({("yes", "permanent"): 3, ("abstain", "permanent"): 2, ("yes", "elected"): 7,
          ("abstain", "elected"): 3}, "carried"),
        # Draft S/2014/348 on Syria and the International Criminal Court: 13 to 2 (China, Russia).
        ({("yes", "permanent"): 3, ("no", "permanent"): 2, ("yes", "elected"): 10}, "lost"),
        # Draft S/2014/916 on Palestine: 8 to 2, five abstentions; it lacked the ninth vote, and had a veto besides.
        ({("yes", "permanent"): 3, ("no", "permanent"): 1, ("abstain", "permanent"): 1, ("yes", "elected"): 5,
          ("no", "elected"): 1, ("abstain", "elected"): 4}, "lost"),
        ({("yes", "permanent"): 5, ("yes", "elected"): 3, ("abstain", "elected"): 7}, "lost"),
    ],
)  # fmt: skip
def test_the_security_council_asks_nine_of_fifteen_without_a_veto(
    counts: Mapping[tuple[str | None, str], int], outcome: str
) -> None:
    assert judge(read(SECURITY_COUNCIL), make_voters(counts, "seat"), closed=True).outcome == outcome


def test_a_veto_decides_the_security_council_before_the_others_have_spoken() -> None:
    ballot = read(SECURITY_COUNCIL)
    waiting = make_voters({("no", "permanent"): 1, (None, "permanent"): 4, (None, "elected"): 10}, "seat")
    assert judge(ballot, waiting, closed=False).outcome == "lost"
    nearly = make_voters({("yes", "permanent"): 4, (None, "permanent"): 1, ("yes", "elected"): 10}, "seat")
    assert judge(ballot, nearly, closed=False).outcome == "open"


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        # Resolution ES-11/1 (2 March 2022): 141 to 5, 35 abstentions, 12 of 193 did not vote.
        ({("yes", "-"): 141, ("no", "-"): 5, ("abstain", "-"): 35, (None, "-"): 12}, "carried"),
        # Resolution ES-11/3 (7 April 2022): 93 to 24, 58 abstentions, 18 did not vote.
        ({("yes", "-"): 93, ("no", "-"): 24, ("abstain", "-"): 58, (None, "-"): 18}, "carried"),
        ({("yes", "-"): 93, ("no", "-"): 47, ("abstain", "-"): 53}, "lost"),
        ({("yes", "-"): 90, ("abstain", "-"): 6, (None, "-"): 97}, "lost"),
    ],
)
def test_the_general_assembly_asks_two_thirds_of_those_present_and_voting(
    counts: Mapping[tuple[str | None, str], int], outcome: str
) -> None:
    assert judge(read(GENERAL_ASSEMBLY), make_voters(counts), closed=True).outcome == outcome


# Millions, rounded; the Council fixes the exact figures for each year in its rules of procedure, annex III.
POPULATIONS = {
    "DE": "84.4", "FR": "68.1", "IT": "58.9", "ES": "48.1", "PL": "36.8", "RO": "19.1", "NL": "17.8", "BE": "11.7",
    "CZ": "10.8", "SE": "10.5", "PT": "10.5", "GR": "10.4", "HU": "9.6", "AT": "9.1", "BG": "6.4", "DK": "5.9",
    "FI": "5.6", "SK": "5.4", "IE": "5.3", "HR": "3.9", "LT": "2.9", "SI": "2.1", "LV": "1.9", "EE": "1.4",
    "CY": "0.9", "LU": "0.7", "MT": "0.5",
}  # fmt: skip


@pytest.mark.parametrize(
    ("against", "outcome"),
    [
        ("", "carried"),
        ("DE FR IT", "carried"),  # 47% of the population, and still no blocking minority: three members
        ("DE FR IT MT", "lost"),
        ("HU PL CZ SK", "carried"),  # four members, 14% of the population
        ("HR LT SI LV EE CY LU MT BG DK FI SK", "carried"),  # twelve of 27: fifteen remain, which is 55.6%
        ("HR LT SI LV EE CY LU MT BG DK FI SK IE", "lost"),
    ],
)
def test_the_council_of_the_union_asks_a_double_majority_with_a_blocking_minority(against: str, outcome: str) -> None:
    voters = [
        Voter(name, "no" if name in against.split() else "yes", {"population": population})
        for name, population in POPULATIONS.items()
    ]
    assert len(voters) == 27
    assert judge(read(COUNCIL_OF_THE_UNION), voters, closed=True).outcome == outcome


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        # H.R. 6395 of the 116th Congress over the veto: House 322 to 87 (28 December 2020), Senate 81 to 13.
        ({("yes", "house"): 322, ("no", "house"): 87, ("yes", "senate"): 81, ("no", "senate"): 13}, "carried"),
        # H.J.Res. 46 of the 116th Congress (26 March 2019): House 248 to 181; here with a Senate that agrees.
        ({("yes", "house"): 248, ("no", "house"): 181, ("yes", "senate"): 67, ("no", "senate"): 33}, "lost"),
        ({("yes", "house"): 200, (None, "house"): 235, ("yes", "senate"): 100}, "lost"),
    ],
)
def test_both_houses_must_agree(counts: Mapping[tuple[str | None, str], int], outcome: str) -> None:
    assert judge(read(TWO_HOUSES), make_voters(counts, "house"), closed=True).outcome == outcome


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ({("yes", "nl"): 70, ("no", "nl"): 18, ("yes", "fr"): 45, ("no", "fr"): 17}, "carried"),
        ({("yes", "nl"): 88, ("yes", "fr"): 30, ("no", "fr"): 32}, "lost"),  # one group has no majority
        ({("yes", "nl"): 88, ("yes", "fr"): 31, (None, "fr"): 31}, "lost"),  # one group is not assembled
        ({("yes", "nl"): 50, ("no", "nl"): 38, ("yes", "fr"): 40, ("no", "fr"): 22}, "lost"),  # 60% in all
    ],
)
def test_each_language_group_must_agree(counts: Mapping[tuple[str | None, str], int], outcome: str) -> None:
    assert judge(read(LANGUAGE_GROUPS), make_voters(counts), closed=True).outcome == outcome


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ({(None, "no"): 51, ("block", "yes"): 1}, "carried"),
        ({(None, "no"): 50, ("block", "no"): 1, ("block", "yes"): 1}, "lost"),
        ({("yes", "no"): 20, ("abstain", "no"): 31, (None, "yes"): 1}, "carried"),
    ],
)
def test_consensus_minus_one_leaves_out_the_state_concerned(
    counts: Mapping[tuple[str | None, str], int], outcome: str
) -> None:
    assert judge(read(CONSENSUS_MINUS_ONE), make_voters(counts, "concerned"), closed=True).outcome == outcome


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ({("yes", "-"): 1, ("no objection", "-"): 9, (None, "-"): 5}, "carried"),
        ({("no objection", "-"): 15}, "lost"),  # nobody said Yes
        ({("yes", "-"): 1, ("no objection", "-"): 13, ("discuss", "-"): 1}, "lost"),
        ({("yes", "-"): 1, ("no objection", "-"): 8, ("abstain", "-"): 6}, "lost"),
        ({("yes", "-"): 1, ("no objection", "-"): 7, ("recuse", "-"): 3, (None, "-"): 4}, "carried"),  # 8 of 12
    ],
)
def test_the_ietf_asks_one_yes_no_discuss_and_two_thirds(
    counts: Mapping[tuple[str | None, str], int], outcome: str
) -> None:
    assert judge(read(IETF), make_voters(counts), closed=True).outcome == outcome


def test_the_ietf_ballot_stays_open_while_a_discuss_may_come() -> None:
    ballot = read(IETF)
    voters = make_voters({("yes", "-"): 1, ("no objection", "-"): 13, (None, "-"): 1})
    verdict = judge(ballot, voters, closed=False)
    assert verdict.outcome == "open"
    assert [clause.holds for clause in verdict.clauses.clauses] == [True, None, True]
    assert verdict.missing == ("v14",)
