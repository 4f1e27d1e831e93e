"""One edition of a document in one language, with all that a PDF, a page or a file of it says.

`services/publishing` builds it; `outputs` turns it into bytes and asks nobody else. Everything in it is
frozen and pickles, so that it can be handed to a rendering process. Names and titles are already in
`language`; numbers, dates and the sentences of clauses are put into it by the output.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from r2pflow.domain.people import RIGHT_TO_LEFT
from r2pflow.domain.text import Block
from r2pflow.domain.verdicts import Line

INTERNAL_FIELDS = frozenset({"milestones", "budget", "invitees"})
"""Fields of a plan that no public edition shows, in no format: who was asked, what it costs, what is late."""

ACCENTS = ("blue", "green", "red", "violet", "amber", "teal", "slate")


@dataclass(frozen=True)
class ClauseLine:
    """One line of an explained verdict, in reading order.

    `sentence` is a finished sentence, or an English msgid with `%(name)s` places that `params` fill.
    `holds` is None for a clause that was still open.
    """

    depth: int
    holds: bool | None
    sentence: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    line: Line | None = None  # the clause itself; then the output says it


@dataclass(frozen=True)
class PositionCount:
    """How many held a position, and who, when the ballot was named."""

    position: str  # its id: yes, no, abstain, block, recuse, or one of the workflow's own
    title: str  # in the language of the edition; empty takes the output's word for a known id
    count: int
    voters: tuple[str, ...] = ()
    by_silence: int = 0  # how many of them by saying nothing


@dataclass(frozen=True)
class DecisionNote:
    """What the closing section says of the ballot that the edition rests on."""

    title: str
    outcome: str  # carried | lost | open
    closed_at: datetime | None = None  # UTC
    timezone: str = "UTC"  # in which the close is told
    electorate: int = 0  # eligible voters
    counts: tuple[PositionCount, ...] = ()
    clauses: tuple[ClauseLine, ...] = ()
    is_named: bool = True
    explanation: str = ""


@dataclass(frozen=True)
class Dissociation:
    """A member that stands outside the text, or outside some of its blocks, and what it says of it."""

    organisation: str
    statement: str = ""
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PrintedField:
    """A structured field. `value` is text, number, date, time, list of texts, or for kind `rows` unused.

    The kinds are those of `FieldDef`; dates and times may come as ISO 8601 text. `columns` are (title, kind).
    """

    name: str
    title: str
    kind: str = "text"
    value: Any = None
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.rows if self.kind == "rows" else self.value in (None, "", (), [])


@dataclass(frozen=True)
class PlannedSession:
    """A session of a programme; `starts` and `ends` are wall-clock times at the venue."""

    day: date
    starts: time | None
    ends: time | None
    title: str
    room: str = ""
    kind: str = ""  # plenary, workshop, break, ...: already in the language
    chair: str = ""
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # of interpretation
    note: str = ""
    is_break: bool = False
    key: str = ""  # stable across editions; empty lets the calendar make one


@dataclass(frozen=True)
class PlannedMilestone:
    """Something that must be done by a day."""

    due_on: date
    title: str
    owner: str = ""
    status: str = ""
    is_done: bool = False
    key: str = ""


@dataclass(frozen=True)
class BudgetLine:
    """One line of a budget; `amount` is positive, whichever way the money goes."""

    title: str
    amount: Decimal
    currency: str = "EUR"
    is_income: bool = False
    note: str = ""


@dataclass(frozen=True)
class BudgetTotal:
    """What comes in and goes out in one currency."""

    currency: str
    income: Decimal
    cost: Decimal


@dataclass(frozen=True)
class InviteeCount:
    """How many of a group were invited and how many will come; never names."""

    group: str
    invited: int
    confirmed: int = 0


@dataclass(frozen=True)
class Plan:
    """A conference: what the public programme shows, and what the organisers keep for themselves."""

    venue: str = ""
    city: str = ""
    timezone: str = "UTC"
    starts_on: date | None = None
    ends_on: date | None = None
    sessions: tuple[PlannedSession, ...] = ()
    milestones: tuple[PlannedMilestone, ...] = ()
    budget: tuple[BudgetLine, ...] = ()
    invitees: tuple[InviteeCount, ...] = ()

    def sessions_by_day(self) -> tuple[tuple[date, tuple[PlannedSession, ...]], ...]:
        """Return the days in order, each with its sessions by starting time."""
        days: dict[date, list[PlannedSession]] = {}
        for session in sorted(self.sessions, key=lambda s: (s.day, s.starts or time.min, s.ends or time.max)):
            days.setdefault(session.day, []).append(session)
        return tuple((day, tuple(sessions)) for day, sessions in days.items())

    def totals(self) -> tuple[BudgetTotal, ...]:
        """Add the budget up, currency by currency; nothing is converted."""
        totals: dict[str, dict[bool, Decimal]] = {}
        for line in self.budget:
            sums = totals.setdefault(line.currency, {True: Decimal(0), False: Decimal(0)})
            sums[line.is_income] += line.amount
        return tuple(BudgetTotal(currency, sums[True], sums[False]) for currency, sums in totals.items())


@dataclass(frozen=True)
class Printable:
    """One edition in one language. Only `language`, `title` and `blocks` have no sensible default."""

    language: str
    title: str
    blocks: tuple[Block, ...]
    kind: str = "position_paper"  # name of the document type
    type_title: str = ""
    template: str = "paper"  # templates/pdf/<template>.html
    accent: str = "blue"  # one of ACCENTS, or #rrggbb
    coalition: str = ""
    symbol: str = ""
    reference: str = ""  # of the document, before it has a symbol
    edition: int = 1
    published_at: datetime | None = None  # UTC; None for what is not published
    timezone: str = "UTC"  # of the coalition's seat: in it dates are told
    is_draft: bool = False
    state_title: str = ""
    digest: str = ""  # SHA-256 of the authoritative text
    language_digest: str = ""  # SHA-256 of this language's text
    authoritative_language: str = "en"
    languages: tuple[str, ...] = ()  # in which the edition is or will be available
    check_url: str = ""
    register_url: str = ""
    decision: DecisionNote | None = None
    signatories: tuple[str, ...] = ()
    dissociations: tuple[Dissociation, ...] = ()
    stale_blocks: frozenset[str] = frozenset()  # ids whose translation is behind the authoritative text
    fields: tuple[PrintedField, ...] = ()
    plan: Plan | None = None
    is_internal: bool = False  # milestones, budget and invitees are printed too

    @property
    def direction(self) -> str:
        return "rtl" if self.language.split("-")[0] in RIGHT_TO_LEFT else "ltr"

    @property
    def is_authoritative(self) -> bool:
        return self.language == self.authoritative_language

    @property
    def name(self) -> str:
        """Return what it is called in running heads and file names: its symbol, else its reference."""
        return self.symbol or self.reference

    def shown_fields(self) -> tuple[PrintedField, ...]:
        """Return the filled fields that this version may show."""
        return tuple(
            one for one in self.fields if not one.is_empty and (self.is_internal or one.name not in INTERNAL_FIELDS)
        )

    def file_stem(self) -> str:
        """Return a file name without ending: letters, digits and hyphens, edition and language included."""
        stem = re.sub(r"[^A-Za-z0-9]+", "-", self.name or self.kind).strip("-")
        return f"{stem}-{'draft' if self.is_draft else f'ed{self.edition}'}-{self.language}"
