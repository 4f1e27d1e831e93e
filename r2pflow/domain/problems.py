"""What is wrong with a workflow that can be read, and where."""

from dataclasses import dataclass
from typing import Protocol

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """Something wrong with a workflow, and where; only errors keep it from being loaded."""

    severity: str
    code: str
    message: str
    line: int = 0
    column: int = 0


class Placed(Protocol):
    """What knows where it is written."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def make_problem(severity: str, code: str, at: Placed, message: str) -> Problem:
    """Return a problem at the place of what it is about."""
    return Problem(severity, code, message, at.line, at.column)
