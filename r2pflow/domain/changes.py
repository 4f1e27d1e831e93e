"""What changes between revisions: one import for redline, merge, anchors and staleness."""

from collections.abc import Iterable, Mapping

from r2pflow.domain.anchors import Anchor, Health, carry, find_quotation, make_anchor
from r2pflow.domain.matching import adopt_ids, match_blocks
from r2pflow.domain.merging import Conflict, MergeResult, merge
from r2pflow.domain.redline import BlockChange, ChangeKind, redline
from r2pflow.domain.text import Block

__all__ = [
    "Anchor",
    "BlockChange",
    "ChangeKind",
    "Conflict",
    "Health",
    "MergeResult",
    "adopt_ids",
    "carry",
    "find_quotation",
    "make_anchor",
    "match_blocks",
    "merge",
    "redline",
    "stale_blocks",
]


def stale_blocks(source_blocks: Iterable[Block], translated: Mapping[str, str]) -> set[str]:
    """Name the blocks whose translation is missing or was made of another text.

    `translated` maps block ids to the digest of the source block that was translated.
    """
    return {block.id for block in source_blocks if translated.get(block.id) != block.digest}
