"""Workflows as XML for Plone: read back, their table is the same, or the export was refused by name."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from r2pflow.domain.dcworkflow_reading import read_dcworkflow
from r2pflow.domain.dcworkflow_rolemap import read_rolemap, write_rolemap
from r2pflow.domain.dcworkflow_writing import write_dcworkflow
from r2pflow.domain.definition import EffectCall, Guard, State, Transition, Workflow, WorklistDef
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.errors import DefinitionErrors
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.people import BUILT_IN_ROLES, Titles
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.domain.tables import table
from r2pflow.folders import get_folder
from tests.random_workflows import workflows

SHIPPED = sorted(path for path in get_folder("workflows").glob("*.yaml") if path.name != "documents.yaml")
WORDS = st.sampled_from(["Owner", "Manager", "Modify portal content", "View", "a & <b>", "editor", "view", "é", "x;y"])


def read_again(workflow: Workflow) -> Workflow:
    """Write the workflow as definition.xml and rolemap.xml, and read both."""
    exported = write_dcworkflow(workflow)
    roles = dict.fromkeys((*workflow.roles, *BUILT_IN_ROLES))
    rolemap = read_rolemap(write_rolemap(roles, workflow.permissions).encode(), "rolemap.xml")
    return read_dcworkflow(exported.xml.encode(), "definition.xml", rolemap).workflow


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(workflows(words=WORDS))
def test_any_workflow_keeps_its_table_or_is_refused(workflow):
    try:
        again = read_again(workflow)
    except DefinitionErrors as refused:
        assert all("accepted: " in error.message for error in refused.errors)
        return
    assert table(again) == table(workflow)
    assert table(read_again(again)) == table(workflow)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    workflows(
        words=st.sampled_from(["Owner", "Manager", "View", "a & <b>", "é"]),
        tests=st.builds(
            lambda value: Clause("field", "scope", value, "is"), st.sampled_from(["x", 3, True, ["a", "b"], ""])
        ),
    )
)
def test_what_is_not_refused_by_rule_is_never_refused(workflow):
    carried = {
        name: replace(way, triggers=tuple(dict.fromkeys(("user", *way.triggers))), effects=())
        for name, way in workflow.transitions.items()
    }
    workflow = replace(workflow, transitions=carried, bypass=())
    assert table(read_again(workflow)) == table(workflow)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_workflows_keep_their_tables_and_name_what_stays_behind(path):
    lenient = Lenient({})
    workflow = read_workflow(read_file(path), str(path), conditions=lenient, effects=lenient)
    assert table(read_again(workflow)) == table(workflow)
    told = "\n".join(map(str, write_dcworkflow(workflow).remarks))
    for state in workflow.states.values():
        assert not state.ballot or re.search(rf"state {state.name} is not carried: .*ballot {state.ballot}", told)
        assert not state.timer or re.search(rf"state {state.name} is not carried: .*the timer", told)
    for transition in workflow.transitions.values():
        for effect in transition.effects:
            assert effect.name in told
    assert "'author' keeps its name, which Plone does not know; Plone's own is 'Owner'" in told


def make(**changes) -> Workflow:
    """Return a workflow of two states that Plone can carry, with the changes."""
    found = Workflow(
        name="w",
        version=1,
        initial="a",
        states={"a": State("a", line=5, column=3), "b": State("b", final=True)},
        transitions={"go": Transition("go", ("a",), "b", line=8, column=3)},
        roles=("Owner",),
        path="w.yaml",
    )
    return replace(found, **changes)


def way(**changes) -> Workflow:
    return make(transitions={"go": replace(make().transitions["go"], **changes)})


@pytest.mark.parametrize(
    ("workflow", "told"),
    [
        (make(bypass=("secretariat",)), "bypass: found the role 'secretariat'; accepted: Manager, or nobody"),
        (way(triggers=("timer",)), "w.yaml:8:3: transition go: found the triggers timer; accepted: user"),
        (way(guard=Guard(roles=("a;b",))), "w.yaml:8:3: found the role 'a;b'; accepted: a name without"),
        (
            way(guard=Guard(require=(Clause("field", "id", "x", "is"),))),
            "the transition go: found `require`",
        ),
        (way(guard=Guard(require=(Clause("named", "is/ripe"),))), "the condition 'is/ripe'"),
        (way(effects=(EffectCall("tell/all"),)), "the effect 'tell/all'"),
        (make(states={"a": State("a", grants={" View": ()})}, transitions={}), "the permission ' View'"),
    ],
)
def test_what_plone_would_do_otherwise_is_refused_by_name(workflow, told):
    with pytest.raises(DefinitionErrors) as caught:
        write_dcworkflow(workflow)
    assert any(told in str(error) for error in caught.value.errors), str(caught.value)


@pytest.mark.parametrize(
    ("workflow", "told"),
    [
        (make(version=2), "the version 2 is not carried"),
        (make(title=Titles({"en": "W", "fr": "V"})), "the texts of the workflow in fr are not carried"),
        (make(permissions={"view": ("Owner",)}), "who holds 'view' where a state does not say"),
        (way(comment="required"), "w.yaml:8:3: warning: the transition go has `comment: required`"),
        (way(triggers=("user", "timer")), "fires in Plone by user alone, not by timer"),
        (
            way(effects=(EffectCall("a"), EffectCall("b", ["x"]))),
            "effects a, b; not carried: the argument of b",
        ),
        (
            make(states={"a": State("a", grants={"edit": ("manager",)}, final=True)}, transitions={}),
            "state a is not carried: text: frozen",
        ),
        (make(bypass=("manager",)), "the role 'manager' keeps its name"),
        (make(roles=("Chair",), aliases={"Chair": "steering"}, bypass=()), None),
        (
            make(
                roles=("Chair",),
                aliases={"Chair": "steering"},
                states={"a": State("a", grants={"x": ("Chair",)})},
                transitions={},
            ),
            "that the role 'Chair' is 'steering' here is not carried",
        ),
        (
            make(worklists={"q": WorklistDef("q", Titles(), ("a",), Guard(), (Clause("named", "ripe"),))}),
            "`where` of the worklist q is not carried: ripe",
        ),
    ],
)
def test_what_plone_has_no_place_for_is_remarked_on(workflow, told):
    remarks = [str(one) for one in write_dcworkflow(workflow).remarks]
    assert any(told in one for one in remarks) if told else remarks == []


def test_who_holds_a_permission_by_default_is_written_out_for_plone():
    states = {"a": State("a", grants={"View": ("Owner",)}), "b": State("b", final=True)}
    workflow = make(states=states, permissions={"View": ("Member",)}, means={"View": "view"})
    root = etree.fromstring(write_dcworkflow(workflow).xml.encode())
    held = {
        state.get("state_id"): ([role.text for role in state.iter("permission-role")], one.get("acquired"))
        for state in root.findall("state")
        for one in state.findall("permission-map")
    }
    assert held == {"a": (["Owner"], "False"), "b": (["Member"], "False")}


def test_plone_finds_the_variables_that_its_pages_read():
    root = etree.fromstring(write_dcworkflow(make()).xml.encode())
    assert [one.get("variable_id") for one in root.findall("variable")] == [
        "action",
        "actor",
        "comments",
        "review_history",
        "time",
    ]
    assert root.get("state_variable") == "review_state"


def test_scripts_to_be_written_are_there_for_plone_and_let_nobody_through_meanwhile():
    exported = write_dcworkflow(
        way(guard=Guard(require=(Clause("named", "is_ripe"),)), effects=(EffectCall("tell"), EffectCall("publish")))
    )
    root = etree.fromstring(exported.xml.encode())
    scripts = {one.get("script_id"): (one.get("type"), one.get("filename")) for one in root.findall("script")}
    assert scripts == {"is_ripe": ("Script (Python)", ""), "tell_and_publish": ("Script (Python)", "")}
    assert root.find("transition").get("after_script") == "tell_and_publish"
    assert root.findtext("transition/guard/guard-expression") == "python: scripts.is_ripe(state_change)"
    assert sum("to be written in Plone, with the parameter state_change" in str(one) for one in exported.remarks) == 2


@pytest.mark.parametrize("text", ["open", "frozen"])
@pytest.mark.parametrize("grants", [{"edit": ("manager",)}, {"edit": ()}])
def test_whether_a_text_is_open_comes_back_whatever_plone_makes_of_it(text, grants):
    workflow = make(states={"a": State("a", text=text, grants=grants, final=True)}, transitions={})
    assert read_again(workflow).states["a"].text == text
