"""Let a workflow be read whose conditions and effects nobody has supplied yet: to be shown, never to be run."""

from collections.abc import Iterator, Mapping
from typing import Any

from r2pflow.domain.naming import Report
from r2pflow.domain.yamlnodes import Node


class _AnyParameters:
    def read(self, name: Node, value: Node | None, where: str, report: Report) -> Any:
        return None if value is None else value.plain()


class _StandIn:
    parameters = _AnyParameters()


class Lenient(Mapping[str, Any]):
    """What a registry knows, and for every other name a stand-in that takes any argument.

    `missed` has the names that were asked for and are not there, in that order.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known
        self.missed: dict[str, None] = {}

    def __getitem__(self, name: str) -> Any:
        found = self.known.get(name)
        if found is None:
            self.missed.setdefault(name)
            return _StandIn()
        return found

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
