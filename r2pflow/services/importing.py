"""Read a file that somebody brings: plain text, Markdown, HTML or Word, into blocks."""

import io
import re
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePath

from lxml import etree
from lxml import html as lxml_html

from r2pflow.domain import markup
from r2pflow.domain.errors import InvalidInput, SetupError
from r2pflow.domain.reflow import could_be_title, reflow
from r2pflow.domain.text import Block, canonical, title_of, with_title

MEGABYTE = 1024 * 1024
FORMATS = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".docx": "word",
}
# Beyond these nobody has written by hand; Markdown of hostile brackets takes seconds even so.
_TEXT_LIMITS = {"text": 2 * markup.MAX_BYTES, "markdown": markup.MAX_BYTES // 4}
_UNPACKED_LIMIT = 100 * MEGABYTE
_PART_LIMIT = 30 * MEGABYTE
_MOST_PARTS = 5000
_PANDOC_SECONDS = 60
_WORD_MAIN = b"wordprocessingml.document.main+xml"
_WORD_MACROS = b"ms-word.document.macroEnabled.main+xml"
_OLD_ENCODINGS = {"ar": "cp1256", "ru": "cp1251", "zh": "gb18030"}
_SCRIPTS = {"ar": "[\u0600-\u06ff]", "ru": "[\u0400-\u04ff]", "zh": "[\u3400-\u9fff]"}


def read_file(
    name: str, content: bytes, *, language: str, title: str = "", limit: int = 10 * MEGABYTE
) -> tuple[Block, ...]:
    """Turn a file into a text; the ending of its name says the format, `limit` is in bytes.

    The title is `title`, else the file's own, else a short first line, else made of the file's name. Of a Word file
    tracked changes are accepted and comments left out. `language` settles how old plain text is encoded.

    Raise InvalidInput: `unknown_format`, `file_too_large`, `empty_file`, `wrong_encoding`, `broken_file` (`reason`:
    not_word, encrypted, damaged, unpacks_too_large, has_entities, conversion, timeout); and those of `canonical`.
    """
    form = FORMATS.get(PurePath(name).suffix.lower())
    if form is None:
        raise InvalidInput("unknown_format", name=name, allowed=sorted(FORMATS))
    if len(content) > limit:
        raise InvalidInput("file_too_large", name=name, size=len(content), limit=limit)
    if not content.strip():
        raise InvalidInput("empty_file", name=name)
    if len(content) > (most := _TEXT_LIMITS.get(form, limit)):
        raise InvalidInput("text_too_large", name=name, limit=most)
    if form == "text":
        page = reflow(_decode(name, content, language))
    elif form == "markdown":
        page, title = _read_markdown(_decode(name, content, language), title)
    elif form == "html":
        page = _decode(name, content, language, _find_charset(content))
    else:
        page = _convert_word(name, content)
    blocks = canonical(_prepare(name, page, title))
    if not blocks or all(block.level == 1 for block in blocks) and title:
        raise InvalidInput("empty_file", name=name)
    return _give_title(name, blocks)


def _give_title(name: str, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    if title_of(blocks):
        return blocks
    if len(blocks) > 1 and _is_title(blocks):
        return with_title(blocks[1:], blocks[0].plain)
    return with_title(blocks, re.sub(r"[_\s-]+", " ", PurePath(name).stem).strip().capitalize() or "?")


def _is_title(blocks: tuple[Block, ...]) -> bool:
    """Tell whether the first block may be the title: a short line, or a heading that has no equal further down."""
    first, *rest = blocks
    if first.kind == "heading":
        return all(block.kind != "heading" or block.level > first.level for block in rest)
    return first.kind == "paragraph" and not first.notes and could_be_title(first.plain)


def _decode(name: str, content: bytes, language: str, charset: str = "") -> str:
    """Decode by byte order mark, what the file declares, UTF-8, and the usual old encoding of the language, in turn."""
    text = None
    for encoding in (_find_mark(content), charset, "utf-8", _OLD_ENCODINGS.get(language, "cp1252")):
        try:
            text = content.decode(encoding) if encoding else None
        except (LookupError, UnicodeError):
            continue
        if text is not None:
            break
    if text is None or re.search("[\0-\x08\x0e-\x1f]", text):
        raise InvalidInput("wrong_encoding", name=name)
    script = _SCRIPTS.get(language)
    if script and not text.isascii() and not re.search(script, text) and encoding in _OLD_ENCODINGS.values():
        raise InvalidInput("wrong_encoding", name=name)
    return text


def _find_mark(content: bytes) -> str:
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    return next((encoding for mark, encoding in marks.items() if content.startswith(mark)), "")


def _find_charset(content: bytes) -> str:
    found = re.search(
        rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", content[:4096], re.I
    )
    name = found[1].decode("ascii").lower() if found else ""
    # The HTML standard reads the first two as their wider relatives; a page in UTF-16 has a mark.
    wider = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "us-ascii": "cp1252"}
    return "" if name.startswith("utf-16") else wider.get(name, name)


_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_NOTE = re.compile(r"^\[\^([\w-]{1,30})\]:[ \t]*(.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n[ \t]{2,}\S)))*)\n?", re.MULTILINE)
_NOTE_REFERENCE = re.compile(r"\[\^([\w-]{1,30})\]")


def _read_markdown(text: str, title: str) -> tuple[str, str]:
    """Render CommonMark with tables and footnotes; a title in the front matter counts when there is no other."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if front := _FRONT_MATTER.match(text):
        text = text[front.end() :]
        named = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front[1], re.MULTILINE)
        title = title or (named[1] if named else "")
    from markdown_it import MarkdownIt  # seldom needed, and the web process starts without it

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    notes = {match[1]: re.sub(r"\n[ \t]+", "\n", match[2]) for match in _NOTE.finditer(text)}
    numbers = {name: f"fn{number}" for number, name in enumerate(notes, start=1)}

    def refer(match: re.Match[str]) -> str:
        return f'<sup data-note="{numbers[match[1]]}"></sup>' if match[1] in numbers else match[0]

    page = _NOTE_REFERENCE.sub(refer, reader.render(_NOTE.sub("", text)))
    asides = (
        f'<aside data-block="{numbers[name]}" data-kind="footnote">{reader.render(note)}</aside>\n'
        for name, note in notes.items()
    )
    return page + "".join(asides), title


def _convert_word(name: str, content: bytes) -> str:
    _check_word(name, content)
    command = [_find_pandoc(), "--sandbox", "--from=docx", "--to=html5", "--standalone"]
    command += ["--track-changes=accept", "--wrap=none", "+RTS", "-M1024m", "-RTS"]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_PANDOC_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise InvalidInput("broken_file", name=name, reason="timeout") from None
    if done.returncode:
        raise InvalidInput("broken_file", name=name, reason="conversion")
    return done.stdout.decode()


def _find_pandoc() -> str:
    import pypandoc  # seldom needed, and the web process starts without it

    try:
        return str(pypandoc.get_pandoc_path())
    except OSError as error:
        raise SetupError("pandoc_missing", remedy="pip install pypandoc_binary") from error


def _check_word(name: str, content: bytes) -> None:
    """Look into the package before a converter does: that it is Word, whole, and no bomb."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput("broken_file", name=name, reason="encrypted")
    if not content.startswith(b"PK"):
        raise InvalidInput("broken_file", name=name, reason="not_word")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = {part.filename: part for part in package.infolist()}
            if len(package.infolist()) > _MOST_PARTS:
                raise InvalidInput("broken_file", name=name, reason="unpacks_too_large")
            total = 0
            for part in package.infolist():
                total += _measure_part(name, package, part, _UNPACKED_LIMIT - total)
            types = package.read("[Content_Types].xml") if "[Content_Types].xml" in parts else b""
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise InvalidInput("broken_file", name=name, reason="damaged") from error
    if _WORD_MAIN not in types and _WORD_MACROS not in types:
        raise InvalidInput("broken_file", name=name, reason="not_word")


def _measure_part(name: str, package: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Unpack a part to nowhere, since its header may lie about its size; give the bytes it has."""
    is_text = part.filename.lower().endswith((".xml", ".rels"))
    left = min(left, _PART_LIMIT) if is_text else left
    size = 0
    with package.open(part) as stream:
        while piece := stream.read(MEGABYTE):
            if is_text and re.search(rb"<\0?!\0?(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)", piece):
                raise InvalidInput("broken_file", name=name, reason="has_entities")
            size += len(piece)
            if size > left:
                raise InvalidInput("broken_file", name=name, reason="unpacks_too_large")
    return size


def _prepare(name: str, page: str, title: str) -> str:
    """Open a page: footnotes in our form, its title first and every other heading below it."""
    markup.refuse_heaps(page)
    page = re.sub(r"^\s*<\?xml[^>]*>", "", page.lstrip("\ufeff"))
    try:
        root = lxml_html.document_fromstring(page)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise InvalidInput("empty_file", name=name) from None
    own_title = root.findtext(".//head/title") or ""
    body = root.find("body")
    if body is None:
        raise InvalidInput("empty_file", name=name)
    for unwanted in list(body.iter("script", "style", "nav", "noscript", "template", "title")):
        unwanted.drop_tree()
    _turn_footnotes(body)
    _lower_headings(body, title, own_title)
    return lxml_html.tostring(body, encoding="unicode")


def _lower_headings(body: lxml_html.HtmlElement, title: str, own_title: str) -> None:
    tops = list(body.iter("h1"))
    wanted = " ".join((title or ("" if tops else own_title)).split())
    first = next((top for top in tops if top.get("data-block") == "title"), tops[0] if tops else None)
    if wanted and (first is None or " ".join(first.text_content().split()).casefold() != wanted.casefold()):
        heading = lxml_html.HtmlElement()
        heading.tag, heading.text = "h1", wanted
        heading.tail, body.text = body.text, None
        body.insert(0, heading)
        if first is not None and first.get("data-block"):
            del first.attrib["data-block"]
        first = heading
    if any(top is not first for top in tops):
        for level in (3, 2, 1):
            for heading in list(body.iter(f"h{level}")):
                if heading is not first:
                    heading.tag = f"h{level + 1}"


_NOTE_SIGN = re.compile(r"[\[(]?\s*(?:\d{1,4}|[*†‡§]{1,4}|[ivxlc]{1,7}|[a-z])\s*[\])]?", re.IGNORECASE)
_NOTE_HOLDERS = frozenset({"li", "div", "p", "aside", "dd", "section"})


def _turn_footnotes(body: lxml_html.HtmlElement) -> None:
    """Turn every link to a note that links back into a reference to a footnote.

    That is how Pandoc, Word, Markdown and most sites write footnotes.
    """
    targets = {key: element for element in body.iter("*") for key in (element.get("id"), element.get("name")) if key}
    names: dict[lxml_html.HtmlElement, str] = {}
    backs: dict[lxml_html.HtmlElement, dict[str, lxml_html.HtmlElement]] = {}
    for link in list(body.iter("a")):
        target = (
            targets.get((link.get("href") or "").removeprefix("#")) if link.get("href", "").startswith("#") else None
        )
        if target is None or not _NOTE_SIGN.fullmatch(link.text_content().strip()):
            continue
        note = _find_note(target)
        if note is None or note in link.iterancestors():
            continue
        if note not in backs:
            backs[note] = {(back.get("href") or "").removeprefix("#"): back for back in note.iter("a")}
        back = next((backs[note][key] for key in _find_keys(link) if key in backs[note]), None)
        if back is None and note not in names:
            continue
        if back is not None and back.getparent() is not None:
            back.drop_tree()
        names.setdefault(note, f"fn{len(names) + 1}")
        _refer(link, names[note])
    for note, name in names.items():
        for child in note.iter("a"):
            child.attrib.pop("id", None)
        text = note.tail
        note.tail = None
        parent = note.getparent()
        if parent is not None:
            _remove_keeping_tail(note, text)
        note.tag = "aside"
        note.attrib.clear()
        note.set("data-block", name)
        note.set("data-kind", "footnote")
        body.append(note)


def _find_note(target: lxml_html.HtmlElement) -> lxml_html.HtmlElement | None:
    """Find the element that is the whole note: Word's is a `div` around the paragraph with the target."""
    around: Iterator[lxml_html.HtmlElement] = iter([target, *target.iterancestors()])
    note = next((element for element in around if element.tag in _NOTE_HOLDERS), None)
    parent = note.getparent() if note is not None else None
    if note is not None and note.tag == "p" and parent is not None and parent.tag in ("div", "li"):
        is_alone = note.getprevious() is None and note.getnext() is None
        return parent if is_alone or parent.get("id", "").startswith("ftn") else note
    return note


def _find_keys(link: lxml_html.HtmlElement) -> Iterator[str]:
    """Name what a note may link back to: the link, what is around it, what is in it."""
    for element in (link, *link.iterancestors("sup", "span"), *link.iter("*")):
        yield from (key for key in (element.get("id"), element.get("name")) if key)


def _refer(link: lxml_html.HtmlElement, name: str) -> None:
    parent = link.getparent()
    is_alone = link.getprevious() is None and link.getnext() is None
    whole = parent if parent is not None and parent.tag == "sup" and is_alone else link
    tail = whole.tail
    whole.clear()
    whole.tag, whole.tail = "sup", tail
    whole.set("data-note", name)


def _remove_keeping_tail(element: lxml_html.HtmlElement, tail: str | None) -> None:
    parent, before = element.getparent(), element.getprevious()
    assert parent is not None
    if tail and tail.strip():
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(element)
