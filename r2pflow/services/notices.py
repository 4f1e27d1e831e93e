"""Who is told of what: recipients by role and organisation, only among those who may view the document.

An event becomes one `mail` job per person, each with its own key, so that doing it again tells nobody twice. What a
mail says is gathered when it is sent, from what is true then; what nobody needs to know any more is not sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from r2pflow.domain.errors import InvalidInput, NotFound, Refusal
from r2pflow.domain.people import Actor
from r2pflow.persistence.deliberation import BallotRow, BallotVoterRow, CommentRow, PositionRow
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject, list_viewers
from r2pflow.services.comments import find_open_round
from r2pflow.services.facts import count_comments, gather
from r2pflow.services.people import load_actor, load_actors
from r2pflow.services.publishing import find_publication

GATHERING = timedelta(minutes=10)
"""Comments that come within so much time are told in one mail."""

PAGES = {
    "document": "/documents/{reference}",
    "comments": "/documents/{reference}/comments",
    "decision": "/documents/{reference}/decision",
    "languages": "/documents/{reference}/languages",
    "publication": "/register/{symbol}",
    "account": "/account",
}
"""Where the button of a mail leads, below the address of the site."""


@dataclass(frozen=True)
class MailNotice:
    """A mail to one person, as facts; `outputs/mail` makes the sentences. `key` names it for ever."""

    key: str
    event: str
    name: str
    email: str
    language: str
    timezone: str  # IANA name, in which instants are told
    coalition: str
    url: str
    account_url: str
    sent_at: datetime
    reference: str = ""
    title: str = ""
    title_language: str = "en"
    state_title: str = ""
    transition_title: str = ""
    deadline: datetime | None = None
    deadline_timezone: str = ""  # the deadline's own, IANA
    count: int = 0
    outcome: str = ""
    symbol: str = ""
    languages: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


Concerns = Callable[[Subject], bool]
Params = Mapping[str, Any]


def notify(work: UnitOfWork, key: str, event: str, document_id: int, **params: Any) -> int:
    """Queue a mail to each person whom the event concerns and who may view the document; return how many.

    `key` is that of the notification. An event that nobody needs to hear of any more tells nobody. Raises
    InvalidInput for an event that is not known.
    """
    if event not in _AUDIENCES:
        raise InvalidInput("unknown_event", value=event, accepted=sorted(_AUDIENCES))
    told_as = _settle(work, event, document_id, params)
    concerns = _AUDIENCES[told_as](work, document_id, params)
    if concerns is None:
        return 0
    viewers = list_viewers(work, load_actors(work), document_id)
    if event == "reminder":  # of a state that the document may have left meanwhile
        viewers = [subject for subject in viewers if _is_there(subject, params)]
    chosen = [subject.actor.person_id for subject in viewers if concerns(subject)]
    due_at = None
    if told_as == "comment_submitted":
        due_at = work.now() + GATHERING
        key = f"notify:comments:{document_id}:{int(work.now().timestamp() // GATHERING.total_seconds())}"
    for person_id in chosen:
        work.enqueue(
            "mail",
            f"mail:{key}:{person_id}",
            due_at=due_at,
            event=told_as,
            person_id=person_id,
            document_id=document_id,
            **params,
        )
    return len(chosen)


def prepare_mail(work: UnitOfWork, key: str, payload: Params) -> MailNotice | None:
    """Return what a queued mail says, as things stand now.

    None when it is no longer to be sent: the person left, or may not view the document any more, or it is moot.
    """
    actor = load_actor(work, payload["person_id"])
    if actor is None:
        return None
    try:
        subject = get_subject(work, actor, int(payload["document_id"]))
    except NotFound:
        return None
    told = _TOLD.get(payload["event"], _tell_nothing)(work, subject, payload)
    if told is None:
        return None
    page, facts = told
    named = payload.get("workflow")
    lane = next((lane for lane in subject.lanes if lane.track and lane.workflow.name == named), subject)
    person = work.session.get_one(PersonRow, payload["person_id"])
    site = f"{work.settings.base_url.rstrip('/')}{work.settings.url_prefix}"
    return MailNotice(
        key=key,
        event=payload["event"],
        name=actor.name,
        email=person.email,
        language=actor.language,
        timezone=actor.timezone,
        coalition=work.settings.coalition_name(actor.language),
        url=site + PAGES[page].format(reference=subject.reference, symbol=facts.get("symbol", "")),
        account_url=site + PAGES["account"],
        sent_at=work.now(),
        reference=subject.reference,
        title=facts.pop("title", subject.title),
        title_language=facts.pop("title_language", subject.language),
        state_title=lane.state.title.get(actor.language) or lane.state_name.replace("_", " "),
        **facts,
    )


def _is_there(subject: Subject, params: Params) -> bool:
    return "state" not in params or params["state"] in subject.standing.values()


def _settle(work: UnitOfWork, event: str, document_id: int, params: Params) -> str:
    """Turn the general `reminder` into what there is to remind of: a round, a ballot, or the next step.

    Rounds and ballots are the first workflow's of a chain; of a further one it is always the next step.
    """
    if event != "reminder":
        return event
    if params.get("workflow"):
        return "step_reminder"
    if find_open_round(work, document_id) is not None:
        return "round_reminder"
    return "ballot_reminder" if _find_open_ballot(work, document_id) is not None else "step_reminder"


def _find_open_ballot(work: UnitOfWork, document_id: int) -> BallotRow | None:
    query = select(BallotRow).where(BallotRow.document_id == document_id, BallotRow.closed_at.is_(None))
    return work.session.scalars(query).first()


def _is_over(closes_at: datetime | None, work: UnitOfWork) -> bool:
    return closes_at is not None and closes_at <= work.now()


def _has_role(subject: Subject, *roles: str) -> bool:
    return not subject.workflow.counting_roles(roles).isdisjoint(subject.actor.roles)


# Whom each event concerns: a predicate on the document as one person meets it, or None for nobody.


def _audience_of_round(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    window = find_open_round(work, document_id)
    if window is None or _is_over(window.closes_at, work):
        return None
    audience = window.audience
    return lambda subject: subject.may("comment") and _has_role(subject, audience)


def _silent_of_round(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    asked = _audience_of_round(work, document_id, params)
    window = find_open_round(work, document_id)
    if asked is None or window is None:
        return None
    spoken = work.session.execute(
        select(CommentRow.organisation_id, CommentRow.author_id).where(CommentRow.round_id == window.id)
    ).all()
    organisations = {row.organisation_id for row in spoken if row.organisation_id is not None}
    authors = {row.author_id for row in spoken}

    def is_silent(actor: Actor) -> bool:
        return actor.organisation_id not in organisations and actor.person_id not in authors

    return lambda subject: asked(subject) and is_silent(subject.actor)


def _voters(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    ballot = _find_open_ballot(work, document_id)
    if ballot is None or _is_over(ballot.closes_at, work):
        return None
    voters = _list_voters(work, ballot.id)
    return lambda subject: subject.actor.organisation_id in voters and subject.may("decide")


def _silent_voters(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    asked, ballot = _voters(work, document_id, params), _find_open_ballot(work, document_id)
    if asked is None or ballot is None:
        return None
    spoken = frozenset(
        work.session.scalars(
            select(PositionRow.organisation_id).where(
                PositionRow.ballot_id == ballot.id, PositionRow.superseded_at.is_(None)
            )
        )
    )
    return lambda subject: asked(subject) and subject.actor.organisation_id not in spoken


def _voters_and_office(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    voters = _list_voters(work, int(params["ballot_id"]))
    return lambda subject: subject.actor.organisation_id in voters or _has_role(subject, "secretariat")


def _list_voters(work: UnitOfWork, ballot_id: int) -> frozenset[int]:
    query = select(BallotVoterRow.organisation_id).where(BallotVoterRow.ballot_id == ballot_id)
    return frozenset(work.session.scalars(query))


def _office(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    return lambda subject: _has_role(subject, "secretariat")


def _office_and_scheduler(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    person_id = params.get("scheduled_by")
    return lambda subject: (
        _has_role(subject, "secretariat") or (person_id is not None and subject.actor.person_id == person_id)
    )


def _drafters(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    comment_id = params.get("comment_id")
    comment = work.session.get(CommentRow, comment_id) if comment_id is not None else None
    author_id = comment.author_id if comment else None
    return lambda subject: (
        subject.actor.person_id != author_id and _has_role(subject, "secretariat", "author", "editor")
    )


def _commenter(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    comment = work.session.get(CommentRow, params["comment_id"])
    if comment is None or comment.outcome is None:
        return None
    author_id = comment.author_id
    return lambda subject: subject.actor.person_id == author_id


def _translators(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    return lambda subject: subject.may("translate") and _has_role(subject, "translator")


def _holders(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    role = str(params["role"])
    return lambda subject: _has_role(subject, role)


def _everybody(work: UnitOfWork, document_id: int, params: Params) -> Concerns | None:
    return lambda subject: True


_AUDIENCES: Mapping[str, Callable[[UnitOfWork, int, Params], Concerns | None]] = {
    "reminder": _everybody,  # settled into one of the three below
    "comment_round_opened": _audience_of_round,
    "round_reminder": _silent_of_round,
    "round_closed": _drafters,
    "comment_submitted": _drafters,
    "comment_answered": _commenter,
    "ballot_opened": _voters,
    "ballot_reminder": _silent_voters,
    "ballot_closed": _voters_and_office,
    "step_reminder": _office,
    "translation_wanted": _translators,
    "state_entered": _holders,
    "document_published": _everybody,
    "timer_refused": _office_and_scheduler,
}

EVENTS = tuple(event for event in _AUDIENCES if event != "reminder")


# What each mail says, or None when there is nothing to say any more: its page, and facts of MailNotice.

Told = tuple[str, dict[str, Any]] | None


def _tell_round(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    window = find_open_round(work, subject.id)
    if window is None or _is_over(window.closes_at, work):
        return None
    return "document", {"deadline": window.closes_at, "deadline_timezone": window.timezone}


def _tell_open_comments(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    count = count_comments(work, subject.id).unanswered
    if not count and payload["event"] == "comment_submitted":
        return None
    return "comments", {"count": count}


def _tell_answer(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    comment = work.session.get(CommentRow, payload["comment_id"])
    return ("comments", {"outcome": comment.outcome}) if comment and comment.outcome else None


def _tell_ballot(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    ballot = _find_open_ballot(work, subject.id)
    if ballot is None or _is_over(ballot.closes_at, work):
        return None
    return "decision", {"deadline": ballot.closes_at, "deadline_timezone": ballot.timezone}


def _tell_verdict(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    ballot = work.session.get(BallotRow, payload["ballot_id"])
    return ("decision", {"outcome": ballot.outcome}) if ballot else None


def _tell_step(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    if not _is_there(subject, payload):
        return None
    row = work.session.execute(
        select(TimerRow.due_at, TimerRow.timezone)
        .where(TimerRow.document_id == subject.id, TimerRow.kind == "fire", TimerRow.ended_at.is_(None))
        .where(TimerRow.workflow == payload.get("workflow", ""))
        .order_by(TimerRow.due_at)
        .limit(1)
    ).first()
    if row is None or _is_over(row.due_at, work):
        return None
    return "document", {"deadline": row.due_at, "deadline_timezone": row.timezone}


def _tell_languages(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    languages = gather(work, subject, ("languages",)).languages
    waiting = tuple(code for code, status in languages.status.items() if status != "verified") if languages else ()
    return ("languages", {"languages": waiting}) if waiting else None


def _tell_state(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    return ("document", {}) if subject.state_name == payload["state"] else None


def _tell_publication(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    publication = find_publication(work, subject.id)
    if publication is None or publication.withdrawn_at is not None or not publication.editions:
        return None
    titles = {row.language: row.title for row in publication.editions[0].languages}
    language = subject.actor.language if subject.actor.language in titles else subject.language
    title = titles.get(language, subject.title)
    return "publication", {"symbol": publication.symbol, "title": title, "title_language": language}


def _tell_refusal(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    wanted = payload.get("transition", "")
    transition = subject.find_lane(wanted).workflow.transitions.get(wanted)
    name = transition.name.replace("_", " ") if transition else ""
    return "document", {
        "deadline": datetime.fromisoformat(payload["was_due_at"]),
        "deadline_timezone": payload.get("timezone", ""),
        "transition_title": (transition.title.get(subject.actor.language) or name) if transition else "",
        "refusals": tuple(Refusal(reason["code"], reason["params"]) for reason in payload["reasons"]),
    }


def _tell_nothing(work: UnitOfWork, subject: Subject, payload: Params) -> Told:
    return None


_TOLD: Mapping[str, Callable[[UnitOfWork, Subject, Params], Told]] = {
    "comment_round_opened": _tell_round,
    "round_reminder": _tell_round,
    "round_closed": _tell_open_comments,
    "comment_submitted": _tell_open_comments,
    "comment_answered": _tell_answer,
    "ballot_opened": _tell_ballot,
    "ballot_reminder": _tell_ballot,
    "ballot_closed": _tell_verdict,
    "step_reminder": _tell_step,
    "translation_wanted": _tell_languages,
    "state_entered": _tell_state,
    "document_published": _tell_publication,
    "timer_refused": _tell_refusal,
}
