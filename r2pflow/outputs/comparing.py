"""What changed between two versions of a workflow, as sentences and as one picture of both."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from r2pflow.domain.definition import STAY, CommentRoundDef, Timer, Transition, Workflow
from r2pflow.domain.diffing import (
    ADDED,
    BALLOT,
    CHANGED,
    REMOVED,
    STATE,
    TRANSITION,
    WORKFLOW,
    WORKLIST,
    Change,
    compare,
    find_touched,
)
from r2pflow.domain.people import LANGUAGES, Electorate, Titles
from r2pflow.outputs import diagrams, drawing, rules
from r2pflow.outputs.drawing import Picture
from r2pflow.outputs.sentences import word
from r2pflow.outputs.translations import Translator, translator
from r2pflow.outputs.words import N_
from r2pflow.plugins.registry import Registry

TAGS = {ADDED: N_("new"), REMOVED: N_("removed"), CHANGED: N_("changed")}
HEADINGS = {
    WORKFLOW: N_("The whole workflow"),
    STATE: N_("Stage “%(name)s”"),
    TRANSITION: N_("Step “%(name)s”"),
    BALLOT: N_("Ballot “%(name)s”"),
    WORKLIST: N_("Worklist “%(name)s”"),
}
GRANTS = {
    ("grant", ADDED): N_("Right gained by %(role)s: %(permission)s"),
    ("grant", REMOVED): N_("Right lost by %(role)s: %(permission)s"),
    ("default", ADDED): N_("Right gained by %(role)s where a stage says nothing else: %(permission)s"),
    ("default", REMOVED): N_("Right lost by %(role)s where a stage says nothing else: %(permission)s"),
}
ASPECTS = {
    "title": N_("Title"),
    "description": N_("Description"),
    "initial": N_("First stage"),
    "role": N_("Role"),
    "alias": N_("Another name of a role"),
    "means": N_("Another name of a permission"),
    "bypass": N_("Guards ask nothing of"),
    "order": N_("Order"),
    "inherit": N_("Also held by whom the dossier above grants it"),
    "text": N_("Text"),
    "final": N_("End"),
    "comments": N_("Comment round"),
    "timer": N_("Deadline"),
    "ballot": N_("Ballot"),
    "source": N_("From"),
    "target": N_("To"),
    "trigger": N_("How"),
    "permission": N_("Who may"),
    "group": N_("Members of"),
    "require": N_("Only when"),
    "comment": N_("Comment on firing"),
    "effect": N_("Then"),
    "electorate": N_("Who votes"),
    "position": N_("Position"),
    "rule": N_("How it is decided"),
    "reason_required": N_("A reason is needed for"),
    "open_for": N_("Open for"),
    "calendar": N_("Days that count"),
    "silence": N_("Silence"),
    "close_early": N_("Close"),
    "secrecy": N_("Secrecy"),
    "fast_track": N_("Fast track"),
    "state": N_("Stage"),
    "where": N_("Only documents of which this holds"),
}
VALUES = {
    ("text", "open"): N_("the text can be edited"),
    ("text", "frozen"): N_("the text is frozen"),
    ("final", True): N_("the way ends here"),
    ("final", False): N_("the way goes on"),
    ("comment", "required"): N_("a word says why"),
    ("comment", "optional"): N_("a word may say why"),
    ("comment", "none"): N_("no word is asked for"),
    ("order", "state"): N_("the stages"),
    ("order", "transition"): N_("the steps, which are tried one after the other where they go by themselves"),
    ("calendar", "all"): N_("every day"),
    ("calendar", "working"): N_("working days"),
    ("silence", ""): N_("who says nothing does not count"),
    ("close_early", "never"): N_("at its deadline"),
    ("close_early", "when_decided"): N_("as soon as nothing can change the result any more"),
    ("secrecy", "named"): N_("everybody sees who took which position"),
    ("secrecy", "secret"): N_("only totals are shown, never who took which position"),
}


@dataclass(frozen=True)
class ToldChanges:
    """All that changed in one thing: `how` is added, removed or changed; `lines` say what, by line its `how`."""

    part: str
    name: str
    title: str
    how: str
    tag: str
    lines: tuple[tuple[str, str], ...]


def tell_changes(old: Workflow, new: Workflow, language: str, registry: Registry) -> list[ToldChanges]:
    """Return what changed in words, thing by thing; empty where both mean and say the same."""
    speak = translator(language)
    teller = _Teller(old, new, speak, registry)
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in compare(old, new):
        groups.setdefault((change.part, change.name), []).append(change)
    found = []
    for (part, name), changes in groups.items():
        how = CHANGED if changes[0].aspect else changes[0].how
        lines = [line for one in changes for line in (teller.tell(one) if one.aspect else teller.tell_whole(one))]
        heading = speak.gettext(HEADINGS[part], name=teller.title(part, name))
        told = ((kind, rules.capitalise(line)) for kind, line in lines)
        found.append(ToldChanges(part, name, heading, how, speak.gettext(TAGS[how]), tuple(told)))
    return found


def write_changes(told: Iterable[ToldChanges], language: str) -> str:
    """Return the list as lines for a terminal."""
    signs = {ADDED: "+", REMOVED: "-", CHANGED: "~"}
    lines = []
    for one in told:
        lines.append(f"{signs[one.how]} {one.title}" + (f": {one.tag}" if one.how != CHANGED else ""))
        lines += [f"    {signs[how]} {line}" for how, line in one.lines]
    return "\n".join(lines or [translator(language).gettext("Nothing changed: both say the same.")]) + "\n"


def draw_changes(old: Workflow, new: Workflow, language: str, *, prefix: str = "d", is_file: bool = False) -> str:
    """Return both versions in one SVG: what is new, removed or changed is marked; SetupError as `layout.lay_out`."""
    return drawing.draw(make_picture(old, new, language), prefix=prefix, is_file=is_file)


def make_picture(old: Workflow, new: Workflow, language: str) -> Picture:
    """Return what is to be drawn: all states and arrows of both versions."""
    speak = translator(language)
    changes = compare(old, new)
    before, after = diagrams.make_picture(old, language), diagrams.make_picture(new, language)
    states = _join_states(before, after, find_touched(changes, STATE), speak)
    touched = find_touched((one for one in changes if one.aspect not in ("source", "target")), TRANSITION)
    arrows = _join_arrows(before, after, touched, speak)
    title = speak.gettext(
        "“%(title)s”: from version %(old)s to version %(new)s",
        title=new.title.get(language) or word(new.name, speak),
        old=old.version,
        new=new.version,
    )
    told = [one.told for one in states if one.marks & TAGS.keys()] + [
        one.told for one in arrows if one.marks & TAGS.keys()
    ]
    return Picture(
        title=title,
        told=diagrams.join_sentences(told, speak) if told else speak.gettext("The stages and steps are the same."),
        language=language,
        states=states,
        arrows=arrows,
        legend=diagrams.make_legend(states, arrows, speak),
    )


def _join_states(before: Picture, after: Picture, touched: frozenset[str], speak: Translator) -> list[drawing.State]:
    known, kept = {one.key for one in before.states}, {one.key for one in after.states}
    found = []
    for one in after.states:
        how = ADDED if one.key not in known else CHANGED if one.key in touched else ""
        found.append(_tag_state(one, how, speak))
    gone = (replace(one, marks=one.marks - {"initial", "main"}) for one in before.states if one.key not in kept)
    return [*found, *(_tag_state(one, REMOVED, speak) for one in gone)]


def _tag_state(one: drawing.State, how: str, speak: Translator) -> drawing.State:
    if not how:
        return one
    tag = speak.gettext(TAGS[how])
    return replace(one, marks=one.marks | {how}, note=tag, told=speak.parts((one.told, tag)))


def _join_arrows(before: Picture, after: Picture, touched: frozenset[str], speak: Translator) -> list[drawing.Arrow]:
    known, kept = {_key(one) for one in before.arrows}, {_key(one) for one in after.arrows}
    found = []
    for one in after.arrows:
        how = ADDED if _key(one) not in known else CHANGED if one.key in touched else ""
        found.append(_tag_arrow(one, how, speak))
    gone = (replace(one, weight=1) for one in before.arrows if _key(one) not in kept)
    return [*found, *(_tag_arrow(one, REMOVED, speak) for one in gone)]


def _key(one: drawing.Arrow) -> tuple[str, str, str]:
    return one.key, one.source, one.target


def _tag_arrow(one: drawing.Arrow, how: str, speak: Translator) -> drawing.Arrow:
    if not how:
        return one
    tag = speak.gettext(TAGS[how])
    note = "\n".join(part for part in (tag, one.note) if part)
    return replace(one, marks=one.marks | {how}, note=note, told=speak.parts((one.told, tag)))


class _Teller:
    """Say changes in one language; what a name means is looked up in the version that knows it."""

    def __init__(self, old: Workflow, new: Workflow, speak: Translator, registry: Registry) -> None:
        self.old, self.new, self.speak, self.registry = old, new, speak, registry

    def title(self, part: str, name: str) -> str:
        """Return the title of a state, transition, ballot or worklist."""
        tables: dict[str, Any] = {STATE: "states", TRANSITION: "transitions", BALLOT: "ballots", WORKLIST: "worklists"}
        if part not in tables:
            return name
        found = getattr(self.new, tables[part]).get(name) or getattr(self.old, tables[part]).get(name)
        return (found.title.get(self.speak.language) if found else "") or word(name, self.speak)

    def tell_whole(self, change: Change) -> list[tuple[str, str]]:
        """Say of a step that is new or gone what it leads from and to."""
        workflow = self.new if change.how == ADDED else self.old
        if change.part != TRANSITION:
            return []
        one: Transition = workflow.transitions[change.name]
        return [(change.how, diagrams.tell_arrow(workflow, one, source, self.speak)) for source in one.sources]

    def tell(self, change: Change) -> Iterator[tuple[str, str]]:
        """Say one change, a rule clause by clause: how it changed, and a line."""
        if change.aspect == "rule":
            old, new = ([text for _, text in rules.tell_rule(rule, self.speak)] for rule in (change.old, change.new))
            parts = [replace(change, how=REMOVED, old=text) for text in old if text not in new]
            parts += [replace(change, how=ADDED, new=text) for text in new if text not in old]
            yield from ((one.how, self._tell_one(one)) for one in parts or [change])
        else:
            yield change.how, self._tell_one(change)

    def _tell_one(self, change: Change) -> str:
        speak = self.speak
        if (change.aspect, change.how) in GRANTS:
            return speak.gettext(
                GRANTS[change.aspect, change.how],
                role=word(change.new or change.old, self.speak),
                permission=word(change.permission, self.speak),
            )
        is_asked = change.aspect == "role" and change.part != WORKFLOW
        what = speak.gettext("Who") if is_asked else speak.gettext(ASPECTS[change.aspect])
        if isinstance(change.old, Titles) and isinstance(change.new, Titles):
            return self._tell_titles(what, change.old, change.new)
        old, new = self._value(change, change.old, self.old), self._value(change, change.new, self.new)
        if change.how == ADDED:
            return speak.gettext("%(what)s, new: %(new)s", what=what, new=new)
        if change.how == REMOVED:
            return speak.gettext("%(what)s, no longer: %(old)s", what=what, old=old)
        if change.aspect == "order":
            return speak.gettext("%(what)s of: %(new)s", what=what, new=new)
        return speak.gettext("%(what)s: %(new)s (before: %(old)s)", what=what, new=new, old=old)

    def _tell_titles(self, what: str, old: Titles, new: Titles) -> str:
        here = self.speak.language
        before, after = old.get(here), new.get(here)
        if before != after:
            return self.speak.gettext(
                "%(what)s: %(new)s (before: %(old)s)", what=what, new=after or "–", old=before or "–"
            )
        codes = dict.fromkeys((*LANGUAGES, *old.by_language, *new.by_language))
        changed = [code for code in codes if old.by_language.get(code) != new.by_language.get(code)]
        names = rules.join((self.speak.language_name(code) for code in changed), self.speak)
        return self.speak.gettext("%(what)s in other languages: %(languages)s", what=what, languages=names)

    def _value(self, change: Change, value: Any, workflow: Workflow) -> str:
        speak, aspect = self.speak, change.aspect
        if isinstance(value, str | bool) and (aspect, value) in VALUES:
            return speak.gettext(VALUES[aspect, value])
        if value is None or value == "":
            return "–"
        if isinstance(value, CommentRoundDef):
            who = speak.gettext("comment round for: %(who)s", who=word(value.audience, speak))
            return speak.parts((who, rules.join((word(kind, speak) for kind in value.kinds), speak)))
        if isinstance(value, Timer):
            return self._tell_timer(value, workflow)
        if isinstance(value, Electorate):
            return rules.tell_electorate(value, speak)
        if aspect == "rule" and not isinstance(value, str):
            return speak.parts(text for _, text in rules.tell_rule(value, speak))
        if aspect == "position":
            return word(value.id, speak)
        if aspect in ("require", "where"):
            return rules.tell_test(value, self.registry, speak)
        if aspect == "effect":
            return rules.tell_effect(value, speak)
        if aspect == "target" and value == STAY:
            return speak.gettext("stays")
        if aspect in ("source", "target", "initial") or (change.part == WORKLIST and aspect == "state"):
            return diagrams.title_state(workflow, value, speak)
        if aspect == "trigger":
            return speak.gettext(diagrams.HOW[value])
        if aspect == "ballot":
            return self.title(BALLOT, value)
        if aspect == "open_for":
            return rules.tell_duration(value, speak)
        if aspect in ("alias", "means"):
            return f"{word(value[0], speak)} = {word(value[1], speak)}"
        if isinstance(value, Mapping):
            inner = (f"{word(name, speak)}: {self._value(change, one, workflow)}" for name, one in value.items())
            return speak.parts(list(inner))
        return word(value, speak) if isinstance(value, str) and aspect != "group" else str(value)

    def _tell_timer(self, timer: Timer, workflow: Workflow) -> str:
        speak = self.speak
        fires = workflow.transitions.get(timer.fire)
        parts = [
            speak.gettext(
                "after %(duration)s: %(transition)s",
                duration=rules.tell_duration(timer.after, speak, timer.calendar),
                transition=diagrams.title_transition(fires, speak) if fires else word(timer.fire, speak),
            )
        ]
        if timer.remind:
            times = rules.join((rules.tell_duration(one, speak, timer.calendar) for one in timer.remind), speak)
            parts.append(speak.gettext("reminders before: %(durations)s", durations=times))
        return speak.parts(parts)
