"""What can go wrong, as a tree; every leaf carries a code and parameters, never a sentence.

    R2PFlowError
    ├── InvalidInput          what was sent makes no sense (a form, a file, a field)
    │   ├── DefinitionError   a workflow, document type or rule that cannot be read: path, line, column
    │   ├── DefinitionErrors  all of them that one file has
    │   └── BadQuestion       a question about a definition that cannot be read: wrong usage
    ├── NotFound              no such thing, or not for this person: the two are not told apart
    ├── Forbidden             the person may see the thing, but not do this
    ├── Refused               a transition's guard said no; carries every Refusal
    ├── Conflict              the text or state moved on meanwhile; carries what happened
    └── SetupError            a library, font, folder or plugin is missing; says what to do

The sentence is made at the edge, in the reader's language (`web/errors.py`, `cli.py`), from `code` and `params`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class R2PFlowError(Exception):
    """Carry a stable code and the parameters of its sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params: dict[str, Any] = params
        super().__init__(code, params)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}({told})" if told else self.code


class InvalidInput(R2PFlowError):
    """Say what was sent that makes no sense; `field` in the parameters names the form field, if any."""


class DefinitionError(InvalidInput):
    """Name the place in a YAML or XML file; `str()` is `file:line:column: message`, lines and columns from 1."""

    def __init__(
        self, code: str, *, path: str = "", line: int = 0, column: int = 0, message: str = "", **params: Any
    ) -> None:
        super().__init__(code, **params)
        self.path = path
        self.line = line
        self.column = column
        self.message = message or code

    def __str__(self) -> str:
        place = ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: {self.message}" if place else self.message


class DefinitionErrors(InvalidInput):
    """Carry every DefinitionError of a file, in the order of their lines; `str()` has one per line."""

    def __init__(self, errors: Iterable[DefinitionError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.path, error.line, error.column)))
        super().__init__("definition_errors", errors=[str(error) for error in self.errors])

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class BadQuestion(InvalidInput):
    """Say where a question about a definition makes no sense, and what is accepted there."""


class NotFound(R2PFlowError):
    """Answer the same for what is absent and for what may not be seen."""


class Forbidden(R2PFlowError):
    """Refuse a deed to a person who may see the thing; `permission` in the parameters says what is missing."""


@dataclass(frozen=True)
class Refusal:
    """One reason why a guard said no.

    Codes: `wrong_state`, `no_permission`, `no_role`, `no_group`, `comment_required`, `comment_not_allowed`, or
    `condition` with `name`, and what the condition itself has to say in `detail`.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Refused(R2PFlowError):
    """Carry all refusals of one attempt to fire a transition."""

    def __init__(self, transition: str, refusals: Iterable[Refusal]) -> None:
        self.transition = transition
        self.refusals = tuple(refusals)
        super().__init__("refused", transition=transition, reasons=[r.code for r in self.refusals])


class Conflict(R2PFlowError):
    """Say that the thing moved on since it was read; the parameters tell what happened meanwhile."""


class SetupError(R2PFlowError):
    """Name what the machine or the configuration lacks, and in `remedy` what to do."""
