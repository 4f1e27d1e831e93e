"""Blocks, their canonical form and their digests: what "the text" means everywhere else.

All text enters through `canonical`. What comes out is a fixed point: `canonical(render(blocks)) == blocks`.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TypedDict

from r2pflow.domain import markup
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.folding import fold
from r2pflow.domain.markup import HEADINGS, LISTS, Node
from r2pflow.domain.structure import Draft, cut, tidy

MAX_BLOCKS = 5000
TITLE_ID = "title"
KINDS = ("heading", "paragraph", "list", "table", "quotation", "footnote")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_KIND_OF_TAG = {"p": "paragraph", "table": "table", "blockquote": "quotation", "aside": "footnote"}
_NOTE_REFERENCE = re.compile(r'data-note="([^"]+)"')


class StoredBlock(TypedDict):
    id: str
    kind: str
    html: str


@dataclass(frozen=True)
class Block:
    """One top-level element of a text.

    `html` is its canonical element without `data-block`: the id stands beside it, outside the digest.
    """

    id: str
    kind: str
    html: str

    @cached_property
    def level(self) -> int:
        """Heading level 1 to 4, and 0 for what is no heading."""
        return int(self.html[2]) if self.kind == "heading" else 0

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical element without its id, 64 hex digits: equal text, equal digest."""
        return hashlib.sha256(self.html.encode()).hexdigest()

    @cached_property
    def plain(self) -> str:
        """The text alone, without footnote references; rows, entries and line breaks end in a line feed."""
        return markup.plain(markup.parse(self.html))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Ids of the footnotes referred to, in order, a repeated one repeated."""
        return tuple(_NOTE_REFERENCE.findall(self.html))

    def element(self) -> str:
        """Give the canonical HTML with `data-block`, as it is exchanged."""
        name = re.match(r"<[a-z0-9]+", self.html)
        assert name is not None, f"block {self.id} is not an element"
        return f'{name[0]} data-block="{self.id}"{self.html[name.end() :]}'


def is_block_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def canonical(html: str, *, previous_ids: Collection[str] = ()) -> tuple[Block, ...]:
    """Turn any HTML into a text.

    Stray text becomes paragraphs, wrappers are opened, empty blocks go. The `h1` that is called `title`, else
    the first `h1`, becomes the title and comes first; others become `h2`. Valid ids that are not taken stay.
    A block without one gets an id made from its content, the same each time, that is not among `previous_ids`
    (ids that other blocks have had). References to missing footnotes go, footnotes without one stay.

    Raise InvalidInput: `text_too_large`, `too_many_blocks`, `too_many_elements`, `too_deeply_nested`.
    """
    drafts = cut(markup.sanitise(html))
    if len(drafts) > MAX_BLOCKS:
        raise InvalidInput("too_many_blocks", limit=MAX_BLOCKS)
    return _settle(_place_title(drafts), previous_ids)


def render(blocks: Iterable[Block]) -> str:
    return "\n".join(block.element() for block in blocks)


def digest(blocks: Iterable[Block]) -> str:
    """Give the SHA-256 of the whole text, ids and order included, 64 hex digits."""
    return hashlib.sha256(render(blocks).encode()).hexdigest()


def as_json(blocks: Iterable[Block]) -> list[StoredBlock]:
    return [{"id": block.id, "kind": block.kind, "html": block.html} for block in blocks]


def from_json(stored: Iterable[Mapping[str, str]]) -> tuple[Block, ...]:
    """Read back what `as_json` wrote, unchecked. Text from anywhere else enters through `canonical`."""
    return tuple(Block(one["id"], one["kind"], one["html"]) for one in stored)


def title_of(blocks: Iterable[Block]) -> str:
    """Give the title as plain text, empty when the text has none."""
    return next((block.plain.replace("\n", " ") for block in blocks if block.level == 1), "")


def with_title(blocks: Sequence[Block], title: str) -> tuple[Block, ...]:
    """Put a plain-text title in place of the one there is, or before everything."""
    heading = Block(TITLE_ID, "heading", markup.serialise([Node("h1", {}, fold([title]))]))
    return (heading, *(block for block in blocks if block.level != 1)) if title.strip() else tuple(blocks)


def plain_text(blocks: Iterable[Block]) -> str:
    """Give the text alone, blocks parted by an empty line."""
    return "\n\n".join(block.plain for block in blocks)


def footnote_numbers(blocks: Sequence[Block]) -> dict[str, int]:
    """Number footnotes from 1 by first reference; those that nothing refers to come last, in text order."""
    notes = [block.id for block in blocks if block.kind == "footnote"]
    referred = [note for block in blocks for note in block.notes if note in set(notes)]
    return {note: number for number, note in enumerate(dict.fromkeys([*referred, *notes]), start=1)}


def _place_title(drafts: list[Draft]) -> list[Draft]:
    tops = [draft for draft in drafts if draft.node.tag == "h1" and markup.has_content(draft.node.children)]
    title = next((draft for draft in tops if draft.id == TITLE_ID), tops[0] if tops else None)
    for draft in drafts:
        if draft is title:
            draft.id = TITLE_ID
            continue
        draft.id = "" if draft.id == TITLE_ID else draft.id
        draft.node.tag = {"h1": "h2", "h5": "h4", "h6": "h4"}.get(draft.node.tag, draft.node.tag)
    return drafts if title is None else [title, *(draft for draft in drafts if draft is not title)]


def _settle(drafts: list[Draft], previous_ids: Collection[str]) -> tuple[Block, ...]:
    """Fold the text and give out the ids: first footnotes, since others refer to them."""
    taken = {TITLE_ID} if drafts and drafts[0].id == TITLE_ID else set()
    notes: dict[str, str] = {}
    footnotes = [draft for draft in drafts if draft.node.tag == "aside"]
    reserved = {*previous_ids, *(draft.id for draft in drafts)}
    for draft in [*footnotes, *(draft for draft in drafts if draft.node.tag != "aside")]:
        draft.node.children = tidy(draft.node, notes if draft.node.tag != "aside" else {})
        if not markup.has_content(draft.node.children):
            draft.node.tag = ""
            continue
        written = draft.id
        if draft.id != TITLE_ID and (not is_block_id(draft.id) or draft.id in taken):
            draft.id = "" if draft.node.tag != "aside" else _free_id(_spell(draft), taken | reserved)
        if draft.id:
            taken.add(draft.id)
        if draft.node.tag == "aside" and written:
            notes.setdefault(written, draft.id)
    blocks = []
    for draft in drafts:
        if not draft.node.tag:
            continue
        html = _spell(draft)
        if not draft.id:
            draft.id = _free_id(html, taken | reserved)
            taken.add(draft.id)
        blocks.append(Block(draft.id, _kind(draft.node.tag), html))
    return tuple(blocks)


def _spell(draft: Draft) -> str:
    return markup.serialise([draft.node])


def _kind(tag: str) -> str:
    return "heading" if tag in HEADINGS else "list" if tag in LISTS else _KIND_OF_TAG[tag]


def _free_id(html: str, taken: Collection[str]) -> str:
    for attempt in count():
        name = "b" + hashlib.sha256(f"{attempt or ''}{html}".encode()).hexdigest()[:8]
        if name not in taken:
            return name
    raise AssertionError("unreachable")
