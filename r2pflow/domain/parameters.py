"""The parameters of a condition or an effect, read from the signature of its function.

    def regions_spoke(facts, actor, *, regions: list[str], at_least: int = 1) -> Details | None

is written `{regions_spoke: {regions: [africa], at_least: 2}}`; one alone without its name where there is only one.
The keyword-only parameters count; `**names: list[str]` takes a mapping of any names. What they may be is in
`_SCALARS`; beside it `Literal`, an `Enum` by its values, a list or tuple of these, and `X | None`. Workflow files are
checked against them when they are read.
"""

import inspect
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cached_property
from typing import Any, Literal, Protocol, Union, get_args, get_origin

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.naming import Report
from r2pflow.domain.schedule import Duration, parse_duration
from r2pflow.domain.shape import JsonSchema
from r2pflow.domain.yamlnodes import Node


class ParameterKind(Protocol):
    """What a parameter may be: `read` gives the plain JSON value that a definition keeps, `convert` what is passed."""

    @property
    def told(self) -> str: ...

    def read(self, node: Node, where: str, report: Report) -> Any: ...

    def convert(self, plain: Any) -> Any: ...

    def schema(self) -> JsonSchema: ...


@dataclass(frozen=True)
class _Scalar:
    told: str
    parse: Callable[[Node], Any]
    """Return the plain value of a text node; ValueError when it is none."""
    made: JsonSchema
    convert: Callable[[Any], Any] = lambda plain: plain

    def read(self, node: Node, where: str, report: Report) -> Any:
        try:
            if node.kind != "text":
                raise ValueError
            return self.parse(node)
        except (ValueError, InvalidOperation, InvalidInput):
            report.add("bad_argument", node, where, node, self.told)
            return None

    def schema(self) -> JsonSchema:
        return dict(self.made)


def _parse_text(node: Node) -> str:
    if not node.text.strip():
        raise ValueError
    return node.text


def _parse_whole(node: Node) -> int:
    value = node.plain()
    if type(value) is not int:
        raise ValueError
    return value


def _parse_number(node: Node) -> int | float:
    value = node.plain()
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError
    return value


def _parse_flag(node: Node) -> bool:
    value = node.plain()
    if not isinstance(value, bool):
        raise ValueError
    return value


def _parse_decimal(node: Node) -> str:
    if not Decimal(node.text).is_finite():
        raise ValueError
    return node.text


def _parse_day(node: Node) -> str:
    return date.fromisoformat(node.text).isoformat()


def _make_day(text: str) -> date:
    return date.fromisoformat(text)


def _parse_duration(node: Node) -> str:
    parse_duration(node.text)
    return node.text


_SCALARS: Mapping[Any, ParameterKind] = {
    str: _Scalar("a text", _parse_text, {"type": ["string", "number", "boolean"]}),
    int: _Scalar("a whole number", _parse_whole, {"type": "integer"}),
    float: _Scalar("a number", _parse_number, {"type": "number"}, float),
    Decimal: _Scalar("a decimal number", _parse_decimal, {"type": ["string", "number"]}, Decimal),
    bool: _Scalar("true, false", _parse_flag, {"type": "boolean"}),
    date: _Scalar("a day such as 2027-03-31", _parse_day, {"type": "string", "format": "date"}, _make_day),
    Duration: _Scalar(
        "an ISO 8601 duration such as P3D, PT12H, P2W, P1M, P1DT12H",
        _parse_duration,
        {"type": "string", "pattern": "^P[0-9T]", "examples": ["P3D", "PT12H"]},
        parse_duration,
    ),
}


@dataclass(frozen=True)
class _Choice:
    """One of a few words: of a Literal as they are, of an Enum the members by their values."""

    values: Mapping[str, Any]

    @property
    def told(self) -> str:
        return ", ".join(self.values)

    def read(self, node: Node, where: str, report: Report) -> Any:
        if node.kind != "text":
            report.add("bad_argument", node, where, node, self.told)
        elif node.text not in self.values:
            report.add_name("bad_argument", node, where, "word", self.values)
        return node.text

    def convert(self, plain: Any) -> Any:
        return self.values[plain]

    def schema(self) -> JsonSchema:
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class _Several:
    """A list; one alone may be written without brackets."""

    kind: ParameterKind
    make: Callable[[list[Any]], Any]

    @property
    def told(self) -> str:
        return f"{self.kind.told}, or a list of such"

    def read(self, node: Node, where: str, report: Report) -> Any:
        if node.kind == "list" and node.parts:
            return [self.kind.read(part, f"{where}[{n}]", report) for n, part in enumerate(node.parts, 1)]
        if node.kind != "text":
            found = "an empty list" if node.kind == "list" else node
            report.add("bad_argument", node, where, found, self.told)
            return None
        return self.kind.read(node, where, report)

    def convert(self, plain: Any) -> Any:
        return self.make([self.kind.convert(one) for one in (plain if isinstance(plain, list) else [plain])])

    def schema(self) -> JsonSchema:
        one = self.kind.schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True)
class _Perhaps:
    kind: ParameterKind

    @property
    def told(self) -> str:
        return f"{self.kind.told}, or null"

    def read(self, node: Node, where: str, report: Report) -> Any:
        return None if node.kind == "empty" else self.kind.read(node, where, report)

    def convert(self, plain: Any) -> Any:
        return None if plain is None else self.kind.convert(plain)

    def schema(self) -> JsonSchema:
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class Parameter:
    """One keyword-only parameter of a function."""

    name: str
    kind: ParameterKind
    is_required: bool


@dataclass(frozen=True)
class Parameters:
    """What a condition or an effect takes beside what every one is given."""

    known: Mapping[str, Parameter]
    others: ParameterKind | None = None  # of `**names`

    @cached_property
    def only(self) -> Parameter | None:
        """Return the parameter, where there is just one: its name may be left out."""
        return next(iter(self.known.values())) if len(self.known) == 1 and not self.others else None

    @property
    def takes_any(self) -> bool:
        return bool(self.known) or self.others is not None

    @property
    def may_be_left_out(self) -> bool:
        return not self.required and self.others is None

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Return the names of those that have no default."""
        return tuple(name for name, one in self.known.items() if one.is_required)

    def read(self, name: Node, value: Node | None, where: str, report: Report) -> Any:
        """Return the argument as plain JSON values, and note what is wrong with it at the node where it stands.

        The value of an only parameter is returned by itself, however it is written, and several as a dict.
        """
        if value is None and self.others is None:
            self._miss(self.required, name, where, report)
            return None
        value = value or name
        if not self.takes_any:
            report.add("bad_argument", value, where, value, "no argument")
            return None
        if value.kind == "mapping" and (value.entries or self.others is None):
            return self._read_named(value, where, report)
        if self.only is not None:
            return self.only.kind.read(value, where, report)
        told = [*self.known, *([f"any names to {self.others.told}"] if self.others else [])]
        report.add("bad_argument", value, where, value, f"a mapping of {', '.join(told)}")
        return None

    def _read_named(self, value: Node, where: str, report: Report) -> Any:
        found = {}
        for name, node in value.entries.items():
            kind = self._find_kind(name)
            if kind is None:
                report.add_name("unknown_parameter", value.keys[name], where, "parameter", self.known)
            else:
                found[name] = kind.read(node, f"{where}.{name}", report)
        self._miss([name for name in self.required if name not in found], value, where, report)
        return found if self.only is None else found.get(self.only.name)

    def _find_kind(self, name: str) -> ParameterKind | None:
        return self.known[name].kind if name in self.known else self.others

    def _miss(self, names: Sequence[str], node: Node, where: str, report: Report) -> None:
        for name in names:
            told = f"the parameter {name!r} is missing; accepted: {self.known[name].kind.told}"
            report.say("missing_parameter", node, where, told, found="", accepted=name)

    def bind(self, argument: Any) -> dict[str, Any]:
        """Return the keyword arguments of an argument that `read` gave."""
        if argument is None:
            return {}
        if self.only is not None:
            return {self.only.name: self.only.kind.convert(argument)}
        kinds = ((name, self._find_kind(name)) for name in argument)
        return {name: kind.convert(argument[name]) for name, kind in kinds if kind is not None}

    def schema(self) -> JsonSchema:
        """Return the JSON Schema (2020-12) of the argument."""
        found: JsonSchema = {
            "type": "object",
            "additionalProperties": self.others.schema() if self.others else False,
            "properties": {name: one.kind.schema() for name, one in self.known.items()},
        }
        if self.required:
            found["required"] = list(self.required)
        return found if self.only is None else {"anyOf": [self.only.kind.schema(), found]}


NO_PARAMETERS = Parameters({})


def read_signature(function: Callable[..., Any], given: int) -> Parameters:
    """Return the parameters of a function that is called with so many positional arguments; refuse with ValueError."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise ValueError(f"it has no signature that can be read: {error}") from error
    try:
        signature.bind(*[None] * given, **dict.fromkeys(_keyword_only(signature)))
    except TypeError as error:
        told = f"it is called with {given} arguments and takes {signature}"
        raise ValueError(f"{told}; parameters of its own stand after `*`") from error
    names = getattr(inspect.unwrap(function), "__globals__", {})
    known, others = {}, None
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            kind = _find_kind(_evaluate(name, parameter.annotation, names), name)
            known[name] = Parameter(name, kind, parameter.default is parameter.empty)
        elif parameter.kind is parameter.VAR_KEYWORD:
            others = _find_kind(_evaluate(name, parameter.annotation, names), name)
    return Parameters(known, others)


def _keyword_only(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in signature.parameters.items() if one.kind is one.KEYWORD_ONLY}


def _evaluate(name: str, annotation: Any, names: Mapping[str, Any]) -> Any:
    """Resolve an annotation that `from __future__ import annotations` left as text."""
    if annotation is inspect.Parameter.empty:
        raise ValueError(f"the parameter {name} has no type")
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(names))  # of the plugin's own module, which has been imported
    except Exception as error:
        raise ValueError(f"the type {annotation!r} of the parameter {name} cannot be read: {error}") from error


def _find_kind(annotation: Any, name: str) -> ParameterKind:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _Choice({str(member.value): member for member in annotation})
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _Choice({_write(value): value for value in inner})
    if origin in (Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        return _Perhaps(_find_kind(next(one for one in inner if one is not type(None)), name))
    if origin in (list, Sequence) and len(inner) == 1:
        return _Several(_find_kind(inner[0], name), list)
    if origin is tuple and len(inner) == 2 and inner[1] is ...:
        return _Several(_find_kind(inner[0], name), tuple)
    accepted = [*(kind.__name__ for kind in _SCALARS), "Literal", "Enum", "list[...]", "... | None"]
    raise ValueError(f"the parameter {name} is {annotation}; accepted: {', '.join(accepted)}")


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
