"""The package that the integrator guide shows is installed as it stands there, and fires."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "integrator-guide.md"
FLOW = Path("r2pflow_press/workflows/press_note.yaml")
PIP = ("install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")


def write_package(folder: Path) -> Path:
    """Write every file that the guide names and shows; return the folder."""
    found = re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.S | re.M)
    assert {name for name, _ in found} >= {"pyproject.toml", str(FLOW)}
    for name, text in found:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which pip installed the package."""
    source, target = write_package(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", *PIP, "--root-user-action=ignore", "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def run(site: Path, instance: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "R2PFLOW_INSTANCE": str(instance)}
    environment.pop("R2PFLOW_DATABASE_URL", None)
    command = [sys.executable, "-m", "r2pflow.cli", *arguments]
    done = subprocess.run(
        command, env={**environment, "LANG": "C.UTF-8"}, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_documented_package_is_checked_and_fires(site: Path, tmp_path: Path) -> None:
    assert "ok" in run(site, tmp_path, "workflow", "check", str(site / FLOW)).stdout
    secretary = run(site, tmp_path, "person", "add", "--name=Ann", "--email=ann@example.org", "--role=secretariat")
    ann = f"--as={secretary.stdout.strip()}"
    short, long = tmp_path / "short.txt", tmp_path / "long.txt"
    short.write_text("Note\n\nOne paragraph.\n")
    long.write_text("Note\n\nOne paragraph.\n\nAnd another.\n")
    references = [
        run(site, tmp_path, "document", "import", str(path), "--type=press_note", "--language=en", ann).stdout.strip()
        for path in (short, long)
    ]
    refused = run(site, tmp_path, "document", "fire", references[0], "send", ann, code=1)
    assert refused.stderr.strip() == "The text has 1 paragraphs; asked for: 2–40."
    assert run(site, tmp_path, "document", "fire", references[1], "send", ann).stdout.strip() == "sent"
    assert json.loads(run(site, tmp_path, "document", "show", references[1], "--json", ann).stdout)["state"] == "sent"
    run(site, tmp_path, "worker", "--until-idle")
    mails = [path.read_bytes() for path in (tmp_path / "outbox").rglob("*.eml")]
    assert [b"press@example.org" in mail and b"Urgent: Note" in mail for mail in mails] == [True]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("at_least: 2", "at_leest: 2", "found the parameter 'at_leest'; accepted: at_least, at_most (did you mean"),
        ("at_least: 2", "at_least: two", ".at_least: found 'two'; accepted: a whole number"),
        ("at_least: 2, at_most", "at_most", "the parameter 'at_least' is missing; accepted: a whole number"),
        ("urgent: true", "urgent: yes", ".urgent: found 'yes'; accepted: true, false"),
        ("{address: press@example.org, urgent: true}", "press@example.org", "accepted: a mapping of address, urgent"),
    ],
)
def test_what_its_functions_do_not_take_is_refused_at_its_place(
    site: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = (site / FLOW).read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "flow.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    refused = run(site, tmp_path, "workflow", "check", str(path), code=1).stderr
    assert told in refused
    assert re.match(rf"{re.escape(str(path))}:1[34]:\d+: transitions\.send\.", refused)


def test_editors_are_told_what_its_functions_take(site: Path, tmp_path: Path) -> None:
    schema = json.loads(run(site, tmp_path, "workflow", "schema").stdout)["$defs"]
    assert schema["condition_with"]["properties"]["has_paragraphs"]["required"] == ["at_least"]
    assert schema["effect_with"]["properties"]["write_to"]["properties"]["urgent"] == {"type": "boolean"}
