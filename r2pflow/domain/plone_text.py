"""The text of an object of Plone: a rich text field, or the blocks of a Volto page."""

from collections.abc import Mapping
from html import escape
from typing import Any


def find_html(one: Mapping[str, Any]) -> str:
    """Return the text of an object as HTML; empty where it has none."""
    text = one.get("text")
    if isinstance(text, Mapping) and str(text.get("data") or "").strip():
        body = str(text["data"])
        is_plain = str(text.get("content-type", "text/html")).startswith("text/plain")
        return "".join(f"<p>{escape(part)}</p>" for part in body.split("\n\n")) if is_plain else body
    if isinstance(text, str) and text.strip():
        return text
    blocks, layout = one.get("blocks"), one.get("blocks_layout")
    order = layout.get("items") if isinstance(layout, Mapping) else None
    if not isinstance(blocks, Mapping) or not isinstance(order, list):
        return ""
    return "".join(_write_block(blocks[key]) for key in order if isinstance(blocks.get(key), Mapping))


_ELEMENTS = frozenset("p h2 h3 h4 ul ol li blockquote strong em sub sup del code u s".split())
_DEEPEST = 30


def _write_block(block: Mapping[str, Any]) -> str:
    if block.get("@type") == "slate":
        value = block.get("value")
        return "".join(_write_node(node) for node in value) if isinstance(value, list) else ""
    if block.get("@type") in ("text", "description"):
        told = block.get("text")
        lines = told.get("blocks") if isinstance(told, Mapping) else None
        return "".join(
            f"<p>{escape(str(line.get('text') or ''))}</p>" for line in lines or () if isinstance(line, Mapping)
        )
    if block.get("@type") == "html":
        return str(block.get("html") or "")
    return ""


def _write_node(node: Any, depth: int = 0) -> str:
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return ""
    if "text" in node:
        return escape(str(node["text"]))
    children = node.get("children")
    inner = "".join(_write_node(child, depth + 1) for child in children) if isinstance(children, list) else ""
    kind = str(node.get("type") or "")
    if kind == "link":
        found = node.get("data")
        address = str(found.get("url") or "") if isinstance(found, Mapping) else ""
        return f'<a href="{escape(address)}">{inner}</a>'
    if kind == "lic":  # the text of a list entry
        return inner
    return f"<{kind}>{inner}</{kind}>" if kind in _ELEMENTS else inner
