"""Serve pages by gunicorn and run the worker beside it, each a process of its own, until told to stop."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from gunicorn.app.base import BaseApplication

from r2pflow.commands.application import load_app
from r2pflow.domain.errors import SetupError

START = 60.0  # seconds that the web process may take until it answers
END = 25.0  # seconds that both processes may take to end
STEADY = 60.0  # a worker that ran so long is started again at once
LONGEST_PAUSE = 30.0
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


def check_port(host: str, port: int) -> None:
    """Raise SetupError when nobody could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise SetupError("port_taken", host=host, port=port, found=error.strerror or str(error)) from error


def run(host: str, port: int, *, threads: int, with_worker: bool, is_demo: bool, greet: Callable[[], object]) -> None:
    """Run the web process, and the worker, which is started again when it dies; return once both have ended.

    SIGTERM and SIGINT end both in order. `greet` is called when pages are answered. Raises SetupError when the web
    process ends by itself.
    """
    stop = Event()
    before = {
        number: signal.signal(number, lambda _number, _frame: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    web = _start("r2pflow.commands.serving", host, str(port), str(threads), "demo" if is_demo else "")
    worker = _Kept("r2pflow.cli", "worker", "--with-parent") if with_worker else None
    try:
        if _wait_until_answering(host, port, web, stop):
            greet()
        while not stop.is_set() and web.poll() is None:
            if worker is not None:
                worker.keep()
            stop.wait(0.5)
        if not stop.is_set():
            raise SetupError("web_ended", status=web.returncode)
    finally:
        _end([web, *([worker.process] if worker else [])])
        for number, handler in before.items():
            signal.signal(number, handler)


class _Kept:
    """A process that is started again when it dies, more slowly each time it dies young."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.pause = 0.0
        self.not_before = 0.0
        self._begin()

    def _begin(self) -> None:
        self.process = _start(*self.arguments)
        self.started = time.monotonic()

    def keep(self) -> None:
        """Start it again if it has died, and it is time."""
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.not_before:
            self.pause = 0.0 if now - self.started > STEADY else min(max(1.0, self.pause * 2), LONGEST_PAUSE)
            self.not_before = now + self.pause
            told = f"the worker ended (status {self.process.returncode}); starting it again in {self.pause:.0f} s"
            print(told, file=sys.stderr, flush=True)
        if now >= self.not_before:
            self.not_before = 0.0
            self._begin()


def _start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL)


def _wait_until_answering(host: str, port: int, web: "subprocess.Popen[bytes]", stop: Event) -> bool:
    address = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host
    until = time.monotonic() + START
    while time.monotonic() < until and web.poll() is None and not stop.is_set():
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return True
        stop.wait(0.1)
    return False


def _end(processes: "list[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + END
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stop_with_parent() -> Event:
    """Return an event that is set when the process that started this one is gone."""
    stop, parent = Event(), os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        stop.set()

    Thread(target=watch, daemon=True).start()
    return stop


class WebServer(BaseApplication):
    """gunicorn, told what to serve by arguments instead of a file."""

    def __init__(self, host: str, port: int, threads: int, config: dict[str, Any] | None) -> None:
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.threads = threads
        self.application_config = config
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        settings = {
            "bind": self.address,
            "worker_class": "gthread",
            "workers": 1,
            "threads": self.threads,
            "timeout": 120,
            "graceful_timeout": 15,
            "loglevel": "warning",
            "proc_name": "r2pflow",
            "forwarded_allow_ips": os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1"),
            "on_starting": lambda _server: _end_with_parent(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application; gunicorn asks in the process that serves."""
        return load_app(self.application_config)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def main(arguments: list[str]) -> None:
    """Serve: host, port, threads, and `demo` or nothing."""
    host, port, threads, kind = arguments
    config = {"R2PFLOW_DEMO": True} if kind == "demo" else None
    sys.argv = sys.argv[:1]  # gunicorn would read them
    WebServer(host, int(port), int(threads), config).run()


if __name__ == "__main__":
    main(sys.argv[1:])
