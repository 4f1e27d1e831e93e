"""A conference plan as a calendar file (RFC 5545)."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.printable import Plan, PlannedMilestone, PlannedSession, Printable
from r2pflow.outputs.translations import Translator, translator


def plan_calendar(
    printable: Printable, *, stamped_at: datetime | None = None, with_milestones: bool | None = None
) -> bytes:
    """Write the sessions as events in the venue's time zone, the milestones as whole days.

    `stamped_at` (UTC) becomes DTSTAMP; by default when the edition was published. Milestones belong to the internal
    version unless `with_milestones` says otherwise. UIDs stay the same from edition to edition and language to
    language, so that a calendar updates what it has. Refuse with InvalidInput what has no plan.
    """
    plan = printable.plan
    if plan is None:
        raise InvalidInput("no_plan", reference=printable.name)
    say = translator(printable.language, plan.timezone)
    stamp = (stamped_at or printable.published_at or _first_day(plan)).astimezone(UTC)
    calendar = Calendar()
    calendar.add("prodid", f"-//r2pflow//{printable.language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", printable.title)
    calendar.add("x-wr-timezone", plan.timezone)
    for number, session in enumerate(plan.sessions, start=1):
        calendar.add_component(_make_session(printable, plan, session, number, stamp, say))
    if printable.is_internal if with_milestones is None else with_milestones:
        for number, milestone in enumerate(plan.milestones, start=1):
            calendar.add_component(_make_milestone(printable, milestone, number, stamp, say))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _make_session(
    printable: Printable, plan: Plan, session: PlannedSession, number: int, stamp: datetime, say: Translator
) -> Event:
    event = Event()
    event.add("uid", _make_uid(printable, session.key or f"session-{number}"))
    event.add("dtstamp", stamp)
    if session.starts is None:
        event.add("dtstart", session.day)
        event.add("dtend", session.day + timedelta(days=1))
    else:
        zone = ZoneInfo(plan.timezone)
        starts = datetime.combine(session.day, session.starts, zone)
        ends = datetime.combine(session.day, session.ends, zone) if session.ends else starts
        event.add("dtstart", starts)
        # A session that ends after midnight has an end before its start.
        event.add("dtend", ends if ends >= starts else ends + timedelta(days=1))
    event.add("summary", session.title)
    places = [place for place in (session.room, plan.venue, plan.city) if place]
    if places:
        event.add("location", ", ".join(places))
    told = [session.note] if session.note else []
    if session.chair:
        told.append(f"{say.gettext('Chair:')} {session.chair}")
    if session.speakers:
        word = say.gettext("Speaker:") if len(session.speakers) == 1 else say.gettext("Speakers:")
        told.append(f"{word} {'; '.join(session.speakers)}")
    if session.languages:
        told.append(say.enumeration(say.language_name(code) for code in session.languages))
    if told:
        event.add("description", "\n".join(told))
    if session.is_break:
        event.add("transp", "TRANSPARENT")
    if printable.register_url:
        event.add("url", printable.register_url)
    return event


def _make_milestone(
    printable: Printable, milestone: PlannedMilestone, number: int, stamp: datetime, say: Translator
) -> Event:
    event = Event()
    event.add("uid", _make_uid(printable, milestone.key or f"milestone-{number}"))
    event.add("dtstamp", stamp)
    event.add("dtstart", milestone.due_on)
    event.add("dtend", milestone.due_on + timedelta(days=1))
    event.add("summary", milestone.title)
    event.add("transp", "TRANSPARENT")
    status = say.gettext("done") if milestone.is_done else milestone.status
    told = " · ".join(part for part in (milestone.owner, status) if part)
    if told:
        event.add("description", told)
    return event


def _make_uid(printable: Printable, key: str) -> str:
    """Name an event for good: by the document's reference, which no edition or language changes."""
    document = printable.reference or printable.symbol or printable.kind
    return hashlib.sha256(f"{document}\0{key}".encode()).hexdigest()[:32] + "@r2pflow"


def _first_day(plan: Plan) -> datetime:
    day = plan.starts_on or min((s.day for s in plan.sessions), default=date(1970, 1, 1))
    return datetime.combine(day, time(), UTC)
