"""One `transitions.Machine` per definition, fired with a light subject; no one else imports the library."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from transitions import Machine

from r2pflow.domain.definition import STAY, Workflow

_CACHE_SIZE = 512


class _Subject:
    """Stand for a document during one attempt; never an ORM row."""

    __slots__ = ("_state", "admits")

    def __init__(self, state: str, admits: Callable[[], bool]) -> None:
        self._state = state
        self.admits = admits


def _is_admitted(event: Any) -> bool:
    return bool(event.model.admits())


class CompiledMachine:
    """A workflow's states and transitions as `transitions` runs them; shared between threads."""

    __slots__ = ("_machine",)

    def __init__(self, workflow: Workflow) -> None:
        # The attribute starts with an underscore because no name in a definition can: `transitions` refuses a
        # trigger that is called like the attribute.
        self._machine: Any = Machine(
            model=None,
            states=list(workflow.states),
            initial=None,
            auto_transitions=False,
            send_event=True,
            model_attribute="_state",
        )
        for transition in workflow.transitions.values():
            for source in transition.sources:
                destination = None if transition.to == STAY else transition.to
                self._machine.add_transition(transition.name, source, destination, conditions=_is_admitted)

    def fire(self, name: str, state: str, admits: Callable[[], bool]) -> str | None:
        """Return the state that firing leads to, or None when no such way leaves here or `admits` says no."""
        event = self._machine.events.get(name)
        if event is None or state not in event.transitions:
            return None
        subject = _Subject(state, admits)
        return subject._state if event.trigger(subject) else None


_machines: dict[str, CompiledMachine] = {}
_lock = Lock()


def machine_for(workflow: Workflow) -> CompiledMachine:
    """Return the machine of the definition, made once per digest; without a digest, a new one."""
    found = _machines.get(workflow.digest)
    if found is None:
        found = CompiledMachine(workflow)
        if workflow.digest:
            with _lock:
                while len(_machines) >= _CACHE_SIZE:
                    del _machines[next(iter(_machines))]
                _machines[workflow.digest] = found
    return found
