"""Build the printable of an edition, or of a draft, with everything already in its language."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from r2pflow.domain import text
from r2pflow.domain.clauses import Voter
from r2pflow.domain.decisions import explain, judge
from r2pflow.domain.definition import DocumentType, FieldDef, Workflow
from r2pflow.domain.people import Titles
from r2pflow.domain.printable import (
    BudgetLine,
    ClauseLine,
    DecisionNote,
    InviteeCount,
    Plan,
    PlannedMilestone,
    PlannedSession,
    PositionCount,
    Printable,
    PrintedField,
)
from r2pflow.domain.rule_reading import read_ballot_rule
from r2pflow.domain.text import Block
from r2pflow.persistence.documents import DefinitionRow, DocumentRow
from r2pflow.persistence.people import OrganisationRow
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.definitions import get_outline
from r2pflow.services.publishing import list_stale
from r2pflow.services.texts import get_blocks
from r2pflow.services.translating import get_sheet

ATTENDING = "accepted"


def prepare_edition(work: UnitOfWork, edition_language_id: int) -> Printable:
    """Return one language of a published edition as it is printed: from the frozen edition alone."""
    row = work.session.scalars(
        select(EditionLanguageRow)
        .where(EditionLanguageRow.id == edition_language_id)
        .options(
            joinedload(EditionLanguageRow.edition)
            .joinedload(EditionRow.publication)
            .joinedload(PublicationRow.document)
            .joinedload(DocumentRow.definition)
        )
    ).one()
    edition, publication = row.edition, row.edition.publication
    document = publication.document
    document_type = work.document_type(document.type)
    blocks = text.from_json(row.blocks)
    names = _organisation_names(work, document_type, edition.fields, row.language)
    address = f"{work.settings.base_url}{work.settings.url_prefix}"
    return Printable(
        language=row.language,
        title=row.title,
        blocks=blocks,
        kind=document_type.name,
        type_title=document_type.title.get(row.language),
        template=document_type.template,
        accent=document_type.accent,
        coalition=work.settings.coalition_name(row.language),
        symbol=publication.symbol,
        reference=document.reference,
        edition=edition.number,
        published_at=edition.published_at,
        timezone=work.settings.timezone,
        digest=edition.digest,
        language_digest=text.digest(blocks),
        authoritative_language=document.language,
        languages=tuple(sorted(one.language for one in edition.languages)),
        check_url=f"{address}/check/{edition.digest}",
        register_url=f"{address}/register/{publication.symbol}",
        decision=_make_note(
            edition.decision, _find_ballot_workflow(work, document.definition, edition.decision), row.language
        ),
        stale_blocks=frozenset(row.stale_blocks),
        fields=print_fields(document_type, edition.fields, row.language, names),
        plan=make_plan(document_type, edition.fields, row.language, names),
    )


def prepare_draft(work: UnitOfWork, subject: Subject, language: str, *, is_internal: bool = True) -> Printable:
    """Return the document as it stands, marked as a draft; the actor must be allowed to view it already.

    In another language only what is translated is there; stale blocks are named.
    """
    stale: frozenset[str] = frozenset()
    if language == subject.language:
        blocks: Sequence[Block] = get_blocks(work, subject)
    else:
        sheet = get_sheet(work, subject, language)
        blocks = sheet.blocks()
        stale = list_stale(sheet.row, [pair.source for pair in sheet.pairs]) if sheet.row else stale
    names = _organisation_names(work, subject.type, subject.fields, language)
    return Printable(
        language=language,
        title=text.title_of(blocks) or subject.title,
        blocks=tuple(blocks),
        kind=subject.type.name,
        type_title=subject.type.title.get(language),
        template=subject.type.template,
        accent=subject.type.accent,
        coalition=work.settings.coalition_name(language),
        reference=subject.reference,
        timezone=work.settings.timezone,
        is_draft=True,
        state_title=subject.state.title.get(language) or subject.state_name,
        digest=subject.text_digest,
        language_digest=text.digest(blocks),
        authoritative_language=subject.language,
        stale_blocks=stale,
        fields=print_fields(subject.type, subject.fields, language, names),
        plan=make_plan(subject.type, subject.fields, language, names),
        is_internal=is_internal,
    )


def print_fields(
    document_type: DocumentType, fields: Mapping[str, Any], language: str, names: Mapping[str, str]
) -> tuple[PrintedField, ...]:
    """Return the filled fields in file order, titles and choices in the language; `names` of organisations by slug."""
    printed = []
    for one in document_type.fields:
        value = fields.get(one.name)
        if value in (None, "", [], {}):
            continue
        title = one.title.get(language) or one.name
        if one.kind == "rows":
            printed.append(
                PrintedField(
                    one.name,
                    title,
                    "rows",
                    columns=tuple((column.title.get(language) or column.name, column.kind) for column in one.columns),
                    rows=tuple(
                        tuple(_say_value(column, row.get(column.name), language, names) for column in one.columns)
                        for row in value
                    ),
                )
            )
        else:
            printed.append(PrintedField(one.name, title, one.kind, _say_value(one, value, language, names)))
    return tuple(printed)


def _say_value(field: FieldDef, value: Any, language: str, names: Mapping[str, str]) -> Any:
    if field.kind == "choice":
        return field.choices[value].get(language) if value in field.choices else value
    if field.kind == "choices":
        return tuple(field.choices[one].get(language) if one in field.choices else one for one in value or ())
    if field.kind == "titles":
        return Titles(value).get(language) if isinstance(value, Mapping) else value
    if field.kind == "organisation":
        return names.get(value, value)
    return value


def make_plan(
    document_type: DocumentType, fields: Mapping[str, Any], language: str, names: Mapping[str, str]
) -> Plan | None:
    """Return the conference plan that the fields hold, or None for a type without sessions and milestones."""
    if document_type.field("sessions") is None and document_type.field("milestones") is None:
        return None
    return Plan(
        venue=str(fields.get("venue") or ""),
        city=str(fields.get("city") or ""),
        timezone=str(fields.get("timezone") or "UTC"),
        starts_on=_read_date(fields.get("starts_on")),
        ends_on=_read_date(fields.get("ends_on")),
        sessions=tuple(_make_sessions(fields.get("sessions") or (), language)),
        milestones=tuple(
            PlannedMilestone(
                due_on=due_on,
                title=Titles(row.get("title") or {}).get(language),
                owner=names.get(row.get("owner", ""), row.get("owner") or ""),
                is_done=bool(row.get("done")),
                key=f"milestone-{number}",
            )
            for number, row in enumerate(fields.get("milestones") or (), 1)
            if (due_on := _read_date(row.get("due_on")))
        ),
        budget=tuple(
            BudgetLine(
                title=Titles(row.get("line") or {}).get(language),
                amount=amount,
                currency=row.get("currency") or "USD",
                is_income=row.get("kind") == "income",
            )
            for row in fields.get("budget") or ()
            if (amount := _read_amount(row.get("amount"))) is not None
        ),
        invitees=_count_invitees(document_type, fields.get("invitees") or (), language),
    )


def _make_sessions(rows: Sequence[Mapping[str, Any]], language: str) -> Sequence[PlannedSession]:
    sessions = []
    for number, row in enumerate(rows, 1):
        starts = _read_instant(row.get("starts_at"))
        ends = _read_instant(row.get("ends_at"))
        if starts is None:
            continue
        speakers = row.get("speakers") or ()
        languages = row.get("languages") or ()
        sessions.append(
            PlannedSession(
                day=starts.date(),
                starts=starts.time(),
                ends=ends.time() if ends else None,
                title=Titles(row.get("title") or {}).get(language),
                room=row.get("room") or "",
                chair=row.get("chair") or "",
                speakers=tuple(speakers.split("\n") if isinstance(speakers, str) else speakers),
                languages=tuple(languages.split() if isinstance(languages, str) else languages),
                key=f"session-{number}",
            )
        )
    return sessions


def _count_invitees(
    document_type: DocumentType, rows: Sequence[Mapping[str, Any]], language: str
) -> tuple[InviteeCount, ...]:
    field = document_type.field("invitees")
    category = next((c for c in field.columns if c.name == "category"), None) if field else None
    counts: dict[str, list[int]] = {}
    for row in rows:
        name = str(row.get("category") or "")
        group = category.choices[name].get(language) if category and name in category.choices else name
        seen = counts.setdefault(group, [0, 0])
        seen[0] += 1
        seen[1] += row.get("status") == ATTENDING
    return tuple(InviteeCount(group, invited, confirmed) for group, (invited, confirmed) in counts.items())


def _find_ballot_workflow(
    work: UnitOfWork, definition: DefinitionRow, decision: Mapping[str, Any] | None
) -> Workflow | None:
    return get_outline(work, definition.digest) if decision else None


def _make_note(decision: Mapping[str, Any] | None, workflow: Workflow | None, language: str) -> DecisionNote | None:
    if decision is None:
        return None
    rule = read_ballot_rule(decision["terms"])
    held = decision["voters"]
    voters = [Voter(v["attributes"]["organisation"], v["position"], v["attributes"]) for v in held]
    verdict = judge(rule, voters, closed=True, silence=rule.silence)
    counts = []
    told = {v["name"]: Titles(v.get("names") or {}).get(language) or v["name"] for v in held}
    for position in rule.positions:
        silent = [told[v["name"]] for v in held if v["position"] is None] if rule.silence == position.id else []
        spoken = [told[v["name"]] for v in held if v["position"] == position.id]
        counts.append(PositionCount(position.id, "", len(spoken) + len(silent), (*spoken, *silent), len(silent)))
    terms = workflow.ballots.get(decision["ballot"]) if workflow else None
    return DecisionNote(
        title=terms.title.get(language) if terms and terms.title else "",
        outcome=decision["outcome"],
        closed_at=datetime.fromisoformat(decision["closed_at"]) if decision["closed_at"] else None,
        timezone=decision["timezone"],
        electorate=len(held),
        counts=tuple(counts),
        clauses=tuple(ClauseLine(line.depth, line.params["holds"], line=line) for line in explain(verdict)),
        is_named=decision["terms"].get("secrecy", "named") == "named",
    )


def _organisation_names(
    work: UnitOfWork, document_type: DocumentType, fields: Mapping[str, Any], language: str
) -> dict[str, str]:
    slugs: set[str] = set()
    for one in document_type.fields:
        if one.kind == "organisation" and fields.get(one.name):
            slugs.add(fields[one.name])
        for column in one.columns:
            if column.kind == "organisation":
                slugs.update(row[column.name] for row in fields.get(one.name) or () if row.get(column.name))
    if not slugs:
        return {}
    rows = work.session.scalars(select(OrganisationRow).where(OrganisationRow.slug.in_(sorted(slugs))))
    return {row.slug: Titles(row.names).get(language) or row.slug for row in rows}


def _read_date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _read_instant(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _read_amount(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None
