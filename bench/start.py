"""From the start of a process to the first page served, and what the web process then holds in memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.crowd import make_crowd
from bench.figures import Figure, Measured, in_ms, median_ratio, time_interleaved

MOST_TIME = 3.0
"""Times as long as a bare Python takes to import the libraries that every such application imports."""
MOST_MEMORY = 150.0  # MB resident
UNWANTED = ("weasyprint", "pypandoc", "numpy", "pymupdf")
"""What only the worker needs, or nobody does."""

BARE = "import flask, flask_sqlalchemy, flask_security, flask_babel"
FIRST_PAGE = """
import sys
from r2pflow.standalone import create_app
answer = create_app({"R2PFLOW_INSTANCE": sys.argv[1]}).test_client().get("/", follow_redirects=True)
assert answer.status_code == 200, answer.status
"""
SERVE = """
import json, sys
from pathlib import Path
from bench.crowd import open_crowd
crowd = open_crowd(Path(sys.argv[1]))
browser = crowd.sign_in("secretariat")
for path in json.loads(sys.argv[2]) * 5:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status)
lines = Path("/proc/self/status").read_text().splitlines()
resident = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
print(json.dumps([int(resident) / 1024, [name for name in sys.argv[3].split() if name in sys.modules]]))
"""


def measure(folder: Path, quick: bool = False) -> Measured:
    """Start processes on an instance that is there already, and bare ones, in turn."""
    crowd = make_crowd(folder, 30 if quick else 100)
    _run(FIRST_PAGE, folder)  # compiles what is not compiled yet
    first, bare = time_interleaved(1 if quick else 11, lambda: _run(FIRST_PAGE, folder), lambda: _run(BARE))
    found = Measured()
    found.figures.append(Figure("start to first page, of bare imports", median_ratio(first, bare), MOST_TIME, "x"))
    found.note("start to first page", in_ms(first))
    found.note("bare Python with flask and its extensions", in_ms(bare))
    if Path("/proc/self/status").exists():
        paths = ["/desk", "/documents", f"/documents/{crowd.reference}", "/register", f"/register/{crowd.symbol}"]
        resident, unwanted = json.loads(_run(SERVE, folder, json.dumps(paths), " ".join(UNWANTED)))
        found.figures.append(Figure("memory of the web process", resident, MOST_MEMORY, " MB"))
        found.figures.append(Figure("libraries of the worker in the web process", len(unwanted), 0))
        found.note("loaded though unwanted", ", ".join(unwanted) or "none")
    return found


def _run(code: str, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
