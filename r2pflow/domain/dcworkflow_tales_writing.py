"""Tests of a guard -> a TALES expression that asks the same, and that is translated back to the same."""

from collections.abc import Sequence

from r2pflow.domain.dcworkflow_python import Untranslatable
from r2pflow.domain.dcworkflow_tales import translate
from r2pflow.domain.definition import Test


def write_expression(tests: Sequence[Test]) -> str:
    """Return the TALES expression that asks all of the tests; empty when there are none.

    Refuses with Untranslatable what would not come back the same.
    """
    if not tests:
        return ""
    written = "python: " + " and ".join(_write(test, is_top=True) for test in tests)
    back = translate(written)
    if tuple(back.tests) != tuple(tests) or back.roles or back.permissions or back.groups:
        raise Untranslatable("it would not be read again as the same")
    return written


def _write(test: Test, is_top: bool = False) -> str:
    if test.kind in ("any", "all"):
        inner = [_write(part) for part in test.tests]
        if is_top or len(inner) < 2:
            return f"{test.kind}([{', '.join(inner)}])"
        return "(" + (" or " if test.kind == "any" else " and ").join(inner) + ")"
    if test.kind == "not":
        return f"(not {_write(test.tests[0])})"
    if test.kind == "named":
        script = f"scripts.{test.name}" if _is_plain_name(test.name) else f"scripts[{test.name!r}]"
        return f"{script}(state_change)" if test.argument is None else f"{script}(state_change, {test.argument!r})"
    name = f"object.{test.name}" if _is_plain_name(test.name) else f"getattr(object, {test.name!r}, None)"
    value = repr(test.argument)
    if test.operator == "filled":
        return f"({name} {'not in' if test.argument is True else 'in'} (None, '', (), [], {{}}))"
    if test.operator == "contains" and isinstance(test.argument, list):
        return f"set({value}).issubset({name})"
    forms = {"is": f"({name} == {value})", "is_not": f"({name} != {value})", "in": f"({name} in {value})"}
    return forms.get(test.operator, f"({value} in {name})")


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and name.isascii()
