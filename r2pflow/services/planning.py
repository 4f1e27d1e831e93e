"""Structured fields of a document as a form sends them: read, checked, and made into a form again.

A form names its values by place: `venue`, `title-en` (kind titles), `milestones-0-owner`, `milestones-0-title-en`;
`rows-milestones` lists the numbers of the rows in their order. What is typed but not yet checked is called raw:
text, a list of texts (choices), a mapping by language (titles), or a list of rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from r2pflow.domain.definition import DocumentType, FieldDef
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.printable import Plan, PlannedMilestone

FormValues = Mapping[str, Sequence[str]]
Raw = dict[str, Any]
MAX_ROWS = 500
MAX_SHORT, MAX_LONG = 500, 20_000  # characters
ENDS = {"ends_on": "starts_on", "ends_at": "starts_at"}
"""An end, and the start that it must not come before, wherever a form or a row has both."""


def read_fields(
    document_type: DocumentType, form: FormValues, *, organisations: Collection[str] | None = None
) -> tuple[dict[str, Any], dict[str, InvalidInput]]:
    """Return the values to store, and what is wrong with them by the name of the form's field.

    Empty rows are left out. A required column of a row must be filled; a required field of the document may wait until
    a transition asks for it. `organisations` are the known slugs; None asks nothing.
    """
    return check_raw(document_type, take_raw(document_type, form), organisations=organisations)


def take_raw(document_type: DocumentType, form: FormValues) -> Raw:
    """Return what the form holds, as typed; rows are numbered anew in their order."""
    return {field.name: _take(field, form, field.name) for field in document_type.fields}


def _take(field: FieldDef, form: FormValues, name: str) -> Any:
    if field.kind == "rows":
        numbers = [one for one in form.get(f"rows-{name}", ()) if one.isascii() and one.isdigit()][:MAX_ROWS]
        return [
            {column.name: _take(column, form, f"{name}-{number}-{column.name}") for column in field.columns}
            for number in dict.fromkeys(numbers)
        ]
    if field.kind == "titles":
        return {code: _text(form, f"{name}-{code}") for code in LANGUAGES}
    if field.kind == "choices":
        return [one for one in form.get(name, ()) if one]
    return _text(form, name)


def _text(form: FormValues, name: str) -> str:
    found = form.get(name, ())
    return found[0].replace("\r\n", "\n").strip() if found else ""


def as_raw(document_type: DocumentType, values: Mapping[str, Any]) -> Raw:
    """Return stored values as a form shows them."""
    return {field.name: _write(field, values.get(field.name)) for field in document_type.fields}


def _write(field: FieldDef, value: Any) -> Any:
    if field.kind == "rows":
        rows = value if isinstance(value, list) else []
        return [{column.name: _write(column, row.get(column.name)) for column in field.columns} for row in rows]
    if field.kind == "titles":
        known = value if isinstance(value, Mapping) else {"en": value or ""}
        return {code: str(known.get(code) or "") for code in LANGUAGES}
    if field.kind == "choices":
        found = value.split() if isinstance(value, str) else value or ()
        return [str(one) for one in found]
    if field.kind == "boolean":
        return "1" if value else ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if field.kind == "datetime" and value:
        return str(value)[:16]
    return "" if value is None else str(value)


def change_rows(document_type: DocumentType, raw: Raw, wanted: str) -> str:
    """Do to the raw rows what a button asks: `milestones:add`, `milestones:remove:2`, `milestones:up:2`, `:down:2`.

    Return the field's name; empty when the button asks for nothing that is there.
    """
    name, _, rest = wanted.partition(":")
    what, _, number = rest.partition(":")
    field = document_type.field(name)
    if field is None or field.kind != "rows":
        return ""
    rows: list[Raw] = raw[name]
    if what == "add" and len(rows) < MAX_ROWS:
        rows.append({column.name: _write(column, None) for column in field.columns})
        return name
    place = int(number) if number.isascii() and number.isdigit() else -1
    if not 0 <= place < len(rows):
        return ""
    if what == "remove":
        del rows[place]
    elif what in ("up", "down"):
        other = place + (-1 if what == "up" else 1)
        if 0 <= other < len(rows):
            rows[place], rows[other] = rows[other], rows[place]
    return name


def check_raw(
    document_type: DocumentType, raw: Raw, *, organisations: Collection[str] | None = None
) -> tuple[dict[str, Any], dict[str, InvalidInput]]:
    """Return the values to store, and what is wrong by the name of the form's field."""
    errors: dict[str, InvalidInput] = {}
    values: dict[str, Any] = {}
    for field in document_type.fields:
        if field.kind != "rows":
            values[field.name] = _check(field, raw.get(field.name), field.name, organisations, errors)
            continue
        values[field.name] = rows = []
        for number, row in enumerate(raw.get(field.name) or ()):
            if all(_is_blank(row[column.name]) for column in field.columns):
                continue
            rows.append(_check_row(field, row, f"{field.name}-{number}-", organisations, errors))
    _check_order(values, "", errors)
    return values, errors


def _check_row(
    field: FieldDef,
    row: Raw,
    prefix: str,
    organisations: Collection[str] | None,
    errors: dict[str, InvalidInput],
) -> dict[str, Any]:
    values = {}
    for column in field.columns:
        name = prefix + column.name
        if column.required and _is_blank(row[column.name]):
            errors[name] = InvalidInput("required", field=name)
        values[column.name] = _check(column, row[column.name], name, organisations, errors)
    _check_order(values, prefix, errors)
    return values


def _is_blank(raw: Any) -> bool:
    return not any(raw.values()) if isinstance(raw, dict) else not raw


def _check_order(values: Mapping[str, Any], prefix: str, errors: dict[str, InvalidInput]) -> None:
    for end, start in ENDS.items():
        if values.get(end) and values.get(start) and str(values[end]) < str(values[start]):
            errors.setdefault(prefix + end, InvalidInput("ends_before_start", field=prefix + end, value=values[end]))


def _check(
    field: FieldDef,
    raw: Any,
    name: str,
    organisations: Collection[str] | None,
    errors: dict[str, InvalidInput],
) -> Any:
    try:
        return _read(field, raw, name, organisations)
    except InvalidInput as error:
        errors[name] = error
        return raw


def _read(field: FieldDef, raw: Any, name: str, organisations: Collection[str] | None) -> Any:
    kind = field.kind
    if kind == "titles":
        for text in raw.values():
            _limit(text, MAX_SHORT, name)
        return {code: text for code, text in raw.items() if text}
    if kind == "choices":
        for one in raw:
            _choose(one, field.choices, name)
        return [choice for choice in field.choices if choice in raw]
    if kind == "boolean":
        return raw not in ("", "0", "false")
    if not raw:
        return ""
    _limit(raw, MAX_LONG if kind == "longtext" else MAX_SHORT, name)
    if kind == "choice":
        return _choose(raw, field.choices, name)
    if kind == "organisation":
        return _choose(raw, organisations, name) if organisations is not None else raw
    if kind == "timezone":
        if raw not in available_timezones():
            raise InvalidInput("unknown_timezone", field=name, value=raw)
        return raw
    reader = _READERS.get(kind)
    return reader(raw, name) if reader else raw


def _choose(value: str, accepted: Collection[str], name: str) -> str:
    if value not in accepted:
        raise InvalidInput("unknown_choice", field=name, value=value)
    return value


def _limit(text: str, limit: int, name: str) -> None:
    if len(text) > limit:
        raise InvalidInput("too_long", field=name, limit=limit, count=len(text))


def _read_date(raw: str, name: str) -> str:
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError as error:
        raise InvalidInput("bad_date", field=name, value=raw) from error


def _read_datetime(raw: str, name: str) -> str:
    """Read a wall-clock instant at the venue, to the minute: its zone is the document's."""
    try:
        read = datetime.fromisoformat(raw)
    except ValueError as error:
        raise InvalidInput("bad_datetime", field=name, value=raw) from error
    return read.replace(tzinfo=None).isoformat(timespec="minutes")


def _read_time(raw: str, name: str) -> str:
    try:
        return time.fromisoformat(raw).replace(tzinfo=None).isoformat(timespec="minutes")
    except ValueError as error:
        raise InvalidInput("bad_time", field=name, value=raw) from error


def _read_number(raw: str, name: str) -> int | str:
    number = _read_decimal(raw, "bad_number", name)
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else format(number, "f")


def _read_money(raw: str, name: str) -> str:
    amount = _read_decimal(raw, "bad_amount", name)
    if amount < 0 or amount != round(amount, 2):
        raise InvalidInput("bad_amount", field=name, value=raw)
    return f"{amount:.2f}"


def _read_decimal(raw: str, code: str, name: str) -> Decimal:
    plain = raw.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    try:
        number = Decimal(plain)
    except InvalidOperation as error:
        raise InvalidInput(code, field=name, value=raw) from error
    if not number.is_finite() or abs(number) > 10**15:
        raise InvalidInput(code, field=name, value=raw)
    return number


def _read_email(raw: str, name: str) -> str:
    local, at, domain = raw.rpartition("@")
    if not (local and at and "." in domain) or any(sign.isspace() for sign in raw) or len(raw) > 254:
        raise InvalidInput("bad_email", field=name, value=raw)
    return raw


def _read_url(raw: str, name: str) -> str:
    try:
        parts = urlsplit(raw)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_sound = False
    if not is_sound or any(sign.isspace() for sign in raw):
        raise InvalidInput("bad_url", field=name, value=raw)
    return raw


_READERS = {
    "date": _read_date,
    "datetime": _read_datetime,
    "time": _read_time,
    "number": _read_number,
    "money": _read_money,
    "email": _read_email,
    "url": _read_url,
}


@dataclass(frozen=True)
class LaidMilestone:
    """A milestone on the way to the event; `days_before` the first day, negative after it."""

    milestone: PlannedMilestone
    days_before: int | None
    days_late: int  # 0 when it is not late

    @property
    def status(self) -> str:
        return "done" if self.milestone.is_done else "late" if self.days_late else "ahead"


def lay_milestones(plan: Plan, today: date) -> tuple[LaidMilestone, ...]:
    """Return the milestones by date, dated back from the event's first day; `today` is that of the venue."""
    return tuple(
        LaidMilestone(
            one,
            (plan.starts_on - one.due_on).days if plan.starts_on else None,
            max(0, (today - one.due_on).days) if not one.is_done else 0,
        )
        for one in sorted(plan.milestones, key=lambda milestone: milestone.due_on)
    )


def count_by(rows: Sequence[Mapping[str, Any]], first: FieldDef, second: FieldDef) -> list[tuple[str, list[int]]]:
    """Count rows by one choice and by another: (name of the first, counts in the order of the second's choices).

    Rows without the first choice come last under an empty name; without the second they count as its first choice.
    """
    names = list(second.choices)
    counts: dict[str, list[int]] = {name: [0] * len(names) for name in (*first.choices, "")}
    for row in rows:
        group = row.get(first.name) if row.get(first.name) in first.choices else ""
        place = names.index(row[second.name]) if row.get(second.name) in names else 0
        if names:
            counts[str(group)][place] += 1
    return [(name, found) for name, found in counts.items() if any(found)]
