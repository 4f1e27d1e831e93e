"""YAML -> workflows; all errors of a file at once, each with line and column.

What may be written where is declared in `formats`; here names are looked up and the frozen values are made.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from r2pflow.domain import formats
from r2pflow.domain.definition import (
    STAY,
    BallotDef,
    CommentRoundDef,
    EffectCall,
    Guard,
    State,
    Test,
    Timer,
    Transition,
    Workflow,
    WorklistDef,
)
from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.naming import Report
from r2pflow.domain.parameters import Parameters
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES, Electorate, Titles
from r2pflow.domain.rule_reading import RuleError, read_positions, read_rule
from r2pflow.domain.shape import Key, Record
from r2pflow.domain.yamlnodes import MAX_CHARACTERS, Node, read_nodes, with_places

Grants = dict[str, tuple[str, ...]]


class TakesParameters(Protocol):
    """What a registry knows of a condition or an effect, as far as reading goes."""

    @property
    def parameters(self) -> Parameters: ...


def read_file(path: Path) -> str:
    """Return the text of a UTF-8 file; refuse with DefinitionErrors what cannot be read or is too long."""

    def refuse(code: str, message: str, line: int = 0, column: int = 0) -> DefinitionErrors:
        return DefinitionErrors([DefinitionError(code, path=str(path), line=line, column=column, message=message)])

    try:
        with path.open("rb") as file:
            raw = file.read(4 * MAX_CHARACTERS + 4)
    except OSError as error:
        raise refuse("unreadable_file", f"the file cannot be read: {error.strerror}") from error
    if len(raw) > 4 * MAX_CHARACTERS:
        message = f"found over {4 * MAX_CHARACTERS} bytes; accepted: at most {MAX_CHARACTERS} characters"
        raise refuse("file_too_long", message, 1, 1)
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        before = raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8-sig")
        message = "found bytes that are not UTF-8; accepted: UTF-8 text"
        raise refuse("not_utf8", message, line, len(before) + 1) from error


def read_workflow(
    text: str,
    path: str,
    *,
    conditions: Mapping[str, TakesParameters],
    effects: Mapping[str, TakesParameters],
) -> Workflow:
    """Read one workflow; refuse with DefinitionErrors. Whether it makes sense as a whole `checking` says."""
    root = read_nodes(text, path)
    report = Report(path)
    formats.WORKFLOW.check(root, "", report)
    report.refuse_if_any()
    workflow = _WorkflowReader(root, report, conditions, effects).read(text, path)
    report.refuse_if_any()
    return workflow


class _AnyParameters(Parameters):
    def read(self, name: Node, value: Node | None, where: str, report: Report) -> Any:
        return None if value is None else value.plain()


@dataclass(frozen=True)
class _Unknown:
    parameters: Parameters = _AnyParameters({})


class _AnyName(dict[str, TakesParameters]):
    """Knows whatever is asked for, with whatever it takes; none of it can be run."""

    def get(self, name: str, default: object = None) -> TakesParameters:
        return _Unknown()


def read_outline(text: str, path: str) -> Workflow:
    """Read a workflow to be told, not run: its conditions and effects may be known to nobody any more."""
    return read_workflow(text, path, conditions=_AnyName(), effects=_AnyName())


def read_ballot(text: str, path: str) -> BallotDef:
    """Read one entry as under `ballots:`, its electorate optional; refuse with DefinitionErrors."""
    root = read_nodes(text, path)
    report = Report(path)
    keys = {name: key for name, key in formats.BALLOT.keys.items() if name != "electorate"}
    relaxed = Record("a ballot", {**keys, "electorate": Key(formats.ELECTORATE)})
    relaxed.check(root, "", report)
    report.refuse_if_any()
    ballot = read_ballot_entry("", root, root, "", report)
    report.refuse_if_any()
    assert ballot is not None
    return ballot


def read_ballot_entry(name: str, at: Node, node: Node, where: str, report: Report) -> BallotDef | None:
    """Make a ballot of a node that has the right shape; None when its rule was noted as wrong."""
    try:
        prefix = f"{where}." if where else ""
        positions = read_positions(with_places(node.entries["positions"]), f"{prefix}positions")
        rule = read_rule(with_places(node.entries["rule"]), positions, f"{prefix}rule")
    except RuleError as error:
        if not error.line:
            error.line, error.column = node.line, node.column
        report.take(error)
        return None
    ids = [position.id for position in positions]
    for key in ("reason_required", "silence"):
        for part in node.many(key):
            if part.text not in ids:
                report.add_name("unknown_position", part, f"{prefix}{key}", "position", ids)
    track = node.get("fast_track")
    return BallotDef(
        name=name,
        electorate=_electorate(node.get("electorate")),
        positions=positions,
        rule=rule,
        reason_required=node.texts("reason_required"),
        open_for=node.string("open_for"),
        calendar=node.string("calendar", "all"),
        silence=node.string("silence"),
        close_early=node.string("close_early", "never"),
        secrecy=node.string("secrecy", "named"),
        fast_track=None if track is None else _fast_track(track),
        title=titles_of(node, "title"),
        source=node.plain(),
        line=at.line,
        column=at.column,
    )


def _fast_track(node: Node) -> Mapping[str, Any]:
    report_to = node.get("report_to")
    return {
        "electorate": _electorate(node.get("electorate")),
        "open_for": node.string("open_for"),
        "report_to": None if report_to is None else _electorate(report_to),
    }


def _electorate(node: Node | None) -> Electorate:
    if node is None or node.kind == "text":
        return Electorate(members=True)
    return Electorate(role=node.string("role"), group=node.string("group"), organisations=node.texts("organisations"))


def titles_of(node: Node, key: str) -> Titles:
    """Return the text or the texts per language under the key; one text alone counts as English."""
    found = node.get(key)
    if found is None:
        return Titles()
    if found.kind == "text":
        return Titles({"en": found.text})
    return Titles({language: value.text for language, value in found.entries.items()})


class _WorkflowReader:
    """Make a workflow of a node that has the right shape, and note every name that refers to nothing."""

    def __init__(
        self,
        root: Node,
        report: Report,
        conditions: Mapping[str, TakesParameters],
        effects: Mapping[str, TakesParameters],
    ) -> None:
        self.root = root
        self.report = report
        self.conditions = conditions
        self.effects = effects
        self.states = _list_names(root, "states")
        self.targets = {**self.states, STAY: None}
        self.transitions = _list_names(root, "transitions")
        self.ballots = _list_names(root, "ballots")
        self.places: dict[str, tuple[int, int]] = {}  # of the declared roles
        self.roles, self.aliases = self._read_roles()
        self.means = self._read_means()
        self.known_roles = dict.fromkeys((*BUILT_IN_ROLES, *self.roles))
        self.known_permissions = dict.fromkeys((*BUILT_IN_PERMISSIONS, *self.means))

    def read(self, text: str, path: str) -> Workflow:
        root = self.root
        self._look_up(root.many("bypass"), "bypass", "role", self.known_roles)
        self._look_up(root.many("initial"), "initial", "state", self.states)
        version = root.get("version")
        return Workflow(
            name=root.string("workflow"),
            version=1 if version is None else int(version.plain()),
            initial=root.string("initial"),
            states={name: self._read_state(name, key, node) for name, key, node in root.each("states")},
            transitions={name: self._read_transition(name, key, node) for name, key, node in root.each("transitions")},
            title=titles_of(root, "title"),
            description=titles_of(root, "description"),
            permissions=self._read_grants(root, "permissions", "permissions"),
            roles=self.roles,
            aliases=self.aliases,
            means=self.means,
            bypass=root.texts("bypass"),
            worklists={name: self._read_worklist(name, k, node) for name, k, node in root.each("worklists")},
            ballots=self._read_ballots(),
            source=text,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            path=path,
            places=self.places,
        )

    def _look_up(self, nodes: Iterable[Node], where: str, kind: str, known: Collection[str]) -> None:
        for node in nodes:
            if node.text not in known:
                self.report.add_name(f"unknown_{kind}", node, where, kind, known)

    def _read_roles(self) -> tuple[tuple[str, ...], dict[str, str]]:
        roles: dict[str, None] = {}
        aliases: dict[str, str] = {}
        for node in self.root.many("roles"):
            name = node.entries["id"] if node.kind == "mapping" else node
            if name.text in BUILT_IN_ROLES or name.text in roles:
                accepted = "each role once, and none of the built-in"
                self.report.add("role_twice", name, "roles", f"the role {name}", accepted)
            roles[name.text] = None
            self.places[name.text] = (name.line, name.column)
            if node.kind == "mapping" and node.get("is") is not None:
                self._look_up([node.entries["is"]], "roles", "role", BUILT_IN_ROLES)
                aliases[name.text] = node.string("is")
        return tuple(roles), aliases

    def _read_means(self) -> dict[str, str]:
        means: dict[str, str] = {}
        for own, key, node in self.root.each("means"):
            # A permission that means itself is the workflow's own, and no built-in one: imported workflows have such.
            self._look_up([node], f"means.{own}", "permission", (*BUILT_IN_PERMISSIONS, own))
            if own in BUILT_IN_PERMISSIONS and own != node.text:
                found = f"the built-in permission {own!r}"
                self.report.add("permission_twice", key, "means", found, "a name of the workflow's own")
            means[own] = node.text
        return means

    def _read_grants(self, node: Node, key: str, where: str) -> Grants:
        grants: Grants = {}
        for permission, name, roles in node.each(key):
            self._look_up([name], where, "permission", self.known_permissions)
            listed = roles.parts if roles.kind == "list" else [roles]
            self._look_up(listed, f"{where}.{permission}", "role", self.known_roles)
            grants[permission] = tuple(role.text for role in listed)
        return grants

    def _read_state(self, name: str, key: Node, node: Node) -> State:
        where = f"states.{name}"
        if name == STAY:
            accepted = "another name; `to: stay` keeps a state"
            self.report.add("reserved_name", key, "states", f"the state {name!r}", accepted)
        self._look_up(node.many("inherit"), f"{where}.inherit", "permission", self.known_permissions)
        self._look_up(node.many("ballot"), f"{where}.ballot", "ballot", self.ballots)
        comments = node.get("comments")
        if comments is not None:
            self._look_up(comments.many("round"), f"{where}.comments.round", "role", self.known_roles)
        timer = node.get("timer")
        if timer is not None:
            self._look_up(timer.many("fire"), f"{where}.timer.fire", "transition", self.transitions)
        final = node.get("final")
        return State(
            name=name,
            title=titles_of(node, "title"),
            description=titles_of(node, "description"),
            grants=self._read_grants(node, "grants", f"{where}.grants"),
            inherit=node.texts("inherit"),
            text=node.string("text", "frozen"),
            comments=None if comments is None else _read_round(comments),
            timer=None if timer is None else _read_timer(timer),
            ballot=node.string("ballot"),
            final=final is not None and final.plain() is True,
            line=key.line,
            column=key.column,
        )

    def _read_transition(self, name: str, key: Node, node: Node) -> Transition:
        where = f"transitions.{name}"
        self._look_up(node.many("from"), f"{where}.from", "state", self.states)
        self._look_up(node.many("to"), f"{where}.to", "state", self.targets)
        return Transition(
            name=name,
            sources=tuple(dict.fromkeys(node.texts("from"))),
            to=node.string("to"),
            triggers=tuple(dict.fromkeys(node.texts("trigger"))) or ("user",),
            guard=self._read_guard(node, f"{where}.guard"),
            comment=node.string("comment", "optional"),
            effects=tuple(self._read_effect(part, f"{where}.effects") for part in node.many("effects")),
            title=titles_of(node, "title"),
            description=titles_of(node, "description"),
            line=key.line,
            column=key.column,
        )

    def _read_worklist(self, name: str, key: Node, node: Node) -> WorklistDef:
        where = f"worklists.{name}"
        self._look_up(node.many("states"), f"{where}.states", "state", self.states)
        return WorklistDef(
            name=name,
            title=titles_of(node, "title"),
            states=node.texts("states"),
            guard=self._read_guard(node, f"{where}.guard"),
            where=self._read_tests(node, "where", where),
            line=key.line,
            column=key.column,
        )

    def _read_guard(self, node: Node, where: str) -> Guard:
        guard = node.get("guard")
        if guard is None:
            return Guard()
        self._look_up(guard.many("permission"), f"{where}.permission", "permission", self.known_permissions)
        self._look_up(guard.many("role"), f"{where}.role", "role", self.known_roles)
        return Guard(
            permissions=guard.texts("permission"),
            roles=guard.texts("role"),
            groups=guard.texts("group"),
            require=self._read_tests(guard, "require", where),
        )

    def _read_tests(self, node: Node, key: str, where: str) -> tuple[Test, ...]:
        return tuple(self._read_test(part, f"{where}.{key}") for part in node.many(key))

    def _read_test(self, node: Node, where: str) -> Test:
        if node.kind == "text":
            return self._named_test(node, node, None, where)
        if "field" in node.entries:
            operator, value = next(pair for pair in node.entries.items() if pair[0] != "field")
            return Test("field", node.string("field"), value.plain(), operator, (), node.line, node.column)
        (name, value), *_ = node.entries.items()
        if name in ("any", "all"):
            tests = tuple(self._read_test(part, f"{where}.{name}") for part in node.many(name))
            return Test(name, tests=tests, line=node.line, column=node.column)
        if name == "not":
            inner = self._read_test(value, f"{where}.not")
            return Test(name, tests=(inner,), line=node.line, column=node.column)
        return self._named_test(node.keys[name], node, value, where)

    def _named_test(self, name: Node, node: Node, value: Node | None, where: str) -> Test:
        condition = self.conditions.get(name.text)
        argument = None
        if condition is None:
            self.report.add_name("unknown_condition", name, where, "condition", self.conditions)
        else:
            argument = condition.parameters.read(name, value, f"{where}.{name.text}", self.report)
        return Test("named", name.text, argument, line=node.line, column=node.column)

    def _read_effect(self, node: Node, where: str) -> EffectCall:
        name, value = node, None
        if node.kind == "mapping":
            (key, value), *_ = node.entries.items()
            name = node.keys[key]
        argument = None
        effect = self.effects.get(name.text)
        if effect is None:
            self.report.add_name("unknown_effect", name, where, "effect", self.effects)
        else:
            argument = effect.parameters.read(name, value, f"{where}.{name.text}", self.report)
        return EffectCall(name.text, argument, node.line, node.column)

    def _read_ballots(self) -> dict[str, BallotDef]:
        found: dict[str, BallotDef] = {}
        for name, key, node in self.root.each("ballots"):
            where = f"ballots.{name}"
            electorates = [("electorate", node.get("electorate"))]
            track = node.get("fast_track")
            if track is not None:
                electorates += [(f"fast_track.{k}", track.get(k)) for k in ("electorate", "report_to")]
            for place, electorate in electorates:
                if electorate is not None and electorate.kind == "mapping":
                    self._look_up(electorate.many("role"), f"{where}.{place}.role", "role", self.known_roles)
            ballot = read_ballot_entry(name, key, node, where, self.report)
            if ballot is not None:
                found[name] = ballot
        return found


def _list_names(root: Node, key: str) -> dict[str, None]:
    """Return the names under the key, in their order; a mapping, since they are looked up often."""
    return {name: None for name, _, _ in root.each(key)}


def _read_round(node: Node) -> CommentRoundDef:
    return CommentRoundDef(node.string("round"), node.texts("kinds") or formats.COMMENT_KINDS)


def _read_timer(node: Node) -> Timer:
    return Timer(
        after=node.string("after"),
        fire=node.string("fire"),
        calendar=node.string("calendar", "all"),
        remind=node.texts("remind"),
        line=node.line,
        column=node.column,
    )
