"""Where the root folders are: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

ROOT_FOLDERS = ("workflows", "templates", "translations", "samples")

_PACKAGE = Path(__file__).resolve().parent


def get_folder(name: str) -> Path:
    """Return the root folder of that name; refuse with FileNotFoundError when neither place has it.

    `pyproject.toml` maps the root folders to `r2pflow/_root/` in the wheel; a checkout has no such folder.
    """
    if name not in ROOT_FOLDERS:
        raise ValueError(f"{name!r} is not a root folder; there are: {', '.join(ROOT_FOLDERS)}")
    for parent in (_PACKAGE / "_root", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the folder {name}/ is neither beside nor inside {_PACKAGE}: reinstall r2pflow")


def get_assets() -> Path:
    """Return the folder of the static files; `make setup` builds its `vendor/` and `fonts/`."""
    return _PACKAGE / "web" / "assets"
