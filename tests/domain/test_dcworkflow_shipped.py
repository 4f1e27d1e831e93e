"""The six workflows that Plone ships: their tables say what their XML says, and come back the same from XML."""

import zipfile

import pytest
from lxml import etree

from r2pflow.domain import tables
from r2pflow.domain.checking import ERROR, check
from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.dcworkflow_reading import read_dcworkflow
from r2pflow.domain.dcworkflow_rolemap import read_rolemap, write_rolemap
from r2pflow.domain.dcworkflow_writing import write_dcworkflow
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.writing import write_workflow
from tests.plone_files import NAMES, PROFILE, find_package, read_definition, read_shipped_rolemap


def table_by_xml(raw: bytes, rolemap: bytes | None = None) -> dict:
    """Read the XML by another way, straight into the form of a table; rights as sets, for their order says nothing."""
    root = etree.fromstring(raw)
    states = {}
    for state in root.findall("state"):
        exits = [way.get("transition_id") for way in state.findall("exit-transition")]
        maps = state.findall("permission-map")
        states[state.get("state_id")] = {
            "grants": {one.get("name"): {role.text for role in one.findall("permission-role")} for one in maps},
            "inherit": {one.get("name") for one in maps if one.get("acquired") == "True"},
            "transitions": {
                way.get("transition_id"): {
                    "to": way.get("new_state") or "stay",
                    "trigger": [way.get("trigger").lower()],
                    "permissions": {one.text for one in way.findall("guard/guard-permission")},
                    "roles": {one.text for one in way.findall("guard/guard-role")},
                    "groups": {one.text for one in way.findall("guard/guard-group")},
                    "require": [],
                }
                for way in root.findall("transition")
                if way.get("transition_id") in exits
            },
        }
    permissions = {}
    for one in etree.fromstring(rolemap).findall("permissions/permission") if rolemap else ():
        name, roles = one.get("name"), {role.get("name") for role in one.findall("role")}
        if one.get("acquire") == "True":
            roles |= {"Manager"} | ({"Anonymous"} if name in ("View", "Access contents information") else set())
        permissions[name] = roles
    return {
        "workflow": root.get("workflow_id"),
        "initial": root.get("initial_state"),
        "bypass": ["Manager"] if root.get("manager_bypass") == "True" else [],
        "states": states,
        "permissions": permissions,
    }


def unordered(table: dict) -> dict:
    for state in table["states"].values():
        state["grants"] = {name: set(roles) for name, roles in state["grants"].items()}
        state["inherit"] = set(state["inherit"])
        for way in state["transitions"].values():
            way |= {kind: set(way[kind]) for kind in ("permissions", "roles", "groups")}
    return {**table, "permissions": {name: set(roles) for name, roles in table["permissions"].items()}}


def read_back(text: str):
    return read_workflow(text, "a.yaml", conditions=BUILT_IN_CONDITIONS, effects={})


def test_plone_ships_these_six_and_no_others():
    with zipfile.ZipFile(find_package()) as wheel:
        names = [name for name in wheel.namelist() if name.startswith(PROFILE) and name.endswith("definition.xml")]
    assert sorted(name.split("/")[-2] for name in names) == list(NAMES)


@pytest.mark.parametrize("with_rolemap", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_what_the_xml_says(name, with_rolemap):
    raw, rolemap = read_definition(name), read_shipped_rolemap() if with_rolemap else None
    known = read_rolemap(rolemap, "rolemap.xml") if rolemap else None
    found = read_dcworkflow(raw, "definition.xml", known)
    workflow = read_back(write_workflow(found.workflow, found.comments))
    expected = table_by_xml(raw, rolemap)
    assert unordered(tables.table(workflow)) == expected
    assert unordered(tables.table(found.workflow)) == expected
    assert len(workflow.states) and found.supplies == ()
    assert list(workflow.states) == list(expected["states"])


@pytest.mark.parametrize("name", NAMES)
def test_import_export_import_gives_the_same(name):
    rolemap = read_rolemap(read_shipped_rolemap(), "rolemap.xml")
    first = read_dcworkflow(read_definition(name), "definition.xml", rolemap).workflow
    exported = write_dcworkflow(read_back(write_workflow(first)))
    again = read_rolemap(write_rolemap(first.roles, first.permissions).encode(), "again.xml")
    second = read_dcworkflow(exported.xml.encode(), "again.xml", again).workflow
    assert tables.table(second) == tables.table(first)
    assert second == first


@pytest.mark.parametrize("name", NAMES)
def test_with_the_role_map_the_check_finds_nothing_wrong(name):
    rolemap = read_rolemap(read_shipped_rolemap(), "rolemap.xml")
    found = read_dcworkflow(read_definition(name), "definition.xml", rolemap)
    problems = check(read_back(write_workflow(found.workflow, found.comments)))
    assert [str(problem) for problem in problems if problem.severity == ERROR] == []


@pytest.mark.parametrize("name", NAMES)
def test_titles_and_what_a_button_says_are_kept(name):
    raw = read_definition(name)
    found = read_dcworkflow(raw, "definition.xml")
    root, text = etree.fromstring(raw), write_workflow(found.workflow, found.comments)
    for state in root.findall("state"):
        kept = found.workflow.states[state.get("state_id")]
        assert kept.title.get("en") == state.get("title")
        assert kept.description.get("en") == " ".join(state.findtext("description", "").split())
    for transition in root.findall("transition"):
        assert found.workflow.transitions[transition.get("transition_id")].title.get("en") == transition.get("title")
        assert transition.findtext("action").strip() in text
    assert set(found.workflow.worklists) == {worklist.get("worklist_id") for worklist in root.findall("worklist")}


def test_a_remark_stands_where_the_file_has_what_is_not_carried():
    raw = read_definition("plone_workflow")
    lines = raw.decode().splitlines()
    remarks = [one for one in read_dcworkflow(raw, "definition.xml").remarks if "variable" in one.message]
    assert len(remarks) == len(etree.fromstring(raw).findall("variable")) == 5
    for remark in remarks:
        assert lines[remark.line - 1][remark.column - 1 :].startswith("variable_id=")


def test_roles_and_permissions_keep_their_names_and_say_what_they_are():
    found = read_dcworkflow(read_definition("simple_publication_workflow"), "definition.xml").workflow
    assert {"Owner", "Manager", "Site Administrator", "Anonymous"} <= set(found.roles)
    assert found.aliases["Owner"] == "author" and "Site Administrator" not in found.aliases
    assert found.means["View"] == "view" and found.means["Modify portal content"] == "edit"
    assert found.holders("private", "view") == found.holders("private", "View")
    assert "author" in found.holders("private", "edit") and "anonymous" not in found.holders("private", "view")


def test_a_permission_of_its_own_widens_no_built_in_one():
    raw = read_definition("simple_publication_workflow").replace(b'name="View"', b'name="Hide"')
    raw = raw.replace(b"<permission>View<", b"<permission>Hide<")
    found = read_dcworkflow(raw, "definition.xml").workflow
    assert found.holders("published", "Access contents information") >= {"Anonymous"}
    assert found.holders("published", "view") == frozenset()
