"""An edition as one HTML file that needs nothing beside it: to read on a screen, to print, to archive."""

from r2pflow.domain.printable import Printable
from r2pflow.outputs import setting
from r2pflow.outputs.body import set_body
from r2pflow.outputs.translations import translator


def export_page(printable: Printable) -> str:
    """Return the whole page; footnotes stand at its end, each linked with its reference both ways."""
    say = translator(printable.language, printable.timezone)
    return setting.fill(
        "page.html", printable, say, set_body(printable, with_pages=False), sheets=[setting.read_sheet("page")]
    )
