"""Whether a workflow makes sense as a whole, its table, and the schema of the format."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from r2pflow.domain.checking import check
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.parameters import read_signature
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.tables import schema, table, types_schema
from r2pflow.folders import get_folder
from r2pflow.plugins.loading import load_plugins

SOUND = """\
workflow: small
initial: draft
permissions: {view: [secretariat]}
states:
  draft: {text: open, grants: {edit: [author]}}
  vote: {ballot: decision, grants: {decide: [steering]}, timer: {after: P3D, fire: expire}}
  done: {final: true}
transitions:
  submit: {from: [draft], to: vote, guard: {permission: [edit]}}
  adopt: {from: [vote], to: done, trigger: [automatic], guard: {require: [{ballot: carried}]}}
  expire: {from: [vote], to: draft, trigger: [timer]}
ballots:
  decision: {electorate: members, positions: [yes, no], rule: {count: yes, more_than: 1/2}}
"""


def problems(text: str) -> list[str]:
    workflow = read_workflow(text, "small.yaml", conditions=BUILT_IN_CONDITIONS, effects={})
    return [
        f"{problem.severity} {problem.line}: {problem.message}"
        for problem in check(workflow)
        if problem.code != "missing_title"
    ]


def test_a_sound_workflow_has_no_problem() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "trigger: [automatic], guard: {require: [{ballot: carried}]}",
            "guard: {permission: [publish]}",
            "warning 10: nobody holds publish in the state vote, so nobody can fire adopt there",
        ),
        (
            "to: vote, guard",
            "to: done, guard",
            "error 6: the state vote cannot be reached from draft",
        ),
        (
            "done: {final: true}",
            "done:",
            "error 7: no transition leaves the state done; add one, or say `final: true`",
        ),
        (
            "{from: [vote], to: draft, trigger: [timer]}",
            "{from: [vote], to: draft}",
            "error 6: the timer of vote fires expire, which lacks `timer` among its triggers",
        ),
        (
            "{from: [vote], to: draft, trigger: [timer]}",
            "{from: [draft], to: draft, trigger: [timer]}",
            "error 6: the timer of vote fires expire, which does not leave that state",
        ),
        (
            ", timer: {after: P3D, fire: expire}",
            "",
            "warning 11: no timer fires the transition expire, though `timer` is among its triggers",
        ),
        ("{final: true}", "{final: true, grants: {view: []}}", "error 7: nobody may view a document in the state done"),
        ("{edit: [author]}", "{edit: []}", "warning 5: the text is open in the state draft, but nobody may edit it"),
        (
            "ballot: decision",
            "text: open, ballot: decision",
            "error 6: the text is open in the state vote, though its ballot is sealed to the text",
        ),
        ("{decide: [steering]}", "{}", "warning 6: a ballot opens in the state vote, but nobody may decide"),
        ("ballot: decision, ", "", "warning 10: adopt asks for a ballot, but the state vote opens none"),
        (
            "{from: [vote], to: draft, trigger: [timer]}",
            "{from: [vote], to: stay, trigger: [timer, automatic]}",
            "error 11: automatic transitions go round in a circle: vote -> vote",
        ),
        (
            "ballots:",
            "  back: {from: [done], to: vote, trigger: [automatic]}\nballots:",
            "error 10: automatic transitions go round in a circle: vote -> done -> vote",
        ),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert SOUND.count(old) == 1
    assert told in problems(SOUND.replace(old, new))


def test_a_title_that_a_language_lacks_is_a_warning() -> None:
    text = SOUND.replace("done: {final: true}", "done: {final: true, title: {en: Done, fr: Fini}}")
    workflow = read_workflow(text, "small.yaml", conditions=BUILT_IN_CONDITIONS, effects={})
    told = {problem.message: problem for problem in check(workflow)}
    problem = told["the state done has no title in ar, es, ru, zh"]
    assert (problem.severity, problem.line) == ("warning", 7)


SHIPPED = sorted(path for path in get_folder("workflows").glob("*.yaml") if path.name != "documents.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_workflows_have_no_problem_and_every_title(path: Path) -> None:
    registry = load_plugins()
    text = path.read_text(encoding="utf-8")
    workflow = read_workflow(text, str(path), conditions=registry.conditions, effects=registry.effects)
    assert check(workflow) == []
    assert set(workflow.title.by_language) == set(LANGUAGES)
    for state in workflow.states:
        assert {"secretariat"} <= workflow.holders(state, "view") or "anonymous" in workflow.holders(state, "view")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_workflows_carry_a_text_from_draft_to_withdrawal(path: Path) -> None:
    registry = load_plugins()
    text = path.read_text(encoding="utf-8")
    workflow = read_workflow(text, str(path), conditions=registry.conditions, effects=registry.effects)
    state = workflow.initial
    for name in (
        "open_comment",
        "close_comment",
        "submit",
        "send_back",
        "submit",
        "adopt",
        "publish",
        "note",
        "withdraw",
    ):
        transition = workflow.transitions[name]
        assert state in transition.sources, (name, state)
        state = transition.target(state)
    assert state == "withdrawn"
    assert {name for name, found in workflow.states.items() if found.text == "open"} == {"drafting", "revision"}


def test_the_table_has_the_fixed_shape_with_names_as_written() -> None:
    text = SOUND.replace("initial: draft", "initial: draft\nbypass: [manager]")
    text = text.replace("draft: {text", "draft: {inherit: [view], text")
    text = text.replace(
        "{permission: [edit]}", "{permission: edit, group: [x], require: [{not: {field: a, is: 1}}, has_text]}"
    )
    workflow = read_workflow(text, "small.yaml", conditions=BUILT_IN_CONDITIONS, effects={})
    found: dict[str, Any] = table(workflow)
    assert {key: found[key] for key in ("workflow", "initial", "bypass", "permissions")} == {
        "workflow": "small",
        "initial": "draft",
        "bypass": ["manager"],
        "permissions": {"view": ["secretariat"]},
    }
    assert list(found["states"]) == ["draft", "vote", "done"]
    assert found["states"]["draft"] == {
        "grants": {"edit": ["author"]},
        "inherit": ["view"],
        "transitions": {
            "submit": {
                "to": "vote",
                "trigger": ["user"],
                "permissions": ["edit"],
                "roles": [],
                "groups": ["x"],
                "require": [{"not": {"field": "a", "is": 1}}, "has_text"],
            }
        },
    }
    assert found["states"]["vote"]["transitions"]["adopt"]["require"] == [{"ballot": "carried"}]
    assert found["states"]["done"] == {"grants": {}, "inherit": [], "transitions": {}}


def test_the_schema_knows_every_key_and_refers_only_to_what_it_defines() -> None:
    def take(work: object, subject: object, outcome: object, *, channel: str, urgent: bool = False) -> None: ...

    conditions = {name: BUILT_IN_CONDITIONS[name] for name in ("has_text", "ballot", "fields_filled")}
    found = schema(conditions, {"tell": SimpleNamespace(parameters=read_signature(take, given=3))})
    assert set(found["properties"]) == {
        *("workflow", "version", "title", "description", "initial", "roles", "means", "bypass", "permissions"),
        *("states", "transitions", "worklists", "ballots"),
    }
    assert found["$defs"]["condition"] == {"enum": ["fields_filled", "has_text"]}
    named = found["$defs"]["condition_with"]["properties"]
    assert named["ballot"]["anyOf"][0] == {"enum": ["carried", "lost", "open", "closed"]} and "has_text" not in named
    assert found["$defs"]["effect"] == {"enum": []}
    assert found["$defs"]["effect_with"]["properties"]["tell"]["required"] == ["channel"]

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    assert references(found) == {f"#/$defs/{name}" for name in found["$defs"]}
    assert references(types_schema()) == set()
