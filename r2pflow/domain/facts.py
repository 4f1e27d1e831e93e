"""What a guard may look at. `services/facts` fills it; a guard never queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PARTS = ("text", "comments", "ballot", "languages", "publication")
"""The parts of `Facts` that cost a query each; a condition names those it `needs`."""


@dataclass(frozen=True)
class CommentFacts:
    """Counts over all comments on the document that were submitted."""

    total: int = 0
    unanswered: int = 0
    substantive_unanswered: int = 0  # kinds substantive and objection, without a disposition
    round_open: bool = False


@dataclass(frozen=True)
class BallotFacts:
    """The newest ballot of the document in its present state; outcome open, carried or lost, empty without one.

    A guard takes the outcome for decided only when `is_closed`: before the close a verdict is a forecast.
    """

    id: int | None = None
    name: str = ""
    outcome: str = ""
    is_closed: bool = False


@dataclass(frozen=True)
class LanguageFacts:
    """Per language its status: missing, in_progress, translated, verified, stale; that of the source is `verified`."""

    required: tuple[str, ...] = ()
    status: Mapping[str, str] = field(default_factory=dict)

    def not_ready(self) -> tuple[str, ...]:
        """Return the required languages that are not verified against the present text."""
        return tuple(code for code in self.required if self.status.get(code) != "verified")


@dataclass(frozen=True)
class Facts:
    """One document as its guards see it, at the instant `now` (UTC). Parts nobody asked for are None."""

    document_type: str
    state: str
    now: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    missing_fields: tuple[str, ...] = ()  # required by the type and not filled
    standing: Mapping[str, str] = field(default_factory=dict)  # the state in each workflow of the document's chain
    text_digest: str = ""
    text_blocks: int | None = None  # of the newest revision, its title included
    glossary_warnings: tuple[str, ...] = ()
    comments: CommentFacts | None = None
    ballot: BallotFacts | None = None
    languages: LanguageFacts | None = None
    published_editions: int | None = None
