"""Rules of ballots, verdicts, durations and guards in the words of this page's language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from r2pflow.domain import decisions
from r2pflow.domain.clauses import BallotRule, Clause
from r2pflow.domain.decisions import Verdict
from r2pflow.domain.definition import BallotDef, Test, Workflow
from r2pflow.domain.verdicts import Phrase, say
from r2pflow.outputs import rules
from r2pflow.outputs.rules import capitalise
from r2pflow.outputs.translations import translator
from r2pflow.plugins.registry import Registry
from r2pflow.web.i18n import N_, gettext, language, title_of
from r2pflow.web.sentences import join
from r2pflow.web.words import word

__all__ = ["capitalise"]

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


@dataclass(frozen=True)
class ToldClause:
    """One clause of a verdict as a line; `missing` are names whose votes could still decide it."""

    depth: int
    text: str
    holds: bool | None
    missing: tuple[str, ...]


def name_attribute(name: str) -> str:
    """Return the word for an attribute of organisations."""
    return rules.name_attribute(name, translator(language()))


def tell_rule(rule: Clause) -> list[tuple[int, str]]:
    """Return the rule in words: depth and sentence of each clause."""
    return rules.tell_rule(rule, translator(language()))


def tell_duration(text: str, calendar: str = "all") -> str:
    """Tell an ISO 8601 duration in words: "5 working days"; one that cannot be read stays as it is."""
    return rules.tell_duration(text, translator(language()), calendar)


def tell_test(test: Test, registry: Registry, titles: Mapping[str, Any] | None = None) -> str:
    """Return one condition of a guard in words; `titles` of fields by name."""
    return rules.tell_test(test, registry, translator(language()), titles)


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


def _name(param: str, text: str) -> str:
    return name_attribute(text) if param in ("attribute", "weight") else word(text)


def tell_terms(ballot: BallotDef) -> list[tuple[str, str]]:
    """Return heading and sentence of each of a ballot's terms, beside its rule."""
    who = rules.tell_electorate(ballot.electorate, translator(language()))
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


def tell_ballot_title(workflow: Workflow, name: str) -> str:
    """Return the title of a workflow's ballot."""
    known = workflow.ballots.get(name)
    return title_of(known.title, word(name)) if known else word(name)
