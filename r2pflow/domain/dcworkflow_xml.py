"""XML text -> a tree in which every element knows its line and column; no DTD, no entities, nothing fetched.

Expat gives columns, which lxml does not, and calls back before it would expand or fetch anything.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.yamlnodes import Node

MAX_BYTES = 1_000_000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 20
MAX_ATTRIBUTES = 50

_ATTRIBUTE = re.compile(rb"""\s+([^\s=>]+)\s*=\s*("[^"]*"|'[^']*')""")


@dataclass(slots=True)
class Element:
    """An element with its attributes, children and own text; lines and columns count from 1."""

    tag: str
    line: int
    column: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # of its own text, as they came
    text_line: int = 0  # where its first text that is not blank stands; 0 when there is none
    text_column: int = 0
    source: bytes = field(default=b"", repr=False)
    offset: int = 0  # of its `<` in the source

    @property
    def text(self) -> str:
        """Return the own text as Plone reads it: lines without their indentation, nothing blank at the end."""
        return "".join(line.lstrip() for line in "".join(self.parts).splitlines(keepends=True)).rstrip()

    def get(self, attribute: str, default: str = "") -> str:
        """Return the attribute's value, or the default where it is absent."""
        return self.attributes.get(attribute, default)

    def all(self, tag: str) -> list["Element"]:
        """Return the children of that name, in order."""
        return [child for child in self.children if child.tag == tag]

    def find(self, tag: str) -> "Element | None":
        """Return the first child of that name, or None."""
        return next((child for child in self.children if child.tag == tag), None)

    def node(self, text: str | None = None) -> Node:
        """Return a text at the place of the element, its own unless another is given, for reports."""
        return Node("text", self.line, self.column, text=self.text if text is None else text)

    def node_of(self, attribute: str) -> Node:
        """Return the attribute's value at its place in the file; the element's place where it is absent."""
        line, column = self._place_of(attribute)
        return Node("text", line, column, text=self.get(attribute))

    def name_node(self, attribute: str) -> Node:
        """Return the attribute's name at its place in the file."""
        line, column = self._place_of(attribute)
        return Node("text", line, column, text=attribute)

    def _place_of(self, attribute: str) -> tuple[int, int]:
        if attribute not in self.attributes:
            return self.line, self.column
        wanted = attribute.encode()
        at = self.offset + 1 + len(self.tag.encode())
        while (found := _ATTRIBUTE.match(self.source, at)) is not None:
            if found[1] == wanted:
                before = self.source[self.offset : found.start(1)]
                last = before.rfind(b"\n") + 1
                width = len(before[last:].decode("utf-8", "replace"))
                return self.line + before.count(b"\n"), width + 1 if last else self.column + width
            at = found.end()
        return self.line, self.column


def read_bytes(path: Path) -> bytes:
    """Return what the file holds; refuse with DefinitionErrors what cannot be read or is too long."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        told = f"the file cannot be read: {error.strerror}"
        raise DefinitionErrors([DefinitionError("unreadable_file", path=str(path), message=told)]) from error
    return raw


def read_elements(raw: bytes, path: str) -> Element:
    """Return the top element; refuse with DefinitionErrors what is no XML, has a DOCTYPE, or is too big or deep."""
    return _Builder(raw, path).build()


class _Builder:
    def __init__(self, raw: bytes, path: str) -> None:
        self.raw = raw
        self.path = path
        self.open: list[Element] = []
        self.root: Element | None = None
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.SkippedEntityHandler = self._refuse_entity

    def build(self) -> Element:
        if len(self.raw) > MAX_BYTES:
            self._refuse("file_too_long", f"found over {MAX_BYTES} bytes; accepted: at most {MAX_BYTES}", 1, 1)
        if not self.raw.strip():
            self._refuse("empty_file", "found an empty file", 1, 1)
        try:
            self.parser.Parse(self.raw, True)
        except expat.ExpatError as error:
            told = expat.errors.messages.get(error.code, "unknown error")
            self._refuse("bad_xml", f"this is not XML: {told}", error.lineno, error.offset + 1)
        except (LookupError, ValueError) as error:
            told = " ".join(str(error).split())[:200]
            self._refuse("bad_xml", f"the encoding of this file cannot be read: {told}; accepted: UTF-8", 1, 1)
        assert self.root is not None
        return self.root

    def _place(self) -> tuple[int, int]:
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line, column = self._place()
        self.count += 1
        if self.count > MAX_ELEMENTS:
            self._refuse("too_many_elements", f"found more than {MAX_ELEMENTS} elements", line, column)
        if len(self.open) >= MAX_DEPTH:
            self._refuse("too_deep", f"found elements nested more than {MAX_DEPTH} deep", line, column)
        if len(attributes) > MAX_ATTRIBUTES:
            told = f"found an element with more than {MAX_ATTRIBUTES} attributes"
            self._refuse("too_many_attributes", told, line, column)
        offset = self.parser.CurrentByteIndex
        made = Element(tag, line, column, dict(attributes), source=self.raw, offset=offset)
        if self.open:
            self.open[-1].children.append(made)
        else:
            self.root = made
        self.open.append(made)

    def _end(self, tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        element = self.open[-1]
        element.parts.append(text)
        if not element.text_line and text.strip():
            # The place is that of the run of text; its first word stands after what is blank.
            line, column = self._place()
            blank = text[: len(text) - len(text.lstrip())]
            width = len(blank) - blank.rfind("\n") - 1
            element.text_line = line + blank.count("\n")
            element.text_column = width + 1 if "\n" in blank else column + width

    def _refuse_doctype(self, name: str, *_: object) -> NoReturn:
        told = "found a DOCTYPE; accepted: none, for a workflow needs neither a DTD nor entities"
        self._refuse("doctype", told, *self._place())

    def _refuse_entity(self, name: str, is_parameter: bool) -> NoReturn:
        self._refuse("unknown_entity", f"found the entity {name[:60]!r}, which is not defined", *self._place())

    def _refuse(self, code: str, message: str, line: int, column: int) -> NoReturn:
        raise DefinitionErrors([DefinitionError(code, path=self.path, line=line, column=column, message=message)])
