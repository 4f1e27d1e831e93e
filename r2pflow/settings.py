"""The settings, read once from `R2PFLOW_*` keys; nothing else reads configuration."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from r2pflow.domain.errors import SetupError

KEY_PREFIX = "R2PFLOW_"
SETTINGS_FILE = "settings.toml"
"""In the instance folder: the same settings by their lower-case names; configuration and environment win over it."""


@dataclass(frozen=True)
class Settings:
    """What an operator may set; each field is the key `R2PFLOW_<NAME>` of the configuration or the environment.

    Sizes are in bytes, times in seconds; `timezone` (IANA) is where working days and deadlines are counted.
    """

    instance: Path = Path("instance")  # database, outbox, published files
    database_url: str = ""  # empty: SQLite in the instance folder
    secret_key: str = ""  # empty: made once and kept in the instance folder
    base_url: str = "http://127.0.0.1:5000"
    url_prefix: str = ""  # where the extension is mounted
    coalition: str = "Coalition"  # its name; `ar=...; en=...` gives one per language
    timezone: str = "UTC"
    holidays: str = ""  # where working days are off: `FR; DE-BY`, countries (ISO 3166) or their regions
    holiday_dates: str = ""  # further days off: `2026-12-24; 2026-12-31`
    default_language: str = "en"
    workflow_folders: str = ""  # further folders of YAML files, separated by the path separator
    upload_limit: int = 10 * 1024 * 1024
    page_size: int = 25
    mail_server: str = ""  # host[:port]; empty: every mail is a file in the outbox folder
    mail_username: str = ""
    mail_password: str = field(default="", repr=False)
    mail_use_tls: bool = True
    mail_sender: str = "r2pflow <no-reply@localhost>"
    job_lease: int = 60
    worker_processes: int = 0  # 0: one per core
    secure_cookies: bool = False  # set where the site is served over https
    sign_in_limit: str = "10 per minute; 60 per hour"

    @classmethod
    def read(cls, config: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the keys of a configuration mapping, then of the environment where given (which wins).

        Raises SetupError naming the key whose value is of the wrong type or out of range.
        """
        instance = Path((environ or {}).get(KEY_PREFIX + "INSTANCE", config.get(KEY_PREFIX + "INSTANCE", "instance")))
        written = _read_file(instance / SETTINGS_FILE, {one.name for one in fields(cls)} - {"instance"})
        found: dict[str, Any] = {}
        for one in fields(cls):
            key = KEY_PREFIX + one.name.upper()
            value = (environ or {}).get(key, config.get(key, written.get(one.name)))
            if value is not None:
                found[one.name] = _convert(key, value, one.type)
        settings = cls(**found)
        try:
            ZoneInfo(settings.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SetupError(
                "bad_setting",
                key="R2PFLOW_TIMEZONE",
                value=settings.timezone,
                remedy="an IANA name, e.g. Europe/Paris",
            ) from error
        _check_lists(settings)
        return settings

    @property
    def holiday_places(self) -> tuple[tuple[str, str], ...]:
        """Return (country, region) of each place whose holidays are days off; the region may be empty."""
        parts = (one.partition("-") for one in _split(self.holidays))
        return tuple((country.strip().upper(), region.strip()) for country, _, region in parts)

    @property
    def own_holidays(self) -> frozenset[date]:
        """Return the days off that the settings name themselves."""
        return frozenset(map(date.fromisoformat, _split(self.holiday_dates)))

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.instance / 'r2pflow.sqlite').resolve()}"

    def coalition_name(self, language: str) -> str:
        """Return the coalition's name in the language, or the one name there is."""
        parts = dict(part.strip().split("=", 1) for part in self.coalition.split(";") if "=" in part)
        return parts.get(language) or parts.get("en") or next(iter(parts.values()), self.coalition)

    @property
    def published_folder(self) -> Path:
        return self.instance / "published"

    @property
    def outbox_folder(self) -> Path:
        return self.instance / "outbox"

    @property
    def extra_workflow_folders(self) -> tuple[Path, ...]:
        return tuple(Path(folder) for folder in self.workflow_folders.split(os.pathsep) if folder)


def _read_file(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SetupError("bad_setting", key=str(path), value=str(error), remedy="a file in TOML") from error
    unknown = sorted(set(found) - known)
    if unknown:
        raise SetupError("bad_setting", key=str(path), value=unknown[0], remedy=f"one of {', '.join(sorted(known))}")
    if isinstance(found.get("coalition"), dict):
        found["coalition"] = "; ".join(f"{code}={name}" for code, name in found["coalition"].items())
    for name in ("holidays", "holiday_dates"):
        if isinstance(found.get(name), list):
            found[name] = "; ".join(map(str, found[name]))
    return found


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _check_lists(settings: Settings) -> None:
    """Refuse what is no country, no region or no day; whether they exist, `services/calendars` knows."""

    def refuse(name: str, value: str, remedy: str) -> SetupError:
        return SetupError("bad_setting", key=KEY_PREFIX + name, value=value, remedy=remedy)

    for one in _split(settings.holidays):
        if not re.fullmatch(r"[A-Za-z]{2}(\s*-\s*\S.*)?", one):
            raise refuse("HOLIDAYS", one, "countries and regions, e.g. FR; DE-BY")
    for one in _split(settings.holiday_dates):
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", one):
                raise ValueError(one)
            date.fromisoformat(one)
        except ValueError as error:
            raise refuse("HOLIDAY_DATES", one, "days, e.g. 2026-12-24; 2026-12-31") from error


def _convert(key: str, value: Any, kind: Any) -> Any:
    try:
        if kind in (int, "int"):
            number = int(value)
            if number < 0:
                raise ValueError(value)
            return number
        if kind in (bool, "bool"):
            return value if isinstance(value, bool) else _read_bool(str(value))
        return Path(value) if kind in (Path, "Path") else str(value)
    except (TypeError, ValueError) as error:
        wanted = {"int": "a whole number of zero or more", "bool": "true or false"}
        name = kind if isinstance(kind, str) else kind.__name__
        raise SetupError("bad_setting", key=key, value=str(value), remedy=wanted.get(name, "a text")) from error


def _read_bool(value: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if value.lower() not in words:
        raise ValueError(value)
    return words[value.lower()]
