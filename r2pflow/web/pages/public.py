"""What everybody may read: the register, editions and their files, and the feeds."""

from typing import Any

from flask import make_response, redirect, request

from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import LANGUAGES
from r2pflow.outputs.apart import export_apart
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.services import printing, publishing, register
from r2pflow.web.auth import current_actor, current_work
from r2pflow.web.edition import make_view
from r2pflow.web.forms import Form
from r2pflow.web.i18n import coalition, gettext, language, title_of
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import Route

FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""A published page carries its own styles, so that it can be kept; nothing in it runs."""
PDF_POLICY = "frame-ancestors 'none'; base-uri 'none'"
"""A PDF has no page whose parts could be restricted, but some browsers' own viewer has."""


def show_home() -> Any:
    return redirect(url("register" if current_actor().is_anonymous else "desk"))


def show_register() -> Any:
    work = current_work()
    text, type_name = request.args.get("q", "")[:200], request.args.get("type", "")
    found = register.search_register(
        work, text=text, language=language(), type_name=type_name, number=read_page_number()
    )
    types = [(one.name, title_of(one.plural) or title_of(one.title)) for one in work.catalogue.types.values()]
    return render(
        "register.html",
        form=Form({"q": text, "type": type_name}, is_posted=False),
        is_search=bool(text.strip() or type_name),
        page=found,
        types=work.catalogue.types,
        choices=[("", gettext("All types")), *types],
    )


def show_edition(symbol: str) -> Any:
    """Show one language of an edition: the reader's where there is one, the newest edition unless `?edition=`."""
    work = current_work()
    publication = publishing.get_publication(work, symbol)
    edition = _find_edition(publication)
    row = _find_language(edition, request.args.get("language", ""))
    printable = printing.prepare_edition(work, row.id)
    return render(
        "edition.html",
        publication=publication,
        edition=edition,
        row=row,
        newest=publication.editions[0],
        type=work.document_type(publication.document.type),
        printable=printable,
        view=make_view(printable),
    )


def send_file(symbol: str, language: str, format: str) -> Any:
    """Send an edition as a file: the stored PDF byte for byte, another format made from the frozen text."""
    work = current_work()
    publication = publishing.get_publication(work, symbol)
    number = _edition_number()
    row = publishing.get_edition_language(work, symbol, language, number)
    if format == "pdf":
        response = make_response(publishing.read_pdf(work, row))
        response.content_type = "application/pdf"
        response.set_etag(row.pdf_sha256 or "")
        response.headers["Content-Disposition"] = f'inline; filename="{row.pdf_path.rpartition("/")[2]}"'
        response.headers["Content-Security-Policy"] = PDF_POLICY
        response.cache_control.public, response.cache_control.max_age = True, 3600
        return response.make_conditional(request)
    type_ = work.document_type(publication.document.type)
    exporter = work.catalogue.registry.exporters.get(format)
    if exporter is None or (type_.exports and format not in type_.exports):
        raise NotFound("page_not_found")
    printable = printing.prepare_edition(work, row.id)
    response = make_response(export_apart(exporter, printable))
    response.content_type = exporter.media_type
    if format == "html":
        response.headers["Content-Security-Policy"] = FILE_POLICY
    name = f"{printable.file_stem()}.{exporter.extension}"
    kind = "inline" if format == "html" else "attachment"
    response.headers["Content-Disposition"] = f'{kind}; filename="{name}"'
    return response


def send_feed(language: str) -> Any:
    """Send what was published in a language, newest first, as Atom."""
    if language not in LANGUAGES:
        raise NotFound("page_not_found")
    from r2pflow.outputs.feeds import FeedEntry, atom_feed  # brings a library that no other page needs

    work = current_work()
    base = work.settings.base_url.rstrip("/")
    entries = []
    for row in register.list_feed(work, language):
        edition, publication = row.edition, row.edition.publication
        type_ = work.catalogue.types.get(publication.document.type)
        number = edition.number
        entries.append(
            FeedEntry(
                id=f"urn:sha256:{edition.digest}:{edition.id}:{language}",
                title=row.title,
                url=base + url("edition", symbol=publication.symbol, edition=number, language=language),
                updated_at=row.rendered_at or row.added_at,
                published_at=edition.published_at,
                summary=publication.symbol,
                author=work.settings.coalition_name(language),
                category=type_.title.get(language) if type_ else "",
                pdf_url=base + url("file", symbol=publication.symbol, language=language, format="pdf", edition=number)
                if row.pdf_path
                else "",
            )
        )
    feed = atom_feed(
        work.settings.coalition_name(language) or coalition(),
        base + url("feed", language=language),
        language,
        entries,
        page_url=base + url("register", hl=language),
    )
    response = make_response(feed)
    response.content_type = "application/atom+xml; charset=utf-8"
    response.add_etag()
    response.cache_control.public, response.cache_control.max_age = True, 600
    return response.make_conditional(request)


def _edition_number() -> int | None:
    asked = request.args.get("edition", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 6):
        raise NotFound("edition_not_found", edition=asked)
    return int(asked)


def _find_edition(publication: PublicationRow) -> EditionRow:
    number = _edition_number()
    for edition in publication.editions:
        if number is None or edition.number == number:
            return edition
    raise NotFound("edition_not_found", symbol=publication.symbol, edition=number)


def _find_language(edition: EditionRow, asked: str) -> EditionLanguageRow:
    by_language = {row.language: row for row in edition.languages}
    if asked and asked not in by_language:
        raise NotFound("language_not_published", symbol=edition.publication.symbol, language=asked)
    authoritative = edition.publication.document.language
    chosen = by_language.get(asked) or by_language.get(language()) or by_language.get(authoritative)
    return chosen or edition.languages[0]


ROUTES = (
    Route("/", "home", show_home),
    Route("/register", "register", show_register),
    Route("/register/<path:symbol>", "edition", show_edition),
    Route("/register/<path:symbol>/<language>.<format>", "file", send_file),
    Route("/feeds/<language>.atom", "feed", send_feed),
)
