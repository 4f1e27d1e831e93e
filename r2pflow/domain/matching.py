"""Find which block of one text is which of another."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from r2pflow.domain.text import Block
from r2pflow.domain.wording import count_words, measure_likeness

LIKENESS = 0.5
"""Share of words in common from which two blocks without a common id count as the same."""
_CANDIDATES = 5


def match_blocks(old: Sequence[Block], new: Sequence[Block]) -> dict[int, int]:
    """Map places in `new` to places in `old`: by id, then by equal text, then by likeness."""
    places = {block.id: place for place, block in enumerate(old)}
    matched = {j: places[block.id] for j, block in enumerate(new) if block.id in places}
    gone = [i for i in range(len(old)) if i not in set(matched.values())]
    come = [j for j in range(len(new)) if j not in matched]
    equal: dict[str, list[int]] = defaultdict(list)
    for i in reversed(gone):
        equal[old[i].digest].append(i)
    for j in come:
        if equal[new[j].digest]:
            matched[j] = equal[new[j].digest].pop()
    taken = set(matched.values())
    _match_by_likeness(
        {i: old[i] for i in gone if i not in taken}, {j: new[j] for j in come if j not in matched}, matched
    )
    return matched


def _match_by_likeness(gone: dict[int, Block], come: dict[int, Block], matched: dict[int, int]) -> None:
    words = {i: count_words(block.plain) for i, block in gone.items()}
    holders: dict[str, list[int]] = defaultdict(list)
    for i, counted in words.items():
        for word in counted:
            holders[word].append(i)
    common = max(20, len(gone) // 5)
    found: list[tuple[float, int, int, int]] = []
    for j, block in come.items():
        counted = count_words(block.plain)
        hits = Counter(i for word in counted if len(holders[word]) <= common for i in holders[word])
        for i, _ in hits.most_common(_CANDIDATES):
            likeness = measure_likeness(words[i], counted)
            if likeness >= (LIKENESS if gone[i].kind == block.kind else 0.8):
                found.append((-likeness, abs(i - j), j, i))
    taken: set[int] = set()
    for _, _, j, i in sorted(found):
        if j not in matched and i not in taken:
            matched[j] = i
            taken.add(i)


def find_in_place(places: Sequence[int]) -> set[int]:
    """Give the members of a longest increasing subsequence: those that have kept their order."""
    tails: list[int] = []
    heads: list[int] = []
    before = [-1] * len(places)
    for index, place in enumerate(places):
        at = bisect_left(tails, place)
        before[index] = heads[at - 1] if at else -1
        if at == len(tails):
            tails.append(place)
            heads.append(index)
        else:
            tails[at], heads[at] = place, index
    kept: set[int] = set()
    index = heads[-1] if heads else -1
    while index >= 0:
        kept.add(places[index])
        index = before[index]
    return kept


def adopt_ids(old: Sequence[Block], new: Sequence[Block]) -> tuple[Block, ...]:
    """Give blocks the ids that their like had before, so that comments and translations find them again.

    For a text that comes back from outside, a word processor for instance, without its ids.
    """
    matched = match_blocks(old, new)
    kept = {block.id for block in new}
    renamed = {new[j].id: old[i].id for j, i in matched.items() if old[i].id not in kept and new[j].id != old[i].id}
    html = {}
    for block in new:
        html[block.id] = block.html
        for note in set(block.notes) & renamed.keys():
            html[block.id] = html[block.id].replace(f'data-note="{note}"', f'data-note="\0{renamed[note]}"')
    return tuple(
        replace(block, id=renamed.get(block.id, block.id), html=html[block.id].replace("\0", "")) for block in new
    )
