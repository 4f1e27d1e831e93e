"""GenericSetup's `definition.xml` of a DCWorkflow -> a workflow; all errors of a file at once, each with its place.

Whatever a workflow here has no word for is refused by name where it could let more people do more, and otherwise
named in a remark. `docs/plone.md` says which is which.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from r2pflow.domain import dcworkflow_shape as shape
from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_guards import GuardReader
from r2pflow.domain.dcworkflow_names import BYPASS, PERMISSIONS, ROLES, STATE_VARIABLE, Remark, Remarks
from r2pflow.domain.dcworkflow_rolemap import Rolemap
from r2pflow.domain.dcworkflow_xml import Element, read_elements
from r2pflow.domain.definition import (
    AUTOMATIC,
    STAY,
    TIMER,
    USER,
    EffectCall,
    Guard,
    State,
    Transition,
    Workflow,
    WorklistDef,
)
from r2pflow.domain.naming import Report
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES, Titles
from r2pflow.domain.shape import Kind, Text
from r2pflow.domain.yamlnodes import Node

TRIGGERS = {"USER": USER, "AUTOMATIC": AUTOMATIC}

_PROSE = Text(told="a text", longest=2000)
_STANDARD_VARIABLES = ("action", "actor", "comments", "time", "review_history")  # what the history here keeps anyway
_COUNT = re.compile(r"\s*\(?%\(count\)[ds]\)?")


@dataclass(frozen=True)
class Supply:
    """A condition or effect that the workflow names and that a plugin has to bring, and where it is asked for."""

    kind: str  # condition | effect
    name: str
    place: str  # file:line:column
    used_by: str


@dataclass(frozen=True)
class Imported:
    """A workflow as read from XML, the comments that belong into its YAML, and what is left to say and to do."""

    workflow: Workflow
    comments: Mapping[tuple[str, ...], tuple[str, ...]]
    remarks: tuple[Remark, ...]
    supplies: tuple[Supply, ...]


def read_dcworkflow(raw: bytes, path: str, rolemap: Rolemap | None = None) -> Imported:
    """Read a definition; refuse with DefinitionErrors. A role map says who holds what where no state does."""
    root = read_elements(raw, path)
    report = Report(path)
    shape.check_root(root, "dc-workflow", shape.WORKFLOW, report)
    report.refuse_if_any()
    reader = _Reader(root, report, rolemap or Rolemap())
    found = reader.read()
    report.refuse_if_any()
    if rolemap is None:
        reader.remark_missing_rolemap(found.workflow)
    return replace(found, remarks=reader.remarks.sorted())


class _Reader:
    def __init__(self, root: Element, report: Report, rolemap: Rolemap) -> None:
        self.root = root
        self.report = report
        self.rolemap = rolemap
        self.remarks = Remarks(report.path)
        self.supplies: list[Supply] = []
        self.comments: dict[tuple[str, ...], list[str]] = {}
        self.roles: dict[str, None] = dict.fromkeys(rolemap.roles)
        self.permissions: dict[str, None] = {}
        self.states = self._names_of("state", "state_id")
        self.transitions = self._names_of("transition", "transition_id")
        self.managed = self._read_managed()
        self.guards = GuardReader(report, self.remarks, self._use_role, self._use_permission, self._supply_condition)

    def read(self) -> Imported:
        root = self.root
        self._check(formats.NAME, root.node_of("workflow_id"), "workflow_id")
        states = {element.get("state_id"): self._read_state(element) for element in root.all("state")}
        if not states:
            self.report.add("missing_element", root.node(""), "", "no state", "at least one")
        initial = root.node_of("initial_state")
        if initial.text not in states:
            self.report.add_name("unknown_state", initial, "initial_state", "state", states)
        transitions = {
            element.get("transition_id"): self._read_transition(element) for element in root.all("transition")
        }
        worklists = self._read_worklists()
        bypass = self._read_bypass()
        self._refuse_creation_guard()
        self._remark_the_rest()
        for permission, roles in self.rolemap.permissions.items():
            self._use_permission(permission)
            for role in roles:
                self._use_role(role)
        self._remark_own_names()
        workflow = Workflow(
            name=root.get("workflow_id"),
            version=1,
            initial=initial.text,
            states=_finish(states, transitions),
            transitions=transitions,
            title=self._titles(root, "title"),
            description=self._titles(root, "description"),
            permissions=dict(self.rolemap.permissions),
            roles=tuple(role for role in self.roles if role not in BUILT_IN_ROLES),
            aliases={role: ROLES[role] for role in self.roles if role in ROLES},
            means={name: PERMISSIONS.get(name, name) for name in self.permissions if name not in BUILT_IN_PERMISSIONS},
            bypass=bypass,
            worklists=worklists,
        )
        comments = {place: tuple(lines) for place, lines in self.comments.items()}
        return Imported(workflow, comments, (), tuple(dict.fromkeys(self.supplies)))

    # Names

    def _names_of(self, tag: str, attribute: str) -> tuple[str, ...]:
        seen: dict[str, int] = {}
        for element in self.root.all(tag):
            node = element.node_of(attribute)
            self._check(formats.NAME, node, attribute)
            if node.text in seen:
                told = f"found the {tag} {node} twice; the first is in line {seen[node.text]}"
                self.report.say("duplicate_name", node, "", told, found=node.text)
            seen.setdefault(node.text, node.line)
            if tag == "state" and node.text == STAY:
                accepted = "another name, for `to: stay` keeps a state"
                self.report.add("reserved_name", node, "state_id", f"the state {node}", accepted)
        return tuple(seen)

    def _check(self, kind: Kind, node: Node, where: str) -> None:
        kind.check(node, where, self.report)

    def _use_role(self, role: str) -> None:
        self.roles.setdefault(role)

    def _use_permission(self, permission: str) -> None:
        self.permissions.setdefault(permission)

    def _read_names(self, elements: Iterable[Element]) -> list[str]:
        for element in elements:
            self._check(formats.WORD, element.node(), element.tag)
        return list(dict.fromkeys(element.text for element in elements))

    def _read_managed(self) -> list[str]:
        managed = self._read_names(self.root.all("permission"))
        for name in managed:
            self._use_permission(name)
        return managed

    def _read_bypass(self) -> tuple[str, ...]:
        if not shape.is_true(self.root, "manager_bypass"):
            return ()
        marked = (
            self.root.get(f"{shape.MARK}bypass").split(";") if f"{shape.MARK}bypass" in self.root.attributes else []
        )
        roles = [role.strip() for role in marked] or [BYPASS]
        for role in roles:
            self._check(formats.WORD, Node("text", self.root.line, self.root.column, text=role), "bypass")
            self._use_role(role)
        return tuple(roles)

    # Texts

    def _titles(self, element: Element, attribute: str) -> Titles:
        node = element.node_of(attribute)
        return self._prose(node, f"{element.tag} {attribute}")

    def _description(self, element: Element) -> Titles:
        found = element.find("description")
        return Titles() if found is None else self._prose(found.node(), f"{element.tag} description")

    def _prose(self, node: Node, where: str) -> Titles:
        node.text = " ".join(node.text.split())
        if not node.text:
            return Titles()
        self._check(_PROSE, node, where)
        return Titles({"en": node.text})

    # States

    def _read_state(self, element: Element) -> State:
        name = element.get("state_id")
        grants: dict[str, tuple[str, ...]] = {}
        inherit: list[str] = []
        mapped: dict[str, int] = {}
        for entry in element.all("permission-map"):
            node = entry.node_of("name")
            self._check(formats.WORD, node, "permission-map")
            permission = node.text
            if permission in mapped:
                told = f"found the permission {node} twice; the first is in line {mapped[permission]}"
                self.report.say("duplicate_name", node, f"state {name}", told, found=permission)
            mapped.setdefault(permission, node.line)
            self._use_permission(permission)
            if permission not in self.managed:
                told = f"the state {name} maps {permission!r}, which is not among the workflow's <permission>s: Plone "
                self.remarks.add(node, told + "passes over this map, here it counts")
            roles = self._read_names(entry.all("permission-role"))
            if shape.is_true(entry, f"{shape.MARK}default"):
                continue
            for role in roles:
                self._use_role(role)
            grants[permission] = tuple(roles)
            if shape.is_true(entry, "acquired"):
                inherit.append(permission)
        # What a workflow manages and a state does not map, Plone acquires.
        inherit += [permission for permission in self.managed if permission not in mapped]
        self._refuse_group_maps(element, name)
        for entry in element.all("assignment"):
            told = f"the state {name} sets the variable {entry.get('name')!r} to {entry.text[:60]!r}: not carried"
            self.remarks.add(entry.node_of("name"), told)
        for entry in element.all("exit-transition"):
            node = entry.node_of("transition_id")
            if node.text not in self.transitions:
                told = f"the state {name} leaves by {node}, which is no transition, and is passed over, as in Plone"
                self.remarks.add(node, told)
        return State(
            name=name,
            title=self._titles(element, "title"),
            description=self._description(element),
            grants=grants,
            inherit=tuple(inherit),
            line=element.line,
            column=element.column,
        )

    def _refuse_group_maps(self, element: Element, name: str) -> None:
        for entry in element.all("group-map"):
            if entry.all("group-role"):
                told = f"the state {name} gives roles to the group {entry.get('name')[:60]!r}; accepted: no group-map "
                told += "with roles, for here a group gets its roles by sharing, whatever the state"
                self.report.say("not_carried", entry.node_of("name"), "group-map", told, found=entry.get("name"))

    # Transitions

    def _read_transition(self, element: Element) -> Transition:
        name = element.get("transition_id")
        target = element.node_of("new_state")
        if target.text and target.text not in self.states:
            self.report.add_name("unknown_state", target, f"transition {name}", "state", self.states)
        guard = self.guards.read(element.find("guard"), f"transition {name}")
        triggers = self._read_triggers(element, name)
        if triggers == (AUTOMATIC,) and guard != Guard(require=guard.require):
            told = f"the automatic transition {name} asks for a permission, role or group: here it acts as the system, "
            self.remarks.add(element.node(), told + "of whom only the conditions are asked")
        self._comment_action(element, name)
        for entry in element.all("assignment"):
            told = f"the transition {name} sets the variable {entry.get('name')!r} to {entry.text[:60]!r}: not carried"
            self.remarks.add(entry.node_of("name"), told)
        return Transition(
            name=name,
            sources=tuple(
                state.get("state_id")
                for state in self.root.all("state")
                if any(way.get("transition_id") == name for way in state.all("exit-transition"))
            ),
            to=target.text or STAY,
            triggers=triggers,
            guard=guard,
            effects=self._read_effects(element, name),
            title=self._titles(element, "title"),
            description=self._description(element),
            line=element.line,
            column=element.column,
        )

    def _read_triggers(self, element: Element, name: str) -> tuple[str, ...]:
        node = element.node_of("trigger")
        if "trigger" not in element.attributes:
            return (USER,)
        if node.text not in TRIGGERS:
            self.report.add_name("unknown_trigger", node, f"transition {name}", "trigger", TRIGGERS)
            return (USER,)
        marked = element.node_of(f"{shape.MARK}trigger")
        if f"{shape.MARK}trigger" not in element.attributes:
            return (TRIGGERS[node.text],)
        words = marked.text.split()
        for word in words:
            if word not in (USER, AUTOMATIC, TIMER):
                self.report.add_name(
                    "unknown_trigger", marked, f"transition {name}", "trigger", (USER, AUTOMATIC, TIMER)
                )
        return tuple(dict.fromkeys(words)) or (TRIGGERS[node.text],)

    def _read_effects(self, element: Element, name: str) -> tuple[EffectCall, ...]:
        effects: list[EffectCall] = []
        for attribute in ("before_script", "after_script"):
            node = element.node_of(attribute)
            script = node.text.strip()
            if not script:
                continue
            self._check(formats.WORD, node, attribute)
            effects.append(EffectCall(script, line=node.line, column=node.column))
            self._supply("effect", script, node, f"transition {name}")
            told = f"the effect {script} is a script of Plone ({attribute}), to be supplied by a plugin"
            self.comments.setdefault(("transitions", name), []).append(told)
            if attribute == "before_script":
                told = f"the script {script} runs before the state changes in Plone, and here after it"
                self.remarks.add(node, told)
        return tuple(effects)

    def _comment_action(self, element: Element, name: str) -> None:
        found = element.find("action")
        if found is None:
            return
        label = " ".join(found.text.split())
        if label and label != element.get("title"):
            self.comments.setdefault(("transitions", name), []).append(f"in Plone's menu: {label[:200]}")
        lost = [told for told in ("url", "category", "icon") if found.get(told).strip()]
        if lost:
            told = f"the {', '.join(lost)} of the action of {name} are not carried: pages here offer each transition"
            self.remarks.add(found.node(), told)

    # Worklists

    def _read_worklists(self) -> dict[str, WorklistDef]:
        self._names_of("worklist", "worklist_id")
        found: dict[str, WorklistDef] = {}
        for element in self.root.all("worklist"):
            name = element.get("worklist_id")
            states: list[str] = []
            for match in element.all("match"):
                states += self._read_match(match, name)
            if not element.all("match"):
                told = f"the worklist {name} matches no variable and shows nothing in Plone: not carried"
                self.remarks.add(element.node(), told)
                continue
            found[name] = WorklistDef(
                name=name,
                title=self._worklist_title(element, name),
                states=tuple(dict.fromkeys(states)),
                guard=self.guards.read(element.find("guard"), f"worklist {name}"),
                line=element.line,
                column=element.column,
            )
        return found

    def _read_match(self, match: Element, name: str) -> list[str]:
        node = match.node_of("name")
        variable = self.root.get("state_variable", STATE_VARIABLE)
        if node.text != variable:
            told = f"found the variable {node}; accepted: {variable}, for a worklist here knows states only"
            self.report.say("not_carried", node, f"worklist {name}", told, found=node.text)
            return []
        states = [value.strip() for value in match.get("values").split(";")]
        for state in states:
            if state not in self.states:
                value = match.node_of("values")
                value.text = state
                self.report.add_name("unknown_state", value, f"worklist {name}", "state", self.states)
        return states

    def _worklist_title(self, element: Element, name: str) -> Titles:
        action = element.find("action")
        label = "" if action is None else _COUNT.sub("", action.text)
        if action is not None:
            lost = [told for told in ("url", "category", "icon") if action.get(told).strip()]
            if lost:
                told = f"the {', '.join(lost)} of the action of {name} are not carried: pages here list each worklist"
                self.remarks.add(action.node(), told)
        chosen: Titles | None = None
        labelled = self._prose(action.node(label), "action") if action is not None else Titles()
        for told, title in (
            ("title", self._titles(element, "title")),
            ("description", self._description(element)),
            ("action", labelled),
        ):
            if title and chosen is None:
                chosen = title
            elif title and title != chosen:
                self.comments.setdefault(("worklists", name), []).append(f"{told} in Plone: {title.get('en')[:200]}")
        return chosen or Titles()

    # The rest

    def _refuse_creation_guard(self) -> None:
        found = self.root.find("instance-creation-conditions")
        guard = None if found is None else found.find("guard")
        if guard is not None and guard.children:
            told = (
                "found conditions for making a document; accepted: none, for here every document type says who makes it"
            )
            self.report.say("not_carried", guard.node(""), "instance-creation-conditions", told, found="")

    def _remark_the_rest(self) -> None:
        root = self.root
        variable = root.get("state_variable", STATE_VARIABLE)
        if variable != STATE_VARIABLE:
            told = f"the state variable {variable[:60]!r} is not carried: here a state needs no variable"
            self.remarks.add(root.node_of("state_variable"), told)
        for element in root.all("group"):
            told = f"the group {element.text[:60]!r} that the workflow manages is not carried: no state gives it a role"
            self.remarks.add(element.node(), told)
        self._names_of_variables()
        used = {supply.name for supply in self.supplies}
        for element in root.all("script"):
            name = element.get("script_id")
            what = element.get("type") or "script"
            source = " ".join(element.get(key) for key in ("filename", "module", "function") if element.get(key))
            told = f"the code of the script {name[:60]!r} ({what}{' ' + source[:100] if source else ''}) is not carried"
            told += ": a plugin supplies it" if name in used else ": no transition or guard uses it"
            self.remarks.add(element.node_of("script_id"), told)

    def _names_of_variables(self) -> None:
        for element in self.root.all("variable"):
            name = element.get("variable_id")
            kept = (
                "the history keeps it of every step anyway" if name in _STANDARD_VARIABLES else "here are no variables"
            )
            guard = element.find("guard")
            guarded = ", nor its guard" if guard is not None and guard.children else ""
            self.remarks.add(element.node_of("variable_id"), f"the variable {name!r} is not carried{guarded}: {kept}")

    def _supply_condition(self, name: str, node: Node, used_by: str) -> None:
        self._supply("condition", name, node, used_by)

    def _supply(self, kind: str, name: str, node: Node, used_by: str) -> None:
        self.supplies.append(Supply(kind, name, f"{self.report.path}:{node.line}:{node.column}", used_by))

    def _remark_own_names(self) -> None:
        for kind, names, built_in in (
            ("role", self.roles, BUILT_IN_ROLES),
            ("permission", self.permissions, BUILT_IN_PERMISSIONS),
        ):
            for name in names:
                if name in built_in:
                    told = f"the {kind} {name!r} has the name of a built-in one, and is that one here"
                    self.remarks.add(self.root.node(), told)

    def remark_missing_rolemap(self, workflow: Workflow) -> None:
        """Say of which permissions nobody says who holds them, for want of a role map."""
        unsaid = [
            name
            for name in self.permissions
            if any(name not in state.grants or name in state.inherit for state in workflow.states.values())
        ]
        if unsaid:
            told = (
                f"without --rolemap nobody says who holds {', '.join(map(repr, unsaid))} where a state does not: nobody"
            )
            self.remarks.add(self.root.node(), told)


def _finish(states: Mapping[str, State], transitions: Mapping[str, Transition]) -> dict[str, State]:
    """Mark as final the states that no transition leaves for another one."""
    leaving = {
        source
        for transition in transitions.values()
        for source in transition.sources
        if transition.target(source) != source
    }
    return {name: state if name in leaving else replace(state, final=True) for name, state in states.items()}
