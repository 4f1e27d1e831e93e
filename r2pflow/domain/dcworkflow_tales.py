"""TALES guard expressions -> what a guard of ours asks; what is not simple is refused, never guessed.

Translated are: a field of the document (`here/scope`, `python: object.scope == 'x'`), a role, permission or group of
the person (`python: 'Reviewer' in user.getRoles()`), a script of the workflow (`scripts/check`), constants, and their
combinations as far as a guard can say them.
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from r2pflow.domain.conditions import RESERVED_NAMES
from r2pflow.domain.dcworkflow_python import (
    DOCUMENT,
    Untranslatable,
    check_field,
    field_of,
    is_document,
    is_person,
    literal,
    parse,
    script_of,
    tell,
)
from r2pflow.domain.definition import Test

MAX_LENGTH = 2000
MAX_DEPTH = 20


@dataclass
class Asked:
    """What an expression asks: someone of each list of names, and all tests.

    `remarks` says where the meaning is near but not the same.
    """

    roles: list[tuple[str, ...]] = field(default_factory=list)
    permissions: list[tuple[str, ...]] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, found: "Found") -> None:
        if isinstance(found, _All):
            for part in found.parts:
                self.add(part)
        elif isinstance(found, _Someone):
            getattr(self, found.kind).append(found.names)
        elif isinstance(found, bool):
            if not found:
                self.tests.append(NEVER)
        else:
            self.tests.append(found)


@dataclass(frozen=True)
class _Someone:
    """Whoever has one of the names, which are roles, permissions or groups."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class _All:
    """All of these hold; at the top of an expression each may go to its own place in the guard."""

    parts: tuple["Found", ...]


Found = Test | _Someone | _All | bool

NEVER = Test("all", tests=(Test("field", "never", True, "filled"), Test("field", "never", False, "filled")))
"""A test that no document meets: the translation of `nothing`."""


def translate(expression: str) -> Asked:
    """Return what the expression asks; refuse with Untranslatable."""
    if len(expression) > MAX_LENGTH:
        raise Untranslatable(f"it has over {MAX_LENGTH} characters")
    asked = Asked()
    asked.add(_Translator(asked.remarks).translate(expression.strip(), 0))
    return asked


class _Translator:
    def __init__(self, remarks: list[str]) -> None:
        self.remarks = remarks

    def translate(self, expression: str, depth: int) -> Found:
        if depth > MAX_DEPTH:
            raise Untranslatable("it is nested too deeply")
        kind, colon, rest = expression.partition(":")
        if colon and kind.strip() == "not":
            return _invert(self.translate(rest.strip(), depth + 1))
        if colon and kind.strip() == "python":
            return self.read_python(parse(rest), depth)
        if colon and kind.strip() == "path":
            return _read_path(rest.strip())
        if colon and kind.strip().isidentifier():
            raise Untranslatable(f"{kind.strip()}: is not known here")
        return _read_path(expression)

    def read_python(self, node: ast.expr, depth: int) -> Found:
        """Return what a Python expression asks when it is used as true or false."""
        if depth > MAX_DEPTH:
            raise Untranslatable("it is nested too deeply")
        if isinstance(node, ast.BoolOp):
            parts = [self.read_python(value, depth + 1) for value in node.values]
            return _All(tuple(parts)) if isinstance(node.op, ast.And) else _any(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _invert(self.read_python(node.operand, depth + 1))
        if isinstance(node, ast.Constant):
            return bool(node.value)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._read_comparison(node.left, node.ops[0], node.comparators[0])
        if isinstance(node, ast.Call):
            found = self._read_call(node, depth)
            if found is not None:
                return found
        name = field_of(node)
        if name is not None:
            return _truth(name)
        raise Untranslatable(f"`{tell(node)}` is not known here")

    def _read_comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Found:
        if isinstance(operator, ast.In | ast.NotIn):
            found = self._read_membership(left, right)
            if isinstance(operator, ast.NotIn):
                return _opposite_of_empty(found) or _invert(found)
            return found
        name, other = field_of(left), right
        if name is None:
            name, other = field_of(right), left
        if name is None:
            raise Untranslatable(f"`{tell(left)}` is no field of the document")
        if isinstance(operator, ast.Is | ast.IsNot):
            value = literal(other)
            if value is not None:
                raise Untranslatable(f"`is {tell(other)}` is not known here")
            return Test("field", name, isinstance(operator, ast.IsNot), "filled")
        if isinstance(operator, ast.Eq | ast.NotEq):
            value = literal(other)
            if value is None:
                return Test("field", name, isinstance(operator, ast.NotEq), "filled")
            return _compare(name, "is" if isinstance(operator, ast.Eq) else "is_not", value)
        raise Untranslatable("comparisons with < and > are not known here")

    def _read_membership(self, left: ast.expr, right: ast.expr) -> Found:
        name = field_of(right)
        if name is not None:
            return _compare(name, "contains", literal(left))
        name = field_of(left)
        if name is not None:
            values = literal(right)
            if not isinstance(values, list):
                raise Untranslatable(f"`{tell(right)}` is no list")
            if values and all(value is None or value in ("", []) or value == {} for value in values):
                return Test("field", name, False, "filled")
            return _compare(name, "in", values)
        held = self._read_held(right)
        wanted = literal(left)
        if held is None or not isinstance(wanted, str):
            raise Untranslatable(f"`{tell(left)} in {tell(right)}` is not known here")
        return _Someone(held, (wanted,))

    def _read_held(self, node: ast.expr) -> str | None:
        """Tell whether this is the list of the person's roles or of its groups."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_person(node.func.value)):
            return None
        kind = {
            "getRoles": "roles",
            "getRolesInContext": "roles",
            "getGroups": "groups",
            "getGroupIds": "groups",
        }.get(node.func.attr)
        if node.func.attr == "getRoles":
            self._remark_local_roles(tell(node))
        return kind

    def _remark_local_roles(self, told: str) -> None:
        self.remarks.append(f"`{told}` knows roles on the whole site only; here a role on the document counts too")

    def _read_call(self, node: ast.Call, depth: int) -> Found | None:
        if node.keywords:
            return None
        function, arguments = node.func, node.args
        if isinstance(function, ast.Name) and function.id in ("any", "all", "bool") and len(arguments) == 1:
            if function.id == "bool":
                return self.read_python(arguments[0], depth + 1)
            if isinstance(arguments[0], ast.List | ast.Tuple) and arguments[0].elts:
                parts = [self.read_python(part, depth + 1) for part in arguments[0].elts]
                return _any(parts) if function.id == "any" else _as_test(_All(tuple(parts)))
            return None
        if script := script_of(function):
            return _read_script(script, arguments)
        if isinstance(function, ast.Name):
            if function.id == "checkPermission":
                return _read_permission(arguments)
            return None
        if not isinstance(function, ast.Attribute):
            return None
        if function.attr == "checkPermission":
            return _read_permission(arguments)
        if function.attr in ("has_permission", "has_role") and is_person(function.value):
            if function.attr == "has_permission":
                return _read_permission(arguments)
            if not arguments or len(arguments) > 2 or (len(arguments) == 2 and not is_document(arguments[1])):
                return None
            if len(arguments) == 1:
                self._remark_local_roles(tell(node))
            roles = literal(arguments[0])
            names = (roles,) if isinstance(roles, str) else roles
            if names and isinstance(names, list | tuple) and all(isinstance(name, str) and name for name in names):
                return _Someone("roles", tuple(names))
            return None
        if function.attr == "issubset" and isinstance(function.value, ast.Call) and len(arguments) == 1:
            inner, name = function.value, field_of(arguments[0])
            is_set = isinstance(inner.func, ast.Name) and inner.func.id == "set" and len(inner.args) == 1
            values = literal(inner.args[0]) if is_set and name else None
            if name and isinstance(values, list):
                return _compare(name, "contains", values)
        return None


def _read_path(path: str) -> Found:
    first, *others = [part.strip() for part in path.split("|")]
    if any(other != "nothing" for other in others):
        raise Untranslatable("of the alternatives after | only `nothing` is known here")
    if first == "nothing":
        return False
    steps = first.split("/")
    if len(steps) == 2 and steps[0] in DOCUMENT:
        return _truth(check_field(steps[1]))
    if len(steps) == 2 and steps[0] == "scripts" and steps[1]:
        return _read_script(steps[1], ())
    raise Untranslatable(f"the path `{first[:100]}` is no field of the document and no script")


def _read_permission(arguments: Sequence[ast.expr]) -> Found | None:
    if len(arguments) != 2 or not is_document(arguments[1]):
        return None
    name = literal(arguments[0])
    return _Someone("permissions", (name,)) if isinstance(name, str) and name else None


def _read_script(name: str, arguments: Sequence[ast.expr]) -> Test:
    if name in RESERVED_NAMES or len(name) > 100 or name != name.strip():
        raise Untranslatable(f"{name[:100]!r} cannot be the name of a condition here")
    is_plain = bool(arguments) and isinstance(arguments[0], ast.Name) and arguments[0].id == "state_change"
    if not arguments or (is_plain and len(arguments) == 1):
        return Test("named", name)
    if is_plain and len(arguments) == 2:
        return Test("named", name, literal(arguments[1]))
    raise Untranslatable(f"the script {name} may be given `state_change` and one constant")


def _compare(name: str, operator: str, value: Any) -> Test:
    if value is None or isinstance(value, dict):
        raise Untranslatable(f"a field cannot be compared with {value!r} here")
    return Test("field", name, value, operator)


def _truth(name: str) -> Found:
    """Ask what Python calls true: neither empty nor false nor zero."""
    return _All((Test("field", name, True, "filled"), Test("field", name, False, "is_not")))


def _opposite_of_empty(found: Found) -> Test | None:
    if isinstance(found, Test) and found.kind == "field" and found.operator == "filled":
        return Test("field", found.name, not found.argument, "filled")
    return None


def _any(parts: Iterable[Found]) -> Found:
    listed = list(parts)
    kinds = {part.kind for part in listed if isinstance(part, _Someone)}
    if kinds and all(isinstance(part, _Someone) for part in listed) and len(kinds) == 1:
        names = [name for part in listed if isinstance(part, _Someone) for name in part.names]
        return _Someone(kinds.pop(), tuple(dict.fromkeys(names)))
    if kinds:
        raise Untranslatable("`or` between a role, permission or group and something else cannot be asked by a guard")
    return Test("any", tests=tuple(_as_test(part) for part in listed))


def _invert(found: Found) -> Found:
    if isinstance(found, bool):
        return not found
    return Test("not", tests=(_as_test(found),))


def _as_test(found: Found) -> Test:
    if isinstance(found, Test):
        return found
    if isinstance(found, _All):
        return Test("all", tests=tuple(_as_test(part) for part in found.parts))
    if isinstance(found, bool):
        raise Untranslatable("a constant among other tests is not known here")
    raise Untranslatable(f"a guard can ask for {found.kind} only all together, and not under `not`")
