"""Languages of the pages: own gettext domain, own choice of language; what the host does with Babel stays as it is."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, dates
from flask import current_app, g, has_request_context, request

from r2pflow.domain.people import LANGUAGES, RIGHT_TO_LEFT, Titles
from r2pflow.outputs.translations import Due, translator
from r2pflow.outputs.words import N_
from r2pflow.web.auth import current_actor
from r2pflow.web.mounting import get_mount

__all__ = ["N_", "gettext", "language", "ngettext"]

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


@lru_cache(maxsize=32)
def get_locale(language: str) -> Locale:
    """Return Babel's locale of an interface language."""
    return translator(language).locale


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


@contextmanager
def speak_in(code: str) -> Iterator[None]:
    """Say everything inside in another language: a mail, in that of the person it goes to."""
    before = language()
    g.r2pflow_language = code if code in LANGUAGES else before
    try:
        yield
    finally:
        g.r2pflow_language = before


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
    if _has_host_babel():
        from flask_babel import get_locale as get_host_locale

        found = get_host_locale()
        if found is not None and found.language in LANGUAGES:
            return str(found.language)
    default = get_mount().settings.default_language
    return request.accept_languages.best_match(LANGUAGES) or (default if default in LANGUAGES else "en")


def _has_host_babel() -> bool:
    found = current_app.extensions.get("babel")
    return found is not None and found.locale_selector is not language


def direction(of: str | None = None) -> str:
    """Return ltr or rtl, for a language or for this page."""
    return "rtl" if (of or language()).split("-")[0] in RIGHT_TO_LEFT else "ltr"


def gettext(msgid: str, **params: Any) -> str:
    """Return the sentence in the language of this page, its `%(name)s` places filled."""
    return translator(language()).gettext(msgid, **params)


def ngettext(singular: str, plural: str, num: int, **params: Any) -> str:
    """Return the sentence for a number, by the plural rule of this page's language; it fills `%(num)s`."""
    return translator(language()).ngettext(singular, plural, num, **params)


def join_parts(words: Iterable[str]) -> str:
    """Join parts that have commas of their own, in this page's language."""
    return translator(language()).parts(words)


def look_up(msgid: str) -> str:
    """Return the bare translation, places unfilled: Jinja fills them, escaped."""
    return translator(language()).catalogue.gettext(msgid) if msgid else ""


def look_up_plural(singular: str, plural: str, num: int) -> str:
    """Return the bare translation in the plural form of the number."""
    return translator(language()).catalogue.ngettext(singular, plural, num)


def coalition() -> str:
    """Return the coalition's name in the language of this page."""
    return get_mount().settings.coalition_name(language())


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
    """Tell an instant in a zone, or else in the reader's: `9 Mar 2027, 18:00 (UTC+1)`; long spells the month."""
    name = _get_zone(zone or reader_zone()).key
    return translator(language()).datetime(instant, name, _style(length))


def tell_due(instant: datetime, zone: str) -> Due:
    """Tell a deadline in the reader's zone, and in its own where the clocks differ: the one way for all pages."""
    reader = _get_zone(reader_zone()).key
    return translator(language(), reader).due(instant, _get_zone(zone).key, _style("medium"))


def _style(length: str) -> str:
    return "long" if language() == "ar" else length


def format_day(day: date | datetime, length: str = "medium", zone: str = "") -> str:
    """Tell a day; of an instant, the day in the reader's zone unless another is given."""
    if isinstance(day, datetime):
        day = day.astimezone(_get_zone(zone or reader_zone())).date()
    if language() == "ar" and length == "medium":
        length = "long"
    return translator(language()).date(day, length)


def format_until(instant: datetime, now: datetime | None = None) -> str:
    """Tell how far away an instant is, as "in 3 days" or "2 hours ago"."""
    delta = instant - (now or datetime.now(UTC))
    return dates.format_timedelta(delta, add_direction=True, locale=get_locale(language()), threshold=1.2)


def format_number(number: int | float | Decimal) -> str:
    """Write a number as this page's language does."""
    return translator(language()).number(number)


def format_size(size: int) -> str:
    """Write a number of bytes as kB or MB."""
    if size < 1_000_000:
        return gettext("%(number)s kB", number=format_number(max(1, round(size / 1000))))
    return gettext("%(number)s MB", number=format_number(round(size / 1_000_000, 1)))
