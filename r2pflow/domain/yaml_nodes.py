"""Load one YAML 1.2 document as plain nodes that know their place, however hostile the file.

Mappings and lists are ruamel.yaml's, with `.lc`; numbers and booleans keep their source text in `.source`,
so that "compares as text" can mean the text that was written. Nothing is merged (`<<` is a key like any
other), no tag but those of the core schema is known, and aliases are counted as often as they are used.
"""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarbool import ScalarBoolean

from r2pflow.domain.errors import DefinitionError

MAX_NODES = 10_000  # with every alias spelled out
MAX_DEPTH = 250  # nested lists and mappings
MAX_BYTES = 1_000_000

MESSAGES = {
    "yaml_too_large": "the file is larger than {limit} bytes",
    "yaml_encoding": "the file is not UTF-8 text",
    "yaml_syntax": "this is not YAML: {problem}",
    "yaml_empty": "the file is empty",
    "yaml_several_documents": "one document is expected, and here begins another",
    "yaml_too_many_nodes": "the file has more than {limit} nodes, its aliases spelled out",
    "yaml_too_deep": "lists and mappings are nested more than {limit} deep",
    "yaml_circular": "the alias {name} refers to what it is in",
    "yaml_unknown_alias": "the alias {name} refers to nothing",
    "yaml_key": "a key must be a single word or text, not a list or mapping",
    "yaml_duplicate_key": "the key {name} is there twice",
    "yaml_tag": "the tag {name} is not known here",
}

_CORE = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}|0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")


class WrittenInt(int):
    source: str


class WrittenFloat(float):
    source: str


class WrittenBoolean(ScalarBoolean):
    source: str


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; `size` counts the nodes in it, itself included."""

    node: Any
    anchor: str | None
    line: int
    column: int
    size: int = 1
    key: str | None = None
    key_place: tuple[int, int] = (0, 0)


def load_yaml(raw: bytes, path: str) -> Any:
    """Return the nodes of the file's one document.

    Raise DefinitionError with path, line and column.
    """
    if len(raw) > MAX_BYTES:
        _refuse("yaml_too_large", path, limit=MAX_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse("yaml_encoding", path, raw[: error.start].count(b"\n") + 1)
    yaml = YAML(typ="safe", pure=True)
    loader = _Loader(path)
    try:
        for event in yaml.parse(text):
            loader.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(part) for part in (error.problem, error.context) if part)
        _refuse(
            "yaml_syntax", path, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, problem=problem
        )
    except YAMLError as error:  # a character that YAML does not allow; its position counts characters
        position = getattr(error, "position", None)
        line = text[:position].count("\n") + 1 if isinstance(position, int) else 0
        problem = getattr(error, "reason", None) or str(error).partition("\n")[0]
        _refuse("yaml_syntax", path, line, problem=problem)
    except (
        ValueError,
        RecursionError,
        AssertionError,
        IndexError,
        AttributeError,
    ) as error:  # ruamel's own slips
        _refuse("yaml_syntax", path, loader.line, problem=str(error)[:200] or type(error).__name__)
    if not loader.has_document:
        _refuse("yaml_empty", path, 1)
    return loader.top


def _refuse(code: str, path: str, line: int = 0, column: int = 0, **params: Any) -> NoReturn:
    message = MESSAGES[code].format(**params)
    raise DefinitionError(code, path=path, line=line, column=column, message=message, **params)


class _Loader:
    def __init__(self, path: str) -> None:
        self.path = path
        self.top: Any = None
        self.documents = 0
        self.has_document = False
        self.line = 1
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def take(self, event: Any) -> None:
        """Take the next event of the file."""
        line, column = event.start_mark.line, event.start_mark.column
        self.line = line + 1
        match event:
            case DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self.refuse("yaml_several_documents", line, column)
            case AliasEvent():
                if any(frame.anchor == event.anchor for frame in self.open):
                    self.refuse("yaml_circular", line, column, name=event.anchor)
                if event.anchor not in self.anchors:
                    self.refuse("yaml_unknown_alias", line, column, name=event.anchor)
                node, size = self.anchors[event.anchor]
                self.place(node, size, line, column)
            case ScalarEvent():
                node = self.resolve(event, line, column)
                if event.anchor:
                    self.anchors[event.anchor] = (node, 1)
                self.place(node, 1, line, column)
            case SequenceStartEvent() | MappingStartEvent():
                is_list = isinstance(event, SequenceStartEvent)
                if event.tag not in (None, "!", _CORE + ("seq" if is_list else "map")):
                    self.refuse("yaml_tag", line, column, name=str(event.tag)[:60])
                if len(self.open) >= MAX_DEPTH:
                    self.refuse("yaml_too_deep", line, column, limit=MAX_DEPTH)
                if event.anchor:
                    self.anchors.pop(event.anchor, None)
                node = CommentedSeq() if is_list else CommentedMap()
                node._yaml_set_line_col(line, column)
                self.open.append(_Open(node, event.anchor, line, column))
            case SequenceEndEvent() | MappingEndEvent():
                frame = self.open.pop()
                if frame.anchor:
                    self.anchors[frame.anchor] = (frame.node, frame.size)
                self.place(frame.node, frame.size, frame.line, frame.column)

    def place(self, node: Any, size: int, line: int, column: int) -> None:
        """Put a finished node into what is open around it."""
        if not self.open:
            self.top, self.has_document = node, True
            return
        frame = self.open[-1]
        frame.size += size
        if frame.size > MAX_NODES:
            self.refuse("yaml_too_many_nodes", line, column, limit=MAX_NODES)
        if isinstance(frame.node, CommentedSeq):
            frame.node.append(node)
            frame.node._yaml_set_idx_line_col(len(frame.node) - 1, [line, column])
        elif frame.key is None:
            if isinstance(node, list | dict):
                self.refuse("yaml_key", line, column)
            key = "" if node is None else str(getattr(node, "source", node))
            if key in frame.node:
                self.refuse("yaml_duplicate_key", line, column, name=repr(key[:60]))
            frame.key, frame.key_place = key, (line, column)
        else:
            frame.node[frame.key] = node
            frame.node._yaml_set_kv_line_col(frame.key, [*frame.key_place, line, column])
            frame.key = None

    def resolve(self, event: Any, line: int, column: int) -> Any:
        """Give a scalar its type by the core schema: only plain `true`, numbers and null are not text."""
        text, tag = event.value, event.tag
        is_plain = event.style is None or event.style == ""
        if tag == "!" or tag == _CORE + "str" or (tag is None and not is_plain):
            return text
        if tag not in (None, _CORE + "int", _CORE + "float", _CORE + "bool", _CORE + "null"):
            self.refuse("yaml_tag", line, column, name=str(tag)[:60])
        node: Any
        if text in _NULLS:
            return None
        if text in _BOOLEANS:
            node = WrittenBoolean(text.lower() == "true")
        elif _INTEGER.fullmatch(text):
            node = WrittenInt(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        elif _FLOAT.fullmatch(text):
            node = WrittenFloat(text)
        else:
            return text
        node.source = text
        return node

    def refuse(self, code: str, line: int, column: int, **params: Any) -> NoReturn:
        _refuse(code, self.path, line + 1, column + 1, **params)
