"""YAML 1.2 text -> a tree in which every node knows its line; refuses bombs, cycles, tags, double keys."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from r2pflow.domain.errors import DefinitionError, DefinitionErrors

MAX_CHARACTERS = 150_000
MAX_LINE = 10_000
MAX_DEPTH = 60
MAX_NODES_WITH_ALIASES = 10_000

_TAG = "tag:yaml.org,2002:"
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
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = " ".join(part.strip() for part in (error.context, error.problem) if part)
        if "character '\\t'" in told:
            told = "found a tab; YAML is indented with spaces"
        _refuse("bad_yaml", path, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, told)
    except RecursionError:
        _refuse("too_deep", path, 1, 1, "found lists or mappings nested too deeply")
    except (YAMLError, ValueError, AssertionError, AttributeError, LookupError, TypeError) as error:
        # ruamel.yaml lets plain Python errors through on some malformed directives and escapes.
        _refuse("bad_yaml", path, 1, 1, f"this is not YAML: {' '.join(str(error).split())[:200]}")
    if root is None:
        _refuse("empty_file", path, 1, 1, "found an empty file")
    _check_aliases(root, path)
    errors: list[DefinitionError] = []
    top = _convert(root, path, errors)
    if errors:
        raise DefinitionErrors(errors)
    return top


def _refuse(code: str, path: str, line: int, column: int, message: str, **params: Any) -> NoReturn:
    raise DefinitionErrors(
        [DefinitionError(code, path=path, line=line, column=column, message=message, **params)]
    )


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


def _check_aliases(root: Any, path: str) -> None:
    """Refuse an alias within its own anchor, and aliases that expand to more than 10,000 nodes."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    has_alias = False

    def measure(node: Any) -> int:
        nonlocal has_alias
        key = id(node)
        if key in open_nodes:
            line, column = node.start_mark.line + 1, node.start_mark.column + 1
            _refuse("alias_cycle", path, line, column, "found an alias that contains itself")
        if key in sizes:
            has_alias = True
            return sizes[key]
        open_nodes.add(key)
        if isinstance(node, MappingNode):
            size = 1 + sum(measure(part) for pair in node.value for part in pair)
        elif isinstance(node, SequenceNode):
            size = 1 + sum(measure(part) for part in node.value)
        else:
            size = 1
        open_nodes.discard(key)
        sizes[key] = size
        return size

    total = measure(root)
    if has_alias and total > MAX_NODES_WITH_ALIASES:
        told = str(total) if total < 10**9 else "over 10^9"
        message = f"found aliases that expand to {told} nodes; accepted: at most {MAX_NODES_WITH_ALIASES}"
        _refuse("too_many_aliases", path, 1, 1, message, accepted=MAX_NODES_WITH_ALIASES)


_PLAIN_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value"))


def _convert(node: Any, path: str, errors: list[DefinitionError]) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    tag = str(node.tag)
    known = tag in _PLAIN_TAGS or tag in (_TAG + "map", _TAG + "seq", _TAG + "merge")
    if not known:
        errors.append(_error("bad_tag", path, line, column, f"found the tag {tag[:60]!r}; accepted: no tags"))
    if isinstance(node, ScalarNode):
        is_quoted = node.style is not None
        if not is_quoted and tag == _TAG + "null":
            return Node("empty", line, column)
        return Node("text", line, column, text=node.value, is_quoted=is_quoted)
    if isinstance(node, SequenceNode):
        return Node("list", line, column, parts=[_convert(part, path, errors) for part in node.value])
    found = Node("mapping", line, column)
    for key_node, value_node in node.value:
        key_line, key_column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if not isinstance(key_node, ScalarNode) or not key_node.value.strip():
            errors.append(_error("bad_key", path, key_line, key_column, "found a key that is not a text"))
            continue
        key = key_node.value
        if key in found.entries:
            first = found.keys[key].line
            message = f"found the key {key[:60]!r} twice; the first is in line {first}"
            errors.append(_error("duplicate_key", path, key_line, key_column, message, found=key))
            continue
        found.keys[key] = _convert(key_node, path, errors)
        found.entries[key] = _convert(value_node, path, errors)
    return found


def _error(code: str, path: str, line: int, column: int, message: str, **params: Any) -> DefinitionError:
    return DefinitionError(code, path=path, line=line, column=column, message=message, **params)


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


class PlacedInt(int):
    source: str


class PlacedFloat(float):
    source: str


def with_places(node: Node) -> Any:
    """Return what `plain` does, with `.lc` on lists and mappings and `.source` on numbers, for rules."""
    if node.kind == "mapping":
        mapping = PlacedDict((key, with_places(value)) for key, value in node.entries.items())
        mapping.lc = _Places(node)
        return mapping
    if node.kind == "list":
        several = PlacedList(with_places(part) for part in node.parts)
        several.lc = _Places(node)
        return several
    value = node.plain()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = PlacedInt(value) if isinstance(value, int) else PlacedFloat(value)
    number.source = node.text
    return number
