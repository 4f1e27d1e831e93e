"""YAML 1.2 text -> a tree in which every node knows its line; refuses bombs, cycles, tags, double keys."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.scalarbool import ScalarBoolean

from r2pflow.domain.errors import DefinitionError, DefinitionErrors

try:  # ruamel.yaml.clib: the same events, some twenty times as fast
    from _ruamel_yaml import CParser
except ImportError:
    CParser = None

MAX_CHARACTERS = 250_000
MAX_LINE = 10_000
MAX_DEPTH = 220
MAX_NODES_WITH_ALIASES = 10_000
MAX_ERRORS = 50

_TEXT_TAG = "tag:yaml.org,2002:str"
_NULLS = ("", "~", "null", "Null", "NULL")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,18}(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")


@dataclass(slots=True)
class Node:
    """A mapping, list, text or empty place of a YAML file; lines and columns count from 1."""

    kind: str  # mapping | list | text | empty
    line: int
    column: int
    text: str = ""  # of a `text` node, as written; numbers and `true` too
    is_quoted: bool = False
    entries: dict[str, "Node"] = field(default_factory=dict)
    keys: dict[str, "Node"] = field(default_factory=dict)  # the key nodes of `entries`, for their place
    parts: list["Node"] = field(default_factory=list)  # of a `list`

    def get(self, key: str) -> "Node | None":
        """Return the entry, or None where it is absent or empty."""
        found = self.entries.get(key)
        return None if found is None or found.kind == "empty" else found

    def each(self, key: str) -> Iterator[tuple[str, "Node", "Node"]]:
        """Yield name, key node and value node of the mapping under the key; nothing where it is absent."""
        under = self.get(key)
        if under is not None:
            for name, value in under.entries.items():
                yield name, under.keys[name], value

    def many(self, key: str) -> list["Node"]:
        """Return the texts under the key, whether written as a list or as one."""
        under = self.get(key)
        if under is None:
            return []
        return under.parts if under.kind == "list" else [under]

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts under the key as strings."""
        return tuple(node.text for node in self.many(key))

    def string(self, key: str, default: str = "") -> str:
        """Return the text under the key as written."""
        found = self.get(key)
        return default if found is None else found.text

    def plain(self) -> Any:
        """Return strings, numbers, booleans, None, lists and dicts, by the core schema of YAML 1.2."""
        if self.kind == "mapping":
            return {key: value.plain() for key, value in self.entries.items()}
        if self.kind == "list":
            return [part.plain() for part in self.parts]
        return None if self.kind == "empty" else _resolve(self)

    def __str__(self) -> str:
        """Describe what was found, short enough for an error message."""
        if self.kind == "mapping":
            return "a mapping"
        if self.kind == "list":
            return "a list"
        if self.kind == "empty":
            return "nothing"
        return repr(self.text if len(self.text) <= 60 else self.text[:57] + "...")


def _resolve(node: Node) -> str | int | float | bool:
    if node.is_quoted:
        return node.text
    if node.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.text.lower() == "true"
    if _INT.fullmatch(node.text):
        return int(node.text)
    if _FLOAT.fullmatch(node.text):
        return float(node.text)
    return node.text


def read_nodes(text: str, path: str) -> Node:
    """Return the top node of the one document in the text; refuse with DefinitionErrors."""
    _check_size(text, path)
    composer = _Composer(path)
    try:
        for event in _parse(text):
            composer.take(event)
    except MarkedYAMLError as error:
        line, column = _place(text, error.problem_mark or error.context_mark)
        told = " ".join(part.strip() for part in (error.context, error.problem) if part)
        if error.context_mark is not None and error.context_mark.line + 1 < line:
            told += f" (begun in line {error.context_mark.line + 1})"
        if "tab character" in told or text.split("\n")[line - 1][column - 1 : column] == "\t":
            told = "found a tab; YAML is indented with spaces"
        _refuse("bad_yaml", path, line, column, told)
    except (YAMLError, ValueError, AssertionError, AttributeError, LookupError, TypeError) as error:
        # The parsers let plain Python errors through on some malformed directives and escapes.
        _refuse("bad_yaml", path, 1, 1, f"this is not YAML: {' '.join(str(error).split())[:200]}")
    if composer.errors:
        raise DefinitionErrors(composer.errors[:MAX_ERRORS])
    if composer.root is None:
        _refuse("empty_file", path, 1, 1, "found an empty file")
    return composer.root


def _parse(text: str) -> Iterator[Any]:
    if CParser is None:
        yield from YAML(typ="safe", pure=True).parse(text)
        return
    parser = CParser(text)
    while not isinstance(event := parser.get_event(), StreamEndEvent):
        yield event


def _place(text: str, mark: Any) -> tuple[int, int]:
    """Return line and column of a parser's mark, which may lie beyond the end."""
    if mark is None:
        return 1, 1
    lines = text.rstrip("\n").split("\n")
    if mark.line >= len(lines):
        return len(lines), len(lines[-1]) + 1
    return mark.line + 1, mark.column + 1


def _refuse(code: str, path: str, line: int, column: int, message: str, **params: Any) -> NoReturn:
    raise DefinitionErrors([_error(code, path, line, column, message, **params)])


def _error(code: str, path: str, line: int, column: int, message: str, **params: Any) -> DefinitionError:
    return DefinitionError(code, path=path, line=line, column=column, message=message, **params)


def _check_size(text: str, path: str) -> None:
    if len(text) > MAX_CHARACTERS:
        message = f"found {len(text)} characters; accepted: at most {MAX_CHARACTERS}"
        _refuse("file_too_long", path, 1, 1, message, found=len(text), accepted=MAX_CHARACTERS)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            message = f"found a line of {len(line)} characters; accepted: at most {MAX_LINE}"
            _refuse("line_too_long", path, number, 1, message, found=len(line), accepted=MAX_LINE)
        if (bad := _UNPRINTABLE.search(line)) is not None:
            message = f"found the control character U+{ord(bad.group()):04X}; accepted: printable text"
            _refuse("bad_character", path, number, bad.start() + 1, message)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is not yet closed, the anchor it bears, and the key that waits for its value."""

    node: Node
    anchor: str | None
    size: int = 1
    key: Node | None = None


class _Composer:
    """Make nodes of parser events without recursion; an alias shares the node of its anchor."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: Node | None = None
        self.errors: list[DefinitionError] = []
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.documents = 0
        self.has_alias = False

    def take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, ScalarEvent):
            self._check_tag(event, line, column)
            is_quoted = event.style not in (None, "") or event.tag is not None
            if not is_quoted and event.value in _NULLS:
                node = Node("empty", line, column)
            else:
                node = Node("text", line, column, text=event.value, is_quoted=is_quoted)
                if event.style == '"' and (bad := _UNPRINTABLE.search(event.value)) is not None:  # by an escape
                    message = f"found the control character U+{ord(bad.group()):04X}; accepted: printable text"
                    self.errors.append(_error("bad_character", self.path, line, column, message))
            if event.anchor is not None:
                self.anchors[event.anchor] = (node, 1)
            self._add(node, 1)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._check_tag(event, line, column)
            if len(self.frames) >= MAX_DEPTH:
                message = f"found lists or mappings nested more than {MAX_DEPTH} deep"
                _refuse("too_deep", self.path, line, column, message)
            kind = "mapping" if isinstance(event, MappingStartEvent) else "list"
            if event.anchor is not None:
                self.anchors.pop(event.anchor, None)
            self.frames.append(_Frame(Node(kind, line, column), event.anchor))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            frame = self.frames.pop()
            if frame.anchor is not None:
                self.anchors[frame.anchor] = (frame.node, frame.size)
            self._add(frame.node, frame.size)
        elif isinstance(event, AliasEvent):
            self._take_alias(event.anchor, line, column)
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                _refuse("two_documents", self.path, line, column, "found a second document; accepted: one")

    def _check_tag(self, event: Any, line: int, column: int) -> None:
        tag = event.tag
        if tag is not None and str(tag) not in ("!", _TEXT_TAG):
            message = f"found the tag {str(tag)[:60]!r}; accepted: no tags"
            self.errors.append(_error("bad_tag", self.path, line, column, message))

    def _take_alias(self, name: str, line: int, column: int) -> None:
        if name not in self.anchors:
            is_cycle = any(frame.anchor == name for frame in self.frames)
            told = "inside its own anchor" if is_cycle else "without its anchor"
            code = "alias_cycle" if is_cycle else "unknown_alias"
            _refuse(code, self.path, line, column, f"found the alias {name[:60]!r} {told}")
        self.has_alias = True
        node, size = self.anchors[name]
        self._add(node, size)
        if self.frames and self.frames[0].size > MAX_NODES_WITH_ALIASES:
            self._refuse_expansion(line, column)

    def _add(self, node: Node, size: int) -> None:
        if not self.frames:
            self.root = node
            if self.has_alias and size > MAX_NODES_WITH_ALIASES:
                self._refuse_expansion(node.line, node.column)
            return
        frame = self.frames[-1]
        frame.size += size
        if frame.node.kind == "list":
            frame.node.parts.append(node)
        elif frame.key is None:
            frame.key = node
            if node.kind != "text" or not node.text.strip():
                message = f"found {node} as a key; accepted: a text"
                self.errors.append(_error("bad_key", self.path, node.line, node.column, message))
        else:
            key, frame.key = frame.key, None
            if key.text in frame.node.entries:
                first = frame.node.keys[key.text].line
                message = f"found the key {key} twice; the first is in line {first}"
                self.errors.append(_error("duplicate_key", self.path, key.line, key.column, message, found=key.text))
            frame.node.keys.setdefault(key.text, key)
            frame.node.entries.setdefault(key.text, node)

    def _refuse_expansion(self, line: int, column: int) -> NoReturn:
        message = f"found aliases that expand to more than {MAX_NODES_WITH_ALIASES} nodes"
        _refuse("too_many_aliases", self.path, line, column, message, accepted=MAX_NODES_WITH_ALIASES)


def as_node(value: Any, line: int = 1, column: int = 1) -> Node:
    """Turn plain lists, dicts and texts (a stored ballot entry) into the tree that files give."""
    if isinstance(value, Mapping):
        found = Node("mapping", line, column)
        for key, entry in value.items():
            found.keys[str(key)] = Node("text", line, column, text=str(key))
            found.entries[str(key)] = as_node(entry, line, column)
        return found
    if isinstance(value, list | tuple):
        return Node("list", line, column, parts=[as_node(part, line, column) for part in value])
    if value is None:
        return Node("empty", line, column)
    if isinstance(value, bool):
        return Node("text", line, column, text="true" if value else "false")
    return Node("text", line, column, text=str(value), is_quoted=isinstance(value, str))


class _Places:
    """Answer as ruamel.yaml's `.lc` does: lines and columns from 0."""

    __slots__ = ("_entries", "_keys", "col", "line")

    def __init__(self, node: Node) -> None:
        self.line, self.col = node.line - 1, node.column - 1
        self._keys: dict[str, Node] = node.keys
        self._entries: Mapping[str, Node] | list[Node] = node.entries or node.parts

    def key(self, key: str) -> tuple[int, int]:
        return self._keys[key].line - 1, self._keys[key].column - 1

    def value(self, key: str) -> tuple[int, int]:
        assert isinstance(self._entries, dict)
        return self._entries[key].line - 1, self._entries[key].column - 1

    def item(self, index: int) -> tuple[int, int]:
        assert isinstance(self._entries, list)
        return self._entries[index].line - 1, self._entries[index].column - 1


class PlacedDict(dict[str, Any]):
    lc: _Places


class PlacedList(list[Any]):
    lc: _Places


class PlacedBoolean(ScalarBoolean):
    source: str


class PlacedInt(int):
    source: str


class PlacedFloat(float):
    source: str


def with_places(node: Node) -> Any:
    """Return what `plain` does, with `.lc` on lists and mappings and `.source` on numbers and booleans, for rules."""
    if node.kind == "mapping":
        mapping = PlacedDict((key, with_places(value)) for key, value in node.entries.items())
        mapping.lc = _Places(node)
        return mapping
    if node.kind == "list":
        several = PlacedList(with_places(part) for part in node.parts)
        several.lc = _Places(node)
        return several
    value = node.plain()
    if not isinstance(value, int | float):
        return value
    number: PlacedBoolean | PlacedInt | PlacedFloat
    if isinstance(value, bool):
        number = PlacedBoolean(value)
    else:
        number = PlacedInt(value) if isinstance(value, int) else PlacedFloat(value)
    number.source = node.text
    return number
