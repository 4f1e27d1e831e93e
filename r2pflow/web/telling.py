"""Entries of a document's history as sentences in the language of this page."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from r2pflow.domain.errors import Refusal
from r2pflow.domain.people import SYSTEM
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.versions import see_as_then
from r2pflow.web.i18n import N_, format_instant, format_number, gettext, language_name, ngettext, tell_due, title_of
from r2pflow.web.pages.document_shell import state_title, transition_title
from r2pflow.web.sentences import join, sentence
from r2pflow.web.words import word

SENTENCES = {
    ("created", "edit"): N_("began the document."),
    ("created", "import"): N_("began the document from a file."),
    ("imported", ""): N_("took the document over from %(site)s."),
    ("text", ""): N_("wrote revision %(revision)s."),
    ("text", "merge"): N_("wrote revision %(revision)s, merged with edits made meanwhile."),
    ("comment", ""): N_("commented (%(comment_kind)s)."),
    ("comment", "satisfied"): N_("said that the answer to a comment satisfies."),
    ("comment", "unsatisfied"): N_("said that the answer to a comment does not satisfy."),
    ("disposition", ""): N_("answered a comment: %(outcome)s."),
    ("disposition", "again"): N_("changed the answer to a comment from “%(before)s” to “%(outcome)s”."),
    ("ballot", "cancelled"): N_("ended the ballot without a result."),
    ("ballot", "closed"): N_("closed the ballot: %(outcome)s."),
    ("position", ""): N_("recorded a position: %(position)s."),
    ("position", "again"): N_("changed a position from “%(before)s” to “%(position)s”."),
    ("position", "secret"): N_("recorded a position."),
    ("translation", "verified"): N_("verified the translation: %(language)s."),
    ("publication", "published"): N_("published edition %(edition)s of %(symbol)s: %(languages)s."),
    ("publication", "withdrawn"): N_("withdrew %(symbol)s."),
    ("publication", "language_added"): N_("added to edition %(edition)s of %(symbol)s: %(languages)s."),
    ("sharing", "given"): N_("gave a role on this document: %(role)s."),
    ("sharing", "taken"): N_("took a role on this document away: %(role)s."),
    ("sharing", "blocked"): N_("kept what is shared on dossiers above from reaching this document."),
    ("sharing", "unblocked"): N_("let what is shared on dossiers above reach this document again."),
    ("sharing", "given_above"): N_("gave a role on the dossier “%(dossier)s”: %(role)s."),
    ("sharing", "taken_above"): N_("took a role on the dossier “%(dossier)s” away: %(role)s."),
    ("sharing", "blocked_above"): N_("kept what is shared above the dossier “%(dossier)s” from reaching it."),
    ("sharing", "unblocked_above"): N_("let what is shared above the dossier “%(dossier)s” reach it again."),
    ("sharing", "granted"): N_("changed what the dossier “%(dossier)s” grants: %(permissions)s."),
    ("moved", "document"): N_("moved the document from “%(left)s” to “%(place)s”."),
    ("moved", "above"): N_("moved the dossier “%(dossier)s”, with this document, from “%(left)s” to “%(place)s”."),
    ("fields", ""): N_("filled in: %(fields)s."),
    ("refused", ""): N_("“%(transition)s” had become possible, but failed. The operator's log says why."),
    ("timer", "late"): N_("A deadline came late, because the worker was not running. It was due %(due)s."),
    ("timer", "scheduled"): N_("scheduled “%(transition)s” for %(due)s."),
    ("timer", "unscheduled"): N_("took back “%(transition)s”, which was scheduled for %(due)s."),
    ("timer", "came"): N_("had scheduled “%(transition)s” for %(due)s: its time came."),
    ("timer", "came_late"): N_("had scheduled “%(transition)s” for %(due)s: it came late; the worker was not running."),
    ("timer", "schedule_refused"): N_(
        "“%(transition)s”, which %(scheduler)s had scheduled for %(due)s, was not possible. %(reasons)s"
    ),
    ("timer", "refused"): N_("A deadline came, but the step that belongs to it was not possible."),
}
"""By kind of entry and what it did; the name of who did it stands before the sentence."""


def tell_entries(
    work: UnitOfWork, pairs: Iterable[tuple[HistoryEntryRow, Subject]]
) -> list[tuple[HistoryEntryRow, str, str]]:
    """Return for each entry who did what, in the words of the workflow in which it happened."""
    pairs = list(pairs)
    then = see_as_then(work, pairs)
    return [(entry, tell_actor(entry), _tell_entry(entry, *then[entry.id])) for entry, _ in pairs]


def _tell_entry(entry: HistoryEntryRow, before: Subject, subject: Subject) -> str:
    """Return what happened, without who did it and when; an unknown kind as its bare name."""
    if entry.kind == "migration":
        return _tell_migration(entry, before, subject)
    if entry.kind == "transition":
        return _tell_transition(entry, subject)
    params = entry.params
    if entry.kind == "ballot" and params.get("what") == "opened":
        return ngettext(
            "opened a ballot of %(num)s organisation.",
            "opened a ballot of %(num)s organisations.",
            int(params.get("voters") or 0),
        )
    if entry.kind == "translation" and params.get("what") == "saved":
        return ngettext(
            "translated %(num)s paragraph: %(language)s.",
            "translated %(num)s paragraphs: %(language)s.",
            int(params.get("blocks") or 0),
            language=language_name(str(params.get("language", ""))),
        )
    is_secret = any(ballot.secrecy == "secret" for ballot in subject.workflow.ballots.values())
    variant = "secret" if entry.kind == "position" and is_secret else _variant(entry)
    template = SENTENCES.get((entry.kind, variant))
    if template is None:
        return word(entry.kind)
    title = transition_title(subject, entry.transition) if entry.transition else ""
    return gettext(template, **{"transition": title, **_tell_params(params, subject)})


def tell_actor(entry: HistoryEntryRow) -> str:
    """Return the name of who did it, as it was then."""
    return word(SYSTEM) if entry.actor_name in ("", SYSTEM) else entry.actor_name


def _tell_migration(entry: HistoryEntryRow, before: Subject, after: Subject) -> str:
    told = {
        "old": _workflow_title(before, entry.params["from_workflow"]),
        "old_version": entry.params["from_version"],
        "new": _workflow_title(after, entry.params["to_workflow"]),
        "new_version": entry.params["to_version"],
        "source": state_title(before, entry.source),
        "target": state_title(after, entry.target),
    }
    if entry.source == entry.target:
        return gettext(
            "moved the document from “%(old)s”, version %(old_version)s, to “%(new)s”, version %(new_version)s. "
            "It stays in “%(target)s”.",
            **told,
        )
    return gettext(
        "moved the document from “%(old)s”, version %(old_version)s, to “%(new)s”, version %(new_version)s: "
        "from “%(source)s” to “%(target)s”.",
        **told,
    )


def _workflow_title(subject: Subject, name: str) -> str:
    found = next((lane.workflow for lane in subject.lanes if lane.workflow.name == name), None)
    return title_of(found.title, word(name)) if found else word(name)


def _tell_transition(entry: HistoryEntryRow, subject: Subject) -> str:
    title, target = transition_title(subject, entry.transition), state_title(subject, entry.target)
    if entry.source == entry.target:
        return gettext("chose “%(transition)s”. The document stays in “%(state)s”.", transition=title, state=target)
    if entry.trigger == "automatic":
        return gettext(
            "went on to “%(state)s”, because “%(transition)s” had become possible.", transition=title, state=target
        )
    if entry.trigger == "timer":
        return gettext(
            "went on to “%(state)s”: the deadline for “%(transition)s” had come.", transition=title, state=target
        )
    return gettext("chose “%(transition)s”. The document is now in “%(state)s”.", transition=title, state=target)


def _variant(entry: HistoryEntryRow) -> str:
    params = entry.params
    if entry.kind == "created":
        return "import" if params.get("origin") == "import" else "edit"
    if entry.kind == "text":
        return "merge" if params.get("origin") == "merge" else ""
    if entry.kind == "comment" and "satisfied" in params:
        return "satisfied" if params["satisfied"] else "unsatisfied"
    if entry.kind in ("disposition", "position"):
        return "again" if params.get("before") else ""
    return str(params.get("what", ""))


def _tell_params(params: dict[str, Any], subject: Subject) -> dict[str, Any]:
    told = dict.fromkeys(("revision", "comment_kind", "outcome", "before", "position", "language", "role"), "")
    told |= dict.fromkeys(("edition", "symbol", "languages", "fields", "due", "scheduler", "reasons"), "")
    told["permissions"] = ""
    nowhere = gettext("at the top") if params.get("what") == "above" else gettext("no dossier")
    for name, value in params.items():
        if name in ("comment_kind", "outcome", "before", "position", "role"):
            told[name] = word(str(value))
        elif name == "due_at":
            told["due"] = _tell_due(datetime.fromisoformat(value), params.get("timezone", ""))
        elif name == "reasons":
            told[name] = " ".join(sentence(Refusal(one["code"], one["params"]), subject) for one in value)
        elif name in ("dossier", "left", "place"):
            told[name] = title_of(value, nowhere)
        elif name == "permissions":
            told[name] = join(word(str(one)) for one in value)
        elif name == "language":
            told[name] = language_name(str(value))
        elif name == "languages":
            told[name] = join(language_name(str(one)) for one in value)
        elif name == "fields":
            told[name] = join(_field_title(subject, str(one)) for one in value)
        elif isinstance(value, int):
            told[name] = format_number(value)
        else:
            told[name] = str(value)
    return told


def _tell_due(instant: datetime, zone: str) -> str:
    return str(tell_due(instant, zone)) if zone else format_instant(instant)


def _field_title(subject: Subject, name: str) -> str:
    found = subject.type.field(name)
    return title_of(found.title, word(name)) if found else word(name)
