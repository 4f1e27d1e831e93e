"""`workflow import-plone` and `export-plone`: files in and out, what is said on standard error, exit codes."""

import json
import re
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from r2pflow.cli import cli
from r2pflow.domain.reading import read_outline
from r2pflow.folders import get_folder
from tests.plone_files import NAMES, read_definition, read_shipped_rolemap

SCRIPTED = """\
<dc-workflow workflow_id="scripted" title="Scripted" initial_state="a" state_variable="review_state">
  <permission>View</permission>
  <state state_id="a" title="A">
    <exit-transition transition_id="go"/>
    <permission-map name="View" acquired="False"><permission-role>Owner</permission-role></permission-map>
  </state>
  <state state_id="b" title="B">
    <permission-map name="View" acquired="False"><permission-role>Anonymous</permission-role></permission-map>
  </state>
  <transition transition_id="go" title="Go" new_state="b" trigger="USER" before_script="" after_script="tell_all">
    <guard><guard-expression>scripts/is_ripe</guard-expression></guard>
  </transition>
  <transition transition_id="end" title="End" new_state="b" trigger="USER" before_script="" after_script="publish"/>
</dc-workflow>
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def call(*arguments, code=0):
    result = CliRunner().invoke(cli, ["workflow", *(str(one) for one in arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def definition(tmp_path):
    (tmp_path / "definition.xml").write_bytes(read_definition("plone_workflow"))
    (tmp_path / "rolemap.xml").write_bytes(read_shipped_rolemap())
    return tmp_path / "definition.xml"


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_workflow_goes_in_and_out_and_in_again(name, tmp_path):
    (tmp_path / "definition.xml").write_bytes(read_definition(name))
    (tmp_path / "rolemap.xml").write_bytes(read_shipped_rolemap())
    rolemap = ("--rolemap", "rolemap.xml")
    call("import-plone", "definition.xml", *rolemap, "-o", "first.yaml")
    call("check", "first.yaml")
    call("export-plone", "first.yaml", "-o", "out.xml", "--rolemap", "out-rolemap.xml")
    call("import-plone", "out.xml", *rolemap, "-o", "second.yaml")
    call("import-plone", "out.xml", "--rolemap", "out-rolemap.xml", "-o", "third.yaml")
    first, second, third = (
        json.loads(call("table", file, "--json").stdout) for file in ("first.yaml", "second.yaml", "third.yaml")
    )
    assert first == second == third and first["workflow"] == name
    assert {"Manager", "Anonymous"} <= set(first["permissions"]["View"])


def test_without_o_the_file_alone_is_on_standard_output(definition):
    result = call("import-plone", "definition.xml")
    lines = [line for line in result.stdout.splitlines() if not line.startswith("#")]
    assert lines[0] == "workflow: plone_workflow" and "warning" not in result.stdout
    assert "# Variables in Plone, not carried: action, actor, comments, review_history, time" in result.stdout
    lines = result.stderr.splitlines()
    assert lines and all(re.match(r"definition\.xml:\d+:\d+: warning: ", line) for line in lines)
    definition.with_name("a.yaml").write_text(result.stdout, encoding="utf-8")
    out = call("export-plone", "a.yaml")
    assert out.stdout.startswith("<?xml") and "<dc-workflow" in out.stdout


def test_what_a_plugin_has_to_supply_is_told_by_import_and_check_and_table_goes_on(tmp_path):
    (tmp_path / "definition.xml").write_text(SCRIPTED)
    told = call("import-plone", "definition.xml", "-o", "a.yaml").stderr
    assert "definition.xml:11:12: to be supplied: the condition is_ripe of transition go" in told
    assert re.search(r"definition\.xml:10:\d+: to be supplied: the effect tell_all of transition go", told)
    assert "the effect publish of transition end is one that r2pflow has already" in told
    checked = call("check", "a.yaml", code=1).stderr
    assert re.search(r"a\.yaml:\d+:\d+: .*the condition 'is_ripe'", checked)
    assert re.search(r"a\.yaml:\d+:\d+: .*the effect 'tell_all'", checked)
    result = call("table", "a.yaml", "--json")
    assert json.loads(result.stdout)["states"]["a"]["transitions"]["go"]["require"] == ["is_ripe"]
    assert "the condition is_ripe is still to be supplied" in result.stderr
    assert "the effect tell_all is still to be supplied" in result.stderr
    call("diagram", "a.yaml", "-o", "a.svg")


def test_what_is_refused_is_told_with_its_place_and_nothing_is_written(tmp_path):
    text = SCRIPTED.replace("scripts/is_ripe", "python: here.modified() > 3").replace(
        'new_state="b"', 'new_state="c"', 1
    )
    (tmp_path / "definition.xml").write_text(text)
    (tmp_path / "a.yaml").write_text("before")
    result = call("import-plone", "definition.xml", "-o", "a.yaml", code=1)
    first, second = result.stderr.splitlines()
    assert re.match(r"definition\.xml:10:\d+: transition go: found the state 'c'; accepted: a, b", first)
    assert second.startswith("definition.xml:11:12: transition go: the expression 'python: here.modified() > 3'")
    assert (tmp_path / "a.yaml").read_text() == "before" and result.stdout == ""


def test_an_export_that_is_refused_writes_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "workflow: a\ninitial: a\nbypass: [steering]\nstates: {a: {final: true, grants: {view: [anonymous]}}}\n"
    )
    result = call("export-plone", "a.yaml", "-o", "a.xml", code=1)
    assert "found the role 'steering'; accepted: Manager" in result.stderr
    assert not (tmp_path / "a.xml").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import-plone", "no.xml"], "no.xml: the file cannot be read"),
        (["import-plone", "definition.xml", "--rolemap", "no.xml"], "no.xml: the file cannot be read"),
        (["import-plone", "rolemap.xml"], "rolemap.xml:2:1: found the element 'rolemap'; accepted: 'dc-workflow'"),
        (["import-plone", "definition.xml", "--rolemap", "definition.xml"], "accepted: 'rolemap'"),
        (["import-plone", "definition.xml", "-o", "no/a.yaml"], "no/a.yaml: the file cannot be written"),
        (["export-plone", "no.yaml"], "no.yaml: the file cannot be read"),
        (["export-plone", "definition.xml"], "definition.xml:"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_ends_with_1(definition, arguments, told):
    result = call(*arguments, code=1)
    assert told in result.stderr and "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["import-plone"], ["export-plone"], ["import-plone", "a.xml", "--rolemap"]])
def test_wrong_usage_ends_with_2(arguments):
    call(*arguments, code=2)


def test_a_line_of_ten_million_characters_is_refused_at_once(tmp_path):
    (tmp_path / "definition.xml").write_bytes(b"<dc-workflow>" + b" " * 10_000_000 + b"</dc-workflow>")
    began = time.monotonic()
    result = call("import-plone", "definition.xml", code=1)
    assert result.stderr.startswith("definition.xml:1:1: found over 1000000 bytes") and time.monotonic() - began < 2


def test_a_shipped_workflow_goes_out_with_a_warning_for_each_thing_left_behind(tmp_path):
    file = get_folder("workflows") / "joint_statement.yaml"
    result = call("export-plone", file, "-o", "out.xml")
    assert "the ballot steering_silence is not carried" in result.stderr and "--rolemap" in result.stderr
    assert "--rolemap" not in call("export-plone", file, "-o", "out.xml", "--rolemap", "roles.xml").stderr
    before = json.loads(call("table", file, "--json").stdout)
    call("import-plone", "out.xml", "--rolemap", "roles.xml", "-o", "back.yaml")
    assert json.loads(call("table", "back.yaml", "--json").stdout) == before


@pytest.mark.parametrize("words", [["import-plone", "definition.xml"], ["export-plone", "a.yaml"]])
def test_neither_flask_nor_a_database_is_needed(definition, words):
    call("import-plone", "definition.xml", "-o", "a.yaml")
    program = (
        "import sys\n"
        "from r2pflow.cli import cli\n"
        f"cli(['workflow', *{words!r}, '-o', 'out'], standalone_mode=False)\n"
        "print('seen', sorted({'flask', 'sqlalchemy', 'babel', 'lxml'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "seen []"


def test_a_folder_in_the_place_of_the_file_is_refused_in_words(definition):
    found = call("import-plone", "definition.xml", "-o", ".", code=1)
    assert (found.stdout, found.stderr) == ("", ".: the file cannot be written: Is a directory\n")


def test_what_plone_lets_people_edit_is_open_and_an_unknown_word_is_refused(definition):
    call("import-plone", "definition.xml", "-o", "a.yaml")
    states = read_outline(definition.with_name("a.yaml").read_text(encoding="utf-8"), "a.yaml").states
    assert {name for name, state in states.items() if state.text == "open"} == set(states)
    marked = definition.read_text(encoding="utf-8").replace("<state ", '<state r2pflow:text="ajar" ', 1)
    marked = marked.replace("<dc-workflow ", '<dc-workflow xmlns:r2pflow="urn:r2pflow:workflow" ', 1)
    definition.write_text(marked, encoding="utf-8")
    assert "'ajar'" in call("import-plone", "definition.xml", code=1).stderr
