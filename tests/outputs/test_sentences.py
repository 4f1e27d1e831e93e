"""The sentences of errors: each code that is raised anywhere has one, and its places are filled."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import r2pflow
from r2pflow.domain import errors
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Refusal, Refused, SetupError
from r2pflow.outputs.sentences import SENTENCES, sentence
from r2pflow.outputs.translations import translator
from r2pflow.services.meanwhile import CHANGES

ENGLISH = translator("en")
TOLD_BY_RULE = {"condition", "no_permission", "no_role", "no_group", "too_long", "translation_incomplete"}
KINDS = {name for name in vars(errors) if name not in ("DefinitionError", "DefinitionErrors")} - {"field"}


def list_raised() -> list[tuple[str, str, frozenset[str]]]:
    """Find every `Kind("code", name=...)` of the package: file, code, names of parameters."""
    found = []
    for path in sorted(Path(r2pflow.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS):
                continue
            if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                names = {keyword.arg for keyword in node.keywords if keyword.arg}
                found.append((path.name, node.args[0].value, frozenset(names)))
    return found


def test_every_code_that_is_raised_has_a_sentence():
    raised = {(file, code) for file, code, _ in list_raised()}
    assert len(raised) > 50
    untold = [(file, code) for file, code in raised if code not in SENTENCES and code not in TOLD_BY_RULE]
    assert sorted(untold) == []


def test_every_place_of_a_sentence_is_filled_by_what_is_raised():
    unfilled = []
    for file, code, names in list_raised():
        places = set(re.findall(r"%\((\w+)\)s", SENTENCES.get(code, "")))
        if names and places - names - ({"path"} if "where" in names else set()):
            unfilled.append((file, code, places - names))
    assert unfilled == []


def test_a_step_that_waits_for_another_workflow_says_for_which_and_what():
    detail = {"found": {"upkeep": "in_work"}, "accepted": {"upkeep": ["ready", "left_out"]}}
    told = sentence(Refusal("condition", {"name": "in_state", "detail": detail}), ENGLISH)
    assert told == ("In the workflow “upkeep” the document is in “in work”; this step waits for: ready and left out.")


@pytest.mark.parametrize("name", sorted(set(BUILT_IN_CONDITIONS) - {"in_state"}))
def test_every_built_in_condition_says_what_is_missing(name):
    detail = {"found": "open", "count": 2, "languages": ["fr"], "fields": ["scope"], "warnings": ["genocide"]}
    told = sentence(Refusal("condition", {"name": name, "argument": "carried", "detail": detail}), ENGLISH)
    assert "A condition of this step" not in told


def test_a_refused_transition_tells_all_its_reasons():
    refusals = [
        Refusal("condition", {"name": "languages_ready", "detail": {"languages": ["fr", "ru"]}}),
        Refusal("no_role", {"roles": ["secretariat", "steering"]}),
    ]
    told = sentence(Refused("publish", refusals), ENGLISH)
    assert told.startswith("These languages are not verified yet: French and Russian.")
    assert told.endswith("This is for: secretariat and steering group.")


def test_a_field_is_called_by_its_title_where_the_document_is_known():
    refusal = Refusal("condition", {"name": "scope", "detail": {"operator": "is", "found": "country"}})
    assert "“Reach”" in sentence(refusal, ENGLISH, {"scope": "Reach"}.get)
    assert "“scope”" in sentence(refusal, ENGLISH)


def test_one_and_several_are_told_apart():
    def told(count):
        refusal = Refusal("condition", {"name": "no_comment_unanswered", "detail": {"count": count}})
        return sentence(refusal, ENGLISH)

    assert told(1) == "1 comment still waits for an answer."
    assert told(2) == "2 comments still wait for an answer."


@pytest.mark.parametrize("error", [InvalidInput("new"), NotFound("new"), Forbidden("new"), SetupError("new")])
def test_a_code_that_nobody_knows_is_still_told(error):
    assert sentence(error, ENGLISH).endswith(".")


def test_parameters_that_do_not_fit_the_sentence_do_not_break_it():
    assert sentence(InvalidInput("already_taken"), ENGLISH).endswith(".")


def test_a_conflict_tells_every_kind_of_change():
    happened = {"who": "Ann", "transition": "submit", "target": "approval", "at": datetime(2027, 3, 8, 9, tzinfo=UTC)}
    for kind in CHANGES:
        told = sentence(Conflict("moved_on", meanwhile=[{"what": kind, **happened}]), ENGLISH)
        assert "Meanwhile: Ann " in told and told.endswith("(8 March 2027, 09:00 (UTC)).")
