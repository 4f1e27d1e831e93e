"""The benchmarks run, on tiny sizes; how fast is for `make bench` to say."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import NAMES, make_table
from bench.figures import Figure, median_ratio, time_interleaved

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_prints_its_figures_beside_their_targets(name: str):
    command = [sys.executable, "-m", "bench", name, "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    lines = [line for line in done.stdout.splitlines() if line.endswith((" ok", " over", " under"))]
    assert lines and all(" <= " in line or " >= " in line for line in lines)
    assert "Traceback" not in done.stderr


def test_an_unknown_benchmark_is_refused_with_the_names_there_are():
    done = subprocess.run([sys.executable, "-m", "bench", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert all(name in done.stderr for name in NAMES)


def test_the_table_tells_what_is_met_from_what_is_not():
    table = make_table([Figure("rate", 0.4, 0.5, at_least=True), Figure("time", 2.0, 3.0, "x"), Figure("size", 2, 1)])
    assert [line.split()[-1] for line in table.splitlines()[2:]] == ["under", "ok", "over"]


def test_runs_take_turns_and_a_ratio_is_of_the_same_round():
    seen: list[str] = []
    times = time_interleaved(2, lambda: seen.append("a"), lambda: seen.append("b"))
    assert seen == ["a", "b", "b", "a"]
    assert [len(one) for one in times] == [2, 2]
    assert median_ratio([1.0, 10.0, 3.0], [2.0, 20.0, 3.0]) == 0.5
