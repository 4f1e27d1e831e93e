"""A block as a translator types it: simple ones without their own tag, references to footnotes as `[^name]`."""

import re

from r2pflow.domain.text import Block

RICH = frozenset({"list", "table", "quotation"})
_ELEMENT = re.compile(r"<([a-z0-9]+)([^>]*)>(.*)</\1>", re.DOTALL)
_REFERENCE = re.compile(r'<sup data-note="([A-Za-z0-9_-]+)"></sup>')
_TYPED_REFERENCE = re.compile(r"\[\^([A-Za-z0-9_-]+)\]")


def is_rich(block: Block) -> bool:
    """Tell whether a block has parts within it, so that it is edited as a whole element."""
    return block.kind in RICH


def write(source: Block, html: str) -> str:
    """Return what stands in the field for a block of the source's kind."""
    if is_rich(source):
        return html
    found = _ELEMENT.fullmatch(html)
    inside = found.group(3) if found else html
    return _REFERENCE.sub(r"[^\1]", inside)


def read(source: Block, typed: str) -> str:
    """Return the element that the typed text means; empty for an empty text."""
    text = typed.replace("\r\n", "\n").strip()
    if not text or is_rich(source):
        return text
    found = _ELEMENT.fullmatch(source.html)
    assert found is not None, f"block {source.id} is not an element"
    tag, attributes = found.group(1), found.group(2)
    inside = _TYPED_REFERENCE.sub(r'<sup data-note="\1"></sup>', text)
    return f"<{tag}{attributes}>{inside}</{tag}>"
