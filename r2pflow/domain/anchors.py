"""Carry a quotation from one revision to the next (W3C Web Annotation, TextQuoteSelector)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from r2pflow.domain.matching import match_blocks
from r2pflow.domain.text import Block
from r2pflow.domain.wording import count_words, diff, measure_likeness, split_words

Health = Literal["exact", "moved", "orphan"]
CONTEXT = 32
"""Characters of prefix and suffix that an anchor keeps."""

_LONG_ENOUGH = 24
_LEAST_CONTEXT = 0.5
_LEAST_LIKENESS = 0.6


@dataclass(frozen=True)
class Anchor:
    """A place in a text: a quotation of a block's plain text; without `exact` it means the whole block."""

    block_id: str
    exact: str = ""
    prefix: str = ""
    suffix: str = ""


def make_anchor(block: Block, start: int, end: int) -> Anchor:
    """Anchor to the characters `start` to `end` (exclusive) of the block's plain text."""
    text = block.plain
    start, end = max(0, start), max(0, end)
    return Anchor(block.id, text[start:end], text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT])


def find_quotation(anchor: Anchor, block: Block) -> tuple[int, int] | None:
    """Find where the block's plain text has the quotation, best where the words around it fit too.

    White space counts as equal, however much of it.
    """
    places = [(_rate_context(anchor, block.plain, *place), place) for place in _search(anchor.exact, block.plain)]
    return max(places, key=lambda rated: (rated[0], -rated[1][0]))[1] if places else None


def carry(anchor: Anchor, old_blocks: Sequence[Block], new_blocks: Sequence[Block]) -> tuple[Anchor, Health]:
    """Find the anchor's place in the next revision.

    `exact`: the same words in the same block. `moved`: the words are in another block, or have changed and are
    recognised by what stands around them; somebody should look. `orphan`: gone; the anchor is as it was. Never raises.
    """
    new = {block.id: block for block in new_blocks}
    same = new.get(anchor.block_id)
    if same is not None:
        if not anchor.exact.strip():
            return anchor, "exact"
        if (place := find_quotation(anchor, same)) is not None:
            return make_anchor(same, *place), "exact"
    old = next((block for block in old_blocks if block.id == anchor.block_id), None)
    heir = same or _find_heir(anchor.block_id, old_blocks, new_blocks)
    if not anchor.exact.strip():
        return (Anchor(heir.id), "moved") if heir else (anchor, "orphan")
    found = _find_elsewhere(anchor, [block for block in new_blocks if block is not same])
    if found is None and heir is not None:
        found = _find_changed(anchor, old, heir)
    return (found, "moved") if found is not None else (anchor, "orphan")


def _find_heir(block_id: str, old_blocks: Sequence[Block], new_blocks: Sequence[Block]) -> Block | None:
    matched = match_blocks(old_blocks, new_blocks)
    return next((new_blocks[j] for j, i in matched.items() if old_blocks[i].id == block_id), None)


def _search(words: str, text: str) -> Iterator[tuple[int, int]]:
    """Find all places of some words, blind to white space: a browser and `plain` part lines differently."""
    sought = "".join(words.split())
    places = [place for place, char in enumerate(text) if not char.isspace()]
    squeezed = "".join(text.split())
    start = squeezed.find(sought) if sought else -1
    while start >= 0:
        yield places[start], places[start + len(sought) - 1] + 1
        start = squeezed.find(sought, start + 1)


def _rate_context(anchor: Anchor, text: str, start: int, end: int) -> float:
    """Say how much of the prefix and suffix stands around a place, 0 to 1; 1 where the anchor has neither."""
    before, after = "".join(anchor.prefix.split()), "".join(anchor.suffix.split())
    total = len(before) + len(after)
    if not total:
        return 1.0
    left = "".join(text[max(0, start - 2 * CONTEXT) : start].split())
    right = "".join(text[end : end + 2 * CONTEXT].split())
    return (_count_common(before[::-1], left[::-1]) + _count_common(after, right)) / total


def _count_common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _find_elsewhere(anchor: Anchor, blocks: Sequence[Block]) -> Anchor | None:
    """Look for the same words in other blocks; few words count only in their surroundings."""
    best: tuple[float, Anchor] | None = None
    for block in blocks:
        place = find_quotation(anchor, block)
        if place is None:
            continue
        rate = _rate_context(anchor, block.plain, *place)
        is_sure = len(anchor.exact) >= _LONG_ENOUGH or rate >= _LEAST_CONTEXT and bool(anchor.prefix + anchor.suffix)
        if is_sure and (best is None or rate > best[0]):
            best = rate, make_anchor(block, *place)
    return best[1] if best else None


def _find_changed(anchor: Anchor, old: Block | None, new: Block) -> Anchor | None:
    """Follow the place through the edits of its block, and keep it if the words are still alike."""
    place = None
    if old is not None and (was := find_quotation(anchor, old)) is not None:
        place = _follow(old.plain, new.plain, *was)
    place = place or _bracket(anchor, new.plain)
    if place is None or not new.plain[slice(*place)].strip():
        return None
    found = make_anchor(new, *place)
    likeness = measure_likeness(count_words(anchor.exact), count_words(found.exact))
    is_framed = bool(anchor.prefix + anchor.suffix) and _rate_context(anchor, new.plain, *place) >= 0.8
    is_short = len(found.exact) <= 2 * len(anchor.exact) + 20
    return found if likeness >= _LEAST_LIKENESS or (is_framed and is_short) else None


def _follow(old: str, new: str, start: int, end: int) -> tuple[int, int] | None:
    """Map a stretch of the old text to the new one: from the word before it to the word after it."""
    before, after = split_words(old), split_words(new)
    low, high = 0, len(new)
    at_old = at_new = 0
    for i, j in diff(before, after):
        if i is not None and j is not None:
            if at_old + len(before[i]) <= start:
                low = at_new + len(after[j])
            elif at_old >= end:
                high = at_new
                break
        at_old += len(before[i]) if i is not None else 0
        at_new += len(after[j]) if j is not None else 0
    while low < high and new[low].isspace():
        low += 1
    while high > low and new[high - 1].isspace():
        high -= 1
    return (low, high) if low < high else None


def _bracket(anchor: Anchor, text: str) -> tuple[int, int] | None:
    """Take what stands between the prefix and the suffix."""
    for _, start in _search(anchor.prefix, text):
        for end, _ in _search(anchor.suffix, text):
            if start < end:
                return start, end
    return None
