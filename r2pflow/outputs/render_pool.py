"""PDFs set side by side in processes of their own, which end with the process that began them."""

import logging
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from r2pflow.domain.errors import R2PFlowError
from r2pflow.domain.printable import Printable

logger = logging.getLogger(__name__)

LONGEST = 600
"""Seconds after which a rendering process is taken to hang, and dies."""


@dataclass(frozen=True)
class Failure:
    """Why a text could not be set; `code` and `params` are those of the error, where it was one of ours."""

    told: str
    code: str = ""


class RenderPool:
    """Warm processes that turn printables into PDF bytes; a process that dies breaks its work and is replaced."""

    def __init__(self, processes: int = 0) -> None:
        self.size = processes or count_cores()
        self._executor: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Let every process load its fonts and libraries now, not when the first text comes."""
        for _ in range(self.size):
            self._get().submit(_stay)

    def submit(self, printable: Printable, template: Path | None = None) -> "Future[bytes | Failure]":
        """Begin to set a text. The future raises BrokenProcessPool when a process died meanwhile."""
        try:
            return self._get().submit(_render, printable, template)
        except BrokenProcessPool:
            logger.warning("a rendering process died; starting new ones")
            self.close(wait=False)
            return self._get().submit(_render, printable, template)

    def close(self, *, wait: bool = True) -> None:
        """End the processes, after what they have in hand when `wait` says so."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        processes = [] if wait else list((executor._processes or {}).values())
        executor.shutdown(wait=wait, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()

    def __enter__(self) -> "RenderPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(wait=False)

    def _get(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # spawn: a fork would share locks and connections of threads that it does not have.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.size, mp_context=context, initializer=_begin)
        return self._executor


def count_cores() -> int:
    """Return how many cores this process may use, at least one."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends its processes in order
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        from r2pflow.outputs import pdf

        pdf.warm()
    except Exception as error:  # rendering says it again, to whom it concerns
        logger.warning("rendering processes cannot be made ready: %s", error)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _stay() -> None:
    """Do nothing, in a process that was started for it."""


def _render(printable: Printable, template: Path | None) -> bytes | Failure:
    from r2pflow.outputs import pdf

    if hasattr(signal, "alarm"):
        signal.alarm(LONGEST)
    try:
        return pdf.render_pdf(printable, template)
    except R2PFlowError as error:
        return Failure(str(error), error.code)
    except Exception as error:  # it may not survive the way to the other process
        logger.exception("%s cannot be set", printable.file_stem())
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)
