"""A workflow as a picture in one language: its stages, what leads from one to the next, how, and for whom.

The same picture serves the command line, the page of a workflow and that of a document, each with marks of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from r2pflow.domain import engine
from r2pflow.domain.definition import AUTOMATIC, STAY, TIMER, USER, State, Transition, Workflow
from r2pflow.domain.people import Titles
from r2pflow.outputs import drawing
from r2pflow.outputs.drawing import BY_ITSELF, SEVERAL, SOLID, TIMED, Picture
from r2pflow.outputs.sentences import word
from r2pflow.outputs.translations import Translator, translator
from r2pflow.outputs.words import N_
from r2pflow.services.standing import lay_way

Key = tuple[str, str]
"""One arrow of a picture: a transition, and the state that it leaves."""

HOW = {
    USER: N_("by hand"),
    AUTOMATIC: N_("by itself, as soon as it can"),
    TIMER: N_("at its deadline"),
}
_LINES = {USER: SOLID, TIMER: TIMED, AUTOMATIC: BY_ITSELF}
_LEGEND = (
    ("begin", N_("begins here")),
    ("final", N_("ends here")),
    ("here", N_("is here now")),
    ("passed", N_("has been here")),
    ("taken", N_("way taken")),
    ("count", N_("which step it was")),
    (SOLID, N_("by hand")),
    (TIMED, N_("at its deadline")),
    (BY_ITSELF, N_("by itself, as soon as it can")),
    (SEVERAL, N_("in several ways")),
    ("added", N_("new")),
    ("removed", N_("removed")),
    ("changed", N_("changed")),
)


@dataclass(frozen=True)
class Marks:
    """What one document, or many, add to the picture of their workflow.

    `here` is the present state; `passed` those before it; `taken` the numbers of the steps by arrow; `offered` arrows
    that can be fired now; `counts` numbers of documents by state; addresses by state, and by arrow.
    """

    here: str = ""
    passed: frozenset[str] = frozenset()
    taken: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)
    offered: frozenset[Key] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    state_links: Mapping[str, str] = field(default_factory=dict)
    arrow_links: Mapping[Key, str] = field(default_factory=dict)


PLAIN = Marks()


def draw_workflow(
    workflow: Workflow, language: str, marks: Marks = PLAIN, *, prefix: str = "d", is_file: bool = False
) -> str:
    """Return the workflow as SVG in the language; raises SetupError as `layout.lay_out` does."""
    return drawing.draw(make_picture(workflow, language, marks), prefix=prefix, is_file=is_file)


def make_picture(workflow: Workflow, language: str, marks: Marks = PLAIN) -> Picture:
    """Return what is to be drawn, with every state and transition in words too."""
    speak = translator(language)
    order, steps = order_states(workflow)
    states = [_make_state(workflow, workflow.states[name], name in steps, speak, marks) for name in order]
    arrows = [
        _make_arrow(workflow, one, source, steps, speak, marks)
        for source in order
        for one in workflow.transitions_from(source)
    ]
    return Picture(
        title=speak.gettext(
            "Workflow “%(title)s”, version %(number)s", title=_title(workflow, speak), number=workflow.version
        ),
        told=join_sentences([*(one.told for one in states), *(one.told for one in arrows)], speak),
        language=language,
        states=states,
        arrows=arrows,
        legend=make_legend(states, arrows, speak),
    )


def order_states(workflow: Workflow) -> tuple[list[str], dict[str, str]]:
    """Return all states, those of the main way first, and for each of the main way the one that follows it."""
    main = [state for state, _ in lay_way(workflow, [workflow.initial])]
    followers = dict(zip(main, [*main[1:], ""], strict=True))
    return [*main, *(state for state in workflow.states if state not in followers)], followers


def make_legend(
    states: Iterable[drawing.State], arrows: Iterable[drawing.Arrow], speak: Translator
) -> list[tuple[str, str]]:
    """Return the meaning of each sign that the picture has, and of no other."""
    states, arrows = list(states), list(arrows)
    marks = {mark for one in states for mark in one.marks} | {mark for one in arrows for mark in one.marks}
    seen = marks | {one.line for one in arrows} | ({"begin"} if "initial" in marks else set())
    if any(one.count for one in arrows):
        seen.add("count")
    if seen & {SOLID, TIMED, BY_ITSELF, SEVERAL} == {SOLID}:
        seen.discard(SOLID)  # where all lines are alike they say nothing
    return [(sign, speak.gettext(meaning)) for sign, meaning in _LEGEND if sign in seen]


def _make_state(workflow: Workflow, state: State, is_main: bool, speak: Translator, marks: Marks) -> drawing.State:
    name = title_state(workflow, state.name, speak)
    known = {
        "initial": state.name == workflow.initial,
        "final": state.final,
        "main": is_main,
        "here": state.name == marks.here,
        "passed": state.name in marks.passed and state.name != marks.here,
    }
    number = marks.counts.get(state.name, 0)
    told = [speak.gettext("Stage “%(state)s”", state=name)]
    told += [
        speak.gettext(text)
        for mark, text in (
            ("initial", N_("begins here")),
            ("final", N_("ends here")),
            ("here", N_("is here now")),
            ("passed", N_("has been here")),
        )
        if known[mark]
    ]
    if number:
        told.append(speak.ngettext("%(num)s document here", "%(num)s documents here", number))
    return drawing.State(
        key=state.name,
        name=name,
        told=speak.parts(told),
        marks=frozenset(mark for mark, holds in known.items() if holds),
        note=speak.gettext("is here now") if known["here"] else "",
        count=speak.number(number) if number else "",
        href=marks.state_links.get(state.name, ""),
    )


def _make_arrow(
    workflow: Workflow, one: Transition, source: str, steps: Mapping[str, str], speak: Translator, marks: Marks
) -> drawing.Arrow:
    key = (one.name, source)
    taken = marks.taken.get(key, ())
    numbers = [speak.number(number) for number in taken]
    shown = numbers if len(numbers) < 4 else [numbers[0], "…", numbers[-1]]
    told = [tell_arrow(workflow, one, source, speak)]
    if taken:
        told.append(speak.gettext("taken as step %(numbers)s", numbers=speak.enumeration(numbers)))
    if key in marks.offered:
        told.append(speak.gettext("you can do this now"))
    target = one.target(source)
    return drawing.Arrow(
        key=one.name,
        source=source,
        target=target,
        name=title_transition(one, speak),
        told=speak.parts(told),
        line=choose_line(one),
        marks=frozenset({"taken"} if taken else ()) | frozenset({"open"} if key in marks.offered else ()),
        note=tell_how(one, speak),
        count=" ".join(shown),
        href=marks.arrow_links.get(key, ""),
        weight=10 if steps.get(source) == target else 1,
    )


def choose_line(one: Transition) -> str:
    """Return the kind of line that shows how a transition is fired."""
    return _LINES[one.triggers[0]] if len(one.triggers) == 1 else SEVERAL


def tell_how(one: Transition, speak: Translator) -> str:
    """Say how a transition is fired, where it is not by hand alone."""
    if one.triggers == (USER,):
        return ""
    return speak.enumeration(speak.gettext(HOW[trigger]) for trigger in HOW if trigger in one.triggers)


def tell_arrow(workflow: Workflow, one: Transition, source: str, speak: Translator) -> str:
    """Say what leads from where to where, how, and who fires it."""
    name, here = title_transition(one, speak), title_state(workflow, source, speak)
    if one.to == STAY:
        told = speak.gettext("“%(step)s” at “%(source)s”, where it stays", step=name, source=here)
    else:
        told = speak.gettext(
            "“%(step)s” from “%(source)s” to “%(target)s”",
            step=name,
            source=here,
            target=title_state(workflow, one.to, speak),
        )
    how = speak.enumeration(speak.gettext(HOW[trigger]) for trigger in HOW if trigger in one.triggers)
    parts = [told, how]
    if USER in one.triggers and (roles := engine.who_could(workflow, source, one.name)):
        named = sorted(roles.roles or roles.permission_roles)
        if named:
            parts.append(speak.gettext("by: %(roles)s", roles=speak.enumeration(word(role, speak) for role in named)))
    return speak.parts(parts)


def join_sentences(sentences: Iterable[str], speak: Translator) -> str:
    """Join sentences, each with its full stop."""
    return (
        "".join(f"{one}。" for one in sentences)
        if speak.language.startswith("zh")
        else " ".join(f"{one}." for one in sentences)
    )


def title_state(workflow: Workflow, name: str, speak: Translator) -> str:
    """Return a state's title; of one that is not known, its name with spaces."""
    known = workflow.states.get(name)
    return _pick(known.title, name, speak) if known else word(name, speak)


def title_transition(one: Transition, speak: Translator) -> str:
    """Return a transition's title."""
    return _pick(one.title, one.name, speak)


def _title(workflow: Workflow, speak: Translator) -> str:
    return _pick(workflow.title, workflow.name, speak)


def _pick(titles: Titles, name: str, speak: Translator) -> str:
    return titles.get(speak.language) or word(name, speak)
