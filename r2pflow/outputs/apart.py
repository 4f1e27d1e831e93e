"""Run an exporter in a process of its own, so that the web process never loads what sets PDFs.

python -m r2pflow.outputs.apart < request > answer      both pickled, between processes of one program
"""

import os
import pickle
import subprocess
import sys
from threading import BoundedSemaphore

from r2pflow.domain import errors
from r2pflow.domain.errors import R2PFlowError, SetupError
from r2pflow.domain.printable import Printable
from r2pflow.plugins.registry import Exporter, resolve

TIMEOUT = 60  # seconds
AT_ONCE = 2
"""How many exports one process starts side by side; a third reader waits for its turn."""

_turns = BoundedSemaphore(AT_ONCE)


def export_apart(exporter: Exporter, printable: Printable, *, timeout: float = TIMEOUT) -> bytes:
    """Return the file that the exporter makes of the printable.

    Raises what the exporter refuses with, and SetupError `export_failed` when its process dies or takes longer than
    `timeout` seconds.
    """
    request = pickle.dumps((exporter.function, exporter.name, exporter.provider, printable))
    if not _turns.acquire(timeout=timeout):
        raise SetupError("export_busy", format=exporter.name)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "r2pflow.outputs.apart"], input=request, capture_output=True, timeout=timeout
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError("export_failed", format=exporter.name, found=f"more than {timeout:g} s") from error
    finally:
        _turns.release()
    if done.returncode != 0 or not done.stdout:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        found = told[-1] if told else f"exit {done.returncode}"
        raise SetupError("export_failed", format=exporter.name, found=found)
    kind, answer = pickle.loads(done.stdout)
    if kind == "file":
        made: bytes = answer
        return made
    code, params = answer
    raise getattr(errors, kind, R2PFlowError)(code, **params)


def main() -> int:
    """Read a request, write an answer: a file, or the error that refused it."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get into the answer
    function, name, provider, printable = pickle.load(sys.stdin.buffer)
    try:
        answer: tuple[str, object] = ("file", bytes(resolve(function, name=name, provider=provider)(printable)))
    except R2PFlowError as error:
        answer = (type(error).__name__, (error.code, error.params))
    with out:
        pickle.dump(answer, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
