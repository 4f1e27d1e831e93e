"""Guards, ballot rules and durations in the words of one language, for pages and for what no request stands behind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from r2pflow.domain import schedule
from r2pflow.domain.clauses import PARTICIPATING, All, Bound, Clause, Count, Each, None_, Not
from r2pflow.domain.definition import EffectCall, Test
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import LANGUAGES, Electorate, Titles
from r2pflow.domain.verdicts import Phrase, say
from r2pflow.outputs.sentences import word
from r2pflow.outputs.translations import Translator
from r2pflow.outputs.words import N_
from r2pflow.plugins.registry import Registry

ATTRIBUTES = {
    "region": N_("region"),
    "sector": N_("sector"),
    "scope": N_("scope"),
    "function": N_("function"),
    "organisation": N_("organisation"),
}


CONDITIONS = {
    "has_text": N_("the text is written"),
    "glossary_clean": N_("the message check finds no word to reconsider"),
    "comments_closed": N_("no comment round is open"),
    "no_comment_unanswered": N_("every comment is answered"),
    "no_substantive_comment_unanswered": N_("every substantive comment and objection is answered"),
    "has_open_comments": N_("there are comments to answer"),
    "languages_ready": N_("all required languages are verified"),
    "has_published_edition": N_("an edition is published"),
}
BALLOTS = {
    "carried": N_("the ballot carried"),
    "lost": N_("the ballot did not carry"),
    "closed": N_("the ballot is closed"),
    "open": N_("the ballot is open"),
}

COMBINED = {
    "any": N_("one of these: %(tests)s"),
    "all": N_("all of these: %(tests)s"),
    "not": N_("not: %(tests)s"),
}

EFFECTS = {
    "notify_members": N_("the members are told"),
    "notify_steering": N_("the steering group is told"),
    "open_translation": N_("the translators are told"),
    "publish": N_("the text is published, with a PDF in each language"),
    "withdraw": N_("the publication says that it is withdrawn"),
    "announce": N_("everybody is told"),
}


def capitalise(text: str) -> str:
    """Return the text with a capital first letter, where its script has one."""
    return text[:1].upper() + text[1:]


def name_attribute(name: str, speak: Translator) -> str:
    """Return the word for an attribute of organisations."""
    return speak.gettext(ATTRIBUTES[name]) if name in ATTRIBUTES else word(name, speak)


def join(words: Iterable[Any], speak: Translator) -> str:
    """Join words with commas and the "and" of the language."""
    found = [str(one) for one in words]
    return speak.enumeration(found) if found else ""


def tell_rule(rule: Clause, speak: Translator) -> list[tuple[int, str]]:
    """Return the rule in words: depth and sentence of each clause."""
    return [(min(depth, 5), capitalise(text)) for depth, text in _tell_clause(rule, 0, speak)]


def _tell_clause(clause: Clause, depth: int, speak: Translator) -> Iterator[tuple[int, str]]:
    inner: tuple[Clause, ...] = ()
    match clause:
        case Count():
            text = _tell_count(clause, speak)
        case None_(positions):
            text = speak.gettext(
                "nobody: %(positions)s", positions=join((word(one, speak) for one in positions), speak)
            )
        case Each(attribute, bound, rule):
            text = speak.gettext(
                "by %(attribute)s, in %(bound)s of the groups:",
                attribute=name_attribute(attribute, speak),
                bound=_tell_bound(bound, speak),
            )
            inner = (rule,)
        case Not(one):
            text, inner = speak.gettext("this must not hold:"), (one,)
        case All(clauses):
            text, inner = speak.gettext("all of these must hold:"), clauses
        case _:
            text, inner = speak.gettext("at least one of these must hold:"), clause.clauses
    yield depth, text
    for one in inner:
        yield from _tell_clause(one, depth + 1, speak)


def _tell_count(clause: Count, speak: Translator) -> str:
    bound = _tell_bound(clause.bound, speak)
    who = join((word(one, speak) for one in clause.positions), speak)
    if clause.positions == (PARTICIPATING,):
        who = speak.gettext("taking part")
    if clause.weight is not None:
        who = speak.gettext(
            "%(who)s, weighted by %(attribute)s", who=who, attribute=name_attribute(clause.weight, speak)
        )
    for attribute, values in clause.where:
        who = speak.gettext(
            "%(who)s, among %(attribute)s: %(values)s",
            who=who,
            attribute=name_attribute(attribute, speak),
            values=join((word(one, speak) for one in values), speak),
        )
    if isinstance(clause.bound.value, int):
        return speak.gettext("%(who)s: %(bound)s", who=who, bound=bound)
    bases = {
        "eligible": N_("%(who)s: %(bound)s of all who may vote"),
        "participating": N_("%(who)s: %(bound)s of those who take part"),
        "present_and_voting": N_("%(who)s: %(bound)s of those who take part and do not abstain"),
    }
    return speak.gettext(bases[clause.base.value], who=who, bound=bound)


def _tell_bound(bound: Bound, speak: Translator) -> str:
    value: Any = Phrase("every", {}) if bound.written == "all" else str(bound)
    return say(Phrase(bound.comparison.value, {"value": value}), speak.gettext)


def tell_duration(text: str, speak: Translator, calendar: str = "all") -> str:
    """Tell an ISO 8601 duration in words: "5 working days"; one that cannot be read stays as it is."""
    try:
        read = schedule.parse_duration(text)
    except InvalidInput:
        return text
    days = read.weeks * 7 + read.days if calendar == "working" else read.days
    weeks = 0 if calendar == "working" else read.weeks
    hours, rest = divmod(int(read.exact.total_seconds()), 3600)
    parts: list[tuple[int, Callable[[int], str]]] = [
        (read.months, lambda n: speak.ngettext("%(num)s month", "%(num)s months", n)),
        (weeks, lambda n: speak.ngettext("%(num)s week", "%(num)s weeks", n)),
        (
            days,
            (lambda n: speak.ngettext("%(num)s working day", "%(num)s working days", n))
            if calendar == "working"
            else (lambda n: speak.ngettext("%(num)s day", "%(num)s days", n)),
        ),
        (hours, lambda n: speak.ngettext("%(num)s hour", "%(num)s hours", n)),
        (rest // 60, lambda n: speak.ngettext("%(num)s minute", "%(num)s minutes", n)),
    ]
    return join((tell(number) for number, tell in parts if number), speak)


def tell_test(test: Test, registry: Registry, speak: Translator, titles: Mapping[str, Any] | None = None) -> str:
    """Return one condition of a guard in words; `titles` of fields by name."""
    if test.kind in COMBINED:
        inner = speak.parts(tell_test(one, registry, speak, titles) for one in test.tests)
        return speak.gettext(COMBINED[test.kind], tests=inner)
    if test.kind == "field":
        return _tell_field(test, titles or {}, speak)
    argument = test.argument
    if test.name == "ballot" and str(argument) in BALLOTS:
        return speak.gettext(BALLOTS[str(argument)])
    if test.name == "fields_filled" and argument:
        named = argument if isinstance(argument, list | tuple) else [argument]
        fields = join((_field(one, titles, speak) for one in named), speak)
        return speak.gettext("these fields are filled in: %(fields)s", fields=fields)
    if test.name == "language_verified" and argument:
        named = argument if isinstance(argument, list | tuple) else [argument]
        codes = [speak.language_name(str(one)) if str(one) in LANGUAGES else str(one) for one in named]
        return speak.gettext("these languages are verified: %(languages)s", languages=join(codes, speak))
    if test.name == "in_state" and isinstance(argument, Mapping):
        return join((_tell_standing(str(one), states, speak) for one, states in argument.items()), speak)
    if test.name in CONDITIONS:
        return speak.gettext(CONDITIONS[test.name])
    known = registry.conditions.get(test.name)
    told = speak.gettext(known.title) if known and known.title else word(test.name, speak)
    return f"{told}: {argument}" if argument not in (None, True) else told


def _tell_standing(workflow: str, states: Any, speak: Translator) -> str:
    named = states if isinstance(states, list | tuple) else [states]
    told = join((word(str(one), speak) for one in named), speak)
    return speak.gettext("in the workflow “%(workflow)s”: %(states)s", workflow=word(workflow, speak), states=told)


def _tell_field(test: Test, titles: Mapping[str, Any], speak: Translator) -> str:
    field = _field(test.name, titles, speak)
    argument = test.argument
    value = join(argument, speak) if isinstance(argument, list | tuple) else str(argument)
    if test.operator == "filled" or (test.operator == "is_not" and not argument):
        return speak.gettext("“%(field)s” is filled in", field=field)
    told = {
        "is": N_("“%(field)s” is: %(value)s"),
        "is_not": N_("“%(field)s” is not: %(value)s"),
        "in": N_("“%(field)s” is one of: %(value)s"),
        "contains": N_("“%(field)s” names: %(value)s"),
    }
    return speak.gettext(told.get(test.operator, told["is"]), field=field, value=value)


def _field(name: Any, titles: Mapping[str, Any] | None, speak: Translator) -> str:
    found = (titles or {}).get(str(name))
    known = found if isinstance(found, Titles) else Titles(found or {})
    return known.get(speak.language) or word(str(name), speak)


def tell_effect(effect: EffectCall, speak: Translator) -> str:
    """Return what a transition brings about, in words."""
    told = speak.gettext(EFFECTS[effect.name]) if effect.name in EFFECTS else word(effect.name, speak)
    return told if effect.argument in (None, True) else f"{told}: {_plain(effect.argument, speak)}"


def tell_electorate(electorate: Electorate, speak: Translator) -> str:
    """Return whose organisations vote."""
    if electorate.role:
        return word(electorate.role, speak)
    if electorate.group:
        return speak.gettext("the group “%(name)s”", name=electorate.group)
    return join(electorate.organisations, speak) or speak.gettext("all members")


def _plain(value: Any, speak: Translator) -> str:
    if isinstance(value, Mapping):
        return speak.parts(f"{name}: {_plain(one, speak)}" for name, one in value.items())
    return join(value, speak) if isinstance(value, list | tuple) else str(value)
