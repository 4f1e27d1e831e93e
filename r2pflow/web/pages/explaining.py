"""Who may do what with a document and why; for one person each step: possible, or all that is missing and who could."""

from collections.abc import Sequence
from typing import Any

from flask import request

from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import BUILT_IN_PERMISSIONS
from r2pflow.outputs import reasons
from r2pflow.outputs.translations import Translator, translator
from r2pflow.services import parties
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.directory_search import Holder, find_holders
from r2pflow.services.explaining import (
    Line,
    explain,
    explain_permissions,
    list_groups,
    list_lines,
    meet,
    read_surroundings,
)
from r2pflow.services.parties import EVERYBODY, PERSON, SIGNED_IN, Party
from r2pflow.services.queries import Page
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.i18n import gettext, language, reader_zone, title_of
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route
from r2pflow.web.sentences import join
from r2pflow.web.words import word

LINES = 25
"""So many of those who may do something stand on a page of the table."""


def show_steps(reference: str) -> Any:
    """Show every step of the document's workflows as the reader meets it."""
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    return render("documents/steps.html", **document_context(subject), explained=explain_for(subject))


def explain_for(subject: Subject, known: Sequence[Party] | None = None) -> dict[str, Any]:
    """Return what the template part `explained` shows of the subject's actor: permissions, then steps."""
    work, speak = current_work(), _speak()
    held = explain_permissions(work, subject)
    steps = [
        {**reasons.describe(one, subject, speak), "is_here": one.state in one.transition.sources}
        for one in explain(work, subject, parties=known)
    ]
    return {
        "name": subject.actor.name,
        "permissions": [
            (word(name), [reasons.tell_reason(one, speak) for one in why] or [_tell_missing(subject, name)], bool(why))
            for name, why in held.items()
        ],
        "here": [step for step in steps if step["is_here"]],
        "elsewhere": [step for step in steps if not step["is_here"]],
    }


def explain_context(subject: Subject) -> dict[str, Any]:
    """Return what the page of sharing says of who may do what, and of the person that `?who=` or `?as=` asks for."""
    work, speak = current_work(), _speak()
    known = parties.list_parties(work, subject, list_groups(subject))
    lines = list_lines(subject, known)
    number = min(read_page_number(), max(1, -(-len(lines) // LINES)))
    page = Page(lines[(number - 1) * LINES : number * LINES], len(lines), number, LINES)
    columns = [name for name in BUILT_IN_PERMISSIONS if any(name in line.permissions for line in lines)]
    sought = request.args.get("who", "").strip()[:100]
    found = [one for one in find_holders(work, sought) if one.kind == PERSON] if sought else []
    return {
        "lines": page,
        "columns": [(name, word(name)) for name in columns],
        "rows": [_show_line(line, columns, speak) for line in page.rows],
        "notes": _tell_surroundings(subject),
        "who": sought,
        "persons": found,
        "explained": _explain_chosen(subject, found, known),
    }


def _explain_chosen(subject: Subject, found: Sequence[Holder], known: Sequence[Party]) -> dict[str, Any] | None:
    """Explain for the person of `?as=`, or for the only one that was found."""
    chosen = request.args.get("as", "").strip()[:254] or (str(found[0].id) if len(found) == 1 else "")
    if not chosen:
        return None
    try:
        met = meet(current_work(), require_signed_in(), subject.reference, chosen)
    except NotFound:
        return None
    return explain_for(met, known)


def _show_line(line: Line, columns: Sequence[str], speak: Translator) -> dict[str, Any]:
    kinds = {EVERYBODY: "", SIGNED_IN: "", PERSON: line.party.about.get(speak.language)}
    return {
        "name": reasons.tell_party(line.party, speak),
        "kind": kinds.get(line.party.kind, word(line.party.kind)),
        "cells": [
            (word(name), [reasons.tell_reason(reason, speak) for reason in line.permissions.get(name, ())])
            for name in columns
        ],
    }


def _tell_surroundings(subject: Subject) -> list[str]:
    """Return in sentences what the dossiers above mean here: blocked sharing, and what they grant."""
    found = read_surroundings(current_work(), subject)
    told = []
    if found.blocked_by is not None:
        told.append(
            gettext("The dossier “%(title)s” blocks what is shared above it.", title=title_of(dict(found.blocked_by)))
            if found.blocked_by
            else gettext("What is shared on the dossiers above is blocked on this document.")
        )
    for titles, permission, roles in found.grants:
        told.append(
            gettext(
                "The dossier “%(title)s” says who holds “%(permission)s” here: %(roles)s.",
                title=title_of(dict(titles)),
                permission=word(permission),
                roles=join(map(word, roles)) or gettext("nobody"),
            )
        )
    return told


def _tell_missing(subject: Subject, permission: str) -> str:
    holders = sorted(subject.workflow.holders(subject.state_name, permission))
    if not holders:
        return gettext("no: nobody may at this stage")
    return gettext("no: it takes one of the roles %(roles)s", roles=join(map(word, holders)))


def _speak() -> Translator:
    return translator(language(), reader_zone())


ROUTES: tuple[Route, ...] = (Route("/documents/<reference>/steps", "steps", show_steps),)
