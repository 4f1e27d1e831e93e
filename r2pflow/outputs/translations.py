"""The words, dates and numbers of one language, for outputs that no web request stands behind."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, lists, numbers
from babel.support import Translations

from r2pflow.folders import get_folder

DOMAIN = "r2pflow"
Day = date
Instant = datetime  # within Translator, `date` and `datetime` are methods

_LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
"""British dates, as the United Nations writes them; the rest of a language is its plain locale."""

# Both series of month names, as the United Nations writes Arabic dates: readers from Baghdad to Rabat know one.
_ARABIC_MONTHS = (
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيه",
    "تموز/يوليه",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
)


@lru_cache(maxsize=1024)
def _write_day(day: Day, style: str, locale: Locale) -> str:
    return dates.format_date(day, style, locale=locale)


@dataclass(frozen=True)
class Due:
    """A deadline as it is told: in the reader's zone, and in `own`, its own `zone`, where the clocks differ there."""

    text: str
    own: str = ""
    zone: str = ""

    def __str__(self) -> str:
        return f"{self.text} · {self.own} {self.zone}".rstrip() if self.own else self.text


@dataclass(frozen=True)
class Translator:
    """Say things in one language, times in one zone. Arabic gets European digits, in text as in dates."""

    language: str
    catalogue: NullTranslations
    locale: Locale
    timezone: str = "UTC"

    def gettext(self, message: str, **params: Any) -> str:
        """Translate, then fill the `%(name)s` places; without params a `%` stays as it is."""
        told = self.catalogue.gettext(message) if message else ""
        return told % params if params else told

    def ngettext(self, one: str, many: str, number: int, **params: Any) -> str:
        """Translate in the plural form of `number`, which also fills `%(num)s`."""
        return self.catalogue.ngettext(one, many, number) % {"num": self.number(number), **params}

    def date(self, value: date | datetime | str, style: str = "long") -> str:
        """Write a day: long `9 March 2027`, full with its weekday, or any other pattern of Babel."""
        if isinstance(value, str):
            value = date.fromisoformat(value)
        if isinstance(value, datetime):
            value = value.astimezone(ZoneInfo(self.timezone))
        if self.language == "ar" and style in ("long", "full"):
            weekday = dates.format_date(value, "EEEE", locale=self.locale) + " " if style == "full" else ""
            return f"{weekday}{value.day} {_ARABIC_MONTHS[value.month - 1]} {value.year}"
        return _write_day(value, style, self.locale)

    def date_range(self, first: Day, last: Day) -> str:
        """Write the days from one to another as shortly as the language does: `11–12 May 2027`."""
        if first == last:
            return self.date(first)
        if self.language != "ar":
            return dates.format_interval(first, last, "yMMMMd", locale=self.locale)
        same_month = (first.year, first.month) == (last.year, last.month)
        return f"{first.day if same_month else self.date(first)}–{self.date(last)}"

    def time(self, value: time | str) -> str:
        """Write a wall-clock time of 24 hours, `09:30`."""
        if isinstance(value, str):
            value = time.fromisoformat(value)
        return value.strftime("%H:%M")

    def datetime(self, value: datetime, timezone: str = "", style: str = "long") -> str:
        """Write an instant as day, time and offset in the zone: `9 March 2027, 18:00 (UTC+1)`."""
        there = value.astimezone(ZoneInfo(timezone or self.timezone))
        offset = there.utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset else 0
        sign, (hours, rest) = ("−" if minutes < 0 else "+"), divmod(abs(minutes), 60)
        zone = "UTC" + (f"{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "")
        comma = "، " if self.language == "ar" else " " if self.language == "zh" else ", "
        day = self.date(there.date(), style)
        return f"{day}{comma}{there:%H:%M} ({zone})"

    def due(self, value: Instant, timezone: str, style: str = "long") -> Due:
        """Tell a deadline in this reader's zone, and in its own where the clocks there show another time."""
        told = self.datetime(value, style=style)
        if value.astimezone(ZoneInfo(timezone)).utcoffset() == value.astimezone(ZoneInfo(self.timezone)).utcoffset():
            return Due(told)
        return Due(told, self.datetime(value, timezone, style), timezone if "/" in timezone else "")

    def number(self, value: int | float | Decimal | str) -> str:
        """Write a number with the separators of the language."""
        try:
            return numbers.format_decimal(Decimal(str(value)), locale=self.locale, numbering_system="latn")
        except (InvalidOperation, ValueError):
            return str(value)

    def money(self, value: int | float | Decimal | str, currency: str = "EUR") -> str:
        """Write an amount with the currency's code, without cents when there are none."""
        amount = Decimal(str(value))
        digits = "#,##0" if amount == amount.to_integral_value() else "#,##0.00"
        return f"{currency}\xa0" + numbers.format_decimal(
            amount, format=digits, locale=self.locale, numbering_system="latn"
        )

    def language_name(self, code: str) -> str:
        """Name a language in this one."""
        try:
            return str(Locale.parse(code).get_language_name(str(self.locale)) or code)
        except ValueError:
            return code

    def own_name(self, code: str) -> str:
        """Name a language in itself."""
        try:
            return str(Locale.parse(code).get_language_name(code) or code)
        except ValueError:
            return code

    def enumeration(self, words: Iterable[str]) -> str:
        """Join words as the language does: `a, b and c`."""
        return lists.format_list([str(word) for word in words], locale=self.locale)

    def parts(self, words: Iterable[str]) -> str:
        """Join parts of a sentence that have commas of their own, as the language does: `a, b; c`."""
        stop = {"zh": "；", "ar": "؛ ", "fr": "\N{NO-BREAK SPACE}; "}.get(self.language.split("-")[0], "; ")
        return stop.join(word for word in words if word)


def translator(language: str, timezone: str = "UTC") -> Translator:
    """Return the translator of a language; one without a compiled catalogue speaks English.

    A language unknown to Babel, or a zone unknown to the machine, raises ValueError.
    """
    ZoneInfo(timezone)
    return Translator(language, _catalogue(language), _locale(language), timezone)


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    return Locale.parse(_LOCALES.get(language, language), sep="-" if "-" in language else "_")


@lru_cache(maxsize=32)
def _catalogue(language: str) -> NullTranslations:
    try:
        folder = get_folder("translations")
    except FileNotFoundError:
        return NullTranslations()
    return Translations.load(folder, [language.replace("-", "_")], DOMAIN)
