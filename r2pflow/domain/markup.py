"""The small tree that texts are made of, and the door that hostile HTML cannot pass."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Union

import nh3
from lxml import etree

from r2pflow.domain.errors import InvalidInput

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_TAGS = 200_000

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
LISTS = frozenset({"ul", "ol"})
CONTAINERS = frozenset(
    "address article aside blockquote caption center dd details div dl dt fieldset figcaption"
    " figure footer form header hgroup legend li main nav ol p pre section summary table tbody td tfoot th"
    " thead tr ul".split()
)
BLOCKS = CONTAINERS | HEADINGS
SYNONYMS = {
    "b": "strong",
    "i": "em",
    "var": "em",
    "dfn": "em",
    "strike": "s",
    "del": "s",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
}
INLINE = frozenset("strong em u s a sup sub q cite code br span bdi".split())
ATTRIBUTES = {
    "*": {"data-block"},
    "a": {"href"},
    "aside": {"data-kind"},
    "bdi": {"dir"},
    "blockquote": {"dir", "lang"},
    "ol": {"start", "type"},
    "q": {"lang"},
    "span": {"dir", "lang"},
    "sup": {"data-note"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_ALLOWED_VALUES = {
    "colspan": re.compile(r"[2-9]|[1-9][0-9]"),
    "rowspan": re.compile(r"[2-9]|[1-9][0-9]"),
    "start": re.compile(r"0|[2-9]|[1-9][0-9]{1,5}"),
    "type": re.compile(r"[aAiI]"),
    "scope": re.compile(r"col|row|colgroup|rowgroup"),
    "dir": re.compile(r"ltr|rtl|auto"),
    "lang": re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}"),
    "data-kind": re.compile(r"footnote"),
    "data-block": re.compile(r"[^<>\s]{1,200}"),
    "data-note": re.compile(r"[^<>\s]{1,200}"),
}
_SCHEME = re.compile(r"(https?)://(?=[^\s/?#])|(mailto):(?=\S)", re.IGNORECASE)
_FRAGMENT = re.compile(r"#[A-Za-z][A-Za-z0-9_.:-]*")
# Beside what XML cannot carry: characters that show nothing, or turn the reading order round, so that
# two texts that look alike would have two digests (byte order mark, soft hyphen, bidi overrides).
_UNWANTED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\ufeff\xad\u202d\u202e]")


@dataclass(slots=True)
class Node:
    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list["Content"] = field(default_factory=list)


Content = Union[Node, str]  # noqa: UP007 - the name is used before it is bound


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return _clean_address(value)
    allowed = _ALLOWED_VALUES.get(name)
    return value if allowed is not None and allowed.fullmatch(value) else None


def _clean_address(value: str) -> str | None:
    """Allow http, https, mailto and #fragment; a scheme hidden by white space or case is not one of them."""
    value = value.strip(" \t\r\n")
    if _FRAGMENT.fullmatch(value):
        return value
    scheme = _SCHEME.match(value)
    if scheme is None:
        return None
    value = value[: scheme.end()].lower() + value[scheme.end() :]
    value = re.sub(r"[\s\x00-\x1f\"<>`\\]", lambda match: f"%{ord(match[0]):02X}" if match[0] < "\x80" else "", value)
    return value if len(value) <= 2000 else None


_cleaner = nh3.Cleaner(
    tags=set(BLOCKS | INLINE | SYNONYMS.keys()),
    clean_content_tags=set(
        "applet audio canvas embed iframe math noembed noframes noscript object script select style svg"
        " template textarea title video xmp".split()
    ),
    attributes=ATTRIBUTES,
    attribute_filter=_filter_attribute,
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)


def sanitise(html: str) -> list[Content]:
    """Read any HTML as a browser would and keep only what the text format knows.

    Elements outside the format leave their text behind, script and the like leave nothing.
    Refuse more than `MAX_BYTES` (UTF-8), `MAX_TAGS` tags, and nesting beyond `MAX_DEPTH` elements.
    """
    html = _UNWANTED.sub("", html)
    if len(html) > MAX_BYTES or len(html.encode()) > MAX_BYTES:
        raise InvalidInput("text_too_large", limit=MAX_BYTES)
    refuse_heaps(html)
    return [_rename(child) for child in parse(_UNWANTED.sub("", _cleaner.clean(html)))]


def _rename(content: Content) -> Content:
    if isinstance(content, str):
        return content
    return Node(SYNONYMS.get(content.tag, content.tag), content.attrs, [_rename(child) for child in content.children])


_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_NEVER_OPEN = frozenset(
    "area base br col colgroup dd dt embed hr img input li link meta option p param source tbody td tfoot th"
    " thead tr track wbr".split()
)


def refuse_heaps(html: str) -> None:
    """Stop before the parser when elements pile up: its time grows with their number times their depth."""
    depth = 0
    for number, match in enumerate(_TAG.finditer(html)):
        if number > MAX_TAGS:
            raise InvalidInput("too_many_elements", limit=MAX_TAGS)
        if match[2].lower() in _NEVER_OPEN:
            continue
        depth = max(0, depth + (-1 if match[1] else 1))
        if depth > MAX_DEPTH:
            raise InvalidInput("too_deeply_nested", limit=MAX_DEPTH)


def parse(html: str) -> list[Content]:
    """Read HTML that is known to be well formed: the sanitiser's, or a block's own."""
    source = html.replace("<br>", "<br/>").replace("&nbsp;", "\xa0")
    try:
        root = etree.fromstring(f"<body>{source}</body>", _parser())
    except etree.XMLSyntaxError as error:
        raise InvalidInput("too_deeply_nested", limit=MAX_DEPTH) from error
    return _read_children(root, 0)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def _read_children(element: etree._Element, depth: int) -> list[Content]:
    if depth > MAX_DEPTH:
        raise InvalidInput("too_deeply_nested", limit=MAX_DEPTH)
    found: list[Content] = [element.text] if element.text else []
    for child in element:
        attrs = {str(name): str(value) for name, value in sorted(child.attrib.items())}
        found.append(Node(str(child.tag), attrs, _read_children(child, depth + 1)))
        if child.tail:
            found.append(child.tail)
    return found


def serialise(content: Iterable[Content]) -> str:
    """Write the one spelling of a tree: attributes in order, nothing escaped that need not be."""
    return "".join(_pieces(content))


def _pieces(content: Iterable[Content]) -> Iterator[str]:
    for child in content:
        if isinstance(child, str):
            yield escape(child, quote=False)
            continue
        yield open_tag(child)
        if child.tag != "br":
            yield from _pieces(child.children)
            yield f"</{child.tag}>"


def open_tag(node: Node) -> str:
    attrs = "".join(f' {name}="{escape(value)}"' for name, value in sorted(node.attrs.items()))
    return f"<{node.tag}{attrs}>"


_SEPARATORS = {
    "br": "\n",
    "li": "\n",
    "p": "\n",
    "tr": "\n",
    "caption": "\n",
    "footer": "\n",
    "td": "\t",
    "th": "\t",
}


def plain(content: Iterable[Content]) -> str:
    """Give the text alone; rows, list entries and line breaks become line ends, cells are parted by a tab."""
    text = "".join(_words(content))
    return re.sub(r"\t*\n[\t\n]*", "\n", text).strip("\t\n")


def _words(content: Iterable[Content]) -> Iterator[str]:
    for child in content:
        if isinstance(child, str):
            yield child
            continue
        if child.tag in LISTS:
            yield "\n"
        yield from _words(child.children)
        yield _SEPARATORS.get(child.tag, "")


def has_content(content: Iterable[Content]) -> bool:
    """Tell whether anything would be seen: a visible character or a footnote reference."""
    for child in content:
        if isinstance(child, str):
            if child.strip():
                return True
        elif "data-note" in child.attrs or has_content(child.children):
            return True
    return False


def has_blocks(content: Iterable[Content]) -> bool:
    return any(isinstance(c, Node) and (c.tag in BLOCKS or has_blocks(c.children)) for c in content)
