"""Structured fields: a form made from the document type; of a conference its plan, dated back from the event."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from flask import Response, make_response, redirect, request
from sqlalchemy import select

from r2pflow.domain.definition import FieldDef
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.printable import PrintedField
from r2pflow.outputs import setting
from r2pflow.outputs.apart import export_apart
from r2pflow.outputs.translations import Translator, translator
from r2pflow.persistence.people import OrganisationRow
from r2pflow.services import planning
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.drafting import CREATORS, save_fields
from r2pflow.services.facts import find_missing_fields
from r2pflow.services.planning import Raw
from r2pflow.services.printing import make_plan, prepare_draft, print_fields
from r2pflow.web.auth import current_actor, current_work, has_role, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.i18n import gettext, language, territory_name, title_of
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, Route
from r2pflow.web.sentences import join, sentence
from r2pflow.web.words import word

INSIDERS = frozenset({"member", "steering", *CREATORS})
"""Who sees milestones, invitees and budget; others see the programme alone."""


def show_fields(reference: str) -> Any:
    work = current_work()
    if request.method == "POST":
        return _post(get_subject(work, require_signed_in(), reference, "edit"))
    subject = get_subject(work, current_actor(), reference)
    if not subject.type.fields:
        raise NotFound("page_not_found")
    if _may_edit(subject) and ("edit" in request.args or not _has_plan(subject)):
        return _show_form(subject, planning.as_raw(subject.type, subject.fields))
    if "edit" in request.args:
        subject.require("edit")
        raise Forbidden("text_frozen", reference=reference, state=subject.state_name)
    return _show(subject)


def _may_edit(subject: Subject) -> bool:
    return subject.may("edit") and subject.state.text == "open" and not subject.actor.is_anonymous


def _has_plan(subject: Subject) -> bool:
    return any(field.kind == "rows" for field in subject.type.fields)


def _may_see_inside(subject: Subject) -> bool:
    return subject.may("edit") or has_role(subject.actor, INSIDERS)


def _list_organisations() -> dict[str, str]:
    """Return the names of all organisations, in the language of this page, by slug."""
    rows = current_work().session.execute(
        select(OrganisationRow.slug, OrganisationRow.names).where(OrganisationRow.is_active)
    )
    named = {row.slug: title_of(row.names, row.slug) for row in rows}
    return dict(sorted(named.items(), key=lambda one: one[1]))


def _show(subject: Subject) -> Response:
    names = _list_organisations()
    fields = subject.fields
    plan = make_plan(subject.type, fields, language(), names)
    is_inside = _may_see_inside(subject)
    say = translator(language(), plan.timezone if plan else "UTC")
    simple = [one for one in print_fields(subject.type, fields, language(), names) if one.kind != "rows"]
    return render(
        "plans/fields.html",
        **document_context(subject, "fields"),
        facts=[(one.title, _tell_value(one, say)) for one in simple],
        missing=join(_title(subject.type.field(name)) for name in find_missing_fields(subject.type, fields)),
        plan=plan,
        is_inside=is_inside,
        may_edit=_may_edit(subject),
        has_calendar="ics" in subject.type.exports,
        milestones=planning.lay_milestones(plan, _today(plan.timezone)) if plan and is_inside else (),
        invitees=_count_invitees(subject) if is_inside else None,
        tables=_other_tables(subject, names) if is_inside else [],
        say=say,
    )


def _tell_value(field: PrintedField, say: Translator) -> str:
    if field.name == "country" and isinstance(field.value, str) and len(field.value) == 2:
        return territory_name(field.value)
    return setting.format_value(field.kind, field.value, say)


def _today(zone: str) -> date:
    now = current_work().now()
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return now.date()


def _title(field: FieldDef | None) -> str:
    return title_of(field.title, word(field.name)) if field else ""


def _count_invitees(subject: Subject) -> dict[str, Any] | None:
    """Return the table of invitees by category and status, where the type has both."""
    field = subject.type.field("invitees")
    columns = {column.name: column for column in field.columns} if field else {}
    category, status = columns.get("category"), columns.get("status")
    rows: list[dict[str, Any]] = subject.fields.get("invitees") or []
    if category is None or status is None or not rows:
        return None
    counted = planning.count_by(rows, category, status)
    return {
        "title": _title(field),
        "status_titles": [title_of(titles, name) for name, titles in status.choices.items()],
        "lines": [
            (title_of(category.choices[name], name) if name else gettext("No category"), numbers)
            for name, numbers in counted
        ],
        "rows": [
            {
                "name": row.get("name") or "",
                "organisation": row.get("organisation") or "",
                "category": title_of(category.choices.get(row.get("category") or ""), ""),
                "status": title_of(status.choices.get(row.get("status") or ""), ""),
            }
            for row in rows
        ],
    }


def _other_tables(subject: Subject, names: dict[str, str]) -> list[Any]:
    """Return the tables that have no picture of their own."""
    shown = {"milestones", "sessions", "invitees", "budget"}
    printed = print_fields(subject.type, subject.fields, language(), names)
    return [one for one in printed if one.kind == "rows" and one.name not in shown]


def _post(subject: Subject) -> Any:
    actor, work = subject.actor, current_work()
    if subject.state.text != "open":
        raise Forbidden("text_frozen", reference=subject.reference, state=subject.state_name)
    raw = planning.take_raw(subject.type, request.form.to_dict(flat=False))
    asked = request.form.get("row", "")
    if asked:
        changed = planning.change_rows(subject.type, raw, asked)
        return _show_form(subject, raw, fresh=changed if asked.endswith(":add") else "")
    values, errors = planning.check_raw(subject.type, raw, organisations=set(_list_organisations()))
    if errors:
        return _show_form(subject, raw, {name: sentence(error, subject) for name, error in errors.items()}, 422)
    try:
        save_fields(work, actor, subject.reference, values, expected_change=_read_change())
        work.commit()
    except (InvalidInput, Conflict) as error:
        undo_work()
        subject = get_subject(work, actor, subject.reference, "edit")
        return _show_form(subject, raw, {"": sentence(error, subject)}, status_of(error))
    tell(gettext("Saved."))
    return redirect(url("fields", reference=subject.reference))


def _read_change() -> int | None:
    asked = request.form.get("change_number", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else None


def _show_form(
    subject: Subject, raw: Raw, errors: dict[str, str] | None = None, status: int = 200, fresh: str = ""
) -> Response:
    """Render the form; `fresh` names the table whose last row was just added.

    It stays based on what the writer first read, until a conflict was told.
    """
    seen = _read_change() if request.method == "POST" and status != 409 else None
    return render(
        "plans/form.html",
        status,
        **document_context(subject, "fields"),
        raw=raw,
        change_number=subject.change_number if seen is None else seen,
        errors=errors or {},
        fresh=fresh,
        organisations=_list_organisations(),
        zones=sorted(available_timezones()),
        has_plan=_has_plan(subject),
        row_title=_title_row,
        field_title=_title,
    )


def _title_row(field: FieldDef, row: Raw) -> str:
    """Return what a row is about: its first filled column."""
    for column in field.columns:
        value = row.get(column.name)
        if column.kind == "titles" and isinstance(value, dict):
            found = value.get(language()) or next((text for text in value.values() if text), "")
            if found:
                return str(found)
        elif column.kind in ("text", "longtext") and value:
            return str(value)
    return ""


def send_calendar(reference: str) -> Any:
    """Send the plan as a calendar file; milestones only to those who see them on the page."""
    work = current_work()
    subject = get_subject(work, current_actor(), reference)
    exporter = work.catalogue.registry.exporters.get("ics")
    if exporter is None or "ics" not in subject.type.exports:
        raise NotFound("page_not_found")
    asked = request.args.get("language") or language()
    taken = {subject.language, *subject.type.required_languages, *subject.type.optional_languages}
    chosen = asked if asked in taken else subject.language
    printable = prepare_draft(work, subject, chosen, is_internal=_may_see_inside(subject))
    work.rollback()
    response = make_response(export_apart(exporter, printable))
    response.headers["Content-Type"] = exporter.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{subject.reference}-{chosen}.ics"'
    response.cache_control.no_store = True
    return response


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/fields", "fields", show_fields, FORM),
    Route("/documents/<reference>/plan.ics", "plan_calendar", send_calendar),
)
