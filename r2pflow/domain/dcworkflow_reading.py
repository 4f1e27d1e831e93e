"""GenericSetup's `definition.xml` of a DCWorkflow -> a workflow; all errors of a file at once, each with its place.

Whatever a workflow here has no word for is refused by name where it could let more people do more, and otherwise
named in a remark. `docs/plone.md` says which is which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from r2pflow.domain import dcworkflow_shape as shape
from r2pflow.domain import formats
from r2pflow.domain.dcworkflow_context import Reading, Supply
from r2pflow.domain.dcworkflow_guards import read_guard
from r2pflow.domain.dcworkflow_leftovers import remark_own_names, visit_leftovers
from r2pflow.domain.dcworkflow_names import BYPASS, PERMISSIONS, ROLES, Remark, can_edit
from r2pflow.domain.dcworkflow_rolemap import Rolemap
from r2pflow.domain.dcworkflow_worklists import read_worklists
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
)
from r2pflow.domain.naming import Report
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES
from r2pflow.domain.shape import OneOf

MAX_PARTS = 3_000  # states, transitions and all else right below the top
MAX_PERMISSIONS_IN_STATES = 50_000

TRIGGERS = {"USER": USER, "AUTOMATIC": AUTOMATIC}


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
    if len(root.children) > MAX_PARTS:
        report.add("too_many_elements", root.node(""), "", f"{len(root.children)} parts", f"at most {MAX_PARTS}")
        report.refuse_if_any()
    shape.check_root(root, "dc-workflow", shape.WORKFLOW, report)
    report.refuse_if_any()
    reading = Reading(root, report)
    workflow = _Reader(reading, rolemap or Rolemap()).read()
    report.refuse_if_any()
    if rolemap is None:
        _remark_missing_rolemap(reading, workflow)
    comments = {place: tuple(lines) for place, lines in reading.comments.items()}
    return Imported(workflow, comments, reading.remarks.sorted(), tuple(reading.supplies))


class _Reader:
    def __init__(self, reading: Reading, rolemap: Rolemap) -> None:
        self.reading = reading
        self.root = reading.root
        self.report = reading.report
        self.rolemap = rolemap
        for role in rolemap.roles:
            reading.use_role(role)
        self.states = reading.read_ids("state", "state_id")
        self.transitions = reading.read_ids("transition", "transition_id")
        self.managed = dict.fromkeys(reading.read_names(self.root.all("permission")))
        for permission in self.managed:
            reading.use_permission(permission)
        if len(self.states) * len(self.managed) > MAX_PERMISSIONS_IN_STATES:
            told = f"{len(self.managed)} permissions in {len(self.states)} states"
            accepted = f"at most {MAX_PERMISSIONS_IN_STATES} in all"
            self.report.add("too_many_permissions", self.root.node(""), "", told, accepted)
            self.report.refuse_if_any()
        self.sources: dict[str, list[str]] = {name: [] for name in self.transitions}

    def read(self) -> Workflow:
        root, reading = self.root, self.reading
        reading.check(formats.NAME, root.node_of("workflow_id"), "workflow_id")
        if not self.states:
            self.report.add("missing_element", root.node(""), "", "no state", "at least one")
        if STAY in self.states:
            node = self.states[STAY].node_of("state_id")
            accepted = "another name, for `to: stay` keeps a state"
            self.report.add("reserved_name", node, "state_id", f"the state {node}", accepted)
        initial = root.node_of("initial_state")
        if initial.text not in self.states:
            self.report.add_name("unknown_state", initial, "initial_state", "state", self.states)
        states = {name: self._read_state(name, element) for name, element in self.states.items()}
        transitions = {name: self._read_transition(name, element) for name, element in self.transitions.items()}
        worklists = read_worklists(reading, self.states)
        bypass = self._read_bypass()
        visit_leftovers(reading)
        for permission, roles in self.rolemap.permissions.items():
            reading.use_permission(permission)
            for role in roles:
                reading.use_role(role)
        remark_own_names(reading)
        workflow = Workflow(
            name=root.get("workflow_id"),
            version=1,
            initial=initial.text,
            states=_finish(states, transitions),
            transitions=transitions,
            title=reading.titles(root),
            description=reading.titles(root, "description"),
            permissions=dict(self.rolemap.permissions),
            roles=tuple(role for role in reading.roles if role not in BUILT_IN_ROLES),
            aliases={role: ROLES[role] for role in reading.roles if role in ROLES},
            means={
                name: PERMISSIONS.get(name, name) for name in reading.permissions if name not in BUILT_IN_PERMISSIONS
            },
            bypass=bypass,
            worklists=worklists,
        )
        return replace(workflow, states={name: self._open_text(workflow, name) for name in workflow.states})

    def _open_text(self, workflow: Workflow, name: str) -> State:
        """Open the text where somebody may edit, or may by what a dossier grants: Plone knows no other bar."""
        state = workflow.states[name]
        mark, element = f"{shape.MARK}text", self.states[name]
        if mark in element.attributes:
            self.reading.check(OneOf(("open", "frozen")), element.node_of(mark), mark)
            return replace(state, text=element.get(mark))
        return replace(state, text="open") if can_edit(workflow, name) else state

    def _read_bypass(self) -> tuple[str, ...]:
        if not shape.is_true(self.root, "manager_bypass"):
            return ()
        mark = f"{shape.MARK}bypass"
        marked = self.root.get(mark).split(";") if mark in self.root.attributes else []
        roles = [role.strip() for role in marked] or [BYPASS]
        for role in roles:
            self.reading.check(formats.WORD, self.root.node(role), "bypass")
            self.reading.use_role(role)
        return tuple(roles)

    # States

    def _read_state(self, name: str, element: Element) -> State:
        grants: dict[str, tuple[str, ...]] = {}
        inherit: list[str] = []
        mapped: dict[str, int] = {}
        for entry in element.all("permission-map"):
            node = entry.node_of("name")
            self.reading.check(formats.WORD, node, "permission-map")
            permission = node.text
            if permission in mapped:
                told = f"found the permission {node} twice; the first is in line {mapped[permission]}"
                self.report.say("duplicate_name", node, f"state {name}", told, found=permission)
            mapped.setdefault(permission, node.line)
            self.reading.use_permission(permission)
            if permission not in self.managed:
                told = f"the state {name} maps {permission!r}, which is not among the workflow's <permission>s: Plone "
                self.reading.remarks.add(node, told + "passes over this map, here it counts")
            roles = self.reading.read_names(entry.all("permission-role"))
            if shape.is_true(entry, f"{shape.MARK}default"):
                continue
            for role in roles:
                self.reading.use_role(role)
            grants[permission] = tuple(roles)
            if shape.is_true(entry, "acquired"):
                inherit.append(permission)
        # What a workflow manages and a state does not map, Plone acquires.
        inherit += [permission for permission in self.managed if permission not in mapped]
        marked = [permission.strip() for permission in element.get(f"{shape.MARK}inherit").split(";")]
        if len(marked) == len(inherit) and set(marked) == set(inherit):
            inherit = marked  # the same in another order
        self._refuse_group_maps(element, name)
        for entry in element.all("assignment"):
            told = f"the state {name} sets the variable {entry.get('name')!r} to {entry.text[:60]!r}: not carried"
            self.reading.remarks.add(entry.node_of("name"), told)
        for entry in element.all("exit-transition"):
            node = entry.node_of("transition_id")
            if node.text not in self.transitions:
                told = f"the state {name} leaves by {node}, which is no transition, and is passed over, as in Plone"
                self.reading.remarks.add(node, told)
            elif name not in self.sources[node.text][-1:]:
                self.sources[node.text].append(name)
        return State(
            name=name,
            title=self.reading.titles(element),
            description=self.reading.description(element),
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

    def _read_transition(self, name: str, element: Element) -> Transition:
        target = element.node_of("new_state")
        if target.text and target.text not in self.states:
            self.report.add_name("unknown_state", target, f"transition {name}", "state", self.states)
        guard = read_guard(self.reading, element.find("guard"), f"transition {name}")
        triggers = self._read_triggers(element, name)
        if triggers == (AUTOMATIC,) and guard != Guard(require=guard.require):
            told = f"the automatic transition {name} asks for a permission, role or group: here it acts as the system, "
            self.reading.remarks.add(element.node(), told + "of whom only the conditions are asked")
        self._comment_button(element, name)
        for entry in element.all("assignment"):
            told = f"the transition {name} sets the variable {entry.get('name')!r} to {entry.text[:60]!r}: not carried"
            self.reading.remarks.add(entry.node_of("name"), told)
        return Transition(
            name=name,
            sources=tuple(self.sources[name]),
            to=target.text or STAY,
            triggers=triggers,
            guard=guard,
            effects=self._read_effects(element, name),
            title=self.reading.titles(element),
            description=self.reading.description(element),
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
            self.reading.check(formats.WORD, node, attribute)
            effects.append(EffectCall(script, line=node.line, column=node.column))
            self.reading.supply("effect", script, node, f"transition {name}")
            told = f"the effect {script} is a script of Plone ({attribute}), to be supplied by a plugin"
            self.reading.comment(told, "transitions", name)
            if attribute == "before_script":
                told = f"the script {script} runs before the state changes in Plone, and here after it"
                self.reading.remarks.add(node, told)
        return tuple(effects)

    def _comment_button(self, element: Element, name: str) -> None:
        found = element.find("action")
        label = "" if found is None else " ".join(found.text.split())
        if label and label != element.get("title"):
            self.reading.comment(f"in Plone's menu: {label[:200]}", "transitions", name)
        self.reading.remark_button(element, name)


def _remark_missing_rolemap(reading: Reading, workflow: Workflow) -> None:
    """Say of which permissions nobody says who holds them, for want of a role map."""
    states = workflow.states.values()
    unsaid = [
        repr(name)
        for name in reading.permissions
        if any(name not in state.grants or name in state.inherit for state in states)
    ]
    if unsaid:
        told = f"without --rolemap nobody says who holds {', '.join(unsaid)} where a state does not: nobody"
        reading.remarks.add(reading.root.node(""), told)


def _finish(states: Mapping[str, State], transitions: Mapping[str, Transition]) -> dict[str, State]:
    """Mark as final the states that no transition leaves for another one."""
    leaving = {
        source
        for transition in transitions.values()
        for source in transition.sources
        if transition.target(source) != source
    }
    return {name: state if name in leaving else replace(state, final=True) for name, state in states.items()}
