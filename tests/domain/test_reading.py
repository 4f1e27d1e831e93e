"""Reading workflows and document types: the whole format, and an error with a place for whatever is wrong."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r2pflow.domain import yamlnodes
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.parameters import NO_PARAMETERS, read_signature
from r2pflow.domain.people import Electorate
from r2pflow.domain.reading import read_ballot, read_file, read_workflow
from r2pflow.domain.type_reading import read_document_types
from r2pflow.folders import get_folder

EVERY_KEY = """\
workflow: joint_statement
version: 3
title: {en: Joint statement, fr: Déclaration commune}
description: One text for all languages
initial: drafting
roles: [rapporteur, {id: Owner, is: author}]
means: {View: view, Modify portal content: edit}
bypass: [manager]
permissions:
  view: [secretariat, steering]
  comment: []
states:
  drafting:
    title: {en: Drafting}
    grants: {view: [author, editor], Modify portal content: [Owner, rapporteur]}
    inherit: [view]
    text: open
  member_comment:
    grants: {view: [member], comment: member}
    comments: {round: member, kinds: [editorial, substantive]}
    timer: {after: P3D, calendar: working, fire: close_comment, remind: [P1D, PT12H]}
  steering_approval: {grants: {view: [member], decide: [steering]}, ballot: vote}
  published: {final: true, grants: {view: [anonymous]}}
  archived:
transitions:
  open_comment:
    title: Open
    from: [drafting]
    to: member_comment
    guard:
      permission: [edit]
      role: [secretariat]
      group: [media_team]
      require:
        - has_text
        - {fields_filled: [scope, crimes]}
        - {any: [{field: scope, is: normative}, {not: {field: crimes, is_not: []}}]}
    comment: required
    effects: [notify_members, {tell: [one, two]}]
  close_comment: {from: member_comment, to: drafting, trigger: [user, timer]}
  submit: {from: [drafting], to: steering_approval}
  adopt: {from: [steering_approval], to: published, trigger: automatic, guard: {require: [{ballot: carried}]}}
  note: {from: [published], to: stay, comment: none}
worklists:
  to_answer: {title: {en: To answer}, states: [drafting], guard: {role: [secretariat]}, where: [has_open_comments]}
ballots:
  vote:
    electorate: {role: steering}
    positions: [yes, no, {id: discuss, counts: against}]
    reason_required: [no]
    open_for: P5D
    calendar: working
    silence: yes
    close_early: when_decided
    secrecy: secret
    fast_track: {electorate: {group: bureau}, open_for: P1D, report_to: {role: steering}}
    rule: {all: [{quorum: 1/2}, {count: yes, at_least: 2/3, of: present_and_voting}]}
"""

def tell(work: Any, subject: Any, outcome: Any, *, channels: list[str]) -> None: ...


EFFECTS = {
    "tell": SimpleNamespace(parameters=read_signature(tell, given=3)),
    **{
        name: SimpleNamespace(parameters=NO_PARAMETERS)
        for name in ("notify_members", "notify_steering", "open_translation", "publish", "announce", "withdraw")
    },
}
SHIPPED = sorted(path for path in get_folder("workflows").glob("*.yaml") if path.name != "documents.yaml")


def read(text: str, path: str = "flow.yaml") -> Workflow:
    return read_workflow(text, path, conditions=BUILT_IN_CONDITIONS, effects=EFFECTS)


def errors_of(text: str) -> tuple[DefinitionError, ...]:
    with pytest.raises(DefinitionErrors) as caught:
        read(text)
    return caught.value.errors


def only_error(text: str) -> str:
    (error,) = errors_of(text)
    return str(error)


def broken(old: str, new: str) -> str:
    assert EVERY_KEY.count(old) == 1, old
    return EVERY_KEY.replace(old, new)


def test_every_key_of_the_format_arrives() -> None:
    flow = read(EVERY_KEY)
    assert (flow.name, flow.version, flow.initial) == ("joint_statement", 3, "drafting")
    assert flow.title.get("fr") == "Déclaration commune"
    assert flow.description.get("zh") == "One text for all languages"
    assert flow.roles == ("rapporteur", "Owner") and flow.aliases == {"Owner": "author"}
    assert flow.means == {"View": "view", "Modify portal content": "edit"}
    assert flow.bypass == ("manager",)
    assert flow.permissions == {"view": ("secretariat", "steering"), "comment": ()}
    assert flow.states["drafting"].text == "open" and flow.states["published"].text == "frozen"
    assert flow.states["published"].final and not flow.states["archived"].final
    comment = flow.states["member_comment"]
    assert comment.comments is not None and comment.comments.kinds == ("editorial", "substantive")
    assert comment.timer is not None and comment.timer.remind == ("P1D", "PT12H")
    opening = flow.transitions["open_comment"]
    assert opening.guard.permissions == ("edit",) and opening.guard.groups == ("media_team",)
    assert [str(test) for test in opening.guard.require] == [
        "has_text",
        "fields_filled: ['scope', 'crimes']",
        "any(scope is normative, not(crimes is_not []))",
    ]
    assert [(effect.name, effect.argument) for effect in opening.effects] == [
        ("notify_members", None),
        ("tell", ["one", "two"]),
    ]
    assert flow.transitions["close_comment"].triggers == ("user", "timer")
    assert flow.transitions["note"].target("published") == "published"
    assert flow.worklists["to_answer"].where == (Clause("named", "has_open_comments"),)
    vote = flow.ballots["vote"]
    assert (vote.silence, vote.secrecy, vote.close_early) == ("yes", "secret", "when_decided")
    assert vote.electorate == Electorate(role="steering")
    assert vote.fast_track is not None and vote.fast_track["electorate"] == Electorate(group="bureau")
    assert vote.source["positions"] == ["yes", "no", {"id": "discuss", "counts": "against"}]


def test_yes_and_no_stay_words() -> None:
    flow = read(EVERY_KEY)
    assert [position.id for position in flow.ballots["vote"].positions] == ["yes", "no", "discuss"]


def test_the_same_text_has_the_same_digest_and_another_text_another() -> None:
    assert read(EVERY_KEY).digest == read(EVERY_KEY, "elsewhere.yaml").digest
    assert read(EVERY_KEY).digest != read(EVERY_KEY + "# a comment\n").digest


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        (
            "initial: drafting",
            "initial: draftng",
            "draftng",
            "initial: found the state 'draftng'; accepted: drafting, member_comment, steering_approval, published, "
            "archived (did you mean 'drafting'?)",
        ),
        (
            "    text: open",
            "    txet: open",
            "txet",
            "states.drafting: found the key 'txet'; accepted: title, description, grants, inherit, text, comments, "
            "timer, ballot, final (did you mean 'text'?)",
        ),
        (
            "trigger: [user, timer]",
            "trigger: [user, timr]",
            "timr]",
            "transitions.close_comment.trigger[2]: found the word 'timr'; accepted: user, timer, automatic "
            "(did you mean 'timer'?)",
        ),
        ("version: 3", "version: three", "three", "version: found 'three'; accepted: a whole number of at least 1"),
        (
            "after: P3D",
            "after: 3 days",
            "3 days",
            "states.member_comment.timer.after: found '3 days'; accepted: an ISO 8601 duration such as P3D, PT12H, "
            "P2W, P1M, P1DT12H",
        ),
        (
            "fire: close_comment",
            "fire: closed",
            "closed",
            "states.member_comment.timer.fire: found the transition 'closed'; accepted: open_comment, close_comment, "
            "submit, adopt, note",
        ),
        (
            "role: [secretariat]\n      group",
            "role: [secretaryat]\n      group",
            "secretaryat",
            "transitions.open_comment.guard.role: found the role 'secretaryat'; accepted: anonymous, authenticated, "
            "member, steering, secretariat, translator, author, editor, manager, rapporteur, Owner "
            "(did you mean 'secretariat'?)",
        ),
        (
            "permission: [edit]",
            "permission: []",
            "[]\n      role",
            "transitions.open_comment.guard.permission: found an empty list; accepted: at least one, or no key, which "
            "asks nothing",
        ),
        (
            "        - has_text",
            "        - has_txt",
            "has_txt",
            f"transitions.open_comment.guard.require: found the condition 'has_txt'; accepted: "
            f"{', '.join(BUILT_IN_CONDITIONS)} (did you mean 'has_text'?)",
        ),
        (
            "{ballot: carried}",
            "{ballot: won}",
            "won",
            "transitions.adopt.guard.require.ballot: found the word 'won'; accepted: carried, lost, open, closed",
        ),
        (
            "[notify_members, {tell: [one, two]}]",
            "[notify_members, tell]",
            "tell]",
            "transitions.open_comment.effects.tell: the parameter 'channels' is missing; accepted: a text, or a list "
            "of such",
        ),
        (
            "reason_required: [no]",
            "reason_required: [nay]",
            "nay",
            "ballots.vote.reason_required: found the position 'nay'; accepted: yes, no, discuss",
        ),
        (
            "{field: scope, is: normative}",
            "{field: scope, equals: normative}",
            "equals",
            "transitions.open_comment.guard.require[3].any[1]: found the comparison 'equals'; accepted: is, is_not, "
            "in, contains, filled",
        ),
        ("final: true", "final: yes", "yes, grants", "states.published.final: found 'yes'; accepted: true, false"),
        (
            "  archived:",
            "  stay:",
            "stay:\ntrans",
            "states: found the state 'stay'; accepted: another name; `to: stay` keeps a state",
        ),
        ("initial: drafting\n", "", "workflow: j", "the key 'initial' is missing; needed: workflow, initial, states"),
        (
            "title: {en: Joint statement, fr: Déclaration commune}",
            "title: [Joint]",
            "[Joint]",
            "title: found a list; accepted: a text, or a mapping of languages to texts",
        ),
        (
            "of: present_and_voting",
            "of: everybody",
            "everybody",
            "ballots.vote.rule.all[1].of: found 'everybody' where one of eligible, participating, present_and_voting "
            "is expected",
        ),
    ],
)
def test_an_error_names_place_find_and_remedy(old: str, new: str, at: str, told: str) -> None:
    text = broken(old, new)
    before = text[: text.index(at)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert only_error(text) == f"flow.yaml:{line}:{column}: {told}"


def test_all_errors_of_a_file_are_told_at_once_in_the_order_of_lines() -> None:
    text = broken("initial: drafting", "initial: nowhere").replace("- has_text", "- has_txt")
    text = text.replace("to: published", "to: publised")
    assert [error.line for error in errors_of(text)] == [5, 35, 42]
    assert {error.code for error in errors_of(text)} == {"unknown_state", "unknown_condition"}


def test_an_error_carries_code_and_parameters_for_other_languages() -> None:
    (error,) = errors_of(broken("- has_text", "- has_txt"))
    assert error.code == "unknown_condition"
    assert error.params["found"] == "has_txt" and error.params["nearest"] == "has_text"
    assert "ballot" in error.params["accepted"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: found an empty file"),
        ("workflow: x\n\tinitial: y", "2:1: found a tab; YAML is indented with spaces"),
        ("workflow: x\nworkflow: y", "2:1: found the key 'workflow' twice; the first is in line 1"),
        ("states: &s [*s]", "1:13: found the alias 's' inside its own anchor"),
        ("states: *s", "1:9: found the alias 's' without its anchor"),
        (
            "workflow: !!python/name:os.system x",
            "1:11: found the tag 'tag:yaml.org,2002:python/name:os.system'; accepted: no tags",
        ),
        ("[1, 2]: x", "1:1: found a list as a key; accepted: a text"),
        ("a: 1\n---\nb: 2", "2:1: found a second document; accepted: one"),
        ("workflow: a\x07b", "1:12: found the control character U+0007; accepted: printable text"),
        ("x: " + "y" * 20_000, "1:1: found a line of 20003 characters; accepted: at most 10000"),
        ("[" * 500, "1:221: found lists or mappings nested more than 220 deep"),
        ("x: y\n" * 100_000, "1:1: found 500000 characters; accepted: at most 250000"),
    ],
)
def test_text_that_is_no_sound_yaml_is_refused_with_its_place(text: str, told: str) -> None:
    assert str(errors_of(text)[0]) == f"flow.yaml:{told}"


def test_an_entity_bomb_is_refused_before_it_expands() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    started = time.monotonic()
    told = only_error("\n".join(lines))
    assert "aliases that expand to more than 10000 nodes" in told
    assert time.monotonic() - started < 1


def test_aliases_within_reason_are_read() -> None:
    text = broken("grants: {view: [member], comment: member}", "grants: &shown {view: [member], comment: member}")
    text = text.replace("grants: {view: [anonymous]}", "grants: *shown")
    assert read(text).states["published"].grants == {"view": ("member",), "comment": ("member",)}


def test_the_slow_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = broken("archived:", "archived: {}")  # the two place what is not there differently
    quick = yamlnodes.read_nodes(text, "x")
    monkeypatch.setattr(yamlnodes, "CParser", None)
    assert yamlnodes.read_nodes(text, "x") == quick


def test_a_file_that_is_not_utf8_or_too_long_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("workflow: x\ntitle: Déclaration".encode("latin-1"))
    with pytest.raises(DefinitionErrors, match="latin.yaml:2:9: found bytes that are not UTF-8"):
        read_file(path)
    path.write_bytes(b"title: " + b"a" * 10_000_000)
    with pytest.raises(DefinitionErrors, match="latin.yaml:1:1: found over"):
        read_file(path)
    with pytest.raises(DefinitionErrors, match="cannot be read"):
        read_file(tmp_path / "absent.yaml")


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + EVERY_KEY.replace("\n", "\r\n").encode())
    assert read(read_file(path)).digest == read(EVERY_KEY).digest


def test_a_ballot_alone_needs_no_electorate() -> None:
    ballot = read_ballot("positions: [yes, no]\nrule: {count: yes, more_than: 1/2}\n", "rule.yaml")
    assert ballot.electorate == Electorate(members=True)
    with pytest.raises(DefinitionErrors, match="rule.yaml:1:1: the key 'rule' is missing"):
        read_ballot("positions: [yes, no]\n", "rule.yaml")


TYPES = """\
types:
  paper:
    title: {en: Paper}
    code: PP
    workflow: position_paper
    languages: {authoritative: en, required: [fr], optional: [ar]}
    symbol: "X/{year}/{code}/{number}"
    template: paper
    fields:
      scope: {kind: choice, title: Scope, choices: {all: {en: All}}}
      plan: {kind: rows, title: Plan, columns: {due_on: {kind: date, title: Due, required: true}}}
"""


def test_a_document_type_is_read() -> None:
    (paper,) = read_document_types(TYPES, "documents.yaml")
    assert paper.required_languages == ("en", "fr") and paper.optional_languages == ("ar",)
    assert paper.plural.get("en") == "Paper"
    plan = paper.field("plan")
    assert plan is not None and plan.columns[0].name == "due_on" and plan.columns[0].required


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{number}", "1", "7:13: types.paper.symbol: found 'X/{year}/{code}/1'"),
        ("{year}", "{year.real}", "7:13: types.paper.symbol: found"),
        ("optional: [ar]", "optional: [fr]", "6:63: types.paper.languages: found the language 'fr'"),
        (", choices: {all: {en: All}}", "", "10:7: types.paper.fields.scope: found a field of kind choice"),
        ("kind: date", "kind: rows", "11:49: types.paper.fields.plan.due_on: found a field of kind rows"),
        ("code: PP", "code: paper", "4:11: types.paper.code: found 'paper'"),
        ("kind: choice,", "kind: choise,", "10:21: types.paper.fields.scope.kind: found the word 'choise'"),
    ],
)
def test_a_document_type_that_makes_no_sense_is_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(DefinitionErrors) as caught:
        read_document_types(TYPES.replace(old, new), "documents.yaml")
    assert str(caught.value.errors[0]).startswith(f"documents.yaml:{told}")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_workflows_are_read(path: Path) -> None:
    flow = read(read_file(path), str(path))
    assert flow.name == path.stem


def mutated(data: st.DataObject) -> str:
    """Return a shipped file with a few of its pieces cut, doubled, moved or replaced by trouble."""
    text = data.draw(st.sampled_from([EVERY_KEY, TYPES, read_file(SHIPPED[0])]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        to = min(len(text), at + data.draw(st.integers(0, 60)))
        trouble = [
            "\t",
            "[",
            "{",
            "}",
            ": ",
            "- ",
            "*a",
            "&a ",
            "!x ",
            "\n",
            "'",
            '"',
            "\x00",
            "é",
            "%",
            "?",
            "|",
            "<<: ",
            "null",
            "~",
            "[[[[",
            "a: &b [*b]",
            "9" * 400,
            "\ud800",
            "#",
            "- " * 70,
            "yes",
            "1e999",
            ".inf",
        ]
        text = text[:at] + data.draw(st.sampled_from([*trouble, text[at:to] * 3, ""])) + text[to:]
    return text


@settings(max_examples=300, deadline=2000, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_written_is_read_or_refused_with_a_place(data: st.DataObject) -> None:
    text = mutated(data)
    for reader in (read, lambda text: read_document_types(text, "flow.yaml")):
        try:
            reader(text)
        except DefinitionErrors as refused:
            assert refused.errors
            for error in refused.errors:
                assert str(error).startswith("flow.yaml:") and error.line >= 1 and error.column >= 1
                assert error.line <= text.count("\n") + 1
