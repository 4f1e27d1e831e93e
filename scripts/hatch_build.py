"""Before a wheel or sdist of a checkout: see that what `make setup` makes is there and fresh."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SetUpFirst(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        is_unpacked_sdist = (root / "PKG-INFO").exists()
        if version == "editable" or is_unpacked_sdist:
            return
        # The build tool's own environment must not reach the one that is set up.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [sys.executable, str(root / "scripts" / "setup")]
        if subprocess.run(command, cwd=root, env=environment).returncode:
            raise RuntimeError("scripts/setup failed: no browser files, fonts and catalogues to pack")
