"""Guards of DCWorkflow -> ours: permissions, roles, groups, and an expression that is divided among all four."""

from collections.abc import Callable

from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_names import Remarks
from r2pflow.domain.dcworkflow_tales import Asked, Untranslatable, translate
from r2pflow.domain.dcworkflow_xml import Element
from r2pflow.domain.definition import Guard, Test
from r2pflow.domain.naming import Report
from r2pflow.domain.yamlnodes import Node


class GuardReader:
    """Read guards, and tell the caller of every role, permission and named condition."""

    def __init__(
        self,
        report: Report,
        remarks: Remarks,
        use_role: Callable[[str], None],
        use_permission: Callable[[str], None],
        supply: Callable[[str, Node, str], None],
    ) -> None:
        self.report = report
        self.remarks = remarks
        self.use_role = use_role
        self.use_permission = use_permission
        self.supply = supply

    def read(self, element: Element | None, where: str) -> Guard:
        """Return the guard of a transition or worklist; one that is absent or empty asks nothing."""
        if element is None:
            return Guard()
        asked = self._translate(element.find("guard-expression"), where)
        permissions = self._join(element, "permission", asked.permissions, where)
        roles = self._join(element, "role", asked.roles, where)
        groups = self._join(element, "group", asked.groups, where)
        for role in roles:
            self.use_role(role)
        for permission in permissions:
            self.use_permission(permission)
        return Guard(permissions, roles, groups, tuple(asked.tests))

    def _translate(self, element: Element | None, where: str) -> Asked:
        expression = "" if element is None else element.text
        if element is None or not expression:
            return Asked()
        node = element.node()
        try:
            asked = translate(expression)
        except Untranslatable as error:
            told = f"the expression {node} cannot be translated: {error}; accepted: a field of the document, a role, "
            told += "permission or group of the person, a script of the workflow, and what combines them"
            self.report.say("untranslatable", node, where, told, found=expression)
            return Asked()
        for remark in asked.remarks:
            self.remarks.add(node, f"{where}: {remark}")
        self._visit(asked.tests, node, where)
        return asked

    def _visit(self, tests: tuple[Test, ...] | list[Test], node: Node, where: str) -> None:
        fields = dict.fromkeys(_fields(tests))
        if fields:
            told = (
                f"{where} asks for the field{'s' * (len(fields) > 1)} {', '.join(fields)}, which the document type has "
            )
            self.remarks.add(node, told + "to have")
        for name in _conditions(tests):
            self.supply(name, node, where)

    def _join(self, element: Element, kind: str, asked: list[tuple[str, ...]], where: str) -> tuple[str, ...]:
        """Return the one list of which somebody must have a name: the lists of element and expression, both asked."""
        listed: list[str] = []
        for entry in element.all(f"guard-{kind}"):
            # GenericSetup joins the names by semicolons and divides them again.
            for name in entry.text.split(";"):
                formats.WORD.check(entry.node(name.strip()), f"guard-{kind}", self.report)
                listed.append(name.strip())
        lists = [tuple(dict.fromkeys(listed))] if listed else []
        found: tuple[str, ...] = ()
        for names in (*lists, *asked):
            for name in names:
                formats.WORD.check(element.node(name), f"guard-{kind}", self.report)
            if not found or set(names) <= set(found):
                found = names
            elif not set(found) <= set(names):
                told = (
                    f"found two lists of {kind}s of which both are asked, {' or '.join(found)} and {' or '.join(names)}"
                )
                self.report.say("not_carried", element.node(""), where, f"{told}; accepted: one list", found=names)
        return found


def _fields(tests: tuple[Test, ...] | list[Test]) -> list[str]:
    return [name for test in tests for name in ([test.name] if test.kind == "field" else _fields(test.tests))]


def _conditions(tests: tuple[Test, ...] | list[Test]) -> list[str]:
    return [name for test in tests for name in ([test.name] if test.kind == "named" else _conditions(test.tests))]
