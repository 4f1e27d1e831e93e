"""Texts on screen: footnotes numbered with links both ways, tables in boxes that scroll, redlines with a legend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from r2pflow.domain import changes, markup, text
from r2pflow.domain.changes import BlockChange
from r2pflow.domain.markup import Content, Node
from r2pflow.domain.text import Block
from r2pflow.web.i18n import format_number, gettext


@dataclass(frozen=True)
class ShownBlock:
    """One block ready for the page; `html` is safe, since all text went through `domain.text.canonical`."""

    id: str
    kind: str
    html: Markup


@dataclass(frozen=True)
class ShownNote:
    """A footnote at the end of the text; `is_referred` tells whether there is a place to go back to."""

    id: str
    number: int
    html: Markup
    is_referred: bool


@dataclass(frozen=True)
class ShownText:
    """A text as it is read; the title's block is left out, since the page's heading has it."""

    blocks: tuple[ShownBlock, ...]
    notes: tuple[ShownNote, ...]


@dataclass(frozen=True)
class ShownChange:
    """One block of a redline; `kind` and `wording` are those of `domain.changes.BlockChange`."""

    id: str
    kind: str
    wording: str
    html: Markup


def show_text(blocks: Sequence[Block]) -> ShownText:
    """Make a text ready to be read."""
    numbers = text.footnote_numbers(blocks)
    seen: set[str] = set()
    shown = tuple(
        ShownBlock(block.id, block.kind, _show(markup.parse(block.html), numbers, seen))
        for block in blocks
        if block.kind != "footnote" and block.level != 1
    )
    notes = sorted((numbers[block.id], block) for block in blocks if block.kind == "footnote")
    return ShownText(
        shown,
        tuple(ShownNote(b.id, n, _show(_inner(b.html), numbers, seen), b.id in seen) for n, b in notes),
    )


def show_block(block: Block) -> Markup:
    """Make one block ready to be read by itself; its footnotes are numbered from 1."""
    numbers = {note: number for number, note in enumerate(dict.fromkeys(block.notes), 1)}
    return _show(_lower_title(markup.parse(block.html)), numbers, set(numbers))


def show_redline(old: Sequence[Block], new: Sequence[Block]) -> tuple[ShownChange, ...]:
    """Compare two texts for the page; the numbers of footnotes are those of the new one."""
    numbers = text.footnote_numbers(old) | text.footnote_numbers(new)
    return tuple(
        ShownChange(change.block.id, change.kind, change.wording, show_change(change, numbers))
        for change in changes.redline(old, new)
    )


def show_change(change: BlockChange, numbers: Mapping[str, int] | None = None) -> Markup:
    """Make one changed block ready for the page."""
    return _show(_lower_title(markup.parse(change.html)), numbers or {}, set(numbers or {}))


def show_wording(old: str, new: str) -> Markup:
    """Compare two plain texts, word by word."""
    before, after = (text.canonical(f"<p>{_as_html(one)}</p>") for one in (old, new))
    if not before or not after:
        return Markup("<p><ins>{}</ins></p>").format(new)
    (change,) = changes.redline([Block("b", "paragraph", before[0].html)], [Block("b", "paragraph", after[0].html)])
    return show_change(change)


def _as_html(plain: str) -> str:
    return str(Markup("<br>").join(plain.replace("\r\n", "\n").strip().split("\n")))


def _inner(html: str) -> list[Content]:
    (node,) = markup.parse(html)
    return node.children if isinstance(node, Node) else []


def _lower_title(tree: Iterable[Content]) -> list[Content]:
    return [
        Node("h2", node.attrs, node.children) if isinstance(node, Node) and node.tag == "h1" else node for node in tree
    ]


def _show(tree: Iterable[Content], numbers: Mapping[str, int], seen: set[str]) -> Markup:
    return Markup(markup.serialise(_set(node, numbers, seen) for node in tree))


def _set(content: Content, numbers: Mapping[str, int], seen: set[str]) -> Content:
    if isinstance(content, str):
        return content
    note = content.attrs.get("data-note")
    if note is not None:
        return _refer(content, note, numbers, seen)
    children = [_set(child, numbers, seen) for child in content.children]
    attrs = {name: value for name, value in content.attrs.items() if name != "data-block"}
    shown = Node(content.tag, attrs, children)
    if content.tag != "table":
        return shown
    caption = next((markup.plain([c]) for c in content.children if isinstance(c, Node) and c.tag == "caption"), "")
    frame = {"class": "table-wrap", "role": "region", "tabindex": "0", "aria-label": caption or gettext("Table")}
    return Node("div", frame, [shown])


def _refer(content: Node, note: str, numbers: Mapping[str, int], seen: set[str]) -> Node:
    number = numbers.get(note)
    if number is None:
        return Node("sup", content.attrs, ["*"])
    told = gettext("Footnote %(number)s", number=format_number(number))
    link = Node("a", {"href": f"#note-{note}", "aria-label": told}, [format_number(number)])
    if note not in seen:
        link.attrs["id"] = f"ref-{note}"
        seen.add(note)
    return Node("sup", content.attrs, [link])
