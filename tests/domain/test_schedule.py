"""Deadlines: durations, clock changes, working days, and counting back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.schedule import (
    Duration,
    deadline,
    is_working_day,
    list_skipped,
    parse_duration,
    plan_back,
    remind_at,
)

BERLIN = ZoneInfo("Europe/Berlin")
EASTER = frozenset({date(2027, 3, 26), date(2027, 3, 29)})  # Good Friday and Easter Monday


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def ends(start: str, duration: str, calendar: str = "all") -> str:
    found = deadline(berlin(start), duration, calendar=calendar, timezone="Europe/Berlin", holidays=EASTER)
    assert found.tzinfo is UTC
    return found.astimezone(BERLIN).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P3D", Duration(days=3)),
        ("PT12H", Duration(exact=timedelta(hours=12))),
        ("P2W", Duration(weeks=2)),
        ("P1M", Duration(months=1)),
        ("P1Y2M", Duration(months=14)),
        ("P1DT12H30M", Duration(days=1, exact=timedelta(hours=12, minutes=30))),
        ("PT90S", Duration(exact=timedelta(seconds=90))),
    ],
)
def test_a_duration_is_read(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "3D", "P-3D", "-P3D", "P3", "P1.5D", "PT0H", "P0D", "P1W2D", "PD", "P1D2M", "P3d", "P99999D", "P٣D",
     "P1DT", " P1D", "P1D\n"],
)  # fmt: skip
def test_nonsense_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidInput, match="bad_duration"):
        parse_duration(text)


def test_days_keep_the_wall_clock_across_the_change_to_summer_time() -> None:
    assert ends("2027-03-27T09:00", "P1D") == "2027-03-28T09:00+02:00"
    assert ends("2027-03-27T09:00", "PT24H") == "2027-03-28T10:00+02:00"


def test_days_keep_the_wall_clock_across_the_change_to_winter_time() -> None:
    assert ends("2027-10-30T09:00", "P1D") == "2027-10-31T09:00+01:00"
    assert ends("2027-10-30T09:00", "PT24H") == "2027-10-31T08:00+01:00"


def test_a_time_that_the_clock_skips_moves_on_by_the_skip() -> None:
    assert ends("2027-03-27T02:30", "P1D") == "2027-03-28T03:30+02:00"


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    assert ends("2027-10-30T02:30", "P1D") == "2027-10-31T02:30+02:00"


def test_what_began_in_the_second_of_two_equal_hours_ends_like_what_began_in_the_first() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    for start in (first, first.replace(fold=1)):
        found = deadline(start, "P154D", timezone="Europe/Berlin")
        assert found.astimezone(BERLIN).isoformat(timespec="minutes") == "2027-03-28T03:30+02:00"


def test_a_zone_that_changed_its_rules_keeps_the_wall_clock() -> None:
    moscow = ZoneInfo("Europe/Moscow")  # gave up an hour for good on 26 October 2014
    found = deadline(datetime(2014, 10, 24, 9, tzinfo=moscow), "P5D", timezone="Europe/Moscow")
    assert found == datetime(2014, 10, 29, 6, tzinfo=UTC)
    assert deadline(datetime(2014, 10, 24, 9, tzinfo=moscow), "PT120H", timezone="Europe/Moscow") == datetime(
        2014, 10, 29, 5, tzinfo=UTC
    )


def test_a_day_that_a_zone_left_out_moves_on_to_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    start = datetime(2011, 12, 29, 9, tzinfo=apia)
    assert deadline(start, "P1D", timezone="Pacific/Apia").astimezone(apia).date() == date(2011, 12, 31)
    working = deadline(start, "P1D", calendar="working", timezone="Pacific/Apia").astimezone(apia)
    assert working.isoformat(timespec="minutes") == "2012-01-02T09:00+14:00"


def test_weekdays_off_between_two_instants_are_told_by_the_days_of_the_zone() -> None:
    start, due = berlin("2027-03-25T23:30"), berlin("2027-03-30T09:00")
    assert list_skipped(start, due, timezone="Europe/Berlin", holidays=EASTER) == (date(2027, 3, 26), date(2027, 3, 29))
    assert list_skipped(due, start, timezone="Europe/Berlin", holidays=EASTER) == ()


def test_the_zone_of_the_start_does_not_matter() -> None:
    start = berlin("2027-03-27T09:00").astimezone(ZoneInfo("Asia/Shanghai"))
    assert deadline(start, "P1D", timezone="Europe/Berlin") == berlin("2027-03-28T09:00")


def test_working_days_leave_out_the_weekend() -> None:
    assert ends("2027-03-05T15:00", "P3D", "working") == "2027-03-10T15:00+01:00"
    assert ends("2027-03-06T15:00", "P1D", "working") == "2027-03-08T15:00+01:00"


def test_working_days_leave_out_holidays_and_keep_the_wall_clock() -> None:
    assert ends("2027-03-25T15:00", "P1D", "working") == "2027-03-30T15:00+02:00"


def test_a_weekend_is_that_of_the_time_zone() -> None:
    late_friday = datetime(2027, 3, 5, 23, 30, tzinfo=UTC)  # Saturday in Auckland
    assert deadline(late_friday, "P1D", calendar="working", timezone="Pacific/Auckland").astimezone(
        ZoneInfo("Pacific/Auckland")
    ).date() == date(2027, 3, 8)


def test_hours_that_end_on_a_day_off_wait_for_the_next_working_day() -> None:
    assert ends("2027-03-05T15:00", "PT12H", "working") == "2027-03-08T03:00+01:00"
    assert ends("2027-03-05T15:00", "P1W", "working") == "2027-03-12T15:00+01:00"


def test_a_month_ends_on_its_last_day_where_it_is_shorter() -> None:
    assert ends("2027-01-31T12:00", "P1M") == "2027-02-28T12:00+01:00"
    assert ends("2027-11-30T12:00", "P3M") == "2028-02-29T12:00+01:00"
    assert ends("2027-12-15T12:00", "P1Y1M") == "2029-01-15T12:00+01:00"


def test_a_reminder_lies_before_by_the_same_rules() -> None:
    due = berlin("2027-03-30T15:00")
    found = remind_at(due, "P1D", calendar="working", timezone="Europe/Berlin", holidays=EASTER)
    assert found == berlin("2027-03-25T15:00")
    assert remind_at(due, "P2D", timezone="Europe/Berlin") == berlin("2027-03-28T15:00")
    assert remind_at(due, "PT36H") == due - timedelta(hours=36)


def test_a_plan_counts_back_from_the_event() -> None:
    event = date(2027, 5, 11)
    assert plan_back(event, ["P6W", "P1M", "P2D"]) == (date(2027, 3, 30), date(2027, 4, 11), date(2027, 5, 9))
    assert plan_back(event, ["P1M", "P2D"], calendar="working") == (date(2027, 4, 9), date(2027, 5, 7))


def test_what_cannot_be_reckoned_is_refused() -> None:
    start = berlin("2027-03-05T15:00")
    with pytest.raises(InvalidInput, match="unknown_timezone"):
        deadline(start, "P1D", timezone="Mars/Olympus")
    with pytest.raises(InvalidInput, match="unknown_timezone"):
        deadline(start, "P1D", timezone="../../etc/passwd")
    with pytest.raises(InvalidInput, match="unknown_calendar"):
        deadline(start, "P1D", calendar="lunar")
    with pytest.raises(InvalidInput, match="bad_duration"):
        deadline(datetime(9999, 12, 31, tzinfo=UTC), "P2D")
    with pytest.raises(InvalidInput, match="bad_duration"):
        remind_at(datetime(1, 1, 2, tzinfo=UTC), "P1M")
    with pytest.raises(InvalidInput, match="no_working_day"):
        deadline(
            start, "P1D", calendar="working", holidays=frozenset(date(2027, 1, 1) + timedelta(n) for n in range(900))
        )
    with pytest.raises(ValueError, match="time zone"):
        deadline(datetime(2027, 3, 5), "P1D")


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(1, 60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_so_many_working_days_lie_between_start_and_deadline(start: datetime, days: int, timezone: str) -> None:
    aware = start.replace(tzinfo=UTC)
    zone = ZoneInfo(timezone)
    end = deadline(aware, f"P{days}D", calendar="working", timezone=timezone).astimezone(zone).date()
    first = aware.astimezone(zone).date()
    between = [first + timedelta(n) for n in range(1, (end - first).days + 1)]
    assert sum(map(is_working_day, between)) == days
    assert is_working_day(end)
