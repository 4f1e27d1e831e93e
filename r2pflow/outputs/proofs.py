"""The answers of `workflow prove` in words: what was proved, or the way that disproves it, step by step."""

from collections.abc import Iterator

from r2pflow.domain.definition import AUTOMATIC, TIMER, Workflow
from r2pflow.domain.people import Titles
from r2pflow.domain.proving import ALWAYS, NEVER, Answer, Step
from r2pflow.domain.ways import Hand
from r2pflow.outputs.sentences import word
from r2pflow.outputs.translations import Translator


def tell_answer(answer: Answer, workflow: Workflow, speak: Translator) -> list[str]:
    """Return the lines that say whether the claim holds, with the way that shows it."""
    lines = [_tell_verdict(answer, speak)]
    if answer.way is not None:
        lines.append(
            "    " + speak.gettext("It begins in %(state)s.", state=_name_state(answer.question.start, workflow, speak))
        )
        for number, step in enumerate(answer.way, 1):
            lines.append(f"    {number}. {_tell_step(step, workflow, speak)}")
    return lines


def _tell_verdict(answer: Answer, speak: Translator) -> str:
    claim = answer.question.text
    if answer.kind == NEVER:
        if answer.holds_anyway:
            return speak.gettext("Proved: never “%(claim)s”, and not otherwise either.", claim=claim)
        if answer.holds:
            return speak.gettext("Proved: never “%(claim)s”.", claim=claim)
        return speak.gettext("Not so: “%(claim)s” can happen, by this way.", claim=claim)
    if answer.kind == ALWAYS:
        if answer.holds:
            return speak.gettext("Proved: wherever a document stands, “%(claim)s” is still possible.", claim=claim)
        return speak.gettext("Not so: by this way “%(claim)s” becomes impossible.", claim=claim)
    if answer.holds:
        return speak.gettext("Possible: “%(claim)s”, by this way.", claim=claim)
    return speak.gettext("Not so: “%(claim)s” can never happen.", claim=claim)


def _tell_step(step: Step, workflow: Workflow, speak: Translator) -> str:
    return speak.gettext(
        "%(transition)s: from %(source)s to %(target)s; fired by: %(who)s",
        transition=_name(step.transition, workflow.transitions[step.transition].title, speak),
        source=_name_state(step.source, workflow, speak),
        target=_name_state(step.target, workflow, speak),
        who=" | ".join(_tell_hand(hand, speak) for hand in step.hands),
    )


def _name_state(name: str, workflow: Workflow, speak: Translator) -> str:
    return _name(name, workflow.states[name].title, speak)


def _name(name: str, title: Titles, speak: Translator) -> str:
    told = title.get(speak.language)
    return f"{name} ({told})" if told else name


def _tell_hand(hand: Hand, speak: Translator) -> str:
    if hand.trigger == TIMER:
        return speak.gettext("the timer of the state")
    if hand.trigger == AUTOMATIC:
        return speak.gettext("r2pflow itself")
    told = " + ".join(_list_needs(hand, speak)) or speak.gettext("anyone")
    return speak.gettext("%(who)s (asked nothing: bypass)", who=told) if hand.past_guard else told


def _list_needs(hand: Hand, speak: Translator) -> Iterator[str]:
    for number, roles in enumerate(hand.role_sets):
        names = [word(name, speak) for name in roles]
        if hand.from_dossier and number == 0:
            names.append(speak.gettext("whoever a dossier above grants it to"))
        yield " / ".join(names)
    if hand.groups:
        yield speak.gettext("someone of the group %(groups)s", groups=" / ".join(hand.groups))
