"""`r2pflow workflow diagram` and `diff` from a terminal."""

import pytest
from click.testing import CliRunner
from lxml import etree

from r2pflow.cli import cli
from r2pflow.folders import get_folder

WORKFLOWS = get_folder("workflows")


def call(*arguments, code=0):
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_a_diagram_goes_to_standard_output_or_into_a_file(tmp_path):
    told = call("workflow", "diagram", WORKFLOWS / "joint_statement.yaml").stdout_bytes
    assert b"Steering" in told and etree.fromstring(told).get("lang") == "en"
    file = tmp_path / "d.svg"
    assert call("workflow", "diagram", WORKFLOWS / "joint_statement.yaml", "--language", "zh", "-o", file).stdout == ""
    assert etree.fromstring(file.read_bytes()).get("lang") == "zh" and "指导小组" in file.read_text(encoding="utf-8")


def test_what_is_no_workflow_gives_no_diagram(tmp_path):
    broken, file = tmp_path / "broken.yaml", tmp_path / "d.svg"
    broken.write_text("workflow: broken\ninitial: nowhere\nstates: {a: {}}\n")
    result = call("workflow", "diagram", broken, "-o", file, code=1)
    assert "broken.yaml:2" in result.stderr and "Traceback" not in result.stderr and not file.exists()
    assert "nothere.yaml" in call("workflow", "diagram", tmp_path / "nothere.yaml", code=1).stderr
    call("workflow", "diagram", broken, "--language", "tlh", code=2)
    assert call(
        "workflow", "diagram", WORKFLOWS / "joint_statement.yaml", "-o", tmp_path / "no" / "d.svg", code=1
    ).stderr


def test_without_graphviz_the_command_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("r2pflow.outputs.layout._CACHE.kept", {})
    result = call("workflow", "diagram", WORKFLOWS / "joint_statement.yaml", code=1)
    assert "apt-get install graphviz" in result.stderr


def test_a_difference_is_listed_and_drawn(tmp_path):
    old, new, file = WORKFLOWS / "joint_statement.yaml", tmp_path / "new.yaml", tmp_path / "d.svg"
    new.write_text(old.read_text(encoding="utf-8").replace("after: P14D", "after: P21D"), encoding="utf-8")
    result = call("workflow", "diff", old, new, "-o", file)
    assert "after 21 days" in result.stdout and "~ Stage “Member comment”" in result.stdout
    assert b"is-changed" in file.read_bytes()
    assert call("workflow", "diff", old, old).stdout.count("\n") == 1


def test_the_list_of_changes_needs_no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    old, new = WORKFLOWS / "joint_statement.yaml", WORKFLOWS / "position_paper.yaml"
    assert "Position paper" in call("workflow", "diff", old, new).stdout
