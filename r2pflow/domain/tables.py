"""A workflow as a table of plain values, and the format as JSON Schema."""

from collections.abc import Mapping
from typing import Any, Protocol

from r2pflow.domain import formats
from r2pflow.domain.definition import Test, Transition, Workflow
from r2pflow.domain.parameters import Parameters
from r2pflow.domain.shape import JsonSchema


def table(workflow: Workflow) -> dict[str, Any]:
    """Return what `workflow table FILE --json` prints: names as written, `to: stay` as `stay`."""
    return {
        "workflow": workflow.name,
        "initial": workflow.initial,
        "bypass": list(workflow.bypass),
        "states": {
            state.name: {
                "grants": {permission: list(roles) for permission, roles in state.grants.items()},
                "inherit": list(state.inherit),
                "transitions": {
                    transition.name: _transition(transition) for transition in workflow.transitions_from(state.name)
                },
            }
            for state in workflow.states.values()
        },
        "permissions": {permission: list(roles) for permission, roles in workflow.permissions.items()},
    }


def _transition(transition: Transition) -> dict[str, Any]:
    guard = transition.guard
    return {
        "to": transition.to,
        "trigger": list(transition.triggers),
        "permissions": list(guard.permissions),
        "roles": list(guard.roles),
        "groups": list(guard.groups),
        "require": [plain_test(test) for test in guard.require],
    }


def plain_test(test: Test) -> Any:
    """Return the test as it is written in YAML."""
    if test.kind in ("any", "all"):
        return {test.kind: [plain_test(part) for part in test.tests]}
    if test.kind == "not":
        return {"not": plain_test(test.tests[0])}
    if test.kind == "field":
        return {"field": test.name, test.operator: test.argument}
    return test.name if test.argument is None else {test.name: test.argument}


class Named(Protocol):
    """A condition or an effect, as far as its schema goes."""

    @property
    def parameters(self) -> Parameters: ...


def schema(conditions: Mapping[str, Named], effects: Mapping[str, Named]) -> JsonSchema:
    """Return the JSON Schema (2020-12) of workflow files, made of the declarations that the reader checks against.

    Editors offer the conditions and effects with their parameters, and mark others.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "r2pflow workflow",
        **formats.WORKFLOW.schema(),
        "$defs": {
            "test": formats.TestKind().schema(),
            "condition": _alone(conditions),
            "condition_with": _with_argument(conditions),
            "effect": _alone(effects),
            "effect_with": _with_argument(effects),
            "positions": _POSITIONS,
            "clause": _CLAUSE,
        },
    }


def types_schema() -> JsonSchema:
    """Return the JSON Schema (2020-12) of `documents.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "r2pflow document types",
        **formats.DOCUMENT_TYPES.schema(),
    }


def _alone(known: Mapping[str, Named]) -> JsonSchema:
    return {"enum": sorted(name for name, one in known.items() if one.parameters.may_be_left_out)}


def _with_argument(known: Mapping[str, Named]) -> JsonSchema:
    """Return the schema of `{name: argument}` for those that take one."""
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            name: one.parameters.schema() for name, one in sorted(known.items()) if one.parameters.takes_any
        },
    }


_POSITIONS: JsonSchema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "counts"],
                "properties": {
                    "id": {"type": "string"},
                    "counts": {"enum": ["for", "against", "abstention", "recusal"]},
                },
            },
        ]
    },
}
_AMOUNT: JsonSchema = {"type": ["integer", "string"]}
_WORDS: JsonSchema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_COMPARISONS: JsonSchema = {name: _AMOUNT for name in ("at_least", "more_than", "at_most", "fewer_than")}


def _clause(required: list[str], **properties: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


_SAME: JsonSchema = {"$ref": "#/$defs/clause"}
_CLAUSE: JsonSchema = {
    "anyOf": [
        _clause(
            ["count"],
            count=_WORDS,
            of={"enum": ["eligible", "participating", "present_and_voting"]},
            weight={"type": "string"},
            where={"type": "object"},
            **_COMPARISONS,
        ),
        _clause(["quorum"], quorum=_AMOUNT),
        _clause(["none"], none=_WORDS),
        _clause(["each", "rule"], each={"type": "string"}, rule=_SAME, **_COMPARISONS),
        _clause(["all"], all={"type": "array", "items": _SAME, "minItems": 1}),
        _clause(["any"], any={"type": "array", "items": _SAME, "minItems": 1}),
        _clause(["not"], **{"not": _SAME}),
    ]
}
