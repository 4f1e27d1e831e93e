"""Durations (ISO 8601), working days, deadlines across clock changes, and planning back from a date."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from r2pflow.domain.errors import InvalidInput

ALL_DAYS, WORKING_DAYS = "all", "working"
CALENDARS = (ALL_DAYS, WORKING_DAYS)
NO_HOLIDAYS: Container[date] = frozenset()

_PATTERN = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W|"
    r"(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,3})M)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,6})S)?)?)",
    re.ASCII,
)
_MAX_FREE_DAYS = 400
"""After so many days without a working day the calendar is at fault."""


@dataclass(frozen=True)
class Duration:
    """Calendar months, weeks and days, which keep the wall clock, and an exact time, which does not."""

    months: int = 0
    weeks: int = 0
    days: int = 0
    exact: timedelta = timedelta()


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> Duration:
    """Read `P3D`, `PT12H`, `P2W`, `P1M`, `P1DT12H`; refuse zero, fractions and signs with InvalidInput."""
    found = _PATTERN.fullmatch(text)
    numbers = {} if found is None else {name: int(value or 0) for name, value in found.groupdict().items()}
    if not any(numbers.values()):
        raise InvalidInput("bad_duration", found=text[:60])
    return Duration(
        months=12 * numbers["years"] + numbers["months"],
        weeks=numbers["weeks"],
        days=numbers["days"],
        exact=timedelta(hours=numbers["hours"], minutes=numbers["minutes"], seconds=numbers["seconds"]),
    )


@lru_cache(maxsize=256)
def get_timezone(name: str) -> ZoneInfo:
    """Return the time zone of that IANA name; refuse with InvalidInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput("unknown_timezone", found=name[:60]) from error


def is_working_day(day: date, holidays: Container[date] = NO_HOLIDAYS) -> bool:
    """Tell whether the day is neither Saturday, Sunday nor a holiday."""
    return day.weekday() < 5 and day not in holidays


def deadline(
    start: datetime,
    duration: str,
    *,
    calendar: str = ALL_DAYS,
    timezone: str = "UTC",
    holidays: Container[date] = NO_HOLIDAYS,
) -> datetime:
    """Return the instant, in UTC, at which the duration that began at `start` (aware) ends.

    Days, weeks and months end at the same wall-clock time in `timezone`, across clock changes; a time that
    the clock skips is moved on by the skip, of a time that it shows twice the first counts. Hours and shorter are
    exact. With the calendar `working`, days
    are working days, and what then ends on another day moves on to the same time of the next working day.
    """
    return _shift(start, parse_duration(duration), 1, calendar, timezone, holidays)


def remind_at(
    due: datetime,
    before: str,
    *,
    calendar: str = ALL_DAYS,
    timezone: str = "UTC",
    holidays: Container[date] = NO_HOLIDAYS,
) -> datetime:
    """Return the instant, in UTC, that lies the duration before `due` (aware): the same rules backwards."""
    return _shift(due, parse_duration(before), -1, calendar, timezone, holidays)


def plan_back(
    event_date: date,
    offsets: Iterable[str],
    *,
    calendar: str = ALL_DAYS,
    holidays: Container[date] = NO_HOLIDAYS,
) -> tuple[date, ...]:
    """Return for each offset (`P6W` is six weeks before) the date; with `working`, never a day off."""
    noon = datetime.combine(event_date, time(12), tzinfo=UTC)
    return tuple(_shift(noon, parse_duration(offset), -1, calendar, "UTC", holidays).date() for offset in offsets)


def list_skipped(
    start: datetime, due: datetime, *, timezone: str = "UTC", holidays: Container[date] = NO_HOLIDAYS
) -> tuple[date, ...]:
    """Return the weekdays that are holidays, from the day of `start` to that of `due` (both aware), in the zone."""
    zone = get_timezone(timezone)
    first, last = start.astimezone(zone).date(), due.astimezone(zone).date()
    days = (first + timedelta(days=number) for number in range(max(0, (last - first).days) + 1))
    return tuple(day for day in days if day.weekday() < 5 and day in holidays)


def _shift(
    start: datetime, duration: Duration, sign: int, calendar: str, timezone: str, holidays: Container[date]
) -> datetime:
    if start.tzinfo is None:
        raise ValueError("an instant has a time zone")
    if calendar not in CALENDARS:
        raise InvalidInput("unknown_calendar", found=calendar, accepted=CALENDARS)
    zone = get_timezone(timezone)
    local = start.astimezone(zone)
    try:
        day = _add_months(local.date(), sign * duration.months) + sign * timedelta(weeks=duration.weeks)
        if calendar == WORKING_DAYS:
            day = _step_working_days(day, sign * duration.days, holidays)
        else:
            day += sign * timedelta(days=duration.days)
        if day != local.date():
            local = datetime.combine(day, local.time().replace(fold=0), tzinfo=zone)
        ended = local.astimezone(UTC) + sign * duration.exact
        if calendar == WORKING_DAYS:
            at = ended.astimezone(zone)
            free = _next_working_day(at.date(), sign, holidays)
            if free != at.date():
                ended = datetime.combine(free, at.time().replace(fold=0), tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise InvalidInput("bad_duration", found="a date beyond the year 9999") from error
    return ended


def _add_months(day: date, months: int) -> date:
    """Return the same day of another month, or its last day where it is shorter."""
    if not months:
        return day
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9998:
        raise OverflowError
    first_of_next = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _step_working_days(day: date, count: int, holidays: Container[date]) -> date:
    step = timedelta(days=1 if count > 0 else -1)
    for _ in range(abs(count)):
        day = _next_working_day(day + step, step.days, holidays)
    return day


def _next_working_day(day: date, sign: int, holidays: Container[date]) -> date:
    """Return the day itself, or the nearest working day after it (before it, when the sign is negative)."""
    for _ in range(_MAX_FREE_DAYS):
        if is_working_day(day, holidays):
            return day
        day += timedelta(days=sign)
    raise InvalidInput("no_working_day", found=day.isoformat())
