"""The command line says what it should where it should, and ends with 0, 1 or 2."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from r2pflow.cli import COMMANDS, cli
from r2pflow.commands.application import load_app, open_work
from r2pflow.folders import get_folder
from r2pflow.services import directory

WORKFLOWS = get_folder("workflows")
BROKEN = """\
workflow: broken
initial: drafting
states:
  drafting: {grants: {view: [author]}}
  published: {final: true}
transitions:
  publish: {from: [drafting], to: publshed, guard: {require: [no_such_condition]}}
"""
RULE = """\
positions: [yes, no, abstain]
rule: {all: [{quorum: 1/2}, {count: yes, at_least: 2/3}]}
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """An empty instance folder, and nothing of whoever runs the tests."""
    monkeypatch.setenv("R2PFLOW_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.delenv("R2PFLOW_DATABASE_URL", raising=False)
    monkeypatch.delenv("R2PFLOW_APP", raising=False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def call(*arguments, code=0, **options):
    result = CliRunner().invoke(cli, [str(one) for one in arguments], **options)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.md"
    file.write_text("# Protect civilians\n\nStates must act early.\n", encoding="utf-8")
    return file


@pytest.fixture
def secretary():
    call("organisation", "add", "--slug", "office", "--name", "Office", "--role", "secretariat")
    call("person", "add", "--name", "Awa Diop", "--email", "awa@example.org", "--organisation", "office")
    return "awa@example.org"


def test_help_names_every_command_without_loading_any():
    told = call("--help").stdout
    assert all(name in told for name in COMMANDS)


def test_types_and_workflows_that_are_checked_together_are_held_against_each_other(tmp_path):
    (tmp_path / "x.yaml").write_text(
        "workflow: x\ninitial: a\npermissions: {view: [member]}\nstates: {a: {}, b: {final: true}}\n"
        "transitions:\n  go: {from: [a], to: b, guard: {require: [{field: scope, is: x}]}}\n"
    )
    types = tmp_path / "documents.yaml"
    types.write_text(
        "types:\n  t:\n    title: T\n    code: T\n    workflow: x\n    languages: {authoritative: en}\n"
        "    template: statement\n"
    )
    result = call("workflow", "check", tmp_path / "x.yaml", types, code=1)
    assert f"{tmp_path / 'x.yaml'}:6:44: " in result.stderr and "'scope'" in result.stderr
    assert result.stdout == f"{types}: ok\n"
    call("workflow", "check", tmp_path / "x.yaml")
    call("workflow", "check", types)


def test_the_table_in_words_says_all_that_decides_who_may(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "workflow: x\ninitial: a\nbypass: [manager]\npermissions: {view: [member], edit: []}\n"
        "states: {a: {grants: {view: []}, inherit: [view]}}\n"
        "transitions: {note: {from: [a], to: stay, comment: required, guard: {group: [bureau]}}}\n"
    )
    assert call("workflow", "table", path).stdout.splitlines() == [
        "x version 1, from a",
        "    guards ask nothing of: manager",
        "",
        "where a state says nothing",
        "    may view: member",
        "    may edit: nobody",
        "",
        "a",
        "    may view: nobody",
        "    may also, as in the dossier above: view",
        "    note -> stay [user] groups bureau; comment required",
    ]


def test_every_command_that_the_table_names_is_there():
    for name in COMMANDS:
        call(name, "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["workflow", "check"],
        ["workflow", "prove", str(get_folder("workflows") / "joint_statement.yaml")],
        ["document", "import", "x.md"],
        ["document", "fire", "JS-1", "publish"],
        ["ballot", "tally", "only-one"],
        ["serve", "--port", "0"],
    ],
)
def test_wrong_usage_ends_with_2(arguments):
    assert "Usage:" in call(*arguments, code=2).stderr


def test_the_shipped_workflows_are_in_order():
    result = call("workflow", "check", *sorted(WORKFLOWS.glob("*.yaml")))
    assert result.stdout.count(": ok") == len(list(WORKFLOWS.glob("*.yaml")))
    assert result.stderr == ""


def test_what_is_wrong_with_a_workflow_is_placed_by_line_and_column(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN, encoding="utf-8")
    lines = call("workflow", "check", file, WORKFLOWS / "joint_statement.yaml", code=1).stderr.splitlines()
    assert any(line.startswith(f"{file}:7:") and "publshed" in line and "published" in line for line in lines)
    assert any(line.startswith(f"{file}:7:") and "no_such_condition" in line for line in lines)


def test_a_warning_alone_is_no_failure(tmp_path):
    file = tmp_path / "untitled.yaml"
    file.write_text(BROKEN.replace("publshed", "published").replace(", guard: {require: [no_such_condition]}", ""))
    file.write_text(file.read_text().replace("{final: true}", "{final: true, grants: {view: [anonymous]}}"))
    result = call("workflow", "check", file)
    assert "warning: " in result.stderr


def test_a_file_that_is_not_there_is_invalid(tmp_path):
    result = call("workflow", "check", tmp_path / "nowhere.yaml", code=1)
    assert "nowhere.yaml" in result.stderr and result.stdout == ""


def test_a_workflow_is_shown_as_json():
    told = json.loads(call("workflow", "table", WORKFLOWS / "joint_statement.yaml", "--json").stdout)
    assert set(told) == {"workflow", "initial", "bypass", "states", "permissions"}
    assert told["workflow"] == "joint_statement"
    state = told["states"][told["initial"]]
    assert set(state) == {"grants", "inherit", "transitions"}
    for way in state["transitions"].values():
        assert set(way) == {"to", "trigger", "permissions", "roles", "groups", "require"}


def test_a_workflow_is_shown_as_text():
    assert "[user]" in call("workflow", "table", WORKFLOWS / "joint_statement.yaml").stdout


def test_the_schema_is_json_that_knows_the_conditions():
    told = json.loads(call("workflow", "schema").stdout)
    assert "languages_ready" in told["$defs"]["condition"]["enum"]
    assert "types" in json.loads(call("workflow", "schema", "--types").stdout)["properties"]


@pytest.mark.parametrize(
    ("rows", "closed", "outcome"),
    [
        ("a,yes\nb,yes\nc,no\n", True, "carried"),
        ("a,no\nb,no\nc,\n", False, "lost"),
        ("a,yes\nb,\nc,\n", False, "open"),
    ],
)
def test_every_verdict_is_json_alone_and_no_failure(tmp_path, rows, closed, outcome):
    rule, positions = tmp_path / "rule.yaml", tmp_path / "positions.csv"
    rule.write_text(RULE)
    positions.write_text("voter,position\n" + rows)
    result = call("ballot", "tally", rule, positions, "--json", *(["--closed"] if closed else []))
    told = json.loads(result.stdout)
    assert told["outcome"] == outcome
    assert set(told) == {"outcome", "clauses", "missing", "explanation"}
    assert result.stderr == ""
    assert call("ballot", "tally", rule, positions).stdout.splitlines()[0] in ("carried", "lost", "open")


def test_a_wrong_cell_is_named_by_file_and_line(tmp_path):
    rule, positions = tmp_path / "rule.yaml", tmp_path / "positions.csv"
    rule.write_text(RULE)
    positions.write_text("voter,position\na,yes\nb,perhaps\n")
    result = call("ballot", "tally", rule, positions, "--json", code=1)
    assert result.stderr.startswith(f"{positions}:3: ") and result.stdout == ""


def test_a_claim_is_proved_or_disproved_by_a_way_that_names_its_steps(monkeypatch):
    command = ["workflow", "prove", WORKFLOWS / "joint_statement.yaml", "--never"]
    assert call(*command, "reach published without adopt").stdout == "Proved: never “reach published without adopt”.\n"
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    result = call(*command, "reach published by secretariat", "--never", "fire submit in drafting", code=1)
    assert "Prouvé" in result.stdout and "fire submit in drafting" in result.stdout
    steps = [line.split(":")[0].split("(")[0].strip() for line in result.stderr.splitlines()[2:]]
    assert steps == ["1. open_comment", "2. close_comment", "3. submit", "4. adopt", "5. publish"]
    assert "Soumettre au groupe directeur" in result.stderr and "secrétariat" in result.stderr


def test_answers_are_told_as_json():
    result = call(
        *("workflow", "prove", WORKFLOWS / "joint_statement.yaml", "--never", "reach revision", "--json"), code=1
    )
    [answer] = json.loads(result.stdout)["answers"]
    assert result.stderr == "" and answer["holds"] is False and answer["question"] == "reach revision"
    assert [step["transition"] for step in answer["path"]] == ["open_comment", "close_comment"]
    assert [hand["trigger"] for hand in answer["path"][1]["by"]] == ["user", "timer"]


def test_a_question_that_makes_no_sense_is_wrong_usage_and_a_broken_file_is_not(tmp_path):
    command = ["workflow", "prove", WORKFLOWS / "joint_statement.yaml", "--never", "reach publishd"]
    assert "Did you mean “published”?" in call(*command, code=2).stderr
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)
    assert call("workflow", "prove", file, "--never", "reach x", code=1).stderr.startswith(f"{file}:7:35: ")


@pytest.mark.parametrize(
    "command",
    [
        ["workflow", "table", "{file}", "--json"],
        ["workflow", "check", "{file}"],
        ["workflow", "prove", "{file}", "--never", "reach published without adopt", "--json"],
    ],
)
def test_workflows_need_neither_flask_nor_a_database(command):
    words = [word.format(file=WORKFLOWS / "joint_statement.yaml") for word in command]
    program = (
        "import sys\n"
        "from r2pflow.cli import cli\n"
        f"cli({words!r}, standalone_mode=False)\n"
        "print(sorted({'flask', 'sqlalchemy', 'babel', 'lxml', 'weasyprint'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_document_is_imported_shown_fired_and_exported(text, secretary, tmp_path):
    call("db", "upgrade")
    common = ["--type", "joint_statement", "--language", "en"]
    reference = call("document", "import", text, *common, "--as", secretary).stdout.strip()
    told = json.loads(call("document", "show", reference, "--json").stdout)
    assert (told["reference"], told["title"], told["state"]) == (reference, "Protect civilians", "drafting")
    assert told["languages"]["fr"] == "missing" and len(told["digest"]) == 64
    assert "open_comment" in told["transitions"]
    shown = call("document", "show", reference, "--as", secretary).stdout
    assert "Protect civilians" in shown and "open_comment ->" in shown
    for form, begins in (("pdf", b"%PDF"), ("html", b"<!doctype html"), ("docx", b"PK"), ("json", b"{")):
        file = tmp_path / f"out.{form}"
        call("document", "export", reference, "--language", "en", "--format", form, "-o", file)
        assert file.read_bytes().lstrip().lower().startswith(begins.lower())


def test_a_refused_transition_ends_with_1_and_says_why(text, secretary):
    reference = call("document", "import", text, "--type", "joint_statement", "--language", "en").stdout.strip()
    result = call("document", "fire", reference, "publish", "--as", secretary, code=1)
    assert result.stdout == ""
    assert "This step leads from: Translation. The document is in “Drafting”.\n" in result.stderr
    assert json.loads(call("document", "show", reference, "--json").stdout)["state"] == "drafting"


def test_every_step_is_explained_for_a_person_in_the_terminal_s_language(text, secretary, monkeypatch):
    reference = call("document", "import", text, "--type", "joint_statement", "--language", "en").stdout.strip()
    command = ["document", "explain", reference, "--as", secretary]
    told = call(*command).stdout
    assert "open_comment  Open for comment: possible now" in told
    assert "This step leads from: Translation. The document is in “Drafting”." in told
    assert "publish: secretariat: role of Office" in told
    one = json.loads(call(*command, "--transition", "publish", "--json").stdout)
    assert one["states"] == {"joint_statement": "drafting"}
    assert [step["name"] for step in one["transitions"]] == ["publish"]
    assert [refusal["code"] for refusal in one["transitions"][0]["refusals"]] == ["wrong_state", "condition"]
    assert call(*command, "--transition", "fly", code=1).stderr.startswith("There is no such step")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert "Ouvrir aux observations" in call(*command).stdout


def test_a_transition_is_fired_on_many_and_what_is_refused_is_told(text, secretary):
    call("organisation", "add", "--slug", "alpha", "--name", "Alpha", "--role", "steering")
    kind = ("--type", "consultation_report", "--language", "en", "--as", secretary)
    first, second = (call("document", "import", text, *kind).stdout.strip() for _ in range(2))
    call("document", "fire", second, "submit", "--as", secretary)
    fired = ("document", "fire-many", "submit", "--as", secretary)
    result = call(*fired, "--reference", first, "--reference", second, code=1)
    assert f"{first}\tdone\n{second}\trefused\tThis step does not lead" in result.stdout
    assert "1 done, 1 refused" in result.stderr
    assert "no-such" in call(*fired, "--reference", "no-such", code=1).stderr
    assert call(*fired, "--type", "consultation_report", "--at", "2031-01-01T10:00").stdout.strip() == "2"
    assert "is past" in call(*fired, "--reference", first, "--at", "2020-01-01T10:00", code=1).stderr
    call(*fired, "--reference", first, "--state", "drafting", code=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["document", "explain", "XX-1", "--as", "1"], "There is no document XX-1"),
        (["document", "show", "XX-1"], "There is no document XX-1"),
        (["document", "fire", "XX-1", "publish", "--as", "nobody@example.org"], "There is no such person"),
        (["document", "import", "{text}", "--type", "novel", "--language", "en"], "joint_statement"),
        (["document", "import", "nowhere.md", "--type", "joint_statement", "--language", "en"], "nowhere.md"),
        (
            ["document", "import", "{text}", "--type", "joint_statement", "--language", "xx"],
            "does not exist in that language",
        ),
        (["document", "export", "XX-1", "--language", "en", "--format", "tiff"], "docx, html"),
        (["person", "add", "--name", "A", "--email", "nonsense"], "no e-mail address"),
        (["organisation", "add", "--slug", "a b", "--name", "A"], "short name"),
        (["group", "set", "a b"], "name of a group"),
        (["group", "set", "bureau", "--organisation", "nowhere"], "no such organisation"),
        (["db", "retry", "7"], "no job 7"),
    ],
)
def test_what_is_invalid_ends_with_1_and_a_sentence(arguments, told, text):
    words = [word.format(text=text) for word in arguments]
    result = call(*words, code=1)
    assert told in result.stderr
    assert result.stdout == "" and "Traceback" not in result.output


def test_a_person_gets_a_link_that_signs_in(secretary):
    assert call("person", "link", secretary).stdout.startswith("http://127.0.0.1:5000/account/")


def test_a_group_is_made_and_said_anew(secretary):
    call("organisation", "add", "--slug", "alpha", "--name", "Alpha", "--role", "member")
    call("group", "set", "bureau", "--title", "Bureau", "--organisation", "alpha", "--organisation", "office")
    call("group", "set", "bureau", "--title", "The bureau", "--organisation", "alpha")
    with open_work(load_app()) as work:
        (group,) = directory.list_groups(work)
        assert [one.slug for one in group.organisations] == ["alpha"]
        assert group.row.titles == {"en": "The bureau"}


def test_dossiers_are_made_and_moved_and_documents_between_them(text):
    assert call("dossier", "set", "campaign", "--title", "Campaign", "--kind", "campaign").stdout == "campaign\n"
    call("dossier", "set", "desk", "--title", "Desk", "--kind", "crisis", "--parent", "campaign")
    call("dossier", "set", "desk", "--title", "Cellule", "--language", "fr", "--kind", "crisis")
    result = call("dossier", "move", "campaign", "--to", "desk", code=1)
    assert "cannot lie in itself" in result.stderr
    call("dossier", "move", "campaign", code=2)
    call("dossier", "move", "desk", "--top")
    call("dossier", "set", "campaign", "--title", "Campaign", "--kind", "campaign", "--parent", "desk")
    common = ("--type", "joint_statement", "--language", "en")
    reference = call("document", "import", text, *common, "--dossier", "campaign").stdout.strip()
    assert call("document", "move", reference, "--dossier", "desk").stdout.strip() == reference
    assert "no dossier of that name" in call("document", "move", reference, "--dossier", "nowhere", code=1).stderr
    call("document", "move", reference, "--out")
    call("document", "move", reference, code=2)


def test_a_database_that_cannot_be_reached_is_named(monkeypatch):
    monkeypatch.setenv("R2PFLOW_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    result = call("document", "show", "JS-1", code=1)
    assert "R2PFLOW_DATABASE_URL" in result.stderr


def test_a_setting_out_of_range_is_named(monkeypatch):
    monkeypatch.setenv("R2PFLOW_TIMEZONE", "Mars/Olympus")
    assert "R2PFLOW_TIMEZONE" in call("document", "show", "JS-1", code=1).stderr


def test_a_database_of_another_version_is_refused(tmp_path):
    import sqlite3

    call("db", "upgrade")
    assert "as it was" in call("db", "upgrade").stdout
    with sqlite3.connect(tmp_path / "instance" / "r2pflow.sqlite") as connection:
        connection.execute("UPDATE r2pflow_alembic_version SET version_num = '0000'")
    connection.close()
    assert "r2pflow db upgrade" in call("document", "show", "JS-1", code=1).stderr


def test_the_worker_does_what_is_due_in_the_application_that_is_named(tmp_path, monkeypatch):
    host = tmp_path / "host_app.py"
    host.write_text(
        "from r2pflow.standalone import create_app\napplication = create_app({'R2PFLOW_COALITION': 'The Host'})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("R2PFLOW_APP", "host_app:application")
    call("worker", "--until-idle")
    monkeypatch.setenv("R2PFLOW_APP", "host_app:nothing")
    assert "R2PFLOW_APP" in call("worker", "--until-idle", code=1).stderr


def test_the_doctor_says_what_to_do_and_fails_only_where_nothing_works(tmp_path, monkeypatch):
    result = call("doctor", code=1)
    assert "has no tables" in result.stdout and "r2pflow db upgrade" in result.stdout
    call("db", "upgrade")
    lines = call("doctor").stdout.splitlines()
    assert {line.split()[0] for line in lines if not line.startswith(" ")} <= {"ok", "warn"}
    assert any(line.startswith("warn  mail") for line in lines)
    monkeypatch.setenv("R2PFLOW_MAIL_SERVER", "127.0.0.1:9")
    monkeypatch.setenv("R2PFLOW_BASE_URL", "https://r2pflow.example.org")
    told = call("doctor", code=1).stdout
    assert "fail  mail" in told and "R2PFLOW_SECURE_COOKIES" in told


def test_the_doctor_names_broken_workflows_and_jobs_that_were_given_up(tmp_path, monkeypatch):
    from r2pflow.commands.application import load_app, open_work
    from r2pflow.jobs.embedded import JobRow
    from r2pflow.persistence.unit_of_work import read_clock

    with open_work(load_app()) as work:
        work.enqueue("mail", "mail:1", to="x", subject="x", text="x", html="")
        row = work.session.query(JobRow).one()
        row.failed_at, row.error, row.attempts = read_clock(), "no such address", 6
        number = row.id
        work.commit()
    assert f"r2pflow db retry {number}" in call("doctor", code=1).stdout
    call("db", "retry", number)
    call("doctor")
    (tmp_path / "broken.yaml").write_text(BROKEN)
    monkeypatch.setenv("R2PFLOW_WORKFLOW_FOLDERS", str(tmp_path))
    assert "broken.yaml:7:" in call("doctor", code=1).stdout


def test_the_language_of_the_terminal_is_spoken_where_it_is_known(monkeypatch):
    from r2pflow.commands.language import find_language

    assert find_language() == "en"
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert find_language() == "fr"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert find_language() == "en"


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "r2pflow.cli", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("r2pflow")
