"""The blocks of an edition made ready for print: footnotes at their reference, headings that can be pointed at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from r2pflow.domain import markup
from r2pflow.domain.markup import Content, Node
from r2pflow.domain.printable import Printable
from r2pflow.domain.text import Block, footnote_numbers

CONTENTS_FROM_HEADINGS = 12
CONTENTS_FROM_PAGES = 6
SHORT = {"td": 12, "th": 12, "a": 24}
"""Cells and links of at most so many characters are never broken: `72 hours`, an amount, `A/RES/60/1`."""

_CHARACTERS_PER_PAGE = {"zh": 1100, "ar": 2300}
_CHARACTERS_PER_LATIN_PAGE = 2700


@dataclass(frozen=True)
class PrintedBlock:
    """A block as the templates print it; `html` is safe, since all text went through `domain.text.canonical`."""

    id: str
    kind: str
    level: int
    html: str
    plain: str
    is_stale: bool


@dataclass(frozen=True)
class Body:
    """The text of an edition; the title's block stands apart, since every template sets it elsewhere."""

    title: PrintedBlock | None
    blocks: tuple[PrintedBlock, ...]
    loose_notes: tuple[PrintedBlock, ...]  # footnotes that nothing refers to
    notes: tuple[tuple[int, str, str], ...]  # number, id and HTML of each, for outputs without pages

    @property
    def headings(self) -> tuple[PrintedBlock, ...]:
        return tuple(block for block in self.blocks if 2 <= block.level <= 3)

    def wants_contents(self, language: str) -> bool:
        """Tell whether it is long enough for a table of contents: by its headings, or by an estimate of pages."""
        per_page = _CHARACTERS_PER_PAGE.get(language, _CHARACTERS_PER_LATIN_PAGE)
        pages = sum(len(block.plain) for block in self.blocks) / per_page
        return len(self.headings) >= 3 and (len(self.headings) >= CONTENTS_FROM_HEADINGS or pages > CONTENTS_FROM_PAGES)


def set_body(printable: Printable, *, with_pages: bool = True) -> Body:
    """Make the blocks of an edition ready.

    With pages, the first reference to a footnote holds the note itself, which the style sheet moves to the foot of
    the page; later ones repeat its number. Without, all references are links to the notes at the end.
    """
    numbers = footnote_numbers(printable.blocks)
    notes = {b.id: _inner(b) for b in printable.blocks if b.kind == "footnote"}
    seen: set[str] = set()
    title: PrintedBlock | None = None
    blocks: list[PrintedBlock] = []
    for block in printable.blocks:
        if block.kind == "footnote":
            continue
        tree = [_set_node(node, numbers, notes, seen, with_pages) for node in markup.parse(block.html)]
        printed = _print(block, tree, printable)
        if block.level == 1:
            title = printed
        else:
            blocks.append(printed)
    loose = [b for b in printable.blocks if b.kind == "footnote" and b.id not in seen]
    ordered = sorted((number, id, markup.serialise(notes[id])) for id, number in numbers.items())
    return Body(title, tuple(blocks), tuple(_print(b, _inner(b), printable) for b in loose), tuple(ordered))


def _print(block: Block, tree: Iterable[Content], printable: Printable) -> PrintedBlock:
    return PrintedBlock(
        block.id,
        block.kind,
        block.level,
        markup.serialise(tree),
        block.plain.replace("\n", " "),
        block.id in printable.stale_blocks,
    )


def _inner(note: Block) -> list[Content]:
    """Return what is inside a footnote, without references to others: a note has no notes."""
    (aside,) = markup.parse(note.html)
    assert isinstance(aside, Node)
    return list(_without_references(aside.children))


def _without_references(content: Iterable[Content]) -> Iterator[Content]:
    for child in content:
        if isinstance(child, str):
            yield child
        elif "data-note" not in child.attrs:
            yield _keep_short(Node(child.tag, child.attrs, list(_without_references(child.children))))


def _set_node(
    content: Content, numbers: dict[str, int], notes: dict[str, list[Content]], seen: set[str], with_pages: bool
) -> Content:
    if isinstance(content, str):
        return content
    note = content.attrs.get("data-note")
    if note is None:
        children = [_set_node(child, numbers, notes, seen, with_pages) for child in content.children]
        return _keep_short(Node(content.tag, content.attrs, children))
    if note not in notes:
        return ""
    first = note not in seen
    seen.add(note)
    if with_pages and first:
        return Node("span", {"class": "note", "id": f"note-{note}"}, notes[note])
    link = Node("a", {"href": f"#note-{note}"}, [str(numbers[note])])
    if not with_pages and first:
        link.attrs["id"] = f"ref-{note}"
    return Node("sup", {"class": "note-reference"}, [link])


def _keep_short(node: Node) -> Node:
    is_short = len(markup.plain(node.children)) <= SHORT.get(node.tag, -1)
    return Node(node.tag, {**node.attrs, "class": "short"}, node.children) if is_short else node
