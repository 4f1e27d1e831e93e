"""What every page of a document has around it: header, progress strip, tabs.

    return render("documents/text.html", **document_context(subject, "text"), blocks=...)

The template extends `documents/layout.html` and fills the block `tab`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from r2pflow.domain.people import ANONYMOUS
from r2pflow.persistence.documents import DossierRow
from r2pflow.services import queries, standing
from r2pflow.services.access import Subject
from r2pflow.services.facts import count_comments
from r2pflow.services.standing import Deadline, Status
from r2pflow.web.auth import current_work
from r2pflow.web.i18n import N_, format_day, format_number, gettext, join_parts, territory_name, title_of
from r2pflow.web.rendering import has_endpoint, url
from r2pflow.web.sentences import join
from r2pflow.web.words import word


@dataclass(frozen=True)
class Shell:
    """What the header of a document's page says; `steps` are those of the macro `progress_strip`."""

    reference: str
    accent: str
    type_title: str
    state_title: str
    state_tone: str
    state_description: str
    is_open: bool  # the text may be edited
    dossier: DossierRow | None
    way: list[tuple[str, Status]]
    steps: list[dict[str, str]]
    movers: str
    waits_for: str
    beside: list[tuple[str, str, Deadline | None]]  # the further workflows: title, title of the state, deadline
    deadline: Deadline | None
    tabs: list[dict[str, Any]]
    comments: int
    unanswered: int
    counted: str  # how the deadline was counted, where holidays matter


def document_context(subject: Subject, tab: str = "") -> dict[str, Any]:
    """Return `subject` and `shell` for `documents/layout.html`; five queries.

    `tab` names the present one: text, comments, decision, languages, fields, way, history or sharing.
    """
    work = current_work()
    way = standing.lay_way(subject.workflow, queries.find_path(work, subject))
    following = standing.find_main_transition(subject.workflow, way)
    deadline = _find_end(subject)
    movers = join_roles(standing.find_movers(subject.workflow, subject.state_name, following))
    counts = count_comments(work, subject.id)
    shell = Shell(
        reference=subject.reference,
        accent=subject.type.accent,
        type_title=title_of(subject.type.title, subject.type.name),
        state_title=state_title(subject),
        state_tone=_tone(subject),
        state_description=title_of(subject.state.description),
        is_open=subject.state.text == "open",
        dossier=work.session.get(DossierRow, subject.dossier_id) if subject.dossier_id else None,
        way=way,
        steps=[
            {
                "label": state_title(subject, name),
                "status": status,
                "note": gettext("%(number)s of %(total)s", number=format_number(place), total=format_number(len(way)))
                if status == "here"
                else "",
            }
            for place, (name, status) in enumerate(way, 1)
        ],
        movers=movers,
        waits_for=_tell_who(subject, movers, standing.is_automatic(following)),
        beside=[
            (title_of(lane.workflow.title, word(lane.workflow.name)), state_title(lane), _find_end(lane))
            for lane in subject.lanes[1:]
        ],
        deadline=deadline,
        tabs=_list_tabs(subject, tab, counts.total),
        comments=counts.total,
        unanswered=counts.unanswered,
        counted=_tell_counting(deadline),
    )
    return {"subject": subject, "shell": shell, "tab": tab}


def _find_end(subject: Subject) -> Deadline | None:
    return None if subject.state.final else standing.find_deadline(current_work(), subject)


def state_title(subject: Subject, name: str | None = None) -> str:
    """Return the title of a state of the subject's workflow, or of its chain; the present one by default."""
    wanted = name or subject.state_name
    state = next((lane.workflow.states[wanted] for lane in subject.lanes if wanted in lane.workflow.states), None)
    return title_of(state.title, word(state.name)) if state else word(name)


def transition_title(subject: Subject, name: str) -> str:
    """Return the title of a transition of the subject's chain; an unknown one by its name."""
    found = subject.find_lane(name).workflow.transitions.get(name)
    return title_of(found.title, word(name)) if found else word(name)


ROLES = {
    "member": N_("the members"),
    "steering": N_("the steering group"),
    "secretariat": N_("the secretariat"),
    "translator": N_("the translators"),
    "author": N_("the author"),
    "editor": N_("the editors"),
    "manager": N_("the administrators"),
    "authenticated": N_("everyone signed in"),
}
"""Roles as those who hold them are spoken of."""


def join_roles(roles: Iterable[str]) -> str:
    """Return roles as one phrase, "the secretariat and the editors"; who has no account is left out."""
    return join(gettext(ROLES[role]) if role in ROLES else word(role) for role in sorted(roles) if role != ANONYMOUS)


def _tone(subject: Subject) -> str:
    if subject.state.final:
        return "good" if any("publish" in _effects(subject, name) for name in subject.workflow.transitions) else ""
    return "waiting" if subject.state.comments or subject.state.ballot else "accent"


def _effects(subject: Subject, transition: str) -> set[str]:
    found = subject.workflow.transitions[transition]
    return {effect.name for effect in found.effects} if found.to == subject.state_name else set()


def _tell_who(subject: Subject, movers: str, is_automatic: bool) -> str:
    """Return the sentence that says for whom the document waits; empty at the end of the way."""
    state = subject.state
    if state.final:
        return ""
    if state.comments and movers:
        return gettext("Comments are open to: %(who)s.", who=movers)
    if state.ballot:
        return gettext("The decision is with: %(who)s.", who=movers) if movers else gettext("The ballot is open.")
    if movers:
        return gettext("The next step is with: %(who)s.", who=movers)
    return gettext("The next step follows by itself.") if is_automatic else ""


def _tell_counting(deadline: Deadline | None) -> str:
    if deadline is None or not deadline.counts_working_days:
        return ""
    if not deadline.days_off:
        return gettext("Counted in working days.")
    days = (f"{format_day(one.day)} ({_tell_places(one.places)})" for one in deadline.days_off)
    return gettext("Counted in working days. Days off on the way: %(days)s.", days=join(days))


def _tell_places(places: Iterable[tuple[str, str]]) -> str:
    named = [territory_name(country) + (f", {region}" if region else "") for country, region in places]
    return join_parts(named) or gettext("the coalition's own")


def _list_tabs(subject: Subject, tab: str, comments: int) -> list[dict[str, Any]]:
    is_known = not subject.actor.is_anonymous
    languages = len({subject.language, *subject.type.required_languages, *subject.type.optional_languages})
    fields = gettext("Plan") if any(one.kind == "rows" for one in subject.type.fields) else gettext("Details")
    known: list[tuple[str, str, str, bool, int | None]] = [
        ("text", "document", gettext("Text"), True, None),
        ("fields", "fields", fields, bool(subject.type.fields), None),
        ("comments", "comments", gettext("Comments"), is_known, comments),
        ("decision", "decision", gettext("Decision"), is_known and bool(subject.workflow.ballots), None),
        ("languages", "languages", gettext("Languages"), is_known and languages > 1, languages),
        ("way", "way", gettext("Workflow"), is_known, None),
        ("history", "history", gettext("History"), is_known, None),
        ("sharing", "sharing", gettext("Sharing"), is_known and subject.may("share"), None),
    ]
    return [
        {
            "label": label,
            "href": url(endpoint, reference=subject.reference),
            "is_current": name == tab,
            "count": count,
        }
        for name, endpoint, label, is_shown, count in known
        if is_shown and has_endpoint(endpoint)
    ]
