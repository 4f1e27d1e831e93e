"""`tally_files`: two files in, a verdict or `file:line: message` out."""

import json
from pathlib import Path

import pytest

from r2pflow.domain.errors import R2PFlowError
from r2pflow.domain.tally import tally_files
from r2pflow.domain.verdicts import Verdict

RULE = "positions: [yes, no, abstain, recuse]\nrule: {count: yes, more_than: 1/2}\n"


def tally(folder: Path, rule: str | bytes, voters: str | bytes, closed: bool = False) -> Verdict:
    for name, content in (("rule.yaml", rule), ("voters.csv", voters)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tally_files(folder / "rule.yaml", folder / "voters.csv", closed)


def refuse(folder: Path, rule: str | bytes, voters: str | bytes) -> str:
    """Return the message without the folder."""
    with pytest.raises(R2PFlowError) as refused:
        tally(folder, rule, voters)
    return str(refused.value).replace(f"{folder}/", "")


def test_the_verdict_is_told_in_the_fixed_shape(tmp_path: Path) -> None:
    told = tally(tmp_path, RULE, "voter,position\na,yes\nb,no\nc,\n").as_dict()
    assert set(told) == {"outcome", "clauses", "missing", "explanation"}
    assert told["outcome"] == "open"
    assert told["missing"] == ["c"]
    assert told["clauses"]["holds"] is None
    assert json.loads(json.dumps(told)) == told


def test_the_close_decides(tmp_path: Path) -> None:
    assert tally(tmp_path, RULE, "voter,position\na,yes\nb,no\nc,\n", closed=True).outcome == "lost"


def test_a_whole_entry_is_accepted_and_its_silence_counts(tmp_path: Path) -> None:
    rule = (
        "title: {en: Steering}\nelectorate: {role: steering}\nopen_for: P5D\ncalendar: working\nsecrecy: named\n"
        "close_early: never\nreason_required: [no]\nsilence: yes\n" + RULE
    )
    assert tally(tmp_path, rule, "voter,position\na,no\nb,\nc,\n", closed=True).outcome == "carried"


def test_values_of_where_are_compared_as_they_were_written(tmp_path: Path) -> None:
    rule = "positions: [yes]\nrule: {count: yes, at_least: 1, where: {a: TRUE, b: 010, c: 1.50, d: [no]}}\n"
    row = "voter,position,a,b,c,d\nv,yes,{},{},{},{}\n"
    assert tally(tmp_path, rule, row.format("TRUE", "010", "1.50", "no")).outcome == "carried"
    assert tally(tmp_path, rule, row.format("true", "010", "1.50", "no")).outcome == "lost"
    assert tally(tmp_path, rule, row.format("TRUE", "10", "1.50", "no")).outcome == "lost"
    assert tally(tmp_path, rule, row.format("TRUE", "010", "1.5", "no")).outcome == "lost"


def test_aliases_may_repeat_a_clause(tmp_path: Path) -> None:
    rule = "positions: [yes, no]\nrule: {all: [&c {none: no}, {each: r, at_least: all, rule: *c}]}\n"
    assert tally(tmp_path, rule, "voter,position,r\na,yes,x\n").outcome == "carried"


def test_a_header_alone_is_an_electorate_of_nobody(tmp_path: Path) -> None:
    verdict = tally(tmp_path, RULE, "voter,position\n", closed=True)
    assert verdict.outcome == "lost"
    assert "nobody voted" in verdict.explanation


def test_spreadsheets_may_add_a_mark_and_carriage_returns(tmp_path: Path) -> None:
    assert tally(tmp_path, RULE, "\ufeffvoter,position\r\na,yes\r\n\r\n").outcome == "carried"


@pytest.mark.parametrize(
    ("voters", "message"),
    [
        ("", "voters.csv:1: "),
        ("voter;position\na;yes\n", "voters.csv:1: "),
        ("name,position\na,yes\n", "voters.csv:1: the header has no column voter"),
        ("voter,position,\na,yes,1\n", "voters.csv:1: column 3 has no name"),
        ("voter,position,voter\n", "voters.csv:1: the column voter is there twice"),
        ("voter,position\na,yes\nb\n", "voters.csv:3: the row has 1 cells, the header 2"),
        ("voter,position\na,yes,1\n", "voters.csv:2: the row has 3 cells, the header 2"),
        ("voter,position\n ,yes\n", "voters.csv:2: the cell voter is empty"),
        ("voter,position,region\na,yes,\n", "voters.csv:2: the cell region is empty"),
        ("voter,position\na,yes\nb,maybe\n", "voters.csv:3: unknown position maybe"),
        ("voter,position\na,participating\n", "voters.csv:2: unknown position participating"),
        ("voter,position\na,yes\nb,no\na,no\n", "voters.csv:4: the voter a is there twice, first on line 2"),
        ('voter,position\n"a\nb",yes\nc,nay\n', "voters.csv:4: unknown position nay"),
        ('voter,position\n"a,yes\n', "voters.csv:2: this is not CSV"),
        (b"voter,position\na,yes\n\xff,no\n", "voters.csv:3: the text is not UTF-8"),
        ("voter,position\na\0,yes\n", "voters.csv:2: there is a NUL"),
        ("voter,position\n" + "a" * 10_001 + ",yes\n", "voters.csv:2: the cell voter has more than 10000"),
        ("voter,position\n" + "a" * 200_000 + ",yes\n", "voters.csv:2: a cell has more than 10000"),
    ],
)
def test_a_voters_file_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, voters: str | bytes, message: str
) -> None:
    assert refuse(tmp_path, RULE, voters).startswith(message)


@pytest.mark.parametrize("weight", ["-1", "nan", "inf", "1e3", "+1", "1,5", "1.", "0x1", "\u0661", " 1", "1 000"])
def test_a_weight_that_is_not_written_in_decimals_is_refused(tmp_path: Path, weight: str) -> None:
    rule = "positions: [yes]\nrule: {count: yes, at_least: 1/2, weight: w}\n"
    message = refuse(tmp_path, rule, f'voter,position,w\na,yes,0.5\nb,,"{weight}"\n')
    assert message.startswith("voters.csv:3: w is ")


@pytest.mark.parametrize(
    "clause",
    [
        "{count: yes, at_least: 1, weight: region}",
        "{count: yes, at_least: 1, where: {region: a}}",
        "{each: region, at_least: 1, rule: {none: no}}",
        "{not: {any: [{each: region, at_least: 1, rule: {none: no}}]}}",
    ],
)
def test_a_column_that_the_rule_reads_must_be_there(tmp_path: Path, clause: str) -> None:
    message = refuse(tmp_path, f"positions: [yes, no]\nrule: {clause}\n", "voter,position\n")
    assert message.startswith("voters.csv:1: the rule reads region")


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        ("", "rule.yaml:1: "),
        ("positions: [yes]\n", "rule.yaml:1: "),
        ("positions: [yes]\nrule:\n\t{none: yes}\n", "rule.yaml:3: "),
        ("positions: [yes]\nrule: {none: yes\n", "rule.yaml:"),
        ("positions: [yes]\npositions: [no]\nrule: {none: yes}\n", "rule.yaml:2: "),
        ("positions: [yes]\nrule: {none: yes}\nsurprise: 1\n", "rule.yaml:3: "),
        ("positions: [yes]\nrule: {none: yes}\nsilence: no\n", "rule.yaml:3: "),
        ("positions: [yes]\nrule: {none: yes}\n---\na: 1\n", "rule.yaml:3: "),
        ("positions: [yes]\nrule: &r {not: *r}\n", "rule.yaml:2: "),
        ("positions: [yes]\nrule:\n  all:\n    - {count: yes, at_least: 7/0}\n", "rule.yaml:4: "),
        ("positions: [yes]\nrule: " + "{not: " * 3000, "rule.yaml:2: "),
        (b"positions: [yes]\nrule: {none: \xff}\n", "rule.yaml:2: "),
        (
            "positions: [yes]\na: &a {all: [{none: yes}, {none: yes}, {none: yes}]}\n"
            + "".join(
                f"{n}: &{n} {{all: [*{p}, *{p}, *{p}, *{p}]}}\n" for p, n in zip("abcdefg", "bcdefgh", strict=True)
            )
            + "rule: *h\n",
            "rule.yaml:",
        ),
    ],
)
def test_a_rule_file_that_makes_no_sense_is_refused_with_its_line(
    tmp_path: Path, rule: str | bytes, start: str
) -> None:
    assert refuse(tmp_path, rule, "voter,position\na,yes\n").startswith(start)


def test_a_rule_laid_over_too_many_groups_is_refused(tmp_path: Path) -> None:
    rule = "positions: [yes]\nrule: {each: r, at_least: 1, rule: {all: [&c {none: yes}" + ", *c" * 999 + "]}}\n"
    voters = "voter,position,r\n" + "".join(f"v{n},yes,{n}\n" for n in range(300))
    assert refuse(tmp_path, rule, voters).startswith("rule.yaml:1: the rule has more than")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(RULE)
    for rule, voters in (("none.yaml", "none.csv"), ("rule.yaml", "none.csv"), ("rule.yaml", ""), ("a\0", "b")):
        with pytest.raises(R2PFlowError) as refused:
            tally_files(tmp_path / rule, tmp_path / voters)
        assert "cannot be read" in str(refused.value)
