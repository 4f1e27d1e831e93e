"""The built-in exporters: one function per format, each from a printable to the bytes of a file.

`plugins/builtin` registers them by these names; a plugin's own exporter has the same shape.
"""

import json
from typing import Any

from r2pflow.domain.printable import Printable
from r2pflow.domain.text import Block
from r2pflow.outputs import calendar, docx, pages, pdf


def export_pdf(printable: Printable) -> bytes:
    return pdf.render_pdf(printable)


def export_html(printable: Printable) -> bytes:
    return pages.export_page(printable).encode("utf-8")


def export_docx(printable: Printable) -> bytes:
    return docx.export_docx(printable)


def export_ics(printable: Printable) -> bytes:
    return calendar.plan_calendar(printable)


def export_json(printable: Printable) -> bytes:
    """Write the edition for programs: keys in order, instants in UTC as RFC 3339, blocks with their digests."""
    decision = printable.decision
    told: dict[str, Any] = {
        "format": "r2pflow-edition/1",
        "symbol": printable.symbol,
        "reference": printable.reference,
        "edition": printable.edition,
        "is_draft": printable.is_draft,
        "state": printable.state_title,
        "type": printable.kind,
        "title": printable.title,
        "language": printable.language,
        "direction": printable.direction,
        "authoritative_language": printable.authoritative_language,
        "languages": list(printable.languages),
        "coalition": printable.coalition,
        "published_at": printable.published_at.isoformat() if printable.published_at else None,
        "digest": printable.digest,
        "language_digest": printable.language_digest,
        "check_url": printable.check_url,
        "register_url": printable.register_url,
        "blocks": [_block(block, block.id in printable.stale_blocks) for block in printable.blocks],
        "fields": {field.name: _field(field.kind, field) for field in printable.shown_fields()},
        "decision": None,
        "signatories": list(printable.signatories),
        "dissociations": [
            {"organisation": one.organisation, "statement": one.statement, "blocks": list(one.blocks)}
            for one in printable.dissociations
        ],
    }
    if decision is not None:
        told["decision"] = {
            "title": decision.title,
            "outcome": decision.outcome,
            "closed_at": decision.closed_at.isoformat() if decision.closed_at else None,
            "timezone": decision.timezone,
            "electorate": decision.electorate,
            "counts": [
                {"position": one.position, "count": one.count, "by_silence": one.by_silence}
                | ({"voters": list(one.voters)} if decision.is_named else {})
                for one in decision.counts
            ],
        }
    return (json.dumps(told, ensure_ascii=False, indent=2, default=str) + "\n").encode("utf-8")


def _block(block: Block, is_stale: bool) -> dict[str, Any]:
    told = {"id": block.id, "kind": block.kind, "html": block.html, "digest": block.digest}
    return told | {"is_stale": True} if is_stale else told


def _field(kind: str, field: Any) -> Any:
    if kind != "rows":
        return field.value
    titles = [title for title, _ in field.columns]
    return [dict(zip(titles, row, strict=True)) for row in field.rows]
