"""How wide words are, and where they break into lines: for pictures whose reader's fonts nobody knows.

The widths lie a little above those of the usual sans-serif fonts, so that a label fits its box whatever font shows it.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_NARROW = frozenset("iíìîïjlI|.,:;!'’‘`()[]·، ؛ـاأإآ1")
_LEAN = frozenset('frtzcs-–/"“”«»ґгт ')
_WIDE = frozenset("mwMWQ@%—…жшщюмыфЖШЩЮМЫФ")
_NOT_FIRST = frozenset("，。、；：？！）》」』”’％ー")
"""What may not begin a line of Chinese."""

BOLD = 1.08


@lru_cache(maxsize=4096)
def _width(character: str) -> float:
    """Return the width of a character in ems."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in _NARROW:
        return 0.34
    if character in _LEAN:
        return 0.5
    if character in _WIDE:
        return 0.92
    return 0.72 if character.isupper() else 0.6


def measure(text: str, size: float, *, is_bold: bool = False) -> float:
    """Return about how wide the text is, in the unit of the size."""
    return sum(map(_width, text)) * size * (BOLD if is_bold else 1)


def wrap(text: str, size: float, width: float, *, is_bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines of about equal length, none wider than `width` unless a single word is."""
    pieces = list(_split(" ".join(text.split())))
    if not pieces:
        return ()
    lines = _fill(pieces, size, width, is_bold)
    if len(lines) > 1:
        widest = max(measure(line, size, is_bold=is_bold) for line in lines)
        low, high = widest / 2, widest
        for _ in range(6):  # the narrowest width that takes no further line
            middle = (low + high) / 2
            tried = _fill(pieces, size, middle, is_bold)
            if len(tried) == len(lines):
                high, lines = middle, tried
            else:
                low = middle
    return tuple(lines)


def _split(text: str) -> Iterator[str]:
    """Yield what stays together: words with the space after them, and single Han characters."""
    piece = ""
    for character in text:
        is_han = unicodedata.east_asian_width(character) == "W"
        if piece and is_han and character not in _NOT_FIRST:
            yield piece
            piece = ""
        piece += character
        if character == " ":
            yield piece
            piece = ""
    if piece:
        yield piece


def _fill(pieces: list[str], size: float, width: float, is_bold: bool) -> list[str]:
    lines = [""]
    for piece in pieces:
        if lines[-1] and measure((lines[-1] + piece).rstrip(), size, is_bold=is_bold) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]
