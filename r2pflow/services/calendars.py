"""Days off: the holidays of the countries and regions that the settings name, and their own dates.

The library of holidays is read only where a calendar is asked, or the settings name a country.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from r2pflow.domain import schedule
from r2pflow.domain.errors import SetupError
from r2pflow.settings import Settings

Place = tuple[str, str]
"""A country (ISO 3166, two letters) and a region of it, or an empty string."""

KEY = "R2PFLOW_HOLIDAYS"


@dataclass(frozen=True)
class DayOff:
    """A weekday that does not count as a working day, and where; `places` is empty for a date of the settings."""

    day: date
    places: tuple[Place, ...]


@dataclass(frozen=True)
class HolidayCalendar(Container[date]):
    """All days off of an installation, whichever of its places has them."""

    places: tuple[Place, ...] = ()
    dates: frozenset[date] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.places or self.dates)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and (day in self.dates or any(day in _read(one, day.year) for one in self.places))

    def find_places(self, day: date) -> tuple[Place, ...]:
        """Return where the day is a holiday."""
        return tuple(one for one in self.places if day in _read(one, day.year))

    def list_skipped(self, start: datetime, due: datetime, timezone: str) -> Sequence[DayOff]:
        """Return the weekdays between two instants (aware) that are off, in the zone."""
        days = schedule.list_skipped(start, due, timezone=timezone, holidays=self) if self else ()
        return [DayOff(day, self.find_places(day)) for day in days]


@lru_cache(maxsize=16)
def get_calendar(settings: Settings) -> HolidayCalendar:
    """Return the calendar of the settings; cheap, it reads no holidays yet."""
    return HolidayCalendar(settings.holiday_places, settings.own_holidays)


def check_places(settings: Settings) -> None:
    """Refuse a country or region whose holidays nobody knows with SetupError, which names what is accepted."""
    if not settings.holiday_places:
        return
    import holidays  # 70 ms and 10 MB that an installation without holidays does not need

    known = holidays.list_supported_countries()
    for country, region in settings.holiday_places:
        if country not in known:
            accepted = ", ".join(sorted(code for code in known if len(code) == 2))
            raise SetupError("bad_setting", key=KEY, value=country, remedy=f"one of {accepted}")
        try:
            holidays.country_holidays(country, subdiv=region or None)
        except NotImplementedError as error:
            regions = ", ".join(f"{country}-{one}" for one in known[country]) or "no region"
            remedy = f"{country}, or one of its regions: {regions}"
            raise SetupError("bad_setting", key=KEY, value=f"{country}-{region}", remedy=remedy) from error


@lru_cache(maxsize=512)
def _read(place: Place, year: int) -> frozenset[date]:
    import holidays  # see check_places

    country, region = place
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year, expand=False))
