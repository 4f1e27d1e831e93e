"""A workflow written as YAML is read back the same, and its text is the same each time."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from r2pflow.domain.definition import State, Workflow
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.domain.writing import write_workflow
from r2pflow.folders import get_folder
from tests.random_workflows import workflows

SHIPPED = sorted(path for path in get_folder("workflows").glob("*.yaml") if path.name != "documents.yaml")


def read_back(text: str) -> Workflow:
    found = read_workflow(text, "a.yaml", conditions=Lenient({}), effects=Lenient({}))
    return replace(found, source="", digest="", path="")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(workflows())
def test_any_workflow_is_read_back_the_same(workflow):
    text = write_workflow(workflow)
    assert read_back(text) == workflow
    assert write_workflow(read_back(text)) == text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_workflows_are_read_back_the_same(path):
    workflow = read_back(read_file(path))
    assert read_back(write_workflow(workflow)) == workflow


def test_the_text_is_a_readable_block():
    path = get_folder("workflows") / "joint_statement.yaml"
    text = write_workflow(read_back(read_file(path)))
    assert max(map(len, text.splitlines())) < 400 and len(text.splitlines()) > 100
    assert "\n\nstates:\n  drafting:\n    title:\n      ar: " in text


def test_comments_stand_before_their_entry_and_change_nothing():
    workflow = Workflow("w", 1, "a", {"a": State("a", final=True)}, {})
    told = "first line\n- [ : second \x85 line"
    text = write_workflow(workflow, {(): ["all of it"], ("states", "a"): [told]})
    assert text.startswith("# all of it\nworkflow: w\n")
    assert "  # first line - [ : second line\n  a:\n" in text
    assert read_back(text) == workflow
