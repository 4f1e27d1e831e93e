"""Which elements and attributes GenericSetup writes for a workflow and for a role map, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from r2pflow.domain.dcworkflow_xml import Element
from r2pflow.domain.naming import Report, accepted_names

_HARMLESS = ("xmlns", "i18n:", "xml:")  # marks for translators, and namespaces

MARK = "r2pflow:"
"""Prefix of attributes that carry to another r2pflow what Plone has no word for; Plone passes over them."""
NAMESPACE = "urn:r2pflow:workflow"


@dataclass(frozen=True)
class Shape:
    """What an element may have: attributes (True where it must be there), children, text of its own."""

    attributes: Mapping[str, bool] = field(default_factory=dict)
    children: Mapping[str, "Shape"] = field(default_factory=dict)
    once: tuple[str, ...] = ()  # children of which there is at most one
    flags: tuple[str, ...] = ()  # attributes that are true or false
    has_text: bool = False

    def check(self, element: Element, report: Report) -> None:
        """Note all that is wrong at the element and below it, as long as it will be told."""
        for name in element.attributes:
            if name not in self.attributes and not name.startswith(_HARMLESS):
                known = [one for one in self.attributes if not one.startswith(MARK)]
                told = f"found the attribute {name[:60]!r}; {accepted_names(name, known)}"
                report.say("unknown_attribute", element.name_node(name), element.tag, told, found=name)
        for name, is_required in self.attributes.items():
            if is_required and name not in element.attributes:
                told = f"the attribute {name!r} is missing"
                report.say("missing_attribute", element.node(""), element.tag, told, accepted=name)
        for name in self.flags:
            node = element.node_of(name)
            if name in element.attributes and node.text.lower() not in _TRUE + _FALSE:
                report.add("wrong_kind", node, f"{element.tag} {name}", node, "True, False")
        if element.text_line and not self.has_text:
            node = element.node()
            node.line, node.column = element.text_line, element.text_column
            report.add("unexpected_text", node, element.tag, f"the text {node}", "elements only")
        seen: dict[str, int] = {}
        for child in element.children:
            if report.is_full:
                return
            shape = self.children.get(child.tag)
            if shape is None:
                told = f"found the element {child.tag[:60]!r}; {accepted_names(child.tag, self.children)}"
                report.say("unknown_element", child.node(""), element.tag, told, found=child.tag)
                continue
            if child.tag in self.once and child.tag in seen:
                told = f"found the element {child.tag!r} twice; the first is in line {seen[child.tag]}"
                report.say("duplicate_element", child.node(""), element.tag, told, found=child.tag)
            seen.setdefault(child.tag, child.line)
            shape.check(child, report)


_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


def is_true(element: Element, attribute: str) -> bool:
    """Tell whether the flag is set; one that is absent is not."""
    return element.get(attribute).lower() in _TRUE


def check_root(element: Element, tag: str, shape: Shape, report: Report) -> None:
    """Refuse with DefinitionErrors another kind of file; note all else that is wrong."""
    if element.tag != tag:
        report.add("unknown_element", element.node(""), "", f"the element {element.tag[:60]!r}", repr(tag))
        report.refuse_if_any()
    shape.check(element, report)


_TEXT = Shape(has_text=True)
_DESCRIPTION = {"description": _TEXT}
_GUARD = {
    "guard": Shape(
        children={"guard-permission": _TEXT, "guard-role": _TEXT, "guard-group": _TEXT, "guard-expression": _TEXT},
        once=("guard-expression",),
    )
}
_ACTION = {"action": Shape({"url": False, "category": False, "icon": False}, has_text=True)}

_STATE = Shape(
    {"state_id": True, "title": False, f"{MARK}inherit": False, f"{MARK}text": False},
    {
        **_DESCRIPTION,
        "exit-transition": Shape({"transition_id": True}),
        "permission-map": Shape(
            {"name": True, "acquired": False, f"{MARK}default": False},
            {"permission-role": _TEXT},
            flags=("acquired", f"{MARK}default"),
        ),
        "group-map": Shape({"name": True}, {"group-role": _TEXT}),
        "assignment": Shape({"name": True, "type": False}, has_text=True),
    },
    once=("description",),
)
_TRANSITION = Shape(
    {
        "transition_id": True,
        "title": False,
        "new_state": True,
        "trigger": False,
        "before_script": False,
        "after_script": False,
        f"{MARK}trigger": False,
    },
    {**_DESCRIPTION, **_ACTION, **_GUARD, "assignment": Shape({"name": True}, has_text=True)},
    once=("description", "action", "guard"),
)
_WORKLIST = Shape(
    {"worklist_id": True, "title": False},
    {**_DESCRIPTION, **_ACTION, **_GUARD, "match": Shape({"name": True, "values": True})},
    once=("description", "action", "guard"),
)
_VARIABLE = Shape(
    {"variable_id": True, "for_catalog": False, "for_status": False, "update_always": False},
    {
        **_DESCRIPTION,
        **_GUARD,
        "default": Shape(
            children={"value": Shape({"type": False}, has_text=True), "expression": _TEXT},
            once=("value", "expression"),
        ),
    },
    once=("description", "guard", "default"),
    flags=("for_catalog", "for_status", "update_always"),
)
_SCRIPT = Shape({"script_id": True, "type": False, "filename": False, "module": False, "function": False})

WORKFLOW = Shape(
    {
        "workflow_id": True,
        "title": False,
        "description": False,
        "state_variable": False,
        "initial_state": True,
        "manager_bypass": False,
        f"{MARK}bypass": False,
    },
    {
        "instance-creation-conditions": Shape(children=_GUARD, once=("guard",)),
        "group": _TEXT,
        "permission": _TEXT,
        "state": _STATE,
        "transition": _TRANSITION,
        "worklist": _WORKLIST,
        "variable": _VARIABLE,
        "script": _SCRIPT,
    },
    once=("instance-creation-conditions",),
    flags=("manager_bypass",),
)

_NAMED = Shape({"name": True})
ROLEMAP = Shape(
    children={
        "roles": Shape(children={"role": _NAMED}),
        "permissions": Shape(
            children={"permission": Shape({"name": True, "acquire": True}, {"role": _NAMED}, flags=("acquire",))}
        ),
    },
    once=("roles", "permissions"),
)
