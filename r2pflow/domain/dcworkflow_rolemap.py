"""GenericSetup's `rolemap.xml`: who holds a permission on the whole site."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from r2pflow.domain import dcworkflow_shape as shape
from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_names import root_defaults
from r2pflow.domain.dcworkflow_xml import read_elements
from r2pflow.domain.naming import Report


@dataclass(frozen=True)
class Rolemap:
    """The roles of a site, and who holds which permission where nothing below says otherwise."""

    roles: tuple[str, ...] = ()
    permissions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_rolemap(raw: bytes, path: str) -> Rolemap:
    """Read a role map; refuse with DefinitionErrors. What `acquire="True"` acquires are Zope's root defaults."""
    root = read_elements(raw, path)
    report = Report(path)
    shape.check_root(root, "rolemap", shape.ROLEMAP, report)
    roles: list[str] = []
    declared = root.find("roles")
    for element in declared.all("role") if declared is not None else ():
        formats.WORD.check(element.node_of("name"), "role", report)
        roles.append(element.get("name"))
    permissions: dict[str, tuple[str, ...]] = {}
    listed = root.find("permissions")
    for element in listed.all("permission") if listed is not None else ():
        name = element.get("name")
        formats.WORD.check(element.node_of("name"), "permission", report)
        if name in permissions:
            report.say(
                "duplicate_name", element.node_of("name"), "permission", f"found {name[:60]!r} twice", found=name
            )
        holders = []
        for role in element.all("role"):
            formats.WORD.check(role.node_of("name"), "role", report)
            holders.append(role.get("name"))
        if shape.is_true(element, "acquire"):
            holders += root_defaults(name)
        permissions[name] = tuple(dict.fromkeys(holders))
    report.refuse_if_any()
    return Rolemap(tuple(dict.fromkeys(roles)), permissions)


def write_rolemap(roles: Iterable[str], permissions: Mapping[str, Iterable[str]]) -> str:
    """Return the XML of a role map; nothing is acquired, so that it says exactly who holds what."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<rolemap>", "  <roles>"]
    lines += [f"    <role name={quoteattr(role)}/>" for role in roles]
    lines += ["  </roles>", "  <permissions>"]
    for permission, holders in permissions.items():
        lines.append(f'    <permission name={quoteattr(permission)} acquire="False">')
        lines += [f"      <role name={quoteattr(role)}/>" for role in holders]
        lines.append("    </permission>")
    return "\n".join([*lines, "  </permissions>", "</rolemap>", ""])
