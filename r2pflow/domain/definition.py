"""Workflows and document types as frozen values; `reading` makes them from YAML, `engine` runs them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from r2pflow.domain.people import Electorate, Titles

STAY = "stay"
USER, AUTOMATIC, TIMER = "user", "automatic", "timer"


@dataclass(frozen=True)
class Test:
    """One condition of a guard's `require`.

    kind `named`: a registered condition with its argument; `field`: a comparison on a field of the document;
    `any`, `all`, `not`: a combination of `tests`. `ballot: carried` and the like are `named`.
    """

    kind: str
    name: str = ""
    argument: Any = None
    operator: str = ""  # of `field`: is, is_not, in, contains, filled
    tests: tuple["Test", ...] = ()
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if self.kind in ("any", "all", "not"):
            return f"{self.kind}({', '.join(map(str, self.tests))})"
        if self.kind == "field":
            return f"{self.name} {self.operator} {self.argument}"
        return self.name if self.argument is None else f"{self.name}: {self.argument}"


@dataclass(frozen=True)
class Guard:
    """Any of the permissions, any of the roles, any of the groups, all of `require`; empty asks nothing."""

    permissions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    require: tuple[Test, ...] = ()


@dataclass(frozen=True)
class EffectCall:
    """An effect of a transition with its argument."""

    name: str
    argument: Any = None
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Transition:
    """A named way from states to a state (`to` may be `stay`)."""

    name: str
    sources: tuple[str, ...]
    to: str
    triggers: tuple[str, ...] = (USER,)
    guard: Guard = Guard()
    comment: str = "optional"  # required | optional | none
    effects: tuple[EffectCall, ...] = ()
    title: Titles = Titles()
    description: Titles = Titles()
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)

    def target(self, state: str) -> str:
        """Return the state that firing from `state` leads to."""
        return state if self.to == STAY else self.to


@dataclass(frozen=True)
class Timer:
    """Fires a transition some time after the state was entered; durations are ISO 8601.

    `calendar` is all or working; `remind` counts back from the due instant.
    """

    after: str
    fire: str
    calendar: str = "all"
    remind: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CommentRoundDef:
    """A comment round that opens on entry: for holders of the role, with these kinds of comment."""

    audience: str
    kinds: tuple[str, ...] = ("editorial", "substantive", "objection")


@dataclass(frozen=True)
class State:
    """A state: who holds which permission in it, and what happens to text, comments and ballots meanwhile."""

    name: str
    title: Titles = Titles()
    description: Titles = Titles()
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inherit: tuple[str, ...] = ()
    text: str = "frozen"  # open | frozen
    comments: CommentRoundDef | None = None
    timer: Timer | None = None
    ballot: str = ""
    final: bool = False
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class BallotDef:
    """How a ballot is held; `rule` and `positions` are values of `domain.decisions`."""

    name: str
    electorate: Electorate
    positions: tuple[Any, ...]  # of decisions.Position
    rule: Any  # a decisions.Clause
    reason_required: tuple[str, ...] = ()
    open_for: str = ""
    calendar: str = "all"
    silence: str = ""
    close_early: str = "never"  # never | when_decided
    secrecy: str = "named"  # named | secret
    fast_track: Mapping[str, Any] | None = None
    title: Titles = Titles()
    source: Any = None  # the entry as plain lists and dicts, to be stored with the ballot
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class WorklistDef:
    """Documents in some states that wait for those whom the guard lets through."""

    name: str
    title: Titles
    states: tuple[str, ...]
    guard: Guard
    where: tuple[Test, ...] = ()
    line: int = field(default=0, compare=False)  # where it is written; 0 when made by hand
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Workflow:
    """One version of a workflow; `digest` is the SHA-256 of its source text.

    `above` and `ruled` are not in the file: they say where a document of it stands.
    """

    name: str
    version: int
    initial: str
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    title: Titles = Titles()
    description: Titles = Titles()
    permissions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: tuple[str, ...] = ()  # declared beside the built-in
    aliases: Mapping[str, str] = field(default_factory=dict)  # a declared role -> the built-in one it `is`
    means: Mapping[str, str] = field(default_factory=dict)
    bypass: tuple[str, ...] = ()
    worklists: Mapping[str, WorklistDef] = field(default_factory=dict)
    ballots: Mapping[str, BallotDef] = field(default_factory=dict)
    source: str = ""
    digest: str = ""
    path: str = ""
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what the dossiers above grant, for `inherit`
    ruled: Mapping[str, frozenset[str]] = field(default_factory=dict)  # permissions ruled by another of the chain
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)  # of its roles

    def holders(self, state: str, permission: str) -> frozenset[str]:
        """Return the roles that hold the permission in the state; a role that `is` another counts as it, both ways."""
        found = self._holders.get((state, permission))
        if found is None:
            found = self.counting_roles(role for held in self.origins(state, permission).values() for role in held)
            self._holders[state, permission] = found
        return found

    @cached_property
    def _holders(self) -> dict[tuple[str, str], frozenset[str]]:
        return {}

    def origins(self, state: str, permission: str) -> Mapping[str, frozenset[str]]:
        """Return the roles that hold the permission in the state by where that is said.

        Keys: `chain` (another workflow of the document's chain rules it, and nothing else counts), `state` (granted
        there), `above` (by the dossiers above), `workflow` (its `permissions`).

        A state's own grant wins; where it names none, the workflow's `permissions` do; `inherit` adds what the
        dossiers above grant, and where they say nothing, `permissions`. Names that `means` makes the same permission
        count together; asked by such a name of its own, only that name and the built-in one do.
        """
        known = self.means.get(permission, permission)
        if known in self.ruled:
            return {"chain": frozenset(self.ruled[known])}
        names = {permission, known}
        if permission == known:
            names.update(own for own, meant in self.means.items() if meant == known)
        here = self.states[state]
        found: dict[str, frozenset[str]] = {}
        named = [name for name in names if name in here.grants]
        if named:
            found["state"] = frozenset(role for name in named for role in here.grants[name])
        inherits = any(name in here.inherit for name in names)
        if inherits and known in self.above:
            found["above"] = frozenset(self.above[known])
        elif inherits or not named:
            found["workflow"] = frozenset(role for name in names for role in self.permissions.get(name, ()))
        return found

    def named_permissions(self) -> frozenset[str]:
        """Return the permissions of which the workflow says something, by their built-in names where they have one."""
        named = set(self.permissions)
        for state in self.states.values():
            named.update(state.grants, state.inherit)
        return frozenset(self.means.get(name, name) for name in named)

    def counting_roles(self, roles: Iterable[str]) -> frozenset[str]:
        """Return the roles with those that `is` makes the same as them, in both directions."""
        found = frozenset(roles)
        if not self.aliases:
            return found
        known = found | {self.aliases[role] for role in found if role in self.aliases}
        return known | {own for own, meant in self.aliases.items() if meant in known}

    def find_meant(self, role: str) -> str:
        """Return the built-in role that a role `is`, or the role itself: that is what organisations hold."""
        return self.aliases.get(role, role)

    def transitions_from(self, state: str) -> tuple[Transition, ...]:
        """Return the transitions that leave or stay in the state, in file order."""
        return self._leaving.get(state, ())

    @cached_property
    def _leaving(self) -> Mapping[str, tuple[Transition, ...]]:
        found: dict[str, list[Transition]] = {}
        for transition in self.transitions.values():
            for state in dict.fromkeys(transition.sources):
                found.setdefault(state, []).append(transition)
        return {state: tuple(leaving) for state, leaving in found.items()}


@dataclass(frozen=True)
class FieldDef:
    """A structured field of a document type.

    kind: text, longtext, choice, choices, date, datetime, time, number, money, boolean, email, url,
    organisation, person, timezone, titles (one text per language), or rows (a table with `columns`).
    """

    name: str
    kind: str
    title: Titles
    help: Titles = Titles()
    required: bool = False
    choices: Mapping[str, Titles] = field(default_factory=dict)
    columns: tuple["FieldDef", ...] = ()


@dataclass(frozen=True)
class DocumentType:
    """What kind of document it is: its workflow, languages, fields, symbol pattern and PDF template."""

    name: str
    title: Titles
    plural: Titles
    code: str  # in references and symbols, e.g. JS
    workflow: str  # the first of its chain: it says who may view, and holds text, comments and ballots
    authoritative: str
    required_languages: tuple[str, ...]
    optional_languages: tuple[str, ...]
    symbol: str  # e.g. R2PCS/{year}/{code}/{number}
    template: str  # templates/pdf/<template>.html
    fields: tuple[FieldDef, ...] = ()
    accent: str = "blue"
    description: Titles = Titles()
    exports: tuple[str, ...] = ()
    further: tuple[str, ...] = ()  # the further workflows of the chain, which run beside the first
    path: str = ""
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the names of all workflows that a document of the type runs in, the first one first."""
        return (self.workflow, *self.further)

    def field(self, name: str) -> FieldDef | None:
        """Return the field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)
