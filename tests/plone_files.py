"""The workflows that Plone ships, as its package holds them; no copy of them is in this repository."""

import zipfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".venv" / "plone"
PROFILE = "Products/CMFPlone/profiles/default"
NAMES = (
    "folder_workflow",
    "intranet_folder_workflow",
    "intranet_workflow",
    "one_state_workflow",
    "plone_workflow",
    "simple_publication_workflow",
)


def find_package() -> Path:
    """Return the package; fail with what to do where it is not there."""
    wheels = sorted(FOLDER.glob("products_cmfplone-*.whl"))
    assert wheels, f"{FOLDER} has no package of Plone: run scripts/setup --tests"
    return wheels[-1]


@cache
def read_shipped(name: str) -> bytes:
    """Return a file of Plone's default profile."""
    with zipfile.ZipFile(find_package()) as wheel:
        return wheel.read(f"{PROFILE}/{name}")


def read_definition(name: str) -> bytes:
    return read_shipped(f"workflows/{name}/definition.xml")


def read_shipped_rolemap() -> bytes:
    return read_shipped("rolemap.xml")
