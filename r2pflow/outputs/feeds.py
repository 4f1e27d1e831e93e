"""What was published, as an Atom feed (RFC 4287)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from feedgen.feed import FeedGenerator
from lxml import etree


@dataclass(frozen=True)
class FeedEntry:
    """One edition in one language. `id` is an IRI that never changes, such as `urn:sha256:…` or a `tag:`."""

    id: str
    title: str
    url: str
    updated_at: datetime  # UTC
    published_at: datetime | None = None
    summary: str = ""
    author: str = ""
    category: str = ""  # the type of document
    pdf_url: str = ""


def atom_feed(
    title: str, self_url: str, language: str, entries: Sequence[FeedEntry], *, subtitle: str = "", page_url: str = ""
) -> bytes:
    """Write a feed; its own date is that of the newest entry, or 1970 while there is none.

    The feed's id is its own address. Same entries, same bytes.
    """
    feed = FeedGenerator()
    feed.id(self_url)
    feed.title(title)
    if subtitle:
        feed.subtitle(subtitle)
    feed.link(href=self_url, rel="self", type="application/atom+xml")
    if page_url:
        feed.link(href=page_url, rel="alternate", type="text/html", hreflang=language)
    feed.language(language)
    feed.author(name=next((entry.author for entry in entries if entry.author), title))
    feed.generator("r2pflow")
    feed.updated(max((entry.updated_at for entry in entries), default=datetime(1970, 1, 1, tzinfo=UTC)))
    for entry in entries:
        written = feed.add_entry(order="append")
        written.id(entry.id)
        written.title(entry.title)
        written.link(href=entry.url, rel="alternate", type="text/html", hreflang=language)
        if entry.pdf_url:
            written.link(href=entry.pdf_url, rel="enclosure", type="application/pdf", hreflang=language)
        written.updated(entry.updated_at)
        if entry.published_at:
            written.published(entry.published_at)
        if entry.summary:
            written.summary(entry.summary)
        if entry.author:
            written.author(name=entry.author)
        if entry.category:
            written.category(term=entry.category)
    return _name_relations(bytes(feed.atom_str(pretty=True)), language)


def _name_relations(atom: bytes, language: str) -> bytes:
    """Say of each entry's links what they are: feedgen 1.0 drops all but their addresses."""
    tree = etree.fromstring(atom)
    for entry in tree.iterfind(f"{_ATOM}entry"):
        for link, (rel, kind) in zip(entry.iterfind(f"{_ATOM}link"), _RELATIONS, strict=False):
            link.attrib.update({"rel": rel, "type": kind, "hreflang": language})
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True, pretty_print=True)


_ATOM = "{http://www.w3.org/2005/Atom}"
_RELATIONS = (("alternate", "text/html"), ("enclosure", "application/pdf"))
