"""Show what changed between two revisions, block by block and word by word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from r2pflow.domain import markup
from r2pflow.domain.markup import LISTS, Content, Node
from r2pflow.domain.matching import find_in_place, match_blocks
from r2pflow.domain.text import Block
from r2pflow.domain.wording import (
    LEAST_LIKENESS,
    Status,
    build,
    compare,
    count_words,
    diff,
    mark_all,
    measure_likeness,
)

ChangeKind = Literal["same", "changed", "formatted", "added", "removed", "moved"]

_HOLDERS = frozenset({"tbody", "thead", "tr", "blockquote", "table"}) | LISTS
_MAX_PAIRS = 10_000
_LONGEST = 200_000
"""Two blocks with more characters of HTML than that together are shown whole, one struck, one inserted."""


@dataclass(frozen=True)
class BlockChange:
    """What became of one block.

    `html` is its element with `data-block`; in it stand `<ins>` and `<del>` around words, and class `formatted`
    on what only looks different. Entries, rows and cells that came or went whole have class `added` or `removed`.
    A block that changed its kind has two elements, the old one struck and the new one inserted.
    `wording` says for a moved block whether it changed as well: same, formatted or changed.
    """

    kind: ChangeKind
    old: Block | None
    new: Block | None
    html: str
    wording: Literal["same", "formatted", "changed"] = "changed"

    @property
    def block(self) -> Block:
        """The block as it is now, or as it was if it is gone."""
        block = self.new or self.old
        assert block is not None
        return block


def redline(old_blocks: Sequence[Block], new_blocks: Sequence[Block]) -> list[BlockChange]:
    """Compare two texts: the new order, with what was removed where it stood.

    Blocks are the same by id, else by likeness; those outside the longest run that kept its order have moved.
    """
    matched = match_blocks(old_blocks, new_blocks)
    in_place = find_in_place([matched[j] for j in range(len(new_blocks)) if j in matched])
    kept = set(matched.values())
    changes: list[BlockChange] = []

    def tell_removed(start: int) -> None:
        for i in range(start, len(old_blocks)):
            if i in in_place:
                return
            if i not in kept:
                html = show_whole(old_blocks[i], "del")
                changes.append(BlockChange("removed", old_blocks[i], None, html))

    tell_removed(0)
    for j, new in enumerate(new_blocks):
        if j not in matched:
            changes.append(BlockChange("added", None, new, show_whole(new, "ins")))
            continue
        i = matched[j]
        changes.append(_compare_blocks(old_blocks[i], new, i not in in_place))
        if i in in_place:
            tell_removed(i + 1)
    return changes


def show_whole(block: Block, status: Status) -> str:
    """Write a whole block as inserted or deleted."""
    node = _read(block)
    _mark_whole(node, status)
    return _write(node, block)


def _compare_blocks(old: Block, new: Block, has_moved: bool) -> BlockChange:
    if old.html == new.html:
        return BlockChange("moved" if has_moved else "same", old, new, new.element(), "same")
    before, after = _read(old), _read(new)
    if _is_like(before, after) and len(old.html) + len(new.html) <= _LONGEST:
        after = _compare_nodes(before, after)
        html = _write(after, new)
    else:
        _mark_whole(before, "del")
        _mark_whole(after, "ins")
        html = _write(before, None) + _write(after, new)
    wording: Literal["formatted", "changed"] = "changed" if _has_edits(after) else "formatted"
    return BlockChange("moved" if has_moved else wording, old, new, html, wording)


def _has_edits(node: Node) -> bool:
    if node.tag in ("ins", "del") or node.attrs.get("class") in ("added", "removed"):
        return True
    return any(isinstance(child, Node) and _has_edits(child) for child in node.children)


def _read(block: Block) -> Node:
    (node,) = markup.parse(block.html)
    assert isinstance(node, Node)
    return node


def _write(node: Node, block: Block | None) -> str:
    attrs = node.attrs if block is None else {**node.attrs, "data-block": block.id}
    return markup.serialise([Node(node.tag, attrs, node.children)])


def _is_like(old: Node, new: Node) -> bool:
    """Tell whether two elements can be shown as one."""
    if old.tag == new.tag:
        return True
    flat = markup.HEADINGS | {"p", "aside"}
    return {old.tag, new.tag} <= flat or {old.tag, new.tag} <= LISTS or {old.tag, new.tag} <= {"td", "th"}


def _compare_nodes(old: Node, new: Node) -> Node:
    attrs = dict(new.attrs)
    if (old.tag, old.attrs) != (new.tag, new.attrs):
        attrs["class"] = "formatted"
    if new.tag in _HOLDERS:
        return Node(new.tag, attrs, _compare_children(old, new))
    if any(isinstance(c, Node) and c.tag in LISTS for c in [*old.children, *new.children]):
        return Node(new.tag, attrs, _compare_flow(old.children, new.children))
    return Node(new.tag, attrs, build(compare(old.children, new.children)))


def _compare_children(old: Node, new: Node) -> list[Content]:
    before = [child for child in old.children if isinstance(child, Node)]
    after = [child for child in new.children if isinstance(child, Node)]
    return [_show_pair(was, now) for was, now in _align(before, after)]


def _show_pair(was: Node | None, now: Node | None) -> Content:
    if was is not None and now is not None:
        return _compare_nodes(was, now)
    if was is not None:
        _mark_whole(was, "del")
        was.attrs["class"] = "removed"
        return was
    assert now is not None
    _mark_whole(now, "ins")
    now.attrs["class"] = "added"
    return now


def _compare_flow(old: Sequence[Content], new: Sequence[Content]) -> list[Content]:
    """Compare two entries or cells: their stretches of text in turn, and their lists in turn."""
    before, after = _cut_flow(old), _cut_flow(new)
    shown: list[Content] = []
    for place in range(max(len(before), len(after))):
        was = before[place] if place < len(before) else []
        now = after[place] if place < len(after) else []
        if place % 2:
            pair = (_only_list(was), _only_list(now))
            shown += [_show_pair(*pair)] if any(pair) else []
        else:
            shown += build(compare(was, now))
    return shown


def _only_list(part: Sequence[Content]) -> Node | None:
    return next((child for child in part if isinstance(child, Node)), None)


def _cut_flow(content: Iterable[Content]) -> list[list[Content]]:
    """Cut into text, list, text, list ...: even places hold text, odd ones a single list."""
    parts: list[list[Content]] = [[]]
    for child in content:
        if isinstance(child, Node) and child.tag in LISTS:
            parts += [[child], []]
        else:
            parts[-1].append(child)
    return parts


def _align(before: Sequence[Node], after: Sequence[Node]) -> list[tuple[Node | None, Node | None]]:
    """Pair children in order: first what is equal, then what is alike in between."""
    one, other = ([markup.serialise([node]) for node in nodes] for nodes in (before, after))
    pairs: list[tuple[Node | None, Node | None]] = []
    gone: list[Node] = []
    come: list[Node] = []
    for i, j in diff(one, other):
        if i is not None and j is not None:
            pairs += [*_pair_alike(gone, come), (before[i], after[j])]
            gone, come = [], []
        elif i is not None:
            gone.append(before[i])
        elif j is not None:
            come.append(after[j])
    return pairs + _pair_alike(gone, come)


def _pair_alike(before: Sequence[Node], after: Sequence[Node]) -> list[tuple[Node | None, Node | None]]:
    """Find the pairing in order with the most likeness in sum; equally many cells pair one to one."""
    if not before or not after or len(before) * len(after) > _MAX_PAIRS:
        return [*((node, None) for node in before), *((None, node) for node in after)]
    if len(before) == len(after) and all(node.tag in ("td", "th") for node in before):
        return [*zip(before, after, strict=True)]
    if len(before) == len(after) == 1 and before[0].tag == after[0].tag:
        return [(before[0], after[0])]
    likeness = _measure_all(before, after)
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in range(len(before) - 1, -1, -1):
        for j in range(len(after) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], likeness[i][j] + best[i + 1][j + 1])
    pairs: list[tuple[Node | None, Node | None]] = []
    i = j = 0
    while i < len(before) and j < len(after):
        if likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((before[i], after[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((before[i], None))
            i += 1
        else:
            pairs.append((None, after[j]))
            j += 1
    return [*pairs, *((node, None) for node in before[i:]), *((None, node) for node in after[j:])]


def _measure_all(before: Sequence[Node], after: Sequence[Node]) -> list[list[float]]:
    one, other = ([count_words(markup.plain([node])) for node in nodes] for nodes in (before, after))
    return [
        [_rate(was, now, measure_likeness(one[i], other[j])) for j, now in enumerate(after)]
        for i, was in enumerate(before)
    ]


def _rate(was: Node, now: Node, likeness: float) -> float:
    if not _is_like(was, now):
        return 0.0
    if was.tag in ("thead", "tbody", "caption", "footer"):
        return 1.0
    return likeness if likeness >= LEAST_LIKENESS else 0.0


def _mark_whole(node: Node, status: Status) -> None:
    if node.tag in _HOLDERS:
        for child in node.children:
            if isinstance(child, Node):
                _mark_whole(child, status)
        return
    children: list[Content] = []
    for place, part in enumerate(_cut_flow(node.children)):
        if place % 2:
            inner = _only_list(part)
            assert inner is not None
            _mark_whole(inner, status)
            children.append(inner)
        else:
            children += mark_all(part, status)
    node.children = children
