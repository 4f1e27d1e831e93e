"""A verdict and the tree of clauses that explains it, as values, as JSON, and as sentences.

A sentence is a `Phrase`: a code, its msgid in `SENTENCES`, and parameters that may be phrases themselves.
`say` renders one; the edge hands it gettext, and its own names for voters and attributes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from r2pflow.domain.clauses import PARTICIPATING, Bound, Comparison

CARRIED, LOST, OPEN = "carried", "lost", "open"
MAX_NAMES = 10  # voters named in one sentence


def N_(msgid: str) -> str:
    """Mark a sentence for the catalogues; it is translated at the edge."""
    return msgid


SENTENCES = {
    "carried": N_("Carried."),
    "lost": N_("Lost."),
    "open": N_("Still open. Not yet spoken: {missing}."),
    "count_share": N_("{who}: {has} of {base} ({of}); needed: {bound}, which is {needs}"),
    "count_whole": N_("{who}: {has}; needed: {bound}"),
    "count_nobody": N_("{who}: nobody voted, the base ({of}) is empty; needed: {bound}"),
    "count_nobody_yet": N_("{who}: nobody voted yet, the base ({of}) is empty; needed: {bound}"),
    "none": N_("{who}: {has}; needed: nobody"),
    "each": N_("By {attribute}, the groups in which the rule holds: {has} of {base}; needed: {bound}"),
    "each_nobody": N_("By {attribute}: nobody is eligible, so there is no group; needed: {bound}"),
    "group": N_("{attribute}: {group}"),
    "all": N_("All of these"),
    "any": N_("At least one of these"),
    "not": N_("Not this"),
    "at_least": N_("at least {value}"),
    "more_than": N_("more than {value}"),
    "at_most": N_("at most {value}"),
    "fewer_than": N_("fewer than {value}"),
    "every": N_("all"),
    "eligible": N_("eligible"),
    "participating": N_("taken part"),
    "present_and_voting": N_("present and voting"),
    "positions": N_("{positions}"),
    "who_participates": N_("Taken part"),
    "weighted": N_("{who}, weighted by {weight}"),
    "among": N_("{who}, among {attribute}: {values}"),
    "holds": N_("holds"),
    "fails": N_("does not hold"),
    "undecided": N_("still open"),
    "line": N_("{sentence} – {state}"),
    "line_missing": N_("{sentence} – {state}; not yet spoken: {missing}"),
    "and_others": N_("{names} and {number} more"),
}


class Phrase(NamedTuple):
    code: str
    params: Mapping[str, Any]


class Line(NamedTuple):
    """One clause as a sentence; `params` also holds `holds` (True, False, None) and `missing` (voter ids)."""

    code: str
    params: Mapping[str, Any]
    depth: int


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What became of one clause within the voters it looks at.

    `holds` is None while those still to speak can change it. `has`, `base` and `needs` count what is
    recorded: heads, or sums of weights. `needs` is the last number of heads that still satisfies the
    comparison, or the limit to compare weights with; None where it would be a share of an empty base.
    `missing` have not yet spoken.
    """

    kind: str  # count, none, each, group (a child of each), all, any, not
    holds: bool | None
    missing: tuple[str, ...] = ()
    clauses: tuple["ClauseResult", ...] = ()
    has: int | Fraction | None = None
    base: int | Fraction | None = None
    bound: Bound | None = None
    of: str | None = None
    positions: tuple[str, ...] = ()
    weight: str | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    attribute: str | None = None
    group: str | None = None

    @property
    def is_share(self) -> bool:
        return self.bound is not None and isinstance(self.bound.value, Fraction)

    @property
    def needs(self) -> int | Fraction | None:
        if self.bound is None or (self.is_share and not self.base):
            return None
        limit: int | Fraction = self.bound.value
        if self.is_share:
            limit = limit * (self.base or 0)
        if self.weight is not None:
            return limit
        match self.bound.comparison:
            case Comparison.AT_LEAST:
                return ceil(limit)
            case Comparison.MORE_THAN:
                return floor(limit) + 1
            case Comparison.AT_MOST:
                return floor(limit)
        return ceil(limit) - 1

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; numbers that are not whole are text: "12.5", "200/3"."""
        told: dict[str, Any] = {"kind": self.kind, "holds": self.holds}
        if self.positions:
            told["positions"] = list(self.positions)
        for name in ("attribute", "group", "of", "weight"):
            if (value := getattr(self, name)) is not None:
                told[name] = value
        if self.where:
            told["where"] = {name: list(values) for name, values in self.where}
        if self.kind == "none":
            told |= {"comparison": "at_most", "value": "0", "has": self.has, "needs": 0}
        elif self.bound is not None:
            told |= {"comparison": self.bound.comparison.value, "value": str(self.bound)}
            told |= {"has": to_json(self.has), "needs": to_json(self.needs), "base": to_json(self.base)}
        told["missing"] = list(self.missing)
        told["clauses"] = [clause.as_dict() for clause in self.clauses]
        return told


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, why, and who has not yet spoken (nobody any more after the close)."""

    outcome: str  # carried, lost, open
    clauses: ClauseResult
    missing: tuple[str, ...] = ()
    closed: bool = field(default=False, compare=False)

    @property
    def explanation(self) -> str:
        """Tell it in English, a line for each clause, inner ones indented."""
        head = say(Phrase(self.outcome, {"missing": self.missing}))
        lines = ["  " * line.depth + say_line(line) for line in explain(self)]
        return "\n".join([head, *lines])

    def as_dict(self) -> dict[str, Any]:
        """Return what `r2pflow ballot tally --json` prints."""
        return {
            "outcome": self.outcome,
            "clauses": self.clauses.as_dict(),
            "missing": list(self.missing),
            "explanation": self.explanation,
        }


def explain(verdict: Verdict) -> list[Line]:
    """Return a line for each clause, outer before inner."""
    lines: list[Line] = []
    waiting = [(verdict.clauses, 0)]
    while waiting:
        result, depth = waiting.pop()
        phrase = _phrase(result, verdict.closed)
        params = {**phrase.params, "holds": result.holds, "missing": result.missing}
        lines.append(Line(phrase.code, params, depth))
        waiting.extend((inner, depth + 1) for inner in reversed(result.clauses))
    return lines


def _phrase(result: ClauseResult, closed: bool) -> Phrase:
    if result.bound is None:
        if result.kind == "none":
            return Phrase("none", {"who": _who(result), "has": result.has})
        is_group = result.kind == "group"
        return Phrase(result.kind, {"attribute": result.attribute, "group": result.group} if is_group else {})
    value = Phrase("every", {}) if result.bound.written == "all" else str(result.bound)
    params: dict[str, Any] = {
        "bound": Phrase(result.bound.comparison.value, {"value": value}),
        "has": result.has,
        "base": result.base,
        "needs": result.needs,
    }
    if result.kind == "each":
        params["attribute"] = result.attribute
        return Phrase("each" if result.base else "each_nobody", params)
    params["who"] = _who(result)
    if not result.is_share:
        return Phrase("count_whole", params)
    params["of"] = Phrase(str(result.of), {})
    if not result.base:
        return Phrase("count_nobody" if closed else "count_nobody_yet", params)
    return Phrase("count_share", params)


def _who(result: ClauseResult) -> Phrase:
    if result.positions == (PARTICIPATING,):
        who = Phrase("who_participates", {})
    else:
        who = Phrase("positions", {"positions": result.positions})
    if result.weight is not None:
        who = Phrase("weighted", {"who": who, "weight": result.weight})
    for attribute, values in result.where:
        who = Phrase("among", {"who": who, "attribute": attribute, "values": values})
    return who


def say(
    phrase: Phrase,
    translate: Callable[[str], str] = str,
    name: Callable[[str, str], str] = lambda param, text: text,
) -> str:
    """Put a phrase into words; `name` may say a parameter's text otherwise, as an organisation for its id."""
    words = {param: _word(param, value, translate, name) for param, value in phrase.params.items()}
    return translate(SENTENCES[phrase.code]).format(**words)


def say_line(
    line: Line,
    translate: Callable[[str], str] = str,
    name: Callable[[str, str], str] = lambda param, text: text,
) -> str:
    """Say a clause and whether it holds; while it is open, also who has not yet spoken."""
    holds, missing = line.params["holds"], line.params["missing"]
    state = Phrase({True: "holds", False: "fails", None: "undecided"}[holds], {})
    params = {"sentence": Phrase(line.code, line.params), "state": state, "missing": missing}
    has_names = holds is None and bool(missing) and line.code in ("group", "count_share", "count_whole", "none")
    return say(Phrase("line_missing" if has_names else "line", params), translate, name)


def _word(param: str, value: Any, translate: Callable[[str], str], name: Callable[[str, str], str]) -> str:
    if isinstance(value, Phrase):
        return say(value, translate, name)
    if isinstance(value, tuple):
        names = ", ".join(name(param, str(text)) for text in value[:MAX_NAMES])
        more = len(value) - MAX_NAMES
        return say(Phrase("and_others", {"names": names, "number": more}), translate) if more > 0 else names
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return write_number(value)
    return "" if value is None else name(param, str(value))


def write_number(value: int | Fraction) -> str:
    """Write a number exactly: whole, as a decimal where that ends ("12.5"), else as a fraction ("200/3")."""
    numerator, denominator = Fraction(value).as_integer_ratio()
    if denominator == 1:
        return str(numerator)
    places = 0
    while 10**places % denominator and places < 20:
        places += 1
    if 10**places % denominator:
        return f"{numerator}/{denominator}"
    whole, part = divmod(abs(numerator) * 10**places // denominator, 10**places)
    return f"{'-' * (numerator < 0)}{whole}.{part:0{places}d}"


def to_json(value: int | Fraction | None) -> int | str | None:
    """Return a whole number as such, any other exactly as text."""
    if value is None:
        return None
    fraction = Fraction(value)
    return fraction.numerator if fraction.denominator == 1 else write_number(value)


def list_names(results: Iterable[ClauseResult]) -> tuple[str, ...]:
    """Unite the missing of several clauses, each once, in order."""
    return tuple(dict.fromkeys(name for result in results for name in result.missing))
