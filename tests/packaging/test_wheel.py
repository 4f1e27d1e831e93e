import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from r2pflow import folders

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(target), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def names_under(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in files if path.suffix not in (".new", ".pyc")}


@pytest.mark.parametrize("name", folders.ROOT_FOLDERS)
def test_each_root_folder_travels_whole(wheel, name):
    packed = {path.removeprefix(f"r2pflow/_root/{name}/") for path in wheel.namelist()}
    assert names_under(ROOT / name) <= packed


def test_every_catalogue_travels_compiled(wheel):
    compiled = {path for path in wheel.namelist() if path.endswith(".mo")}
    sources = names_under(ROOT / "translations")
    for source in sources:
        if source.endswith(".po"):
            assert f"r2pflow/_root/translations/{source[:-3]}.mo" in compiled


def test_the_browser_files_and_fonts_travel(wheel):
    packed = {path.removeprefix("r2pflow/web/assets/") for path in wheel.namelist()}
    assert names_under(folders.get_assets()) <= packed
    assert {"vendor/editor.js", "vendor/editor.css", "vendor/page.js", "vendor/htmx.js"} <= packed
    assert {"vendor/THIRD-PARTY.txt", "fonts/NotoSerif-Regular.ttf", "fonts/NotoSerif-OFL.txt"} <= packed


def test_every_module_travels_and_no_test(wheel):
    packed = set(wheel.namelist())
    assert {f"r2pflow/{name}" for name in names_under(ROOT / "r2pflow") if name.endswith(".py")} <= packed
    assert not [path for path in packed if path.startswith(("tests/", "bench/", "frontend/"))]


def test_the_command_and_the_built_in_plugin_are_declared(wheel):
    (path,) = [path for path in wheel.namelist() if path.endswith("/entry_points.txt")]
    declared = wheel.read(path).decode()
    assert "r2pflow = r2pflow.cli:main" in declared
    assert "builtin = r2pflow.plugins.builtin:register" in declared
