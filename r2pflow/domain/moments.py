"""Days and times that somebody wrote down for later, as instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.schedule import get_timezone

FARTHEST = timedelta(days=3660)
"""What lies further ahead was mistyped."""


@dataclass(frozen=True)
class Moment:
    """An instant in UTC and the zone that it was written in; `is_moved` where the clock skips what was written."""

    instant: datetime
    timezone: str
    is_moved: bool = False


def read_moment(text: str, timezone: str, now: datetime, field: str = "at") -> Moment:
    """Read `2027-03-31T14:30`, a time by the clock in the zone, or the same with an offset, which then counts.

    A time that the clock skips is moved on by the skip; of a time that it shows twice the first counts. Refuses with
    InvalidInput, naming the field, what is no day and time or zone, what is past or lies more than ten years ahead.
    """
    try:
        zone = get_timezone(timezone)
    except InvalidInput as error:
        raise InvalidInput(error.code, field="timezone", value=timezone[:60]) from error
    try:
        written = datetime.fromisoformat(text.strip())
        if "T" not in text.strip().upper() and " " not in text.strip():
            raise ValueError("a day without a time")
        aware = written if written.tzinfo else written.replace(tzinfo=zone, fold=0)
        instant = aware.astimezone(UTC)
        told = instant.astimezone(zone)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("bad_datetime", field=field, value=text.strip()[:60]) from error
    check_ahead(instant, now, field)
    return Moment(instant, timezone, not written.tzinfo and told.replace(tzinfo=None) != written.replace(fold=0))


def check_ahead(instant: datetime, now: datetime, field: str = "at") -> None:
    """Refuse with InvalidInput an instant that is not ahead, or is too far ahead."""
    if instant <= now:
        raise InvalidInput("in_the_past", field=field)
    if instant - now > FARTHEST:
        raise InvalidInput("too_far_ahead", field=field)
