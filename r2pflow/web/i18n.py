"""Languages of the pages: own gettext domain, own choice of language; what the host does with Babel stays as it is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, dates, numbers
from babel.support import NullTranslations, Translations
from flask import current_app, g, has_request_context, request

from r2pflow.domain.people import LANGUAGES, RIGHT_TO_LEFT, Titles
from r2pflow.folders import get_folder
from r2pflow.web.auth import current_actor
from r2pflow.web.mounting import NAME, get_mount

COOKIE = "r2pflow_language"
QUERY = "hl"

NATIVE_NAMES = {
    "ar": "العربية",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "ru": "Русский",
    "zh": "中文",
}
_LOCALES = {"zh": "zh_Hans_CN"}


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "mark, translate later"
    """Mark a msgid for extraction; `gettext` translates it where it is shown."""
    return msgid


@lru_cache(maxsize=16)
def get_translations(language: str) -> NullTranslations:
    """Return the catalogue of a language; where there is none, msgids stand for themselves."""
    return Translations.load(get_folder("translations"), [language], NAME)


@lru_cache(maxsize=32)
def get_locale(language: str) -> Locale:
    """Return Babel's locale of an interface language, with digits that a reader of the Arabic text expects."""
    return Locale.parse(_LOCALES.get(language, language))


def language() -> str:
    """Return the language of this page.

    In this order: `?hl=`, the cookie, the person's own, the host's Babel, the browser's, the default.
    """
    if not has_request_context():
        return "en"
    if "r2pflow_language" not in g:
        g.r2pflow_language = _choose_language()
    chosen: str = g.r2pflow_language
    return chosen


def _choose_language() -> str:
    for asked in (request.args.get(QUERY), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return asked
    try:
        actor = current_actor()
    except Exception:  # an error page must appear even where the database does not answer
        current_app.logger.exception("cannot tell who asks")
        actor = None
    if actor is not None and not actor.is_anonymous and actor.language in LANGUAGES:
        return actor.language
    if "babel" in current_app.extensions:
        from flask_babel import get_locale as get_host_locale

        found = get_host_locale()
        if found is not None and found.language in LANGUAGES:
            return str(found.language)
    default = get_mount().settings.default_language
    return request.accept_languages.best_match(LANGUAGES) or (default if default in LANGUAGES else "en")


def direction(of: str | None = None) -> str:
    """Return ltr or rtl, for a language or for this page."""
    return "rtl" if (of or language()).split("-")[0] in RIGHT_TO_LEFT else "ltr"


def gettext(msgid: str, **params: Any) -> str:
    """Return the sentence in the language of this page, its `%(name)s` places filled."""
    text = get_translations(language()).gettext(msgid) if msgid else ""
    return text % params if params else text


def ngettext(singular: str, plural: str, num: int, **params: Any) -> str:
    """Return the sentence for a number, by the plural rule of this page's language; `num` fills `%(num)s`."""
    text = get_translations(language()).ngettext(singular, plural, num)
    return text % ({"num": num} | params)


def title_of(titles: Titles | dict[str, Any] | None, fallback: str = "") -> str:
    """Return a title or name in the language of this page, or the nearest there is."""
    if titles is None:
        return fallback
    known = titles if isinstance(titles, Titles) else Titles(titles)
    return known.get(language()) or fallback


def language_name(code: str) -> str:
    """Return a language's name in the language of this page."""
    return get_locale(language()).languages.get(code, code)


def territory_name(code: str) -> str:
    """Return a country's name, by its ISO code, in the language of this page."""
    return get_locale(language()).territories.get(code.upper(), code)


def reader_zone() -> str:
    """Return the IANA name of the zone in which this reader's instants are told."""
    actor = current_actor()
    return get_mount().settings.timezone if actor.is_anonymous else actor.timezone


def _get_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def format_instant(instant: datetime, zone: str = "", length: str = "medium") -> str:
    """Tell an instant with its zone's abbreviation; without `zone`, in the reader's."""
    there = instant.astimezone(_get_zone(zone or reader_zone()))
    locale = get_locale(language())
    told = dates.format_datetime(there, format=length, tzinfo=there.tzinfo, locale=locale)
    if length in ("medium", "short"):
        told = dates.format_date(there, format=length, locale=locale) + ", " + _clock(there, locale)
    return f"{told} {there.tzname()}"


def _clock(there: datetime, locale: Locale) -> str:
    return dates.format_time(there, format="short", tzinfo=there.tzinfo, locale=locale)


def format_day(day: date | datetime, length: str = "medium", zone: str = "") -> str:
    """Tell a day; of an instant, the day in the reader's zone unless another is given."""
    if isinstance(day, datetime):
        day = day.astimezone(_get_zone(zone or reader_zone())).date()
    return dates.format_date(day, format=length, locale=get_locale(language()))


def format_until(instant: datetime, now: datetime | None = None) -> str:
    """Tell how far away an instant is, as "in 3 days" or "2 hours ago"."""
    delta = instant - (now or datetime.now(UTC))
    return dates.format_timedelta(delta, add_direction=True, locale=get_locale(language()), threshold=1.2)


def format_number(number: int | float | Decimal) -> str:
    """Write a number as this page's language does."""
    return numbers.format_decimal(number, locale=get_locale(language()))


def format_size(size: int) -> str:
    """Write a number of bytes as kB or MB."""
    if size < 1_000_000:
        return gettext("%(number)s kB", number=format_number(max(1, round(size / 1000))))
    return gettext("%(number)s MB", number=format_number(round(size / 1_000_000, 1)))
