"""Editions as PDF: one HTML made by the templates of `templates/pdf`, set by WeasyPrint.

WeasyPrint is not thread-safe: render in processes, one edition at a time in each. Same printable, same bytes, as long
as the fonts, the catalogues and WeasyPrint stay the same.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.printable import Printable
from r2pflow.outputs import assets, setting

PDF_VARIANT = "pdf/ua-1"
MAX_LAYOUTS = 5


def render_pdf(printable: Printable, template: Path | None = None) -> bytes:
    """Set an edition as a tagged PDF 1.7 with embedded, subset fonts; `template` is a plugin's file.

    Refuse with SetupError when fonts, templates or native libraries are missing, and with InvalidInput when
    the text wants to open an address other than `data:`.
    """
    weasyprint, fonts = _engine()
    from weasyprint.urls import FatalURLFetchingError

    sheets = [_sheet(name) for name in setting.sheet_names(printable.language)]
    breaks: tuple[str, ...] = ()
    for _ in range(MAX_LAYOUTS):
        html = setting.render_html(printable, template=template, with_styles=False, breaks=breaks)
        try:
            document = weasyprint.HTML(string=html, url_fetcher=assets.make_fetcher()).render(
                font_config=fonts, stylesheets=sheets, pdf_variant=PDF_VARIANT
            )
        except FatalURLFetchingError as error:
            raise InvalidInput("address_not_allowed", found=str(error)) from error
        found = find_break(printable, document.pages)
        if found is None or found in breaks:
            break
        breaks = (*breaks, found)
    return bytes(document.write_pdf(pdf_variant=PDF_VARIANT, pdf_identifier=_identifier(printable)))


def find_break(printable: Printable, pages: Sequence[Any]) -> str | None:
    """Return the id of the block to begin a page with, so that a footnote comes to stand on the page of its reference.

    WeasyPrint puts notes off to the next page when the first lines of a paragraph would not fit otherwise.
    That paragraph is the last block to begin on the page; it is moved, with the headings before it,
    unless a third of the page would stay empty.
    """
    ids = [block.id for block in printable.blocks if block.kind != "footnote"]
    headings = {block.id for block in printable.blocks if block.kind == "heading"}
    for page in pages:
        begun = [id for id in ids if id in page.anchors]
        notes = [name[4:] for name in page.anchors if name.startswith("ref-")]
        if begun and any(f"note-{note}" not in page.anchors for note in notes):
            last = len(begun) - 1
            while last > 0 and begun[last - 1] in headings:
                last -= 1
            return begun[last] if last > 0 and page.anchors[begun[last]][1] > page.height * 0.6 else None
    return None


def render_html(printable: Printable, template: Path | None = None) -> str:
    """Return the HTML that `render_pdf` sets, its style sheets in it; it refers to no file."""
    return setting.render_html(printable, template=template)


def font_configuration() -> Any:
    """Return WeasyPrint's FontConfiguration of this process, which knows the fonts of the package alone."""
    return _engine()[1]


def warm() -> None:
    """Load all that the first rendering of a process would wait for: libraries, fonts, templates, style sheets."""
    _engine()
    for language in setting.SHEETS:
        for name in setting.sheet_names(language):
            _sheet(name)
    setting.environment()


@cache
def _engine() -> tuple[Any, Any]:
    with assets.only_own_fonts():
        try:
            import weasyprint
            from weasyprint.text.fonts import FontConfiguration
        except OSError as error:  # cffi found no shared library of that name
            raise SetupError(
                "native_library_missing",
                what="Pango",
                where=str(error).splitlines()[0],
                remedy="apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
            ) from error
        return weasyprint, FontConfiguration()


@cache
def _sheet(name: str) -> Any:
    weasyprint, fonts = _engine()
    return weasyprint.CSS(string=setting.read_sheet(name), font_config=fonts, url_fetcher=assets.make_fetcher())


def _identifier(printable: Printable) -> bytes:
    told = (printable.digest, printable.language_digest, printable.language, printable.name, str(printable.edition))
    return hashlib.sha256("\0".join(told).encode()).digest()[:16]
