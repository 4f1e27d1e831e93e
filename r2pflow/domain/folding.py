"""Tidy a stretch of inline text: one space where there were many, no empty or doubled formatting."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from r2pflow.domain.markup import INLINE, LISTS, Content, Node, has_content

_SPACES = re.compile("[ \t\n\r\f\x85\u2028\u2029]+")
_MERGEABLE = frozenset("strong em u s code sub sup a span".split())
_SOFT = {"soft": ""}
MAX_BREAKS = 2


def make_inline(
    content: Iterable[Content],
    notes: Mapping[str, str],
    within: frozenset[str] = frozenset(),
    *,
    pre: bool = False,
) -> list[Content]:
    """Keep inline elements only; what a block held is set off by a line break.

    `notes` maps the footnote ids that may be referred to, as written, to their final ids;
    other references go.
    """
    made: list[Content] = []
    for child in content:
        if isinstance(child, str):
            made += _break_lines(child) if pre else [child]
        elif child.tag == "br":
            made.append(Node("br", dict(child.attrs)))
        elif "data-note" in child.attrs:
            if (note := notes.get(child.attrs["data-note"])) is not None:
                made.append(Node("sup", {"data-note": note}))
        elif child.tag in INLINE:
            inner = make_inline(child.children, notes, within | {child.tag}, pre=pre)
            attrs = {name: value for name, value in child.attrs.items() if name != "data-block"}
            if _says_nothing(child.tag, attrs, within):
                made += inner
            else:
                made.append(Node(child.tag, attrs, inner))
        else:
            inner = make_inline(child.children, notes, within, pre=pre or child.tag == "pre")
            made += [Node("br", dict(_SOFT)), *inner, Node("br", dict(_SOFT))]
    return made


def _break_lines(text: str) -> list[Content]:
    lines: list[Content] = []
    for line in text.splitlines():
        lines += [line, Node("br")]
    return lines[:-1] if not text.endswith("\n") else lines


def _says_nothing(tag: str, attrs: Mapping[str, str], within: frozenset[str]) -> bool:
    if tag in ("span", "a"):
        return not attrs or (tag == "a" and "a" in within)
    return tag in within and tag in ("strong", "em", "u", "s", "code")


def fold(content: Iterable[Content]) -> list[Content]:
    """Fold white space as a browser would show it, in NFC; the result folds to itself."""
    tidy = _simplify(content)
    _fold_forward(tidy, _Run())
    _fold_backward(tidy, _Run())
    return _simplify(tidy, final=True)


def fold_flow(content: Iterable[Content]) -> list[Content]:
    """Fold the text of a list entry or a cell, which lists may interrupt; the lists stay as they are."""
    folded: list[Content] = []
    run: list[Content] = []
    for child in [*content, None]:
        if isinstance(child, Node) and child.tag in LISTS or child is None:
            text = fold(run)
            folded += text if has_content(text) else []
            run = []
            folded += [child] if child is not None else []
        else:
            run.append(child)
    return folded


def _simplify(content: Iterable[Content], *, final: bool = False) -> list[Content]:
    out: list[Content] = []
    for child in content:
        _append(out, child)
    return _normalise(out) if final else out


def _append(out: list[Content], child: Content) -> None:
    if isinstance(child, str):
        if out and isinstance(out[-1], str):
            out[-1] += child
        elif child:
            out.append(child)
    elif child.tag == "br" or "data-note" in child.attrs:
        out.append(child)
    elif not has_content(child.children):
        for inner in child.children:
            _append(out, inner)
    elif out and _can_join(out[-1], child):
        last = out[-1]
        assert isinstance(last, Node)
        for inner in child.children:
            _append(last.children, inner)
    else:
        out.append(Node(child.tag, child.attrs, _simplify(child.children)))


def _can_join(last: Content, child: Node) -> bool:
    return (
        isinstance(last, Node)
        and last.tag == child.tag
        and last.tag in _MERGEABLE
        and last.attrs == child.attrs
        and "data-note" not in last.attrs
    )


def _normalise(content: list[Content]) -> list[Content]:
    for place, child in enumerate(content):
        if isinstance(child, str):
            content[place] = unicodedata.normalize("NFC", child)
        else:
            child.children = _normalise(child.children)
    return content


class _Run:
    """What lies just before the place being folded."""

    __slots__ = ("breaks", "is_open", "seen")

    def __init__(self) -> None:
        self.seen = False
        self.is_open = False
        self.breaks = 0

    def take_break(self, soft: bool) -> bool:
        self.is_open = False
        if not self.seen or self.breaks >= (1 if soft else MAX_BREAKS):
            return False
        self.breaks += 1
        return True

    def take_content(self, is_open: bool) -> None:
        self.seen, self.is_open, self.breaks = True, is_open, 0


def _fold_forward(content: list[Content], run: _Run) -> None:
    kept: list[Content] = []
    for child in content:
        if isinstance(child, str):
            text = _SPACES.sub(" ", child)
            text = text if run.is_open else text.removeprefix(" ")
            if text:
                run.take_content(not text.endswith(" "))
                kept.append(text)
        elif child.tag == "br":
            if run.take_break("soft" in child.attrs):
                kept.append(Node("br"))
        else:
            if "data-note" in child.attrs:
                run.take_content(True)
            _fold_forward(child.children, run)
            kept.append(child)
    content[:] = kept


def _fold_backward(content: list[Content], run: _Run) -> None:
    kept: list[Content] = []
    for child in reversed(content):
        if isinstance(child, str):
            text = child if run.is_open else child.removesuffix(" ")
            if text:
                run.take_content(not text.startswith(" "))
                kept.append(text)
        elif child.tag == "br":
            if run.take_break(False):
                kept.append(child)
        else:
            if "data-note" in child.attrs:
                run.take_content(True)
            _fold_backward(child.children, run)
            kept.append(child)
    content[:] = reversed(kept)
