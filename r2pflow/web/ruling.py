"""Rules of ballots, verdicts, durations and guards in the words of this page's language."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from r2pflow.domain import decisions, schedule
from r2pflow.domain.clauses import PARTICIPATING, All, BallotRule, Bound, Clause, Count, Each, None_, Not
from r2pflow.domain.decisions import Verdict
from r2pflow.domain.definition import BallotDef, Test, Workflow
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.verdicts import Phrase, say
from r2pflow.plugins.registry import Registry
from r2pflow.web.i18n import N_, gettext, language_name, ngettext, title_of
from r2pflow.web.sentences import join
from r2pflow.web.words import word

LEAVES = frozenset({"count_share", "count_whole", "count_nobody", "count_nobody_yet", "none"})
"""Clauses that count votes themselves: only beside these it helps to say whose votes are missing."""

MEANINGS = {
    "yes": N_("We agree with the text as it stands."),
    "no": N_("We do not agree with the text."),
    "block": N_("We object so strongly that the text must not be adopted."),
    "abstain": N_("We take part, but speak neither for nor against."),
    "recuse": N_("We leave this decision to the others, and are not counted."),
}
KINDS = {
    "for": N_("Counts as a vote for the text."),
    "against": N_("Counts as a vote against the text."),
    "abstention": N_("Counts as taking part, neither for nor against."),
    "recusal": N_("Counts in no total."),
}
ATTRIBUTES = {
    "region": N_("region"),
    "sector": N_("sector"),
    "scope": N_("scope"),
    "function": N_("function"),
    "organisation": N_("organisation"),
}


@dataclass(frozen=True)
class ToldClause:
    """One clause of a verdict as a line; `missing` are names whose votes could still decide it."""

    depth: int
    text: str
    holds: bool | None
    missing: tuple[str, ...]


def name_attribute(name: str) -> str:
    """Return the word for an attribute of organisations."""
    return gettext(ATTRIBUTES[name]) if name in ATTRIBUTES else word(name)


def tell_meaning(position: decisions.Position) -> str:
    """Return what a position means for the text."""
    return gettext(MEANINGS.get(position.id) or KINDS[position.counts.value])


def tell_verdict(verdict: Verdict, names: Mapping[str, str], *, is_secret: bool = False) -> list[ToldClause]:
    """Return the verdict clause by clause, outer before inner; `names` of voters by id.

    Of a secret ballot neither groups nor names are told, for both may say who voted how.
    """
    told: list[ToldClause] = []
    hidden = 0
    group = ""
    for line in decisions.explain(verdict):
        if hidden and line.depth >= hidden:
            continue
        hidden = 0
        if is_secret and line.code == "group":
            hidden = line.depth
            continue
        missing: tuple[str, ...] = ()
        if line.code in LEAVES and line.params["holds"] is None and not is_secret:
            missing = tuple(names.get(one, one) for one in line.params["missing"])
        depth, text = line.depth, capitalise(say(Phrase(line.code, line.params), gettext, _name))
        if line.code == "group":
            group = _name("group", str(line.params["group"]))
            told.append(ToldClause(min(depth, 5), text, line.params["holds"], missing))
            continue
        if group and line.code in LEAVES:  # a group and the one count in it make one line
            depth, text = told.pop().depth, gettext("%(group)s: %(clause)s", group=group, clause=text)
        group = ""
        told.append(ToldClause(min(depth, 5), text, line.params["holds"], missing))
    return told


def tell_rule(rule: Clause) -> list[tuple[int, str]]:
    """Return the rule in words: depth and sentence of each clause."""
    return [(min(depth, 5), capitalise(text)) for depth, text in _tell_clause(rule, 0)]


def _tell_clause(clause: Clause, depth: int) -> Iterator[tuple[int, str]]:
    inner: tuple[Clause, ...] = ()
    match clause:
        case Count():
            text = _tell_count(clause)
        case None_(positions):
            text = gettext("nobody: %(positions)s", positions=join(word(one) for one in positions))
        case Each(attribute, bound, rule):
            text = gettext(
                "by %(attribute)s, in %(bound)s of the groups:",
                attribute=name_attribute(attribute),
                bound=_tell_bound(bound),
            )
            inner = (rule,)
        case Not(one):
            text, inner = gettext("this must not hold:"), (one,)
        case All(clauses):
            text, inner = gettext("all of these must hold:"), clauses
        case _:
            text, inner = gettext("at least one of these must hold:"), clause.clauses
    yield depth, text
    for one in inner:
        yield from _tell_clause(one, depth + 1)


def _tell_count(clause: Count) -> str:
    bound = _tell_bound(clause.bound)
    who = (
        gettext("taking part") if clause.positions == (PARTICIPATING,) else join(word(one) for one in clause.positions)
    )
    if clause.weight is not None:
        who = gettext("%(who)s, weighted by %(attribute)s", who=who, attribute=name_attribute(clause.weight))
    for attribute, values in clause.where:
        who = gettext(
            "%(who)s, among %(attribute)s: %(values)s",
            who=who,
            attribute=name_attribute(attribute),
            values=join(word(one) for one in values),
        )
    if isinstance(clause.bound.value, int):
        return gettext("%(who)s: %(bound)s", who=who, bound=bound)
    bases = {
        "eligible": gettext("%(who)s: %(bound)s of all who may vote", who=who, bound=bound),
        "participating": gettext("%(who)s: %(bound)s of those who take part", who=who, bound=bound),
        "present_and_voting": gettext(
            "%(who)s: %(bound)s of those who take part and do not abstain", who=who, bound=bound
        ),
    }
    return bases[clause.base.value]


def _tell_bound(bound: Bound) -> str:
    value: Any = Phrase("every", {}) if bound.written == "all" else str(bound)
    return say(Phrase(bound.comparison.value, {"value": value}), gettext)


def _name(param: str, text: str) -> str:
    return name_attribute(text) if param in ("attribute", "weight") else word(text)


def tell_terms(ballot: BallotDef) -> list[tuple[str, str]]:
    """Return heading and sentence of each of a ballot's terms, beside its rule."""
    electorate = ballot.electorate
    if electorate.role:
        who = word(electorate.role)
    elif electorate.group:
        who = gettext("the group “%(name)s”", name=electorate.group)
    elif electorate.organisations:
        who = join(electorate.organisations)
    else:
        who = gettext("all members")
    return [
        (gettext("Who votes"), gettext("%(who)s; one position for each organisation", who=who)),
        (gettext("Positions"), join(word(one.id) for one in ballot.positions)),
        *_tell_times(ballot.open_for, ballot.calendar, ballot.silence, ballot.close_early),
        *_tell_manners(ballot.reason_required, ballot.secrecy),
    ]


def tell_kept_terms(terms: Mapping[str, Any], rule: BallotRule) -> list[tuple[str, str]]:
    """Return the same of a ballot that was held, from the terms that were kept with it."""
    return [
        *_tell_times("", "", rule.silence or "", str(terms.get("close_early", "never"))),
        *_tell_manners(rule.reason_required, str(terms.get("secrecy", "named"))),
    ]


def _tell_times(open_for: str, calendar: str, silence: str, close_early: str) -> Iterator[tuple[str, str]]:
    if open_for:
        yield gettext("Open for"), tell_duration(open_for, calendar)
    if silence:
        yield (
            gettext("Silence"),
            gettext("who says nothing until the close counts as: %(position)s", position=word(silence)),
        )
    else:
        yield gettext("Silence"), gettext("who says nothing does not count")
    if close_early == "when_decided":
        yield gettext("Close"), gettext("as soon as nothing can change the result any more")


def _tell_manners(reason_required: tuple[str, ...], secrecy: str) -> Iterator[tuple[str, str]]:
    if reason_required:
        yield gettext("A reason is needed for"), join(word(one) for one in reason_required)
    if secrecy == "secret":
        yield gettext("Secrecy"), gettext("only totals are shown, never who took which position")


def tell_duration(text: str, calendar: str = "all") -> str:
    """Tell an ISO 8601 duration in words: "5 working days"; one that cannot be read stays as it is."""
    try:
        read = schedule.parse_duration(text)
    except InvalidInput:
        return text
    days = read.weeks * 7 + read.days if calendar == "working" else read.days
    weeks = 0 if calendar == "working" else read.weeks
    hours, rest = divmod(int(read.exact.total_seconds()), 3600)
    parts: list[tuple[int, Callable[[int], str]]] = [
        (read.months, lambda n: ngettext("%(num)s month", "%(num)s months", n)),
        (weeks, lambda n: ngettext("%(num)s week", "%(num)s weeks", n)),
        (
            days,
            (lambda n: ngettext("%(num)s working day", "%(num)s working days", n))
            if calendar == "working"
            else (lambda n: ngettext("%(num)s day", "%(num)s days", n)),
        ),
        (hours, lambda n: ngettext("%(num)s hour", "%(num)s hours", n)),
        (rest // 60, lambda n: ngettext("%(num)s minute", "%(num)s minutes", n)),
    ]
    return join(tell(number) for number, tell in parts if number)


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


def tell_test(test: Test, registry: Registry, titles: Mapping[str, Any] | None = None) -> str:
    """Return one condition of a guard in words; `titles` of fields by name."""
    if test.kind in ("any", "all", "not"):
        inner = "; ".join(tell_test(one, registry, titles) for one in test.tests)
        shown = {
            "any": N_("one of these: %(tests)s"),
            "all": N_("all of these: %(tests)s"),
            "not": N_("not: %(tests)s"),
        }
        return gettext(shown[test.kind], tests=inner)
    if test.kind == "field":
        return _tell_field(test, titles or {})
    argument = test.argument
    if test.name == "ballot" and str(argument) in BALLOTS:
        return gettext(BALLOTS[str(argument)])
    if test.name == "fields_filled" and argument:
        named = argument if isinstance(argument, list | tuple) else [argument]
        return gettext("these fields are filled in: %(fields)s", fields=join(_field(one, titles) for one in named))
    if test.name == "language_verified" and argument:
        named = argument if isinstance(argument, list | tuple) else [argument]
        codes = [language_name(str(one)) if str(one) in LANGUAGES else str(one) for one in named]
        return gettext("these languages are verified: %(languages)s", languages=join(codes))
    if test.name in CONDITIONS:
        return gettext(CONDITIONS[test.name])
    known = registry.conditions.get(test.name)
    told = gettext(known.title) if known and known.title else word(test.name)
    return f"{told}: {argument}" if argument not in (None, True) else told


def _tell_field(test: Test, titles: Mapping[str, Any]) -> str:
    field = _field(test.name, titles)
    argument = test.argument
    value = join(argument) if isinstance(argument, list | tuple) else str(argument)
    if test.operator == "filled" or (test.operator == "is_not" and not argument):
        return gettext("“%(field)s” is filled in", field=field)
    told = {
        "is": N_("“%(field)s” is: %(value)s"),
        "is_not": N_("“%(field)s” is not: %(value)s"),
        "in": N_("“%(field)s” is one of: %(value)s"),
        "contains": N_("“%(field)s” names: %(value)s"),
    }
    return gettext(told.get(test.operator, told["is"]), field=field, value=value)


def _field(name: Any, titles: Mapping[str, Any] | None) -> str:
    return title_of((titles or {}).get(str(name)), word(str(name)))


def tell_ballot_title(workflow: Workflow, name: str) -> str:
    """Return the title of a workflow's ballot."""
    known = workflow.ballots.get(name)
    return title_of(known.title, word(name)) if known else word(name)


def capitalise(text: str) -> str:
    """Return the text with a capital first letter, where its script has one."""
    return text[:1].upper() + text[1:]
