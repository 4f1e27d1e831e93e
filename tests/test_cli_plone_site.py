"""`r2pflow import-plone-site` as an operator runs it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from r2pflow.cli import cli

FILES = Path(__file__).parent / "files" / "plone_site"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("R2PFLOW_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    return lambda *arguments: CliRunner().invoke(cli, ["import-plone-site", *map(str, arguments)])


def test_a_site_comes_over_with_a_report_and_a_second_time_not_at_all(run):
    first = run(FILES / "site.json", "--state", "private=drafting")
    assert "2 dossiers" in first.stdout and "4 documents" in first.stdout
    assert "Left out, because it has no text: Image (1)." in first.stdout
    assert "en/campaign/bad: A time in the export cannot be read" in first.stderr
    assert first.exit_code == 1
    assert "Taken over: –." in run(FILES / "site.json").stdout


def test_an_export_without_fault_ends_well(run, tmp_path):
    for path in FILES.iterdir():
        shutil.copy(path, tmp_path / path.name)
    text = (FILES / "site.json").read_text(encoding="utf-8")
    (tmp_path / "site.json").write_text(text.replace('"yesterday"', '"2024-03-01T09:00:00"'), encoding="utf-8")
    done = run(tmp_path / "site.json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "5 documents" in done.stdout


@pytest.mark.parametrize(
    ("content", "told"), [("[", "is no JSON"), ("{}", "no content export"), (None, "cannot be read")]
)
def test_a_file_that_is_no_export_is_refused(run, tmp_path, content, told):
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_text(content)
    refused = run(path)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert "Traceback" not in refused.output


def test_wrong_usage_says_what_is_wanted(run):
    refused = run(FILES / "site.json", "--state", "private")
    assert refused.exit_code == 2
    assert "PLONE=OURS" in refused.stderr
