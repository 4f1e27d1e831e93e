"""Guess paragraphs, headings and lists in plain text, also in a scan's: lines joined, hyphens left as they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

_BULLET = re.compile(r"\s*(?:[-–—•·¥*▪◦‣●○∙\uf0b7]\s+|[o0]\s+(?=[^\W\d_a-z]))(?=\S)")
_NUMBER = re.compile(
    r"\s*[\[(]?(?:(?P<roman>[IVXlⅠ-Ⅻ|]{1,6})|(?P<digits>\d{1,2}(?:\.\d{1,2})*)|(?P<letter>[^\W\d_]))[.)]_?\s*(?=\S)"
)
_CHINESE_NUMBER = re.compile(
    r"\s*(?:(?P<major>第?[一二三四五六七八九十]{1,3}[、章])|(?P<minor>[（(][一二三四五六七八九十]{1,3}[）)]))"
)
_ENDS_SENTENCE = re.compile(r"[.!?:;,。！？：；，؟؛،…][\"'”’»)\]]*\s*$")
_IDEOGRAPH = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
_HEADING_LENGTH = 100
_TITLE_LENGTH = 200


@dataclass
class Piece:
    """A stretch of the text: `p`, `h2` to `h4`, `ul` or `ol`, with the lines of each entry; all but lists have one."""

    tag: str
    entries: list[list[str]] = field(default_factory=list)

    def html(self) -> str:
        entries = [escape(_join(lines)) for lines in self.entries]
        if self.tag in ("ul", "ol"):
            return f"<{self.tag}>" + "".join(f"<li>{entry}</li>" for entry in entries) + f"</{self.tag}>"
        return f"<{self.tag}>{entries[0]}</{self.tag}>"


def reflow(text: str) -> str:
    """Turn plain text into HTML. Empty lines part paragraphs, unless a sentence runs on in small letters after them."""
    pieces: list[Piece] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").split("\n")
    width = _measure_width(lines)
    for chunk in _cut_chunks(lines):
        for piece in _read_chunk(chunk, width):
            last = pieces[-1] if pieces else None
            if last is not None and piece.tag == "p" and _runs_on(last, piece):
                last.entries[-1] += piece.entries[0]
                if last.tag[0] == "h" and not _could_be_heading(_join(last.entries[-1])):
                    last.tag = "p"
            elif last is not None and piece.tag == last.tag and piece.tag in ("ul", "ol"):
                last.entries += piece.entries
            else:
                pieces.append(piece)
    return "\n".join(piece.html() for piece in pieces)


def could_be_title(text: str) -> bool:
    return len(text) <= _TITLE_LENGTH and "\n" not in text and not _ENDS_SENTENCE.search(text)


def _measure_width(lines: list[str]) -> int:
    """Give the length of a full line: what nine of ten lines stay under."""
    lengths = sorted(len(line.rstrip()) for line in lines if line.strip())
    return lengths[int(len(lengths) * 0.9)] if lengths else 0


def _cut_chunks(lines: list[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            chunk.append(line.rstrip())
        elif chunk:
            yield chunk
            chunk = []


def _read_chunk(lines: list[str], width: int) -> Iterator[Piece]:
    numbers = [match for line in lines if (match := _NUMBER.match(line)) and match["digits"]]
    is_counted = len(numbers) > 1 and [m["digits"] for m in numbers] == [str(n + 1) for n in range(len(numbers))]
    piece: Piece | None = None
    last_line = ""
    for line in lines:
        bullet = _BULLET.match(line)
        number = _NUMBER.match(line) if is_counted else None
        level = 0 if is_counted else _guess_level(line)
        tag = "ul" if bullet else "ol" if number is not None and number["digits"] else f"h{level}" if level else ""
        if tag in ("ul", "ol"):
            entry = line[(bullet or number).end() :].strip()  # type: ignore[union-attr]
            if piece is None or piece.tag != tag:
                if piece is not None:
                    yield piece
                piece = Piece(tag)
            piece.entries.append([entry])
        elif tag:
            if piece is not None:
                yield piece
            yield Piece(tag, [[line.strip()]])
            piece = None
        elif piece is None or _ends_early(last_line, line, width):
            if piece is not None:
                yield piece
            piece = Piece("p", [[line.strip()]])
        else:
            piece.entries[-1].append(line.strip())
        last_line = line
    if piece is not None:
        yield piece


def _guess_level(line: str) -> int:
    """Take a short numbered line without a full stop for a heading: I. is level 2, 1. is 3, A. is 4; 0 for none."""
    text = line.strip()
    if len(text) > _HEADING_LENGTH or _ENDS_SENTENCE.search(text):
        return 0
    if chinese := _CHINESE_NUMBER.match(text):
        return 2 if chinese["major"] else 3
    number = _NUMBER.match(text)
    if number is None or not any(char.isalpha() for char in text[number.end() :]):
        letters = [char for char in text if char.isalpha()]
        return 2 if len(letters) >= 4 and len(text.split()) > 1 and all(char.isupper() for char in letters) else 0
    if not (number[0].endswith((" ", "_")) or _IDEOGRAPH.match(text[number.end()])):
        return 0
    if number["roman"]:
        return 2
    return min(4, 3 + number["digits"].count(".")) if number["digits"] else 4


def _ends_early(line: str, following: str, width: int) -> bool:
    """Tell whether a line stopped well before the margin and the next one starts afresh."""
    start = following.strip()[:1]
    return len(line) < 0.6 * width and (start.isupper() or start.isdigit()) and bool(line)


def _runs_on(last: Piece, piece: Piece) -> bool:
    return piece.entries[0][0][:1].islower() and not re.search(r"[.!?:;…][\"'”’»)\]]*$", last.entries[-1][-1])


def _could_be_heading(text: str) -> bool:
    return len(text) <= 2 * _HEADING_LENGTH and not _ENDS_SENTENCE.search(text)


def _join(lines: list[str]) -> str:
    joined: list[str] = []
    for line in lines:
        if joined and not _joins_tight(joined[-1], line):
            joined.append(" ")
        joined.append(line)
    return "".join(joined)


def _joins_tight(one: str, other: str) -> bool:
    """Tell whether two lines meet without a space: at a hyphen, and between ideographs."""
    if one.endswith(("-", "\u2010")):
        return one[-2:-1].isalpha() and other[:1].isalpha()
    return bool(_IDEOGRAPH.fullmatch(one[-1:]) and _IDEOGRAPH.fullmatch(other[:1]))
