"""What Plone's roles and permissions are here, and who holds a permission in Zope where nobody says."""

from dataclasses import dataclass

from r2pflow.domain.definition import Workflow
from r2pflow.domain.yamlnodes import Node

ROLES = {
    "Anonymous": "anonymous",
    "Authenticated": "authenticated",
    "Manager": "manager",
    "Member": "member",
    "Owner": "author",
    "Editor": "editor",
}
"""Roles of Plone that are a built-in one; Reviewer, Site Administrator and others stand for themselves."""

PERMISSIONS = {
    "View": "view",
    "Modify portal content": "edit",
    "Reply to item": "comment",
    "Review portal content": "publish",
    "Change local roles": "share",
    "Manage portal": "manage",
}
"""Permissions that say the same as a built-in one.

Others mean themselves: were `Access contents information` to mean `view`, whoever may list a title could read the text.
"""

BYPASS = "Manager"  # whom DCWorkflow's `manager_bypass` lets past every guard
STATE_VARIABLE = "review_state"

_PUBLIC = ("View", "Access contents information")


def root_defaults(permission: str) -> tuple[str, ...]:
    """Return who holds the permission at the root of Zope, from where a role map acquires."""
    return ("Manager", "Anonymous") if permission in _PUBLIC else ("Manager",)


def can_edit(workflow: Workflow, state: str) -> bool:
    """Tell whether anybody may edit in the state, or may where a dossier grants it: then Plone lets them."""
    inherits = any(workflow.means.get(name, name) == "edit" for name in workflow.states[state].inherit)
    return inherits or bool(workflow.holders(state, "edit"))


@dataclass(frozen=True)
class Remark:
    """Something that was not carried as it stands, and where; `str()` is `file:line:column: warning: message`."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: warning: {self.message}"


class Remarks:
    """Collect the remarks on one file, in the order of its lines."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: dict[Remark, None] = {}

    def add(self, node: Node, message: str) -> None:
        self.add_at(node.line, node.column, message)

    def add_at(self, line: int, column: int, message: str) -> None:
        self.found.setdefault(Remark(self.path, line, column, message))

    def sorted(self) -> tuple[Remark, ...]:
        return tuple(sorted(self.found, key=lambda remark: (remark.line, remark.column)))
