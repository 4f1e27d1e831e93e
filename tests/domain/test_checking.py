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
        (
            "ballots:",
            "  note: {from: [done], to: stay, trigger: [automatic], guard: {require: [has_text]}}\nballots:",
            "error 12: automatic transitions go round in a circle: done -> done",
        ),
        (
            "to: vote, guard: {permission: [edit]}",
            "to: vote, guard: {permission: [view, decide], role: [author]}, trigger: [timer]",
            "error 6: the state vote cannot be reached from draft, for something on the way can never be fired",
        ),
        (
            "{edit: [author]}",
            "{edit: []}",
            "error 5: no transition leaves the state draft: submit can never be fired there",
        ),
        (
            "{permission: [edit]}",
            "{permission: [publish]}",
            "warning 5: no transition leaves the state draft: submit can never be fired there",
        ),
        (
            "{permission: [edit]}",
            "{require: [has_text, {not: {any: [has_text, comments_closed]}}]}",
            "error 6: the state vote cannot be reached from draft, for something on the way can never be fired",
        ),
        (
            "{permission: [edit]}",
            "{require: [has_text, {not: {any: [has_text, comments_closed]}}]}",
            "warning 9: nothing can fire submit: its conditions contradict one another",
        ),
        (
            "from: [vote], to: draft, trigger: [timer]",
            "from: [vote, draft], to: done, trigger: [timer]",
            "warning 11: nothing can fire expire in the state draft: no timer of that state fires it",
        ),
        (
            "from: [vote], to: done, trigger",
            "from: [vote, draft], to: done, trigger",
            "warning 10: adopt asks for a ballot, but the state draft opens none",
        ),
        (
            "ballots:",
            "  haste: {from: [vote], to: done, trigger: [automatic]}\n"
            "  late: {from: [vote], to: draft, trigger: [user, automatic]}\nballots:",
            "warning 13: late never fires by itself in the state vote: haste does before it",
        ),
        (
            "after: P3D",
            "after: P3D, remind: [P1D, P1W]",
            "warning 6: the timer of vote is to remind P1W ahead, but runs for P3D only",
        ),
        (
            "{view: [secretariat]}",
            "{edit: [], view: []}",
            "error 5: nobody may view a document in the state draft",
        ),
        (
            "  draft: {text",
            "  trap: {}\n  draft: {text",
            "error 5: the state trap cannot be reached from draft",
        ),
        (
            "initial: draft",
            "initial: draft\nroles:\n  - clerk\n  - {id: Owner, is: author}\n  - {id: Boss, is: manager}",
            "warning 4: the role clerk is declared, but nothing in the workflow asks for it or grants it anything",
        ),
        (
            "initial: draft",
            "initial: draft\nroles:\n  - clerk\n  - {id: Owner, is: author}\n  - {id: Boss, is: manager}",
            "warning 6: the role Boss is declared, but nothing in the workflow asks for it or grants it anything",
        ),
        (
            "ballots:",
            "worklists:\n  mine: {states: [draft, vote], guard: {permission: [edit]}}\nballots:",
            "warning 13: the worklist mine shows nobody what is there: nobody holds edit in vote",
        ),
        (
            "ballots:",
            "worklists:\n  mine: {states: [draft], where: [has_text, {not: has_text}]}\nballots:",
            "warning 13: the worklist mine is always empty: its conditions contradict one another",
        ),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert SOUND.count(old) == 1
    assert told in problems(SOUND.replace(old, new))


def test_states_from_which_no_end_is_reached_are_told() -> None:
    text = SOUND.replace("  done: {final: true}", "  done: {final: true}\n  left: {}\n  right: {}")
    text = text.replace("ballots:", "  stray: {from: [draft], to: left}\n  on: {from: [left], to: right}\nballots:")
    text = text.replace("ballots:", "  off: {from: [right], to: left}\nballots:")
    assert problems(text) == [
        "warning 8: from the state left no final state can be reached any more",
        "warning 9: from the state right no final state can be reached any more",
    ]


def test_whom_the_guard_asks_nothing_reaches_what_nobody_else_does() -> None:
    text = SOUND.replace("{permission: [edit]}", "{permission: [comment]}").replace("{view:", "{comment: [], view:")
    assert [one for one in problems(text) if one.startswith("error")]
    assert problems(text.replace("initial:", "bypass: [manager]\ninitial:")) == []


def test_what_a_dossier_may_grant_is_no_wall() -> None:
    text = SOUND.replace("{permission: [edit]}", "{permission: [comment]}").replace("{view:", "{comment: [], view:")
    assert problems(text.replace("draft: {text", "draft: {inherit: [comment], text")) == []
    text = SOUND.replace("vote: {ballot", "vote: {inherit: [view], ballot").replace(
        "{view: [secretariat]}", "{view: []}"
    )
    text = text.replace("draft: {text: open, grants: {", "draft: {text: open, grants: {view: [author], ")
    text = text.replace("{final: true}", "{final: true, grants: {view: [member]}}")
    told = "only those may view a document in the state vote to whom a dossier above grants it"
    assert problems(text) == [f"warning 6: {told}"]


def test_a_chain_that_is_longer_than_what_is_fired_in_one_go_is_told() -> None:
    states = "".join(f"  s{number}: {{final: true}}\n" for number in range(24))
    ways = "".join(f"  t{n}: {{from: [s{n}], to: s{n + 1}, trigger: automatic}}\n" for n in range(23))
    head = "workflow: long\ninitial: s0\npermissions: {view: [member]}\n"
    told = "from the state s0 up to 23 automatic transitions follow one another; at most 20 are fired in one go"
    assert problems(f"{head}states:\n{states}transitions:\n{ways}") == [f"warning 5: {told}"]


def test_every_circle_is_told_once_and_as_short_as_it_is() -> None:
    states = "".join(f"  s{number}: {{final: true}}\n" for number in range(6))
    ways = {"s0": "s1", "s1": "s2", "s2": "s0", "s3": "s4", "s4": "s3", "s5": "s0"}
    texts = [f"  t{n}: {{from: [{a}], to: {b}, trigger: automatic}}\n" for n, (a, b) in enumerate(ways.items())]
    texts.append("  short: {from: [s1], to: s0, trigger: automatic}\n  on: {from: [s0, s1, s2, s3, s4], to: s5}\n")
    texts.append("  first: {from: [s0], to: s3}\n")
    head = "workflow: round\ninitial: s0\npermissions: {view: [member]}\n"
    found = problems(f"{head}states:\n{states}transitions:\n{''.join(texts)}")
    told = "automatic transitions go round in a circle"
    assert [one for one in found if one.startswith("error")] == [
        f"error 12: {told}: s0 -> s1 -> s0",
        f"error 15: {told}: s3 -> s4 -> s3",
    ]


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
