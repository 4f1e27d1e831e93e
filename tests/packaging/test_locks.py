import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock", "requirements-plone.lock"]


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_python_package_is_pinned_with_hashes(name):
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", [*PYTHON_LOCKS, "frontend/package-lock.json"])
def test_no_lock_names_a_registry(name):
    text = (ROOT / name).read_text()
    assert '"resolved"' not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links)", text, re.M)
    assert not re.search(r"registry\.|@ (file|https?):", text)


def test_the_lock_holds_every_dependency_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w.-]+", line).group() for line in project["dependencies"]}
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in wanted} <= pinned


def test_every_browser_package_is_pinned_exactly():
    package = json.loads((ROOT / "frontend" / "package.json").read_text())
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
