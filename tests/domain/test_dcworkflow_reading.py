"""Every idea of DCWorkflow is carried, refused with its place, or remarked on with its place."""

import time

import pytest

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS
from r2pflow.domain.dcworkflow_reading import read_dcworkflow
from r2pflow.domain.dcworkflow_rolemap import read_rolemap
from r2pflow.domain.definition import EffectCall
from r2pflow.domain.errors import DefinitionErrors
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.tables import plain_test, table
from r2pflow.domain.writing import write_workflow

WHOLE = """\
<?xml version="1.0" encoding="utf-8"?>
<dc-workflow xmlns:i18n="http://xml.zope.org/namespaces/i18n" workflow_id="news" title="News &amp; events"
             description="One" state_variable="review_state" initial_state="draft" manager_bypass="True"
             i18n:domain="plone">
  <permission>View</permission>
  <permission>Delete objects</permission>
  <state state_id="draft" title="Draft" i18n:attributes="title">
    <description>
      Only
      for authors.
    </description>
    <exit-transition transition_id="submit"/>
    <exit-transition transition_id="note"/>
    <permission-map name="View" acquired="False">
      <permission-role>Owner</permission-role>
      <permission-role>Owner</permission-role>
    </permission-map>
    <permission-map name="Delete objects" acquired="True"><permission-role>Janitor</permission-role></permission-map>
  </state>
  <state state_id="shown" title="Shown">
    <exit-transition transition_id="note"/>
    <permission-map name="View" acquired="True"/>
  </state>
  <transition transition_id="submit" title="Submit" new_state="shown" trigger="USER"
              before_script="check_dates" after_script="tell all">
    <action url="%(content_url)s" category="workflow" icon="x.png">Send it</action>
    <guard>
      <guard-permission>Request review; Modify portal content</guard-permission>
      <guard-role>Owner</guard-role>
      <guard-group>board</guard-group>
      <guard-expression>python: here.scope == 'wide' and 'Owner' in user.getRoles() and scripts.ripe(state_change)
      </guard-expression>
    </guard>
  </transition>
  <transition transition_id="note" title="" new_state="" trigger="AUTOMATIC" before_script="" after_script=""/>
  <worklist worklist_id="queue" title="">
    <description>To do</description>
    <action url="" category="global">Waiting (%(count)d)</action>
    <guard><guard-permission>Request review</guard-permission></guard>
    <match name="review_state" values="draft; shown"/>
  </worklist>
  <variable variable_id="actor" for_catalog="False" for_status="True" update_always="True">
    <default><expression>user/getId</expression></default>
  </variable>
  <script script_id="tell all" type="Script (Python)" filename="a.py" module="" function=""/>
</dc-workflow>
"""


def read(text: str, rolemap=None):
    return read_dcworkflow(text.encode(), "definition.xml", rolemap)


def change(old: str, new: str) -> str:
    assert WHOLE.count(old) >= 1
    return WHOLE.replace(old, new, 1)


def errors_of(text: str) -> list[str]:
    with pytest.raises(DefinitionErrors) as caught:
        read(text)
    return [str(error) for error in caught.value.errors]


def place_of(text: str, part: str) -> str:
    """Return line and column of the part, which stands there once."""
    assert text.count(part) == 1
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def test_a_whole_definition_is_read():
    found = read(WHOLE)
    workflow = found.workflow
    assert table(workflow) == {
        "workflow": "news",
        "initial": "draft",
        "bypass": ["Manager"],
        "states": {
            "draft": {
                "grants": {"View": ["Owner"], "Delete objects": ["Janitor"]},
                "inherit": ["Delete objects"],
                "transitions": {
                    "submit": {
                        "to": "shown",
                        "trigger": ["user"],
                        "permissions": ["Request review", "Modify portal content"],
                        "roles": ["Owner"],
                        "groups": ["board"],
                        "require": [{"field": "scope", "is": "wide"}, "ripe"],
                    },
                    "note": {
                        "to": "stay",
                        "trigger": ["automatic"],
                        "permissions": [],
                        "roles": [],
                        "groups": [],
                        "require": [],
                    },
                },
            },
            "shown": {
                "grants": {"View": []},
                "inherit": ["View", "Delete objects"],
                "transitions": {
                    "note": {
                        "to": "stay",
                        "trigger": ["automatic"],
                        "permissions": [],
                        "roles": [],
                        "groups": [],
                        "require": [],
                    }
                },
            },
        },
        "permissions": {},
    }
    assert workflow.title.get("en") == "News & events" and workflow.states["draft"].description.get("en") == (
        "Only for authors."
    )
    assert workflow.states["shown"].final and not workflow.states["draft"].final
    assert workflow.transitions["submit"].effects == (EffectCall("check_dates"), EffectCall("tell all"))
    assert workflow.worklists["queue"].states == ("draft", "shown")
    assert workflow.worklists["queue"].title.get("en") == "To do"


def test_what_a_plugin_has_to_supply_is_listed_with_its_place():
    supplies = {(one.kind, one.name): one.place for one in read(WHOLE).supplies}
    assert supplies == {
        ("condition", "ripe"): "definition.xml:" + place_of(WHOLE, "<guard-expression>"),
        ("effect", "check_dates"): "definition.xml:" + place_of(WHOLE, 'before_script="check_dates"'),
        ("effect", "tell all"): "definition.xml:" + place_of(WHOLE, 'after_script="tell all"'),
    }


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("Request review", "<dc-workflow"),
        ("url, category, icon", '<action url="%(content_url)s"'),
        ("whole site", "<guard-expression>"),
        ("field scope", "<guard-expression>"),
        ("before the state changes", 'before_script="check_dates"'),
        ("category", '<action url=""'),
        ("'actor'", "variable_id="),
        ("a.py", "script_id="),
    ],
)
def test_what_is_not_carried_is_remarked_on(told, at):
    place = f"definition.xml:{place_of(WHOLE, at)}: warning: "
    assert any(str(one).startswith(place) and told in str(one) for one in read(WHOLE).remarks)


def test_the_yaml_names_the_scripts_and_the_button_and_reads_back_the_same():
    found = read(WHOLE)
    text = write_workflow(found.workflow, found.comments)
    assert "# in Plone's menu: Send it" in text and "check_dates" in text and "# action in Plone: Waiting" in text
    with pytest.raises(DefinitionErrors) as caught:
        read_workflow(text, "a.yaml", conditions=BUILT_IN_CONDITIONS, effects={})
    told = str(caught.value)
    assert "the condition 'ripe'" in told and "the effect 'check_dates'" in told and "the effect 'tell all'" in told
    lenient = Lenient({})
    back = read_workflow(text, "a.yaml", conditions=lenient, effects=lenient)
    assert table(back) == table(found.workflow) and list(lenient.missed) == ["ripe", "check_dates", "tell all"]


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        ('initial_state="draft"', 'initial_state="drafd"', "initial_state=", "did you mean 'draft'?"),
        ('new_state="shown"', 'new_state="hidden"', 'new_state="hidden"', "'hidden'"),
        ('trigger="USER"', 'trigger="WORKFLOW METHOD"', 'trigger="WORKFLOW METHOD"', "USER, AUTOMATIC"),
        ('new_state="shown" ', "", '<transition transition_id="submit"', "'new_state' is missing"),
        ('state_id="draft" title', 'state_id="dr aft" title', 'state_id="dr aft"', "a name of letters"),
        ('state_id="shown"', 'state_id="stay"', 'state_id="stay"', "another name"),
        ('state_id="shown"', 'state_id="draft"', 'state_id="draft" title="Shown"', "twice; the first is in line 7"),
        ("<guard-role>", "<guard-rolle>", "<guard-rolle>", "mismatched tag"),
        ("<guard-role>Owner</guard-role>", "<guard-rolle/>", "<guard-rolle", "did you mean 'guard-role'?"),
        ('acquired="False"', 'aquired="False"', "aquired", "did you mean 'acquired'?"),
        ('acquired="False"', 'acquired="perhaps"', 'acquired="perhaps"', "True, False"),
        ("<description>To", "words <description>To", "words", "the text 'words'"),
        ("<guard-role>Owner</guard-role>", "<guard-role> </guard-role>", "<guard-role> ", "a text"),
        (
            '<permission-map name="Delete objects"',
            '<permission-map name="View"',
            'name="View" acquired="True"><permission-role>Janitor',
            "twice; the first is in line 14",
        ),
        (
            '<permission-map name="Delete objects"',
            '<group-map name="board"><group-role>Owner</group-role></group-map><permission-map name="Delete objects"',
            'name="board"',
            "the group 'board'",
        ),
        (
            'name="review_state" values="draft; shown"',
            'name="portal_type" values="News"',
            'name="portal_type"',
            "states",
        ),
        ('values="draft; shown"', 'values="draft; gone"', "values=", "'gone'"),
        (
            "  <permission>View",
            "<instance-creation-conditions><guard><guard-role>Owner</guard-role></guard>"
            "</instance-creation-conditions>\n  <permission>View",
            "<guard><guard-role>",
            "making a document",
        ),
        ("python: here.scope == 'wide' and", "python: user.getId() and", "<guard-expression>", "`user.getId()`"),
        ("'Owner' in user", "'Other' in user", "<guard>\n      <guard-permission>R", "two lists of roles"),
        ("check_dates", "x" * 101, 'before_script="xxx', "at most 100"),
        ('title="Submit"', "title='" + "long " * 500 + "'", "title='long", "at most 2000"),
    ],
)
def test_what_cannot_be_carried_is_refused_with_its_place(old, new, at, told):
    text = change(old, new)
    found = errors_of(text)
    if told == "mismatched tag":
        assert len(found) == 1 and told in found[0]
        return
    place = place_of(text, at)
    assert any(one.startswith(f"definition.xml:{place}: ") and told in one for one in found), (place, found)


def test_all_refusals_are_told_at_once_and_name_the_transition():
    text = WHOLE.replace("here.scope == 'wide'", "here.x > 3")
    text = text.replace(
        "<guard><guard-permission>Request",
        "<guard><guard-expression>user/x</guard-expression><guard-permission>Request",
    )
    found = errors_of(text)
    assert len(found) == 2
    assert "transition submit: the expression" in found[0] and "worklist queue: the expression" in found[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty file"),
        ("workflow: x", "not XML"),
        ("<a>", "not XML"),
        ("<a/>", "'dc-workflow'"),
        ('<!DOCTYPE a [<!ENTITY b "b">]><dc-workflow/>', "DOCTYPE"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><dc-workflow/>', "DOCTYPE"),
        ('<!DOCTYPE a [<!ENTITY a "&a;&a;">]><dc-workflow>&a;</dc-workflow>', "DOCTYPE"),
        ("<dc-workflow>&nbsp;</dc-workflow>", "undefined entity"),
        ('<?xml version="1.0" encoding="klingon"?><dc-workflow/>', "encoding"),
        ('<?xml version="1.0" encoding="utf-16"?><dc-workflow/>', "not XML"),
        ("<a>" * 100_000, "nested more than 20"),
        ("<dc-workflow>" + "<state/>" * 30_000 + "</dc-workflow>", "more than 20000 elements"),
        ("<dc-workflow " + " ".join(f'a{n}="b"' for n in range(50_000)) + "/>", "attribute"),
        ("<dc-workflow a='1' a='2'/>", "duplicate attribute"),
        ("<dc-workflow>" + "x" * 10_000_000 + "</dc-workflow>", "over 1000000 bytes"),
        ("<dc-workflow>\0</dc-workflow>", "not XML"),
        ("<dc-workflow/>" + "\n" * 500_000 + "<b/>", "junk"),
    ],
)
def test_what_is_no_definition_is_refused_at_once_with_its_place(text, told):
    began = time.monotonic()
    found = errors_of(text)
    assert time.monotonic() - began < 2
    assert any(told in one for one in found), found[:3]
    assert all(one.startswith("definition.xml:") and one.split(":")[1].isdigit() for one in found)


def test_bytes_of_another_encoding_are_read_as_they_say():
    text = WHOLE.replace("One", "Été").replace('encoding="utf-8"', 'encoding="iso-8859-1"')
    found = read_dcworkflow(text.encode("iso-8859-1"), "definition.xml")
    assert found.workflow.description.get("en") == "Été"
    text = text.replace('encoding="iso-8859-1"', 'encoding="utf-16"')
    assert read_dcworkflow(text.encode("utf-16"), "definition.xml").workflow == found.workflow
    with pytest.raises(DefinitionErrors, match="not XML"):
        read_dcworkflow(WHOLE.replace("One", "Été").encode("iso-8859-1"), "definition.xml")


def test_two_lists_of_roles_are_one_where_one_holds_the_other():
    guard = read(change("'Owner' in user.getRoles()", "user.has_role(['Owner', 'Janitor'], here)")).workflow
    assert guard.transitions["submit"].guard.roles == ("Owner",)


def test_a_guard_that_never_holds_stays_one_that_never_holds():
    text = change(
        "python: here.scope == 'wide' and 'Owner' in user.getRoles() and scripts.ripe(state_change)", "nothing"
    )
    (test,) = read(text).workflow.transitions["submit"].guard.require
    assert plain_test(test) == {"all": [{"field": "never", "filled": True}, {"field": "never", "filled": False}]}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<permission>Delete objects</permission>", "", "'Delete objects', which is not among"),
        (
            'transition_id="note"/>\n    <permission-map',
            'transition_id="gone"/>\n    <permission-map',
            "leaves by 'gone'",
        ),
        (
            '<permission-map name="Delete',
            '<assignment name="hot" type="bool">True</assignment><permission-map name="Delete',
            "'hot' to 'True'",
        ),
        ("<guard>\n", '<assignment name="hot">string:x</assignment><guard>\n', "'hot' to 'string:x'"),
        ("<permission>View", "<group>board</group><permission>View", "the group 'board'"),
        ('state_variable="review_state"', 'state_variable="my_state"', "'my_state'"),
        ('<match name="review_state" values="draft; shown"/>', "", "shows nothing in Plone"),
        ("<permission-role>Janitor", "<permission-role>editor", "the role 'editor' has the name of a built-in"),
        (
            'new_state="" trigger="AUTOMATIC" before_script="" after_script=""/>',
            'new_state="" trigger="AUTOMATIC"><guard><guard-role>Owner</guard-role></guard></transition>',
            "acts as the system",
        ),
    ],
)
def test_what_changes_nothing_is_remarked_on(old, new, told):
    text = change(old, new)
    if "my_state" in new:
        text = text.replace('name="review_state"', 'name="my_state"')
    assert any(told in str(one) for one in read(text).remarks)


ROLEMAP = """\
<rolemap>
  <roles><role name="Manager"/><role name="Janitor"/></roles>
  <permissions>
    <permission name="View" acquire="True"><role name="Member"/></permission>
    <permission name="Request review" acquire="True"><role name="Owner"/><role name="Manager"/></permission>
    <permission name="Set own password" acquire="False"><role name="Authenticated"/></permission>
  </permissions>
</rolemap>
"""


def test_a_role_map_says_who_holds_what_where_no_state_does():
    found = read(WHOLE, read_rolemap(ROLEMAP.encode(), "rolemap.xml"))
    assert table(found.workflow)["permissions"] == {
        "View": ["Member", "Manager", "Anonymous"],
        "Request review": ["Owner", "Manager"],
        "Set own password": ["Authenticated"],
    }
    assert {"Janitor", "Member", "Authenticated"} <= set(found.workflow.roles)
    assert found.workflow.holders("shown", "view") >= {"Member", "Anonymous"}
    assert "--rolemap" not in "".join(map(str, found.remarks))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name="Request review" acquire="True"', 'name="View" acquire="True"', "twice"),
        (' acquire="False"', "", "'acquire' is missing"),
        ('acquire="False"', 'acquire="0.5"', "True, False"),
        ('<role name="Member"/>', "<role/>", "'name' is missing"),
        ("<roles>", "<roles/><roles>", "twice"),
        ("<permissions>", "<!-- --><permissons/><permissions>", "did you mean 'permissions'?"),
    ],
)
def test_what_is_wrong_with_a_role_map_is_refused_with_its_place(old, new, told):
    assert ROLEMAP.count(old) == 1
    with pytest.raises(DefinitionErrors) as caught:
        read_rolemap(ROLEMAP.replace(old, new).encode(), "rolemap.xml")
    assert any(told in str(one) and str(one).startswith("rolemap.xml:") and one.line for one in caught.value.errors)
