"""`r2pflow workflow migrate`, and what the doctor says of definitions whose files changed."""

from pathlib import Path

import pytest

from tests.test_cli import call, secretary, surroundings, text  # noqa: F401  (fixtures)

FILES = Path(__file__).parent / "services" / "workflows"
STATEMENT = (FILES / "statement.yaml").read_text(encoding="utf-8")
TYPES = (FILES / "documents.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "statement.yaml").write_text(STATEMENT, encoding="utf-8")
    (folder / "documents.yaml").write_text(TYPES, encoding="utf-8")
    monkeypatch.setenv("R2PFLOW_WORKFLOW_FOLDERS", str(folder))
    return folder


@pytest.fixture
def references(folder, text, secretary):  # noqa: F811
    made = ("document", "import", text, "--type", "statement", "--language", "en", "--as", secretary)
    return [call(*made).stdout.strip() for _ in range(2)]


def write(folder, old, new):
    changed = STATEMENT.replace("version: 1", "version: 2").replace(old, new)
    (folder / "statement.yaml").write_text(changed, encoding="utf-8")


def test_a_dry_run_then_the_move_each_document_by_itself(folder, references, secretary):  # noqa: F811
    call("document", "fire", references[1], "open_comment", "--as", secretary)
    write(folder, "drafting", "writing")
    told = call("workflow", "migrate", "statement").stdout
    assert f"stays  {references[0]}  Protect civilians  [statement 1: drafting -> ?]" in told
    assert "has no state “drafting”" in told
    assert f"moves  {references[1]}" in told and "its deadline stays" in told
    assert "1 of 2 documents would move" in told
    told = call("workflow", "migrate", "statement", "--map", "drafting=writing").stdout
    assert "2 of 2 documents would move; --apply moves them" in told
    assert "drafting" in call("document", "show", references[0]).stdout
    told = call("workflow", "migrate", "statement", "--apply", code=1).stdout
    assert "1 of 2 documents moved" in told
    told = call("workflow", "migrate", "statement", "--map", "drafting=writing", "--apply").stdout
    assert "1 of 1 documents moved" in told
    assert "writing" in call("document", "show", references[0]).stdout
    assert "no document is to be moved" in call("workflow", "migrate", "statement").stdout


def test_what_cannot_be_meant_is_refused_and_nothing_is_done(folder, references):
    write(folder, "drafting", "writing")
    told = call("workflow", "migrate", "statement", "--map", "drafting=nowhere", "--apply", code=1).stderr
    assert "nowhere" in told and "writing" in told
    assert "no workflow of that name" in call("workflow", "migrate", "statment", code=1).stderr
    assert "OLD=NEW" in call("workflow", "migrate", "statement", "--map", "drafting", code=2).stderr
    twice = ("--map", "drafting=writing", "--map", "drafting=revision")
    assert "mapped twice" in call("workflow", "migrate", "statement", *twice, code=2).stderr
    assert "drafting" in call("document", "show", references[0]).stdout


def test_the_doctor_tells_of_older_versions_lost_files_and_lost_types(folder, references, monkeypatch):
    write(folder, "drafting", "writing")
    assert "2 documents keep an older version of their workflow" in call("doctor").stdout
    (folder / "statement.yaml").unlink()
    told = call("doctor").stdout
    assert "warn  workflows: a document type names statement, which no file defines" in told
    assert "2 documents stand in statement version 1, which no file defines: they keep it as stored" in told
    assert "drafting" in call("document", "show", references[0]).stdout
    (folder / "documents.yaml").unlink()
    told = call("doctor", code=1).stdout
    assert "fail  types: 2 documents are of the type statement" in told
    assert "No file defines documents of the type statement" in call("document", "show", references[0], code=1).stderr
    for page in ("joint_statement",):  # the workflow itself can still be left
        told = call("workflow", "migrate", "statement", "--to", page, "--map", "drafting=drafting").stdout
        assert "2 of 2 documents would move" in told
