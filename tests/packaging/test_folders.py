import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from r2pflow import folders


@pytest.mark.parametrize("name", folders.ROOT_FOLDERS)
def test_a_checkout_has_each_root_folder_beside_the_package(name):
    assert folders.get_folder(name) == Path(__file__).parents[2] / name


def test_an_installed_package_has_them_inside(tmp_path):
    package = tmp_path / "r2pflow"
    (package / "_root" / "workflows").mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(folders.__file__, package / "folders.py")
    program = "from r2pflow import folders; print(folders.get_folder('workflows'))"
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert Path(result.stdout.strip()) == package / "_root" / "workflows"


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="workflows, templates, translations, samples"):
        folders.get_folder("secrets")
