"""A workflow -> GenericSetup's `definition.xml`, and what of it Plone has no place for.

All that `tables.table` shows is carried, or the workflow is refused; what else has no place is named in a remark.
Attributes under `dcworkflow_shape.MARK` bring back here what Plone passes over.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from r2pflow.domain.dcworkflow_names import BYPASS, PERMISSIONS, ROLES, STATE_VARIABLE, Remark, Remarks, can_edit
from r2pflow.domain.dcworkflow_python import Untranslatable
from r2pflow.domain.dcworkflow_shape import MARK, NAMESPACE
from r2pflow.domain.dcworkflow_tales_writing import write_expression
from r2pflow.domain.definition import AUTOMATIC, STAY, USER, Guard, State, Test, Transition, Workflow, WorklistDef
from r2pflow.domain.naming import Report
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES, Titles
from r2pflow.domain.yamlnodes import Node

# The variables of which Plone's pages and catalogue read: name, expression, whether it is part of each step's record.
_VARIABLES = (
    ("action", "transition/getId|nothing", True),
    ("actor", "user/getId", True),
    ("comments", "python:state_change.kwargs.get('comment', '')", True),
    ("review_history", "state_change/getHistory", False),
    ("time", "state_change/getDateTime", True),
)
_TO_WRITE = "is to be written in Plone, with the parameter state_change"
_SCRIPT_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.,~$()#@-]*[A-Za-z0-9_.,~$()#@-])?")


@dataclass(frozen=True)
class Exported:
    """The XML, and what it does not carry."""

    xml: str
    remarks: tuple[Remark, ...]


def write_dcworkflow(workflow: Workflow) -> Exported:
    """Return the definition as XML; refuse with DefinitionErrors what Plone would do otherwise than it says."""
    report = Report(workflow.path)
    writer = _Writer(workflow, report)
    lines = writer.write()
    report.refuse_if_any()
    return Exported("\n".join(lines) + "\n", writer.remarks.sorted())


class _Placed:
    """Where a part of the workflow is written."""

    def __init__(self, part: object) -> None:
        self.line: int = getattr(part, "line", 0) or 1
        self.column: int = getattr(part, "column", 0) or 1

    def node(self, text: str = "") -> Node:
        return Node("text", self.line, self.column, text=text)


class _Writer:
    def __init__(self, workflow: Workflow, report: Report) -> None:
        self.workflow = workflow
        self.report = report
        self.remarks = Remarks(report.path)
        self.scripts: dict[str, None] = {}
        self.lines: list[str] = ['<?xml version="1.0" encoding="utf-8"?>']
        self.managed = list(
            dict.fromkeys(
                permission for state in workflow.states.values() for permission in (*state.grants, *state.inherit)
            )
        )

    def write(self) -> list[str]:
        workflow, top = self.workflow, _Placed(None)
        attributes = {
            "xmlns:r2pflow": NAMESPACE,
            "workflow_id": workflow.name,
            "title": self._title(workflow.title, top, "the workflow"),
            "description": self._title(workflow.description, top, "the workflow's description"),
            "state_variable": STATE_VARIABLE,
            "initial_state": workflow.initial,
            "manager_bypass": str(bool(workflow.bypass)),
            **self._bypass_mark(),
        }
        self._open(0, "dc-workflow", attributes)
        for permission in self.managed:
            self._text(1, "permission", self._name(permission, top, "permission", is_in_list=True))
        for state in workflow.states.values():
            self._write_state(state)
        for transition in workflow.transitions.values():
            self._write_transition(transition)
        for worklist in workflow.worklists.values():
            self._write_worklist(worklist)
        for name, expression, is_recorded in _VARIABLES:
            self._write_variable(name, expression, is_recorded)
        for script in self.scripts:
            # An empty script: Plone makes it on import, and a guard that asks it lets nobody through.
            attributes = {"script_id": script, "type": "Script (Python)", "filename": ""}
            self._empty(1, "script", {**attributes, "module": "", "function": ""})
        self._close(0, "dc-workflow")
        self._remark_the_rest()
        return self.lines

    # Lines

    def _open(self, depth: int, tag: str, attributes: dict[str, str], end: str = ">") -> None:
        told = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        self.lines.append(f"{'  ' * depth}<{tag}{told}{end}")

    def _empty(self, depth: int, tag: str, attributes: dict[str, str]) -> None:
        self._open(depth, tag, attributes, "/>")

    def _close(self, depth: int, tag: str) -> None:
        self.lines.append(f"{'  ' * depth}</{tag}>")

    def _text(self, depth: int, tag: str, text: str, **attributes: str) -> None:
        if text:
            told = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
            self.lines.append(f"{'  ' * depth}<{tag}{told}>{escape(text)}</{tag}>")

    # Names and texts

    def _name(self, name: str, at: _Placed, kind: str, is_in_list: bool = False) -> str:
        """Return the name; note one that Plone would read as another."""
        is_divided = is_in_list and ";" in name
        if name != name.strip() or "\n" in name or "\r" in name or "\u2028" in name or is_divided:
            told = "a name without blanks at its ends, line breaks" + (" and semicolons" if is_in_list else "")
            self.report.add("not_carried", at.node(name), "", f"the {kind} {name[:60]!r}", told)
        return name

    def _title(self, titles: Titles, at: _Placed, told: str) -> str:
        lost = [language for language in titles.by_language if language != "en"]
        if "en" not in titles.by_language and lost:
            lost.remove(next(iter(titles.by_language)))
        if lost:
            message = f"the texts of {told} in {', '.join(lost)} are not carried: Plone translates by its catalogues"
            self.remarks.add_at(at.line, at.column, message)
        return titles.get("en")

    # Parts

    def _bypass_mark(self) -> dict[str, str]:
        bypass = self.workflow.bypass
        for role in bypass:
            if role not in (BYPASS, ROLES[BYPASS]):
                accepted = f"{BYPASS}, or nobody, for in Plone nobody else passes guards"
                self.report.add("not_carried", _Placed(None).node(role), "bypass", f"the role {role!r}", accepted)
            self._name(role, _Placed(None), "role", is_in_list=True)
        return {f"{MARK}bypass": "; ".join(bypass)} if bypass and bypass != (BYPASS,) else {}

    def _write_state(self, state: State) -> None:
        at = _Placed(state)
        told = f"the state {state.name}"
        title = self._title(state.title, at, told)
        marks = {**self._inherit_mark(state), **self._text_mark(state)}
        self._open(1, "state", {"state_id": state.name, "title": title, **marks})
        self._text(2, "description", self._title(state.description, at, f"{told}'s description"))
        for transition in self.workflow.transitions_from(state.name):
            self._empty(2, "exit-transition", {"transition_id": transition.name})
        for permission in self.managed:
            if permission in state.grants:
                acquired = str(permission in state.inherit)
                self._write_map({"name": permission, "acquired": acquired}, state.grants[permission], at)
            elif permission not in state.inherit:
                # Plone acquires what is not mapped: who holds it by default is written out, and marked as that.
                attributes = {"name": permission, "acquired": "False", f"{MARK}default": "True"}
                self._write_map(attributes, self._default_holders(state, permission), at)
        self._close(1, "state")
        self._remark_state(state, at)

    def _inherit_mark(self, state: State) -> dict[str, str]:
        """Return the order of `inherit` where reading the maps would give another."""
        read = [name for name in self.managed if name in state.inherit and name in state.grants]
        read += [name for name in self.managed if name in state.inherit and name not in state.grants]
        return {} if read == list(state.inherit) else {f"{MARK}inherit": "; ".join(state.inherit)}

    def _text_mark(self, state: State) -> dict[str, str]:
        """Return whether the text is open where reading the maps would give another answer."""
        read = "open" if can_edit(self.workflow, state.name) else "frozen"
        return {} if state.text == read else {f"{MARK}text": state.text}

    def _default_holders(self, state: State, permission: str) -> list[str]:
        """Return who holds a permission that the state does not name, as written, whatever names mean the same."""
        means = self.workflow.means
        known = means.get(permission, permission)
        names = [permission] if permission == known else [permission, known]
        if permission == known:
            names += [own for own, meant in means.items() if meant == known and own != known]
        granted = [role for name in names if name in state.grants for role in state.grants[name]]
        is_named = any(name in state.grants for name in names)
        if not is_named or any(name in state.inherit for name in names):
            granted += [role for name in names for role in self.workflow.permissions.get(name, ())]
        return list(dict.fromkeys(granted))

    def _write_map(self, attributes: dict[str, str], roles: Iterable[str], at: _Placed) -> None:
        self._open(2, "permission-map", attributes)
        for role in roles:
            self._text(3, "permission-role", self._name(role, at, "role"))
        self._close(2, "permission-map")

    def _remark_state(self, state: State, at: _Placed) -> None:
        ways = self.workflow.transitions_from(state.name)
        leaves = any(transition.target(state.name) != state.name for transition in ways)
        lost = {
            "text: frozen": state.text == "frozen" and can_edit(self.workflow, state.name),
            "the comment round": state.comments is not None,
            "the timer": state.timer is not None,
            f"the ballot {state.ballot}": bool(state.ballot),
            "final": state.final and leaves,
        }
        told = [name for name, is_there in lost.items() if is_there]
        if told:
            self.remarks.add_at(at.line, at.column, f"of the state {state.name} is not carried: {', '.join(told)}")

    def _write_transition(self, transition: Transition) -> None:
        at = _Placed(transition)
        told = f"the transition {transition.name}"
        title = self._title(transition.title, at, told)
        attributes = {
            "transition_id": transition.name,
            "title": title,
            "new_state": "" if transition.to == STAY else transition.to,
            **self._triggers(transition, at),
            "before_script": "",
            "after_script": self._script_of(transition, at),
        }
        self._open(1, "transition", attributes)
        self._text(2, "description", self._title(transition.description, at, f"{told}'s description"))
        url = f"%(content_url)s/content_status_modify?workflow_action={transition.name}"
        label = {"category": "workflow", "icon": "", "url": url}
        self._text(2, "action", title or transition.name, **label)
        self._write_guard(2, transition.guard, at, told)
        self._close(1, "transition")
        if transition.comment != "optional":
            message = f"{told} has `comment: {transition.comment}`, which is not carried: in Plone it is optional"
            self.remarks.add_at(at.line, at.column, message)

    def _triggers(self, transition: Transition, at: _Placed) -> dict[str, str]:
        triggers = transition.triggers
        first = USER if USER in triggers else AUTOMATIC
        if first not in triggers:
            accepted = "user or automatic among them, for Plone has no timers"
            where = f"transition {transition.name}"
            self.report.add("not_carried", at.node(), where, f"the triggers {', '.join(triggers)}", accepted)
        found = {"trigger": first.upper()}
        if triggers != (first,):
            found[f"{MARK}trigger"] = " ".join(triggers)
            lost = ", ".join(trigger for trigger in triggers if trigger != first)
            message = f"the transition {transition.name} fires in Plone by {first} alone, not by {lost}"
            self.remarks.add_at(at.line, at.column, message)
        return found

    def _script_of(self, transition: Transition, at: _Placed) -> str:
        """Return the name of the one script that stands for all effects of the transition."""
        effects = transition.effects
        if not effects:
            return ""
        names = [effect.name for effect in effects]
        script = names[0] if len(names) == 1 else "_and_".join(names)
        if not _SCRIPT_ID.fullmatch(script):
            accepted = "a name of ASCII letters, digits, blanks and _.,~$()#@-, as Plone's scripts have"
            where = f"transition {transition.name}"
            self.report.add("not_carried", at.node(), where, f"the effect {script[:60]!r}", accepted)
        arguments = [f"{effect.name}: {effect.argument}"[:100] for effect in effects if effect.argument is not None]
        message = f"the script {script} that runs after {transition.name} {_TO_WRITE}"
        message += f", for the effects {', '.join(names)}" if len(names) > 1 else ""
        message += f"; not carried: the argument of {'; '.join(arguments)}" if arguments else ""
        self.remarks.add_at(at.line, at.column, message)
        self.scripts.setdefault(script)
        return script

    def _write_guard(self, depth: int, guard: Guard, at: _Placed, told: str) -> None:
        expression = ""
        try:
            expression = write_expression(guard.require)
        except Untranslatable as error:
            accepted = "conditions that a TALES expression can ask"
            self.report.add(
                "not_carried", at.node(), told, f"`require`, which Plone cannot be asked: {error}", accepted
            )
        for name in dict.fromkeys(_conditions(guard.require)):
            if not _SCRIPT_ID.fullmatch(name):
                accepted = "a name of ASCII letters, digits, blanks and _.,~$()#@-, as Plone's scripts have"
                self.report.add("not_carried", at.node(), told, f"the condition {name[:60]!r}", accepted)
            message = f"the script {name} that the guard of {told} asks {_TO_WRITE}"
            self.remarks.add_at(at.line, at.column, message)
            self.scripts.setdefault(name)
        self._open(depth, "guard", {})
        for kind, names in (("permission", guard.permissions), ("role", guard.roles), ("group", guard.groups)):
            for name in names:
                self._text(depth + 1, f"guard-{kind}", self._name(name, at, kind, is_in_list=True))
        self._text(depth + 1, "guard-expression", expression)
        self._close(depth, "guard")

    def _write_worklist(self, worklist: WorklistDef) -> None:
        at = _Placed(worklist)
        told = f"the worklist {worklist.name}"
        title = self._title(worklist.title, at, told)
        self._open(1, "worklist", {"worklist_id": worklist.name, "title": title})
        states = "&".join(f"{STATE_VARIABLE}={state}" for state in worklist.states)
        action = {"category": "global", "icon": "", "url": f"%(portal_url)s/search?{states}"}
        self._text(2, "action", f"{title or worklist.name} (%(count)d)", **action)
        self._write_guard(2, worklist.guard, at, told)
        self._empty(2, "match", {"name": STATE_VARIABLE, "values": "; ".join(worklist.states)})
        self._close(1, "worklist")
        if worklist.where:
            tests = ", ".join(map(str, worklist.where))[:200]
            self.remarks.add_at(at.line, at.column, f"`where` of {told} is not carried: {tests}")

    def _write_variable(self, name: str, expression: str, is_recorded: bool) -> None:
        flags = {"for_catalog": "False", "for_status": str(is_recorded), "update_always": str(is_recorded)}
        self._open(1, "variable", {"variable_id": name, **flags})
        self._open(2, "default", {})
        self._text(3, "expression", expression)
        self._close(2, "default")
        self._open(2, "guard", {}, "/>")
        self._close(1, "variable")

    # What has no place

    def _remark_the_rest(self) -> None:
        workflow = self.workflow
        if workflow.permissions:
            named = ", ".join(map(repr, workflow.permissions))
            self._remark(f"who holds {named} where a state does not say is not part of a definition.xml: use --rolemap")
        for ballot in workflow.ballots.values():
            at = _Placed(ballot)
            self.remarks.add_at(at.line, at.column, f"the ballot {ballot.name} is not carried")
        if workflow.version != 1:
            self._remark(f"the version {workflow.version} is not carried")
        self._remark_names("role", self._used_roles(), ROLES, workflow.aliases.get)
        self._remark_names("permission", self._used_permissions(), PERMISSIONS, workflow.means.get)

    def _remark_names(
        self, kind: str, used: Iterable[str], plone: dict[str, str], meant: Callable[[str], str | None]
    ) -> None:
        back = {own: name for name, own in plone.items()}
        built_in = BUILT_IN_ROLES if kind == "role" else BUILT_IN_PERMISSIONS
        for name in dict.fromkeys(used):
            if name in built_in:
                near = f"; Plone's own is {back[name]!r}" if name in back else ""
                self._remark(f"the {kind} {name!r} keeps its name, which Plone does not know{near}")
            elif meant(name) not in (None, name, plone.get(name)):
                self._remark(f"that the {kind} {name!r} is {meant(name)!r} here is not carried")

    def _used_roles(self) -> Iterable[str]:
        workflow = self.workflow
        for grants in (*(state.grants for state in workflow.states.values()), workflow.permissions):
            for roles in grants.values():
                yield from roles
        for guard in self._guards():
            yield from guard.roles
        yield from workflow.bypass

    def _used_permissions(self) -> Iterable[str]:
        yield from self.managed
        for guard in self._guards():
            yield from guard.permissions

    def _guards(self) -> Iterable[Guard]:
        yield from (transition.guard for transition in self.workflow.transitions.values())
        yield from (worklist.guard for worklist in self.workflow.worklists.values())

    def _remark(self, message: str) -> None:
        self.remarks.add_at(1, 1, message)


def _conditions(tests: Iterable[Test]) -> list[str]:
    return [name for test in tests for name in ([test.name] if test.kind == "named" else _conditions(test.tests))]
