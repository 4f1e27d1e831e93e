"""What a rendering may open: the fonts, style sheets and templates of the package, and nothing else.

WeasyPrint's own fetcher reads `file:` and `http:` addresses. Ours knows `data:` and refuses the rest; style sheets
are handed over as text, and the fonts come through Fontconfig, which is told of one folder only. So the same text gives
the same glyphs on every machine, and a machine without any font of its own will do.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from r2pflow.domain.errors import SetupError
from r2pflow.folders import get_assets, get_folder

FONT_FILES = tuple(
    f"{family}-{style}.ttf"
    for family, styles in {
        "NotoSerif": ("Regular", "Italic", "Bold", "BoldItalic"),
        "NotoSans": ("Regular", "Italic", "Bold", "BoldItalic"),
        "NotoNaskhArabic": ("Regular", "Bold"),
        "NotoSerifSC": ("Regular", "Bold"),
        "NotoSansSC": ("Regular", "Bold"),
    }.items()
    for style in styles
)

_FONT_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <cachedir>{cache}</cachedir>
  <match target="font">
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="embeddedbitmap" mode="assign"><bool>false</bool></edit>
  </match>
</fontconfig>
"""


def get_fonts() -> Path:
    """Return the folder of the fonts; refuse when one of `FONT_FILES` is not in it."""
    folder = get_assets() / "fonts"
    missing = [name for name in FONT_FILES if not (folder / name).is_file()]
    if missing:
        raise SetupError(
            "fonts_missing",
            what=", ".join(missing[:3]) + (f" (+{len(missing) - 3})" if len(missing) > 3 else ""),
            where=str(folder),
            remedy="make setup",
        )
    return folder


def get_pdf_templates() -> Path:
    """Return the folder of the templates and style sheets of PDFs."""
    try:
        folder = get_folder("templates") / "pdf"
    except FileNotFoundError as error:
        raise SetupError(
            "folder_missing", what="templates/", where="r2pflow", remedy="pip install --force-reinstall r2pflow"
        ) from error
    return folder


@contextmanager
def only_own_fonts() -> Iterator[None]:
    """Let Fontconfig see the fonts of the package alone for as long as its configuration is being read.

    Fontconfig reads `FONTCONFIG_FILE` each time a configuration is made, and keeps what it read.
    """
    before = os.environ.get("FONTCONFIG_FILE")
    text = _FONT_CONFIGURATION.format(
        fonts=escape(str(get_fonts())), cache=escape(str(Path(tempfile.gettempdir()) / f"r2pflow-fonts-{_user()}"))
    )
    with tempfile.TemporaryDirectory(prefix="r2pflow-") as folder:
        file = Path(folder) / "fonts.conf"
        file.write_text(text, encoding="utf-8")
        os.environ["FONTCONFIG_FILE"] = str(file)
        try:
            yield
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


@cache
def make_fetcher() -> Any:
    """Return the only fetcher that WeasyPrint gets: it opens `data:` and raises for every other address."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OwnFetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            scheme, _, rest = url.partition(":")
            if scheme.lower() != "data":
                raise FatalURLFetchingError(f"a PDF may not open {url[:200]}")
            kind, _, body = rest.partition(",")
            content = unquote_to_bytes(body)
            if kind.endswith(";base64"):
                import base64

                kind, content = kind.removesuffix(";base64"), base64.b64decode(content)
            return URLFetcherResponse(url, content, {"Content-Type": kind or "text/plain"})

    return OwnFetcher()
