"""The machine is `transitions`, one per definition, and quick."""

import threading
import time

from r2pflow.domain.definition import State, Transition, Workflow
from r2pflow.domain.machine import CompiledMachine, machine_for


def flow(digest: str = "machine-test", **names: Transition) -> Workflow:
    states = {name: State(name) for name in ("one", "two", "final")}
    transitions = names or {
        "go": Transition("go", ("one",), "two"),
        "keep": Transition("keep", ("one", "two"), "stay"),
        "again": Transition("again", ("two",), "two"),
        "state": Transition("state", ("one",), "final"),
    }
    return Workflow("flow", 1, "one", states, transitions, digest=digest)


def yes() -> bool:
    return True


def no() -> bool:
    return False


def test_a_machine_moves_stays_and_refuses() -> None:
    machine = CompiledMachine(flow())
    assert machine.fire("go", "one", yes) == "two"
    assert machine.fire("keep", "two", yes) == "two"
    assert machine.fire("again", "two", yes) == "two"
    assert machine.fire("go", "one", no) is None
    assert machine.fire("go", "two", yes) is None
    assert machine.fire("fly", "one", yes) is None


def test_a_transition_may_bear_any_name() -> None:
    assert CompiledMachine(flow()).fire("state", "one", yes) == "final"


def test_nothing_goes_to_a_state_directly() -> None:
    assert CompiledMachine(flow()).fire("to_final", "one", yes) is None


def test_one_machine_serves_a_definition_and_another_the_next() -> None:
    assert machine_for(flow("a")) is machine_for(flow("a"))
    assert machine_for(flow("a")) is not machine_for(flow("b"))
    assert machine_for(flow("")) is not machine_for(flow(""))


def test_threads_share_a_machine_without_meeting() -> None:
    machine = CompiledMachine(flow())
    wrong: list[str | None] = []

    def run(state: str, expected: str) -> None:
        for _ in range(300):
            found = machine.fire("keep", state, yes)
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=run, args=(state, state)) for state in ("one", "two") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_firing_takes_well_under_a_tenth_of_a_millisecond() -> None:
    machine = CompiledMachine(flow())
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(200):
            machine.fire("go", "one", yes)
        best = min(best, (time.perf_counter() - started) / 200)
    assert best < 100e-6
