"""`demo`, `serve` and `worker` as an operator runs them: processes that start, end, and lose nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("R2PFLOW_", "LANG", "LC_"))}
    return {**kept, "R2PFLOW_INSTANCE": str(tmp_path / "instance")}


@pytest.fixture
def start(environment, tmp_path):
    started = []

    def run(*arguments):
        output = (tmp_path / f"output-{len(started)}").open("w+")
        process = subprocess.Popen(
            [sys.executable, "-m", "r2pflow.cli", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        process.output = output
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        process.output.close()


def catches(process, number):
    """Tell whether the process has a handler for the signal by now (proc(5), SigCgt)."""
    told = Path(f"/proc/{process.pid}/status").read_text()
    mask = int(re.search(r"^SigCgt:\s*([0-9a-f]+)$", told, re.MULTILINE)[1], 16)
    return bool(mask >> (number - 1) & 1)


def read(process):
    process.output.seek(0)
    return process.output.read()


def wait_for(words, process, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        told = read(process)
        if words in told:
            return told
        assert process.poll() is None, told
        time.sleep(0.1)
    raise AssertionError(f"{words!r} not in {read(process)!r}")


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.status, answer.read().decode()


def list_children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def find_worker(pid):
    for child in list_children(pid):
        if b"--with-parent" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    return None


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(holds, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError("not in time")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
def test_serve_answers_keeps_its_worker_alive_and_ends_with_both(start):
    port = find_port()
    process = start("serve", "--port", str(port))
    wait_for("Ctrl-C ends it", process)
    status, page = get(f"http://127.0.0.1:{port}/register")
    assert status == 200 and "<html" in page
    killed = wait_until(lambda: find_worker(process.pid))
    os.kill(killed, signal.SIGKILL)
    again = wait_until(lambda: find_worker(process.pid) not in (None, killed) and find_worker(process.pid))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    wait_until(lambda: is_gone(again))
    with pytest.raises(OSError):
        get(f"http://127.0.0.1:{port}/register")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
def test_nothing_is_left_of_a_serve_that_was_killed(start):
    process = start("serve", "--port", str(find_port()))
    wait_for("Ctrl-C ends it", process)
    wait_until(lambda: find_worker(process.pid))
    children = list_children(process.pid)
    assert len(children) == 2
    process.kill()
    process.wait()
    wait_until(lambda: all(is_gone(child) for child in children), 60)


def test_a_port_that_is_taken_is_told(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", "--port", str(taken.getsockname()[1]))
        assert process.wait(60) == 1
    assert "--port" in read(process) and "Traceback" not in read(process)


def test_a_worker_ends_in_order_when_it_is_asked_to(start):
    process = start("worker")
    wait_until(lambda: catches(process, signal.SIGTERM))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "Traceback" not in read(process)


@pytest.mark.slow
def test_the_demonstration_names_every_pdf_and_serves_at_once_afterwards(start, tmp_path, environment):
    process = start("demo")
    assert process.wait(300) == 0, read(process)
    lines = re.findall(r"^published (\S+) (\S+) (\S+)$", read(process), re.MULTILINE)
    by_symbol = {}
    for symbol, language, path in lines:
        by_symbol.setdefault(symbol, set()).add(language)
        assert len(PdfReader(path).pages) >= 1
    assert sum(languages == {"ar", "en", "es", "fr", "ru", "zh"} for languages in by_symbol.values()) >= 3

    again = start("demo")
    assert again.wait(60) == 1
    assert "R2PFLOW_INSTANCE" in read(again)

    port = find_port()
    serving = start("serve", "--demo", "--port", str(port))
    told = wait_for("Ctrl-C ends it", serving, 30)
    for kind in ("secretariat", "member", "steering", "translator"):
        [address] = re.findall(rf"as {kind} .*: (http\S+)", told)
        status, page = get(address)
        assert status == 200 and "<form" in page
    serving.terminate()
    assert serving.wait(60) == 0


@pytest.mark.slow
def test_a_demonstration_that_was_interrupted_is_loaded_again(start):
    process = start("demo")
    wait_for("created", process)
    process.kill()
    process.wait()
    again = start("demo")
    assert again.wait(300) == 0, read(again)
    assert "beginning again" in read(again) and "published" in read(again)
