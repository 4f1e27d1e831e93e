"""Serve pages by gunicorn, with the worker beside it in a process of its own, until told to stop."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from r2pflow.domain.errors import SetupError

END = 20.0  # seconds that the worker may take to end
STEADY = 60.0  # a worker that ran so long is started again at once
LONGEST_PAUSE = 30.0


def check_port(host: str, port: int) -> None:
    """Raise SetupError when nobody could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SetupError("port_taken", host=host, port=port, found=error.strerror or str(error)) from error


class WorkerBeside:
    """The worker's process, started again when it dies, more slowly each time it dies young."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.pause = 0.0
        self.begun = self.due = time.monotonic()

    def keep(self) -> None:
        """Start it where it does not run, and it is time."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            self.pause = 0.0 if now - self.begun > STEADY else min(max(1.0, self.pause * 2), LONGEST_PAUSE)
            self.due = now + self.pause
            print(f"the worker ended; it is started again in {self.pause:.0f} s", file=sys.stderr, flush=True)
        if self.process is None and now >= self.due:
            command = [sys.executable, "-m", "r2pflow.cli", "worker", "--with-parent", str(os.getpid())]
            self.process, self.begun = subprocess.Popen(command, stdin=subprocess.DEVNULL), now

    def end(self) -> None:
        """Ask it to end, and make it end."""
        process, self.process, self.due = self.process, None, float("inf")
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Site(BaseApplication):
    """gunicorn with one web process that is forked from this one, where everything is loaded already."""

    def __init__(
        self, app: Any, host: str, port: int, *, threads: int, with_worker: bool, greet: Callable[[], object]
    ) -> None:
        self.app = app
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.threads = threads
        self.beside = WorkerBeside() if with_worker else None
        self.greet = greet
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        settings = {
            "bind": self.address,
            "preload_app": True,
            "worker_class": "gthread",
            "workers": 1,
            "threads": self.threads,
            "timeout": 120,
            "graceful_timeout": 15,
            "loglevel": "warning",
            "when_ready": lambda _arbiter: self.greet(),
            "on_exit": lambda _arbiter: self.beside.end() if self.beside else None,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application."""
        return self.app

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; ends the program."""
        _Keeper(self).run()


class _Keeper(Arbiter):
    """Look after the worker too, whenever the web process is looked after."""

    def __init__(self, site: Site) -> None:
        self.beside = site.beside
        super().__init__(site)

    def manage_workers(self) -> None:
        super().manage_workers()
        if self.beside is not None:
            self.beside.keep()


def stop_with_parent(parent: int) -> Event:
    """Return an event that is set when the process that started this one, of that id, is gone."""
    stop = Event()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        stop.set()

    Thread(target=watch, daemon=True).start()
    return stop
