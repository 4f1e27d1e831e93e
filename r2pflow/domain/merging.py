"""Bring together two revisions of one text, block by block, losing nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from r2pflow.domain.matching import find_in_place
from r2pflow.domain.text import Block


@dataclass(frozen=True)
class Conflict:
    """One block that both sides changed, each in its way; None is a side without the block."""

    block_id: str
    base: Block | None
    mine: Block | None
    theirs: Block | None


@dataclass(frozen=True)
class MergeResult:
    """The merged text. In place of a conflict stands my version, or theirs where I deleted the block."""

    blocks: tuple[Block, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def is_clean(self) -> bool:
        return not self.conflicts


def merge(base: Sequence[Block], mine: Sequence[Block], theirs: Sequence[Block]) -> MergeResult:
    """Merge two revisions of `base`: additions, removals, moves and edits of different blocks of either side.

    An edit against another edit or a removal of the same block is a conflict, the same edit twice is none.
    Where both moved a block it stands where I moved it. A footnote that one side removed while the other
    still refers to it stays.
    """
    bases, mines, others = ({block.id: block for block in side} for side in (base, mine, theirs))
    chosen: dict[str, Block] = {}
    conflicts: list[Conflict] = []
    for name in dict.fromkeys([*mines, *others]):
        was, my, other = bases.get(name), mines.get(name), others.get(name)
        if my == other or other == was:
            block = my
        elif my == was:
            block = other
        else:
            block = my or other
            conflicts.append(Conflict(name, was, my, other))
        if block is not None:
            chosen[name] = block
    for note in [note for block in chosen.values() for note in block.notes]:
        found = mines.get(note) or others.get(note)
        if note not in chosen and found is not None:
            chosen[note] = found
    return MergeResult(_arrange(bases, mines, others, chosen), tuple(conflicts))


def _arrange(
    bases: Mapping[str, Block],
    mines: Mapping[str, Block],
    others: Mapping[str, Block],
    chosen: Mapping[str, Block],
) -> tuple[Block, ...]:
    """Start from my order and put what they added or moved behind the block that it follows in theirs."""
    moved = _find_moved(bases, others) - _find_moved(bases, mines)
    order = [name for name in mines if name in chosen and name not in moved]
    placed = set(order)
    start = 1 if order and chosen[order[0]].level == 1 else 0
    previous = ""
    for name in others:
        if name in chosen and name not in placed:
            order.insert(order.index(previous) + 1 if previous else start, name)
            placed.add(name)
        if name in placed:
            previous = name
    order += [name for name in mines if name in chosen and name not in placed]
    return tuple(chosen[name] for name in order)


def _find_moved(bases: Mapping[str, Block], side: Mapping[str, Block]) -> set[str]:
    """Name the blocks of `base` that a side has put elsewhere among those it kept."""
    places = {name: place for place, name in enumerate(bases)}
    kept = [name for name in side if name in places]
    in_place = find_in_place([places[name] for name in kept])
    return {name for name in kept if places[name] not in in_place}
