"""Guards of DCWorkflow -> ours: permissions, roles, groups, and an expression that is divided among all four."""

from collections.abc import Iterable

from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_context import Reading
from r2pflow.domain.dcworkflow_python import Untranslatable
from r2pflow.domain.dcworkflow_tales import Asked, translate
from r2pflow.domain.dcworkflow_xml import Element
from r2pflow.domain.definition import Guard, Test
from r2pflow.domain.yamlnodes import Node


def read_guard(reading: Reading, element: Element | None, where: str) -> Guard:
    """Return the guard of a transition or worklist; one that is absent or empty asks nothing."""
    if element is None:
        return Guard()
    asked = _translate(reading, element.find("guard-expression"), where)
    permissions = _join(reading, element, "permission", asked.permissions, where)
    roles = _join(reading, element, "role", asked.roles, where)
    groups = _join(reading, element, "group", asked.groups, where)
    for role in roles:
        reading.use_role(role)
    for permission in permissions:
        reading.use_permission(permission)
    return Guard(permissions, roles, groups, tuple(asked.tests))


def _translate(reading: Reading, element: Element | None, where: str) -> Asked:
    expression = "" if element is None else element.text
    if element is None or not expression:
        return Asked()
    node = element.node()
    try:
        asked = translate(expression)
    except Untranslatable as error:
        told = f"the expression {node} cannot be translated: {error}; accepted: a field of the document, a role, "
        told += "permission or group of the person, a script of the workflow, and what combines them"
        reading.report.say("untranslatable", node, where, told, found=expression)
        return Asked()
    for remark in asked.remarks:
        reading.remarks.add(node, f"{where}: {remark}")
    _visit(reading, asked.tests, node, where)
    return asked


def _visit(reading: Reading, tests: Iterable[Test], node: Node, where: str) -> None:
    """Say which fields the document type has to have, and which conditions a plugin."""
    tests = tuple(tests)
    fields = dict.fromkeys(_names(tests, "field"))
    if fields:
        told = f"{where} asks for the field{'s' * (len(fields) > 1)} {', '.join(fields)}"
        reading.remarks.add(node, f"{told}, which the document type has to have")
    for name in _names(tests, "named"):
        reading.supply("condition", name, node, where)


def _join(reading: Reading, element: Element, kind: str, asked: list[tuple[str, ...]], where: str) -> tuple[str, ...]:
    """Return the one list of which somebody must have a name: the lists of element and expression, both asked."""
    listed: dict[str, None] = {}
    for entry in element.all(f"guard-{kind}"):
        # GenericSetup joins the names by semicolons and divides them again.
        for name in dict.fromkeys(part.strip() for part in entry.text.split(";")):
            if name not in listed:
                reading.check(formats.WORD, entry.node(name), f"guard-{kind}")
                listed.setdefault(name)
    found = tuple(listed)
    for names in asked:
        for name in names:
            reading.check(formats.WORD, element.node(name), f"guard-{kind}")
        if not found or set(names) <= set(found):
            found = names
        elif not set(found) <= set(names):
            told = f"found two lists of {kind}s of which both are asked, {' or '.join(found)} and {' or '.join(names)}"
            reading.report.say("not_carried", element.node(""), where, f"{told}; accepted: one list", found=names)
    return found


def _names(tests: Iterable[Test], kind: str) -> list[str]:
    return [name for test in tests for name in ([test.name] if test.kind == kind else _names(test.tests, kind))]
