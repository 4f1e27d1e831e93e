"""Holidays of countries and regions, and days off of the settings: read late, checked early, counted in deadlines."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from r2pflow.domain.errors import SetupError
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.history import TimerRow
from r2pflow.services.access import get_subject
from r2pflow.services.calendars import DayOff, check_places, get_calendar
from r2pflow.services.standing import find_deadline
from r2pflow.services.transitions import fire
from r2pflow.settings import Settings


def read(**values):
    settings = Settings.read({f"R2PFLOW_{name.upper()}": value for name, value in values.items()})
    check_places(settings)
    return settings


def test_a_day_is_off_where_any_of_the_places_has_a_holiday():
    calendar = get_calendar(read(holidays="fr; DE-BY", holiday_dates="2026-12-24"))
    assert date(2026, 7, 14) in calendar  # in France
    assert date(2026, 8, 15) not in calendar or calendar.find_places(date(2026, 8, 15))
    assert calendar.find_places(date(2026, 1, 6)) == (("DE", "BY"),)  # Epiphany, in Bavaria
    assert calendar.find_places(date(2026, 12, 25)) == (("FR", ""), ("DE", "BY"))
    assert date(2026, 12, 24) in calendar and calendar.find_places(date(2026, 12, 24)) == ()
    assert date(2026, 12, 23) not in calendar


def test_no_holidays_are_off_unless_the_settings_name_them():
    assert not get_calendar(read())
    assert date(2026, 12, 25) not in get_calendar(read())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("holidays", "FRANCE", "FR; DE-BY"),
        ("holidays", "FR; XX", "FR, GA"),
        ("holidays", "DE-XX", "DE-BW, DE-BY"),
        ("holidays", "IS-1", "no region"),
        ("holidays", "DE-", "FR; DE-BY"),
        ("holiday_dates", "24.12.2026", "2026-12-24"),
        ("holiday_dates", "2026-02-30", "2026-12-24"),
        ("holiday_dates", "20261224", "2026-12-24"),
    ],
)
def test_what_is_no_place_or_day_is_refused_with_the_key_and_what_is_accepted(name, value, told):
    with pytest.raises(SetupError) as refused:
        read(**{name: value})
    assert refused.value.params["key"] == f"R2PFLOW_{name.upper()}"
    assert told in refused.value.params["remedy"]


def test_the_settings_file_may_list_them(tmp_path):
    (tmp_path / "settings.toml").write_text('holidays = ["FR", "DE-BY"]\nholiday_dates = [2026-12-24, "2026-12-31"]\n')
    settings = Settings.read({"R2PFLOW_INSTANCE": tmp_path})
    assert settings.holiday_places == (("FR", ""), ("DE", "BY"))
    assert settings.own_holidays == {date(2026, 12, 24), date(2026, 12, 31)}


def test_the_library_of_holidays_is_not_read_where_nobody_asks_for_holidays(tmp_path):
    program = (
        "import sys; from r2pflow.standalone import create_app;"
        f"create_app({{'R2PFLOW_INSTANCE': {str(tmp_path)!r}}}); print('holidays' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"


@pytest.fixture
def in_paris(work):
    work.settings = replace(work.settings, timezone="Europe/Paris", holidays="FR", holiday_dates="2027-03-30")
    return work


def test_a_round_over_easter_leaves_holidays_and_own_days_out_and_says_so(in_paris, coalition, statement, clock):
    work = in_paris
    clock.at = datetime(2027, 3, 25, 8, 0, tzinfo=UTC)  # Thursday, 9:00 in Paris, before the clock goes forward
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    rows = dict(work.session.execute(select(TimerRow.kind, TimerRow.due_at)).all())
    # Friday; Easter Monday and the own Tuesday are off; Wednesday, Thursday: at 9:00 of summer time
    assert rows["fire"] == datetime(2027, 4, 1, 7, 0, tzinfo=UTC)
    assert rows["remind"] == datetime(2027, 3, 31, 7, 0, tzinfo=UTC)
    deadline = find_deadline(work, get_subject(work, coalition["secretariat"], statement))
    assert deadline.counts_working_days
    assert list(deadline.days_off) == [
        DayOff(date(2027, 3, 29), (("FR", ""),)),
        DayOff(date(2027, 3, 30), ()),
    ]


def test_a_ballot_of_all_days_leaves_none_out(in_paris, coalition, statement, clock):
    work = in_paris
    clock.at = datetime(2027, 3, 25, 8, 0, tzinfo=UTC)
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    assert work.session.scalars(select(BallotRow.closes_at)).one() == datetime(2027, 3, 30, 7, 0, tzinfo=UTC)
    deadline = find_deadline(work, get_subject(work, coalition["secretariat"], statement))
    assert not deadline.counts_working_days and not deadline.days_off
