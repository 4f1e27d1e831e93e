"""Questions about a definition, as `workflow prove` reads them.

    question  = ( "reach" states | "fire" transitions [ "in" states ] ) { clause }
    clause    = "from" state
              | "without" thing { "or" thing }
              | "by" role { "or" role }
              | "where" ( role | "anyone" | "nobody" ) "may" [ "not" ] permission
    states    = "any" "state" | state { "or" state }
    thing     = state | transition | "state" state | "transition" transition | "role" role | "group" group
              | "ballot" ballot | "trigger" trigger | "a" "comment"

Commas stand for `or`. A name in quotes is always a name, and may have spaces.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from r2pflow.domain.definition import AUTOMATIC, TIMER, USER, Workflow
from r2pflow.domain.errors import BadQuestion
from r2pflow.domain.naming import find_nearest
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, BUILT_IN_ROLES
from r2pflow.domain.ways import Powers, everybody, never_with, only_with

ANYONE, NOBODY = "anyone", "nobody"
TRIGGERS = (USER, TIMER, AUTOMATIC)
NAMED_THINGS = ("state", "transition", "role", "group", "ballot", "trigger")
THINGS = (*NAMED_THINGS, "a comment")
LONGEST = 2_000  # characters

_TOKEN = re.compile(r""""([^"]*)"|'([^']*)'|([^\s,"']+)|(,)""")


@dataclass(frozen=True)
class Holding:
    """Whether a role, or `anyone`, or `nobody`, may do something in the state that is asked about."""

    who: str
    permission: str
    is_asked: bool = True  # false: `may not`


@dataclass(frozen=True)
class Question:
    """What is looked for: a way from `start` to one of `states`, or to firing one of `transitions` there."""

    text: str
    start: str
    states: frozenset[str]
    transitions: frozenset[str] = frozenset()  # of `fire`; empty: `reach`
    powers: Powers = Powers(frozenset())
    without_states: frozenset[str] = frozenset()
    without_transitions: frozenset[str] = frozenset()
    without_triggers: frozenset[str] = frozenset()
    without_ballots: frozenset[str] = frozenset()  # none of them is carried
    without_comment: bool = False
    holdings: tuple[Holding, ...] = ()


@dataclass(frozen=True)
class _Word:
    text: str
    is_quoted: bool = False

    def __str__(self) -> str:
        return f'"{self.text}"' if self.is_quoted else self.text


@dataclass
class _Found:
    states: set[str] = field(default_factory=set)
    transitions: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    ballots: set[str] = field(default_factory=set)
    triggers: set[str] = field(default_factory=set)
    comment: bool = False


def read_question(text: str, workflow: Workflow) -> Question:
    """Read a question about the workflow; refuse with BadQuestion, which names what is accepted at that place."""
    return _Reader(text, workflow).read()


class _Reader:
    def __init__(self, text: str, workflow: Workflow) -> None:
        if len(text) > LONGEST:
            raise BadQuestion("question_too_long", limit=LONGEST)
        self.text = " ".join(text.split())
        self.workflow = workflow
        self.words = _split(text)
        self.place = 0
        self.states = tuple(workflow.states)
        self.transitions = tuple(workflow.transitions)
        self.roles = (*BUILT_IN_ROLES, *workflow.roles)
        self.permissions = (*BUILT_IN_PERMISSIONS, *workflow.means)

    def read(self) -> Question:
        transitions: tuple[str, ...] = ()
        states = self.states
        if self.take_keyword("reach", "fire") == "reach":
            states = self.read_states()
        else:
            transitions = self.read_names("transition", self.transitions)
            if self.is_next("in"):
                self.place += 1
                states = self.read_states()
        start = ""
        by: tuple[str, ...] = ()
        without = _Found()
        holdings: list[Holding] = []
        while self.place < len(self.words):
            once = [name for name, given in (("from", start), ("by", by)) if not given]
            match self.take_keyword(*once, "without", "where"):
                case "from":
                    start = self.read_name("state", self.states)
                case "without":
                    self.read_things(without)
                case "by":
                    by = self.read_names("role", self.roles)
                case _:
                    holdings.append(self.read_holding())
        start = start or self.workflow.initial
        powers = only_with(self.workflow, by) if by else everybody(self.workflow)
        powers = never_with(self.workflow, powers, without.roles)
        question = Question(
            text=self.text,
            start=start,
            states=frozenset(states) - without.states,
            transitions=frozenset(transitions) - without.transitions,
            powers=Powers(powers.roles, frozenset(without.groups)),
            without_states=frozenset(without.states),
            without_transitions=frozenset(without.transitions),
            without_triggers=frozenset(without.triggers),
            without_ballots=frozenset(without.ballots),
            without_comment=without.comment,
            holdings=tuple(holdings),
        )
        if not question.states or start in without.states or (transitions and not question.transitions):
            raise BadQuestion("question_contradicts_itself", question=self.text)
        return question

    # words

    def peek(self) -> _Word | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def is_next(self, *keywords: str) -> bool:
        word = self.peek()
        return word is not None and not word.is_quoted and word.text in keywords

    def take_keyword(self, *accepted: str) -> str:
        if not self.is_next(*accepted):
            self.refuse(accepted)
        self.place += 1
        return self.words[self.place - 1].text

    def refuse(self, accepted: Iterable[str]) -> NoReturn:
        word, names = self.peek(), list(accepted)
        if word is None:
            raise BadQuestion("question_ends_early", question=self.text, accepted=names)
        raise BadQuestion("question_unclear", found=str(word)[:60], question=self.text, accepted=names)

    # names

    def read_states(self) -> tuple[str, ...]:
        if self.is_next("any") and self.place + 1 < len(self.words) and self.words[self.place + 1].text == "state":
            self.place += 2
            return self.states
        return self.read_names("state", self.states, "any state")

    def read_names(self, kind: str, known: tuple[str, ...], *beside: str) -> tuple[str, ...]:
        found = [self.read_name(kind, known, *beside)]
        while self.is_next("or"):
            self.place += 1
            found.append(self.read_name(kind, known))
        return tuple(found)

    def read_name(self, kind: str, known: Iterable[str], *beside: str) -> str:
        word, names = self.peek(), list(known)
        if word is None:
            self.refuse((*beside, *names))
        if word.text not in names:
            self.refuse_name(kind, word, [*beside, *names])
        self.place += 1
        return word.text

    def refuse_name(self, kind: str, word: _Word, names: list[str]) -> NoReturn:
        nearest = find_nearest(word.text, names)
        code = "question_unknown_name" if nearest is None else "question_mistyped_name"
        raise BadQuestion(code, kind=kind, found=word.text[:60], nearest=nearest, accepted=names)

    def read_things(self, found: _Found) -> None:
        self.read_thing(found)
        while self.is_next("or"):
            self.place += 1
            self.read_thing(found)

    def read_thing(self, found: _Found) -> None:
        follower = self.words[self.place + 1] if self.place + 1 < len(self.words) else None
        if self.is_next("a") and follower == _Word("comment"):
            self.place += 2
            found.comment = True
        elif self.is_next(*NAMED_THINGS):
            kind = self.take_keyword(*NAMED_THINGS)
            known: dict[str, tuple[Iterable[str], set[str]]] = {
                "state": (self.states, found.states),
                "transition": (self.transitions, found.transitions),
                "role": (self.roles, found.roles),
                "group": (_list_groups(self.workflow), found.groups),
                "ballot": (self.workflow.ballots, found.ballots),
                "trigger": (TRIGGERS, found.triggers),
            }
            names, into = known[kind]
            into.add(self.read_name(kind, names))
        else:
            self.read_state_or_transition(found)

    def read_state_or_transition(self, found: _Found) -> None:
        word = self.peek()
        name = "" if word is None else word.text
        if name in self.states and name in self.transitions:
            accepted = [f"state {name}", f"transition {name}"]
            raise BadQuestion("question_ambiguous", found=name, accepted=accepted)
        if name in self.states:
            found.states.add(name)
        elif name in self.transitions:
            found.transitions.add(name)
        elif word is None:
            self.refuse((*THINGS, *self.states, *self.transitions))
        else:
            self.refuse_name("state or transition", word, [*THINGS, *self.states, *self.transitions])
        self.place += 1

    def read_holding(self) -> Holding:
        if self.is_next(ANYONE, NOBODY):
            who = self.take_keyword(ANYONE, NOBODY)
            self.take_keyword("may")
            return Holding(who, self.read_name("permission", self.permissions))
        who = self.read_name("role", (*self.roles, ANYONE, NOBODY))
        self.take_keyword("may")
        is_asked = not self.is_next("not")
        self.place += not is_asked
        return Holding(who, self.read_name("permission", self.permissions), is_asked)


def _split(text: str) -> list[_Word]:
    words: list[_Word] = []
    place = 0
    for match in _TOKEN.finditer(text):
        if text[place : match.start()].strip():
            break
        double, single, bare, comma = match.groups()
        quoted = double if double is not None else single
        words.append(_Word("or") if comma else _Word(bare) if quoted is None else _Word(quoted, is_quoted=True))
        place = match.end()
    if text[place:].strip():
        raise BadQuestion("question_open_quote", found=text[place:].strip()[:60])
    return words


def _list_groups(workflow: Workflow) -> list[str]:
    return list(dict.fromkeys(name for one in workflow.transitions.values() for name in one.guard.groups))
