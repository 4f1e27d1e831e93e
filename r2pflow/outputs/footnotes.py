"""Keep each footnote on the page of its reference.

WeasyPrint moves notes that it has placed to the next page when that makes room for one more line of text (its
`_linebox_layout` reports them while `current_page_footnotes` is true). A reader then looks for note 3 under a page
that has only note 1. Here a placed note stays, and the paragraph is broken a line earlier instead. Laying out twice
to repair it afterwards would cost the time of a second rendering.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


class _Kept(list[Any]):
    """A list that is never "true", so that nobody asks it to give something up."""

    def __bool__(self) -> bool:
        return False


@contextmanager
def kept_on_their_pages() -> Iterator[None]:
    """Lay out with our context for as long as this lasts; with another WeasyPrint than we know, with its own."""
    from weasyprint import document

    before = getattr(document, "LayoutContext", None)
    if before is None or not hasattr(before, "_update_footnote_area"):
        yield
        return
    document.LayoutContext = _keeping(before)
    try:
        yield
    finally:
        document.LayoutContext = before


@cache
def _keeping(base: Any) -> Any:
    class KeepingContext(base):
        _is_measuring = False

        @property
        def current_page_footnotes(self) -> list[Any]:
            # The area that is measured needs a list of its own, which is true when it holds something.
            return list(self._notes) if self._is_measuring else self._notes

        @current_page_footnotes.setter
        def current_page_footnotes(self, notes: list[Any]) -> None:
            self._notes = _Kept(notes)

        def _update_footnote_area(self) -> Any:
            self._is_measuring = True
            try:
                return super()._update_footnote_area()
            finally:
                self._is_measuring = False

    return KeepingContext
