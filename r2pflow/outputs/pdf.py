"""Editions as PDF: one HTML made by the templates of `templates/pdf`, set by WeasyPrint.

WeasyPrint is not thread-safe: render in processes, one edition at a time in each. Same printable, same bytes, as long
as the fonts, the catalogues and WeasyPrint stay the same.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.printable import Printable
from r2pflow.outputs import assets, setting
from r2pflow.outputs.footnotes import kept_on_their_pages

PDF_VARIANT = "pdf/ua-1"


def render_pdf(printable: Printable, template: Path | None = None) -> bytes:
    """Set an edition as a tagged PDF 1.7 with embedded, subset fonts; `template` is a plugin's file.

    Refuse with SetupError when fonts, templates or native libraries are missing, and with InvalidInput when
    the text wants to open an address other than `data:`.
    """
    weasyprint, fonts = _engine()
    from weasyprint.urls import FatalURLFetchingError

    html = setting.render_html(printable, template=template, with_styles=False)
    try:
        with kept_on_their_pages():
            document = weasyprint.HTML(string=html, url_fetcher=assets.make_fetcher()).render(
                font_config=fonts,
                stylesheets=[_sheet(name) for name in setting.sheet_names(printable.language)],
                pdf_variant=PDF_VARIANT,
            )
    except FatalURLFetchingError as error:
        raise InvalidInput("address_not_allowed", found=str(error)) from error
    return bytes(document.write_pdf(pdf_variant=PDF_VARIANT, pdf_identifier=_identifier(printable)))


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
