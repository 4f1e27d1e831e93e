"""What the readers of one `definition.xml` share: its errors, remarks and comments, and the names that it uses."""

from collections.abc import Iterable
from dataclasses import dataclass

from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_names import Remarks
from r2pflow.domain.dcworkflow_xml import Element
from r2pflow.domain.naming import Report
from r2pflow.domain.people import Titles
from r2pflow.domain.shape import Kind, Text
from r2pflow.domain.yamlnodes import Node

_PROSE = Text(told="a text", longest=2000)


@dataclass(frozen=True)
class Supply:
    """A condition or effect that the workflow names and that a plugin has to bring, and where it is asked for."""

    kind: str  # condition | effect
    name: str
    place: str  # file:line:column
    used_by: str


class Reading:
    """Note what is found while a definition is read."""

    def __init__(self, root: Element, report: Report) -> None:
        self.root = root
        self.report = report
        self.remarks = Remarks(report.path)
        self.supplies: dict[Supply, None] = {}
        self.comments: dict[tuple[str, ...], list[str]] = {}
        self.roles: dict[str, None] = {}
        self.permissions: dict[str, None] = {}

    def check(self, kind: Kind, node: Node, where: str) -> None:
        kind.check(node, where, self.report)

    def use_role(self, role: str) -> None:
        self.roles.setdefault(role)

    def use_permission(self, permission: str) -> None:
        self.permissions.setdefault(permission)

    def supply(self, kind: str, name: str, node: Node, used_by: str) -> None:
        """Note that a plugin has to bring the condition or effect."""
        self.supplies.setdefault(Supply(kind, name, f"{self.report.path}:{node.line}:{node.column}", used_by))

    def comment(self, line: str, *place: str) -> None:
        """Note a line of comment for the entry of the YAML file."""
        self.comments.setdefault(place, []).append(line)

    def read_ids(self, tag: str, attribute: str) -> dict[str, Element]:
        """Return the elements of that name by their id, which stands there once."""
        found: dict[str, Element] = {}
        for element in self.root.all(tag):
            node = element.node_of(attribute)
            self.check(formats.NAME, node, attribute)
            if node.text in found:
                told = f"found the {tag} {node} twice; the first is in line {found[node.text].line}"
                self.report.say("duplicate_name", node, "", told, found=node.text)
            found.setdefault(node.text, element)
        return found

    def read_names(self, elements: Iterable[Element]) -> list[str]:
        """Return the texts of the elements, each once."""
        found: dict[str, None] = {}
        for element in elements:
            node = element.node()
            self.check(formats.WORD, node, element.tag)
            found.setdefault(node.text)
        return list(found)

    def titles(self, element: Element, attribute: str = "title") -> Titles:
        """Return the attribute as a text for people."""
        return self.prose(element.node_of(attribute), f"{element.tag} {attribute}")

    def description(self, element: Element) -> Titles:
        """Return the description below the element."""
        found = element.find("description")
        return Titles() if found is None else self.prose(found.node(), f"{element.tag} description")

    def prose(self, node: Node, where: str) -> Titles:
        """Return the text with its blanks and line breaks as single blanks."""
        node.text = " ".join(node.text.split())
        if not node.text:
            return Titles()
        self.check(_PROSE, node, where)
        return Titles({"en": node.text})

    def remark_button(self, element: Element, name: str) -> None:
        """Say what of a button of Plone is not carried."""
        found = element.find("action")
        lost = [] if found is None else [key for key in ("url", "category", "icon") if found.get(key).strip()]
        if found is not None and lost:
            told = f"the {', '.join(lost)} of the action of {name} are not carried: pages here know the way themselves"
            self.remarks.add(found.node(), told)
