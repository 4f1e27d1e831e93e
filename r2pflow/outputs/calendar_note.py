"""A deadline as a calendar file (RFC 5545), for a mail to carry."""

from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from r2pflow.services.notices import MailNotice

AHEAD = timedelta(days=-1)
"""When a calendar rings before the deadline."""


def make_deadline(notice: MailNotice, deadline: datetime, summary: str, domain: str, told: str) -> bytes:
    """Return the calendar with the one deadline; a later mail on the same step replaces it in the reader's calendar.

    `told` is the deadline in words, in the reader's zone and in its own: a calendar shows only the reader's.
    """
    event = Event()
    kind = "ballot" if notice.event.startswith("ballot") else "round"
    event.add("uid", f"{notice.reference}-{kind}-{deadline:%Y%m%dT%H%M%SZ}@{domain}")
    event.add("dtstamp", notice.sent_at)
    event.add("dtstart", deadline)
    event.add("summary", summary)
    event.add("url", notice.url)
    event.add("description", f"{told}\n{notice.url}")
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", AHEAD)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//r2pflow//deadline//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
