"""`r2pflow document import|show|fire|export|explain`."""

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from r2pflow.commands import bulk
from r2pflow.commands.application import find_actor, load_app, open_work
from r2pflow.commands.dossier import move_document
from r2pflow.commands.explaining import explain_document
from r2pflow.commands.language import find_language
from r2pflow.domain.errors import InvalidInput, NotFound, Refused
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.outputs import reasons
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import translator
from r2pflow.persistence.deliberation import TranslationRow
from r2pflow.persistence.publishing import EditionLanguageRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import importing, printing, publishing, transitions
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.offers import find_offers

_PERSON = click.option("--as", "person", metavar="PERSON", help="E-mail address or id of who does it.")


@click.group()
def document() -> None:
    """Import, show, fire, export and explain documents."""


document.add_command(bulk.fire_many)
document.add_command(move_document)


@document.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--type", "type_name", required=True, metavar="T", help="The type of document, as in documents.yaml.")
@click.option("--language", required=True, metavar="L", help="The language that it is written in.")
@click.option("--dossier", metavar="D", help="The short name of the dossier that it goes into.")
@click.option("--title", default="", help="The title, where the file has none.")
@_PERSON
def import_file(file: Path, type_name: str, language: str, dossier: str | None, title: str, person: str | None) -> None:
    """Make a document of a .txt, .md, .html or .docx file, and print its reference."""
    app = load_app()
    with open_work(app) as work:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InvalidInput("file_unreadable", name=str(file), found=error.strerror) from error
        blocks = importing.read_file(
            file.name, content, language=language, title=title, limit=work.settings.upload_limit
        )
        reference = create_document(
            work, find_actor(work, person), type_name, blocks, language=language, dossier=dossier, origin="import"
        )
        work.commit()
    click.echo(reference)


@document.command("show")
@click.argument("reference", metavar="REF")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_PERSON
def show(reference: str, as_json: bool, person: str | None) -> None:
    """Show where a document stands, and what could be done with it by hand."""
    app = load_app()
    with open_work(app) as work:
        told = describe(work, find_actor(work, person), reference)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    for name in ("reference", "title", "type", "workflow", "state", "revision", "digest", "symbol"):
        if told[name]:
            click.echo(f"{name + ':':12}{told[name]}")
    click.echo(f"{'languages:':12}" + ", ".join(f"{code} {status}" for code, status in told["languages"].items()))
    for name, way in told["transitions"].items():
        click.echo(f"    {name} -> {way['to']}")
        for reason in way["refusals"]:
            click.echo(f"        {reason}")


@document.command("fire")
@click.argument("reference", metavar="REF")
@click.argument("transition", metavar="TRANSITION")
@click.option("--as", "person", metavar="PERSON", required=True, help="E-mail address or id of who does it.")
@click.option("--comment", default="", help="What the person says about it.")
def fire(reference: str, transition: str, person: str, comment: str) -> None:
    """Fire a transition, and print the state that the document is in then."""
    app = load_app()
    with open_work(app) as work:
        actor = find_actor(work, person)
        try:
            work.complete(lambda: transitions.fire(work, actor, reference, transition, comment=comment))
        except Refused as error:
            work.rollback()
            subject = get_subject(work, actor, reference)
            for told in reasons.tell_refused(error, subject, translator(find_language())):
                click.echo(told, err=True)
            raise SystemExit(1) from error
        state = get_subject(work, THE_SYSTEM, reference).state_name
    click.echo(state)


@document.command("export")
@click.argument("reference", metavar="REF")
@click.option("--language", required=True, metavar="L")
@click.option("--format", "form", required=True, metavar="F", help="pdf, docx, html, json, or a plugin's.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), default=Path("-"), metavar="FILE")
@_PERSON
def export(reference: str, language: str, form: str, output: Path, person: str | None) -> None:
    """Write the newest edition in a language to a file, or the draft as it stands where none is published."""
    app = load_app()
    with open_work(app) as work:
        exporters = work.catalogue.registry.exporters
        if form not in exporters:
            raise InvalidInput("unknown_export", field="format", value=form, accepted=sorted(exporters))
        subject = get_subject(work, find_actor(work, person), reference)
        row = find_published(work, subject, language)
        if form == "pdf" and row is not None and row.pdf_path:
            content = publishing.read_pdf(work, row)
        else:
            if row is not None:
                printable = printing.prepare_edition(work, row.id)
            else:
                printable = printing.prepare_draft(work, subject, language)
            if not printable.blocks:
                raise NotFound("not_translated_yet", language=language)
            content = bytes(exporters[form].get_function()(printable))
    if str(output) == "-":
        click.echo(content, nl=False)
    else:
        try:
            publishing.write_whole(output, content)
        except OSError as error:
            raise InvalidInput("file_not_writable", name=str(output), found=error.strerror) from error
        click.echo(f"{output}: {len(content)} bytes", err=True)


document.add_command(explain_document)


def find_published(work: UnitOfWork, subject: Subject, language: str) -> EditionLanguageRow | None:
    """Return the newest edition of a document in the language, or None."""
    publication = publishing.find_publication(work, subject.id)
    editions = publication.editions if publication else []
    return next((row for edition in editions for row in edition.languages if row.language == language), None)


def describe(work: UnitOfWork, actor: Actor, reference: str) -> dict[str, Any]:
    """Return a document as plain JSON values: where it stands, its languages, and its ways on."""
    subject = get_subject(work, actor, reference)
    speak = translator("en")

    def title_field(name: str) -> str:
        field = subject.type.field(name)
        return field.title.get("en") if field else ""

    status = dict.fromkeys((*subject.type.required_languages, *subject.type.optional_languages), "missing")
    rows = work.session.execute(
        select(TranslationRow.language, TranslationRow.status).where(TranslationRow.document_id == subject.id)
    )
    status.update({row.language: row.status for row in rows})
    status[subject.language] = "authoritative"
    publication = publishing.find_publication(work, subject.id)
    editions = [
        {
            "number": edition.number,
            "digest": edition.digest,
            "published_at": edition.published_at.isoformat(),
            "languages": {
                row.language: {
                    "title": row.title,
                    "pdf": str(work.settings.instance / row.pdf_path) if row.pdf_path else "",
                    "sha256": row.pdf_sha256,
                }
                for row in edition.languages
            },
        }
        for edition in (publication.editions if publication else ())
    ]
    return {
        "reference": subject.reference,
        "title": subject.title,
        "type": subject.type.name,
        "language": subject.language,
        "workflow": subject.workflow.name,
        "workflow_version": subject.workflow.version,
        "state": subject.state_name,
        "states": subject.standing,
        "state_entered_at": subject.state_entered_at.isoformat(),
        "final": subject.state.final,
        "text": subject.state.text,
        "revision": subject.revision_number,
        "digest": subject.text_digest,
        "fields": subject.fields,
        "languages": status,
        "symbol": publication.symbol if publication else "",
        "editions": editions,
        "transitions": {
            offer.transition.name: {
                "to": offer.to,
                "refusals": [sentence(refusal, speak, title_field) for refusal in offer.refusals],
            }
            for offer in find_offers(work, subject)
        },
    }
