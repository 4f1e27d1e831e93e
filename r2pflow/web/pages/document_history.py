"""History of a document: what happened, its revisions, and what changed between two of them."""

from typing import Any

from flask import redirect, request

from r2pflow.domain.errors import NotFound
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.services import queries
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.meanwhile import list_meanwhile
from r2pflow.services.texts import get_blocks
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.pagination import read_page_number
from r2pflow.web.reading import show_redline
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import Route
from r2pflow.web.telling import tell_entries


def show_history(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    found = queries.list_history(work, subject, read_page_number())
    revisions = queries.list_revisions(work, subject)
    return render(
        "documents/history.html",
        **document_context(subject, "history"),
        page=found,
        told={
            entry.id: (who, what) for entry, who, what in tell_entries(work, ((row, subject) for row in found.rows))
        },
        revisions=revisions,
        chosen_new=revisions[0].number if revisions else 0,
        chosen_old=revisions[1].number if len(revisions) > 1 else 0,
    )


def tell_meanwhile(subject: Subject, seen: int | None) -> list[tuple[HistoryEntryRow, str, str]]:
    """Return what happened to a document after that change number, newest first: entry, who, what."""
    work = current_work()
    rows = list_meanwhile(work, subject, seen) if seen is not None else ()
    return tell_entries(work, ((row, subject) for row in rows))


def show_redline_page(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    new = _read_number("to", subject.revision_number)
    old = _read_number("from", new - 1)
    if old > new:
        return redirect(url("redline", reference=reference, **{"from": new, "to": old}))
    revisions = {row.number: row for row in queries.list_revisions(work, subject)}
    if new not in revisions or (old not in revisions and old != 0):
        raise NotFound("unknown_revision")
    shown = show_redline(get_blocks(work, subject, old) if old else (), get_blocks(work, subject, new))
    changed = [change for change in shown if change.kind != "same"]
    return render(
        "documents/redline.html",
        **document_context(subject, "history"),
        old=revisions.get(old),
        new=revisions[new],
        revisions=sorted(revisions),
        changes=shown if "whole" in request.args or len(shown) < 12 else changed,
        is_cut="whole" not in request.args and len(shown) >= 12 and len(changed) < len(shown),
        counts={
            kind: sum(change.kind == kind for change in shown)
            for kind in ("changed", "added", "removed", "moved", "formatted")
        },
    )


def _read_number(name: str, fallback: int) -> int:
    asked = request.args.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else fallback


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/history", "history", show_history),
    Route("/documents/<reference>/redline", "redline", show_redline_page),
)
