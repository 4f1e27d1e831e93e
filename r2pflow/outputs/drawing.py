"""Draw boxes and arrows as SVG that everybody can read: by eye, by ear, in print, in the dark, from right to left.

Colours stand in `web/assets/css/diagram.css`, which pages link to. A file of its own carries the same rules with their
values written out, for it may be shown by what knows no variables.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape, quoteattr

from r2pflow.domain.people import RIGHT_TO_LEFT
from r2pflow.folders import get_assets
from r2pflow.outputs.layout import Box, Curve, Layout, Link, Point, lay_out
from r2pflow.outputs.lettering import measure, wrap

NAME, NOTE, LEGEND, HEADING = 15, 12, 13, 20  # sizes of letters, in pixels, as in diagram.css
LABEL = 14
LINE = 1.3  # of lines of text, in sizes
STATE_WIDTH, LABEL_WIDTH = 146.0, 116.0  # where names break
MARGIN, PAD, LOOP = 14.0, 12.0, 20.0
SOLID, TIMED, BY_ITSELF, SEVERAL = "solid", "timer", "automatic", "several"

_LIGHT = {
    "paper": "#faf9f6", "surface": "#ffffff", "line": "#dcd9d2", "edge": "#85827b",
    "ink": "#1d1e20", "muted": "#5b5e63",
    "accent": "#1d4e79", "accent-soft": "#ebeff3", "on-accent": "#ffffff",
    "good": "#22603a", "good-soft": "#e6f1e8", "bad": "#98281f", "bad-soft": "#fae9e6",
    "waiting": "#734c00", "waiting-soft": "#faf0d9",
}  # fmt: skip
_DARK = {
    "paper": "#15171a", "surface": "#1c1f22", "line": "#363b40", "edge": "#7d838a",
    "ink": "#e8e7e3", "muted": "#a9acb1",
    "accent": "#94c2eb", "accent-soft": "#272e34", "on-accent": "#13161a",
    "good": "#8fd0a3", "good-soft": "#1c2f23", "bad": "#f0a79e", "bad-soft": "#3a2220",
    "waiting": "#e6c073", "waiting-soft": "#342a16",
}  # fmt: skip
_PAGES = "/* around them, in pages */"
_SANS = (
    'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans Arabic", "PingFang SC", "Microsoft YaHei", '
    '"Noto Sans CJK SC", "Noto Sans SC", sans-serif'
)


@dataclass(frozen=True)
class State:
    """A box. `marks`: initial, final, main, here, passed, added, removed, changed; `told` says all that it shows."""

    key: str
    name: str
    told: str
    marks: frozenset[str] = frozenset()
    note: str = ""
    count: str = ""
    href: str = ""


@dataclass(frozen=True)
class Arrow:
    """A way from one state to another, by the transition `key`.

    `marks`: taken, open, added, removed, changed; `count` numbers its taking; `note` may have several lines.
    """

    key: str
    source: str
    target: str
    name: str
    told: str
    line: str = SOLID
    marks: frozenset[str] = frozenset()
    note: str = ""
    count: str = ""
    href: str = ""
    weight: int = 1

    @property
    def is_loop(self) -> bool:
        """Tell whether it comes back to where it began: it is written into the box."""
        return self.source == self.target


@dataclass(frozen=True)
class Picture:
    """What is drawn: states in the order of their way, arrows, and what the signs mean: (sign, meaning)."""

    title: str
    told: str
    language: str
    states: Sequence[State]
    arrows: Sequence[Arrow]
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class _Lettered:
    """The lines of a label and the room that they take."""

    names: tuple[str, ...]
    notes: tuple[str, ...]
    size: float
    width: float
    height: float


def draw(picture: Picture, *, prefix: str = "d", is_file: bool = False) -> str:
    """Return the picture as SVG; ids begin with the prefix, so that several may stand on one page.

    As a file it has its title above, its own colours, and an XML declaration. Raises what `layout.lay_out` raises.
    """
    place = {one.key: number for number, one in enumerate(picture.states)}
    boxes = [
        _fill_box(one, [two for two in picture.arrows if two.is_loop and two.source == one.key])
        for one in picture.states
    ]
    arrows = [(one, _letter(one.name, one.note, LABEL, LABEL_WIDTH)) for one in picture.arrows if not one.is_loop]
    links = [
        Link(place[one.source], place[one.target], text.width + 22, text.height + 6, one.weight) for one, text in arrows
    ]
    begins = [number for number, one in enumerate(picture.states) if "initial" in one.marks]
    layout = lay_out(
        [*(one.box for one in boxes), *(Box(16, 16, is_main=True) for _ in begins)],
        [*links, *(Link(len(boxes) + number, place, weight=10) for number, place in enumerate(begins))],
    )
    is_mirrored = picture.language.split("-")[0] in RIGHT_TO_LEFT
    layout = layout.mirror() if is_mirrored else layout
    ids = _Ids(prefix)
    # Lines first, then what is written on them: no line crosses a word.
    lines = [_arrow_line(one, curve) for (one, _), curve in zip(arrows, layout.curves, strict=False)]
    lines += [f'<g class="arrow">{_line(one)}{_tip(one)}</g>' for one in layout.curves[len(links) :]]
    lines += [f'<circle class="begin" cx="{x:g}" cy="{y:g}" r="8"/>' for x, y in layout.boxes[len(boxes) :]]
    body = [f'<g aria-hidden="true">{"".join(lines)}</g>']
    for filled, middle in zip(boxes, layout.boxes, strict=False):
        body += _draw_state(filled, middle, ids, is_mirrored=is_mirrored)
    for (arrow, text), curve in zip(arrows, layout.curves, strict=False):
        body.append(_draw_label(arrow, text, curve, ids))
    return _frame(picture, layout, body, ids, is_mirrored=is_mirrored, is_file=is_file)


@dataclass(frozen=True)
class _Filled:
    """A box with what stands in it, from top to bottom: its own label, then what stays in the state."""

    state: State
    box: Box
    text: _Lettered
    loops: tuple[tuple[Arrow, _Lettered], ...]


class _Ids:
    """Give ids that no other picture on the page has."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.last = prefix, 0

    def take(self) -> str:
        self.last += 1
        return f"{self.prefix}-{self.last}"


def _letter(name: str, note: str, size: float, width: float, *, is_bold: bool = False) -> _Lettered:
    names = wrap(name, size, width, is_bold=is_bold) or ("–",)
    room = max(width, *(measure(line, size, is_bold=is_bold) for line in names))
    notes = tuple(line for part in note.split("\n") for line in wrap(part, NOTE, room))
    widths = [measure(line, size, is_bold=is_bold) for line in names] + [
        measure(line, NOTE, is_bold=True) for line in notes
    ]
    height = (len(names) * size + len(notes) * NOTE) * LINE
    return _Lettered(names, notes, size, round(max(widths), 1), round(height, 1))


def _fill_box(state: State, loops: Sequence[Arrow]) -> _Filled:
    text = _letter(state.name, state.note, NAME, STATE_WIDTH, is_bold=True)
    inside = tuple((one, _letter(one.name, one.note, LABEL, STATE_WIDTH - LOOP)) for one in loops)
    edge = 8 if "final" in state.marks else 0
    width = max(116.0, text.width + 2 * PAD, *(one.width + 2 * LOOP + PAD for _, one in inside), 0) + edge
    height = max(40.0, text.height + 1.4 * PAD) + sum(one.height + PAD for _, one in inside) + edge
    return _Filled(state, Box(round(width, 1), round(height, 1), "main" in state.marks), text, inside)


def _classes(kind: str, marks: Iterable[str], also: str = "") -> str:
    known = [f"is-{mark}" for mark in sorted(marks) if mark not in ("main", "initial", "final")]
    return " ".join([kind, *([f"is-{also}"] if also and also != SOLID else []), *known])


def _draw_state(filled: _Filled, middle: Point, ids: _Ids, *, is_mirrored: bool) -> Iterator[str]:
    state, box = filled.state, filled.box
    left, top = middle[0] - box.width / 2, middle[1] - box.height / 2
    edge = 4 if "final" in state.marks else 0
    shapes = [_rectangle("box", left, top, box.width, box.height, 8)]
    if edge:
        shapes.append(_rectangle("inner", left + edge, top + edge, box.width - 2 * edge, box.height - 2 * edge, 5))
    loops_height = sum(one.height + PAD for _, one in filled.loops)
    shapes.append(_text(filled.text, (middle[0], middle[1] - loops_height / 2)))
    if state.count:
        shapes.append(_pill(state.count, (left if is_mirrored else left + box.width, top)))
    content = _told(_classes("state", state.marks), state.told, "".join(shapes), ids, is_image=not state.href)
    yield _linked(state.href, state.told, content)
    y = top + box.height - edge - loops_height
    kind = "arrow is-loop is-inside" if "here" in state.marks else "arrow is-loop"
    for arrow, text in filled.loops:
        row = (middle[0] + (-LOOP / 2 if is_mirrored else LOOP / 2), y + (text.height + PAD) / 2 - 1)
        beside = row[0] + (text.width / 2 + LOOP / 2 + 2) * (1 if is_mirrored else -1)
        parts = f'<path class="rule" d="M{left + edge + 8:g},{y:g} h{box.width - 2 * edge - 16:g}"/>'
        parts += _loop_sign(beside, row[1], is_mirrored=is_mirrored) + _text(text, row)
        if arrow.count:
            parts += _pill(arrow.count, (left if is_mirrored else left + box.width, row[1]))
        content = _told(_classes(kind, arrow.marks, arrow.line), arrow.told, parts, ids, is_image=not arrow.href)
        yield _linked(arrow.href, arrow.told, content)
        y += text.height + PAD


def _loop_sign(x: float, y: float, *, is_mirrored: bool) -> str:
    """Draw an arrow that comes back to where it began."""
    turn = " scale(-1 1)" if is_mirrored else ""
    return (
        f'<g transform="translate({round(x, 1):g} {round(y, 1):g}){turn}">'
        '<path class="line" d="M5.5,1 A5.5,5.5 0 1 1 2.5,-5"/>'
        '<polygon class="tip" points="7,-5.6 1.4,-8.2 1.8,-2"/></g>'
    )


def _draw_label(arrow: Arrow, text: _Lettered, curve: Curve, ids: _Ids) -> str:
    middle = curve.label or curve.points[len(curve.points) // 2]
    content = _text(text, middle)
    if arrow.count:
        content += _pill(arrow.count, _along(curve.points, 12))
    told = _told(_classes("arrow", arrow.marks, arrow.line), arrow.told, content, ids, is_image=not arrow.href)
    return _linked(arrow.href, arrow.told, told)


def _told(classes: str, told: str, content: str, ids: _Ids, *, is_image: bool) -> str:
    """Wrap a part of the picture with its title; as a link it is named by the link instead."""
    if not is_image:
        return f'<g class="{classes}"><title>{_clean(told)}</title>{content}</g>'
    id = ids.take()
    return (
        f'<g class="{classes}" role="img" aria-labelledby="{id}"><title id="{id}">{_clean(told)}</title>{content}</g>'
    )


def _linked(href: str, told: str, content: str) -> str:
    if not href:
        return content
    return f"<a href={quoteattr(href)} aria-label={quoteattr(_strip(told))}>{content}</a>"


def _arrow_line(arrow: Arrow, curve: Curve) -> str:
    return f'<g class="{_classes("arrow", arrow.marks, arrow.line)}">{_line(curve)}{_tip(curve)}</g>'


def _line(curve: Curve) -> str:
    first, *others = (f"{x:g},{y:g}" for x, y in curve.points)
    return f'<path class="line" d="M{first} C{" ".join(others)}"/>'


def _tip(curve: Curve) -> str:
    """Draw the arrow's head, from the last point of the line to its tip."""
    (x, y), (tip_x, tip_y) = curve.points[-1], curve.tip
    along_x, along_y = tip_x - x, tip_y - y
    length = (along_x**2 + along_y**2) ** 0.5 or 1.0
    side_x, side_y = -along_y / length * 4.5, along_x / length * 4.5
    corners = ((tip_x, tip_y), (x + side_x, y + side_y), (x - side_x, y - side_y))
    return f'<polygon class="tip" points="{" ".join(f"{round(a, 1):g},{round(b, 1):g}" for a, b in corners)}"/>'


def _along(points: Sequence[Point], left: float) -> Point:
    """Return the point of the curve so far from its beginning: before any label begins."""
    dots = [points[0]]
    for start in range(0, len(points) - 3, 3):
        a, b, c, d = points[start : start + 4]
        for step in range(1, 9):
            t = step / 8
            s = 1 - t
            dots.append(
                tuple(s**3 * a[n] + 3 * s * s * t * b[n] + 3 * s * t * t * c[n] + t**3 * d[n] for n in (0, 1))  # type: ignore[arg-type]
            )
    lengths = [((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2) ** 0.5 for p, q in zip(dots, dots[1:], strict=False)]
    for dot, length in zip(dots[1:], lengths, strict=True):
        left -= length
        if left <= 0:
            return round(dot[0], 1), round(dot[1], 1)
    return dots[-1]


def _rectangle(kind: str, x: float, y: float, width: float, height: float, corner: float) -> str:
    return (
        f'<rect class="{kind}" x="{round(x, 1):g}" y="{round(y, 1):g}" width="{round(width, 1):g}" '
        f'height="{round(height, 1):g}" rx="{corner:g}"/>'
    )


def _pill(text: str, middle: Point) -> str:
    width = max(20.0, measure(text, NOTE, is_bold=True) + 12)
    return _rectangle("count", middle[0] - width / 2, middle[1] - 10, width, 20, 10) + (
        f'<text class="count-text" text-anchor="middle" x="{middle[0]:g}" y="{middle[1] + 4.2:g}">{_clean(text)}</text>'
    )


def _text(lettered: _Lettered, middle: Point) -> str:
    """Draw the lines of a label around their middle; each line is one run, so that Arabic keeps its shapes."""
    top = middle[1] - lettered.height / 2
    parts = []
    for kind, size, lines in (("name", lettered.size, lettered.names), ("note", NOTE, lettered.notes)):
        if not lines:
            continue
        spans = []
        for line in lines:
            baseline = round(top + size * (LINE / 2 + 0.35), 1)
            spans.append(f'<tspan x="{middle[0]:g}" y="{baseline:g}">{_clean(line)}</tspan>')
            top += size * LINE
        parts.append(f'<text class="{kind}" text-anchor="middle">{"".join(spans)}</text>')
    return "".join(parts)


def _frame(picture: Picture, layout: Layout, body: list[str], ids: _Ids, *, is_mirrored: bool, is_file: bool) -> str:
    heading = wrap(picture.title, HEADING, max(layout.width, 280), is_bold=True) if is_file else ()
    legend_width = max([40 + measure(text, LEGEND) for _, text in picture.legend], default=0.0) + 12
    heading_width = max([measure(line, HEADING, is_bold=True) for line in heading], default=0.0)
    width = round(max(layout.width, legend_width, heading_width) + 2 * MARGIN, 1)
    above = MARGIN + (len(heading) * HEADING * LINE + 14 if heading else 0)
    below = 20.0 + len(picture.legend) * 24 if picture.legend else 0.0
    height = round(above + layout.height + below + MARGIN, 1)
    parts = []
    near = width - MARGIN if is_mirrored else MARGIN  # where lines begin; "start" follows the direction
    for number, line in enumerate(heading):
        y = round(MARGIN + HEADING * (number * LINE + 0.9), 1)
        place = f'text-anchor="start" x="{near:g}" y="{y:g}"'
        parts.append(f'<text class="heading" aria-hidden="true" {place}>{_clean(line)}</text>')
    shift = round((width - layout.width) / 2, 1)
    parts.append(f'<g transform="translate({shift:g} {round(above, 1):g})">{"".join(body)}</g>')
    if picture.legend:
        parts.append(_legend(picture.legend, near, above + layout.height + 32, is_mirrored=is_mirrored))
    title, told = ids.take(), ids.take()
    has_links = any(one.href for one in picture.states) or any(one.href for one in picture.arrows)
    direction = "rtl" if is_mirrored else "ltr"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="{"group" if has_links else "img"}" '
        f'aria-labelledby="{title}" aria-describedby="{told}" lang="{picture.language}" xml:lang="{picture.language}" '
        f'direction="{direction}" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
        f'<title id="{title}">{_clean(picture.title)}</title><desc id="{told}">{_clean(picture.told)}</desc>'
    )
    if not is_file:
        return f"{head}{''.join(parts)}</svg>"
    paper = f'<rect class="paper" width="{width:g}" height="{height:g}"/>'
    inner = "\n".join([f"<style>{_write_style()}</style>", paper, *parts])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{inner}\n</svg>\n'


def _legend(legend: Sequence[tuple[str, str]], near: float, top: float, *, is_mirrored: bool) -> str:
    rows = []
    for number, (sign, text) in enumerate(legend):
        y = round(top + number * 24, 1)
        left = near - 30 if is_mirrored else near
        words = near - 40 if is_mirrored else near + 40
        place = f'text-anchor="start" x="{words:g}" y="{round(y + 4.5, 1):g}"'
        rows.append(f"{_sign(sign, left, y)}<text {place}>{_clean(text)}</text>")
    return f'<g class="legend" aria-hidden="true">{"".join(rows)}</g>'


def _sign(sign: str, x: float, y: float) -> str:
    if sign == "begin":
        return f'<circle class="begin" cx="{x + 15:g}" cy="{y:g}" r="7"/>'
    if sign == "final":
        return _rectangle("plain", x + 2, y - 8, 26, 16, 4) + _rectangle("plain", x + 5, y - 5, 20, 10, 2)
    if sign in ("here", "passed", "added", "removed", "changed"):
        return f'<g class="state is-{sign}">{_rectangle("box", x + 2, y - 7, 26, 14, 4)}</g>'
    if sign == "count":
        return _pill("1", (x + 15, y))
    return f'<g class="arrow{"" if sign == SOLID else f" is-{sign}"}"><path class="line" d="M{x:g},{y:g} h30"/></g>'


@cache
def _read_rules() -> str:
    text = (get_assets() / "css" / "diagram.css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/\n?", "", text.split(_PAGES)[0], flags=re.DOTALL).strip()


@cache
def _write_style() -> str:
    """Return the rules with their values: light, dark where the screen asks for it, light in print."""
    rules = [line for line in _read_rules().splitlines() if " a:" not in line and " a " not in line]
    rules.append(".diagram .paper { fill: var(--paper); }")

    def fill(lines: Iterable[str], colours: dict[str, str]) -> str:
        known = {**colours, "sans": _SANS}
        return "\n".join(re.sub(r"var\(--([\w-]+)\)", lambda found: known[found[1]], line) for line in lines)

    coloured = [line for line in rules if "var(--" in line and "--sans" not in line]
    dark = fill(coloured, _DARK)
    return "\n".join(
        [
            "",
            fill(rules, _LIGHT),
            f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}",
            "@media print { .diagram .paper { fill: none; } }",
            "",
        ]
    )


def _strip(text: str) -> str:
    """Leave out what XML cannot carry."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def _clean(text: str) -> str:
    return escape(_strip(text))
