from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pymupdf
import pytest

from r2pflow.domain.clauses import Voter
from r2pflow.domain.decisions import explain, judge
from r2pflow.domain.printable import ClauseLine, DecisionNote, PositionCount, Printable
from r2pflow.domain.rule_reading import read_ballot_rule
from r2pflow.domain.text import canonical, digest, title_of
from r2pflow.folders import get_folder
from r2pflow.outputs import pdf

TEMPLATES = {
    "position_paper": ("paper", "blue", "PP"),
    "joint_statement": ("statement", "green", "JS"),
    "consultation_report": ("report", "violet", "CR"),
    "conference_launch": ("programme", "teal", "CL"),
}
RULE = {
    "electorate": {"role": "steering"},
    "positions": ["yes", "no", "abstain"],
    "rule": {"all": [{"quorum": "1/2"}, {"count": "yes", "at_least": "2/3"}]},
}


@cache
def make_note() -> DecisionNote:
    rule = read_ballot_rule(RULE)
    voters = [Voter(f"org-{n}", "yes" if n < 6 else "no", {}) for n in range(8)]
    verdict = judge(rule, voters, closed=True)
    return DecisionNote(
        title="Adoption",
        outcome=verdict.outcome,
        closed_at=datetime(2027, 3, 9, 17, tzinfo=UTC),
        timezone="Europe/Brussels",
        electorate=8,
        counts=(
            PositionCount("yes", "", 6, tuple(f"Organisation {n}" for n in range(1, 7)), 2),
            PositionCount("no", "", 2, ("مركز المشرق", "World Federalist Movement")),
        ),
        clauses=tuple(ClauseLine(one.depth, one.params["holds"], line=one) for one in explain(verdict)),
    )


def make_edition(kind: str, language: str, **changes: Any) -> Printable:
    """Build the printable of a sample document as it would be published."""
    folder = get_folder("samples") / kind
    template, accent, code = TEMPLATES[kind]
    original = canonical((folder / "en.html").read_text(encoding="utf-8"))
    blocks = canonical((folder / f"{language}.html").read_text(encoding="utf-8"))
    values: dict[str, Any] = {
        "language": language,
        "title": title_of(blocks),
        "blocks": blocks,
        "kind": kind,
        "type_title": kind.replace("_", " "),
        "template": template,
        "accent": accent,
        "coalition": "R2P Coalition",
        "symbol": f"R2PCS/2027/{code}/3",
        "published_at": datetime(2027, 3, 10, 9, tzinfo=UTC),
        "timezone": "Europe/Brussels",
        "digest": digest(original),
        "language_digest": digest(blocks),
        "languages": ("ar", "en", "es", "fr", "ru", "zh"),
        "check_url": f"https://r2p.example.org/check/{digest(original)}",
        "decision": make_note(),
    }
    return Printable(**(values | changes))


@pytest.fixture
def edition() -> Callable[..., Printable]:
    return make_edition


@cache
def _rendered(kind: str, language: str) -> tuple[Printable, bytes]:
    printable = make_edition(kind, language)
    return printable, pdf.render_pdf(printable)


@pytest.fixture
def rendered() -> Callable[[str, str], tuple[Printable, bytes]]:
    """Give the printable and PDF of a sample, set once for all tests."""
    return _rendered


@pytest.fixture
def open_pdf() -> Callable[[bytes], pymupdf.Document]:
    return lambda content: pymupdf.open(stream=content, filetype="pdf")
