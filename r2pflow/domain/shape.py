"""The kinds of which the YAML formats are made; each checks a node and says itself as JSON Schema.

One declaration (in `formats`) serves reader and schema; what a name refers to is checked by `reading`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.naming import Report
from r2pflow.domain.schedule import parse_duration
from r2pflow.domain.yamlnodes import Node

JsonSchema = dict[str, Any]


class Kind(Protocol):
    """What may stand at a place of a file."""

    def check(self, node: Node, where: str, report: Report) -> None:
        """Note all that is wrong at the node and below it."""

    def schema(self) -> JsonSchema:
        """Return the JSON Schema (2020-12) of what is accepted."""


@dataclass(frozen=True)
class Text:
    """A text of one to `longest` characters; with `pattern`, all of it matches."""

    pattern: str = ""
    told: str = "a text"
    longest: int = 200

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind != "text" or not node.text.strip():
            report.add("wrong_kind", node, where, node, self.told)
        elif len(node.text) > self.longest:
            found = f"{len(node.text)} characters"
            report.add("too_long", node, where, found, f"at most {self.longest}")
        elif self.pattern and not re.fullmatch(self.pattern, node.text):
            report.add("bad_text", node, where, node, self.told)

    def schema(self) -> JsonSchema:
        # The regular expressions of JSON Schema know no letters beyond ASCII; for editors the length will do.
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True)
class Whole:
    """A whole number of at least `least`."""

    least: int = 0

    def check(self, node: Node, where: str, report: Report) -> None:
        value = node.plain() if node.kind == "text" else None
        if not isinstance(value, int) or isinstance(value, bool) or value < self.least:
            report.add("wrong_kind", node, where, node, f"a whole number of at least {self.least}")

    def schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.least}


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind != "text" or not isinstance(node.plain(), bool):
            report.add("wrong_kind", node, where, node, "true, false")

    def schema(self) -> JsonSchema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind != "text":
            report.add("wrong_kind", node, where, node, ", ".join(self.words))
        elif node.text not in self.words:
            report.add_name("unknown_word", node, where, "word", self.words)

    def schema(self) -> JsonSchema:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Duration:
    """An ISO 8601 duration of days, weeks, months, hours or minutes."""

    def check(self, node: Node, where: str, report: Report) -> None:
        try:
            if node.kind != "text":
                raise InvalidInput("bad_duration")
            parse_duration(node.text)
        except InvalidInput:
            accepted = "an ISO 8601 duration such as P3D, PT12H, P2W, P1M, P1DT12H"
            report.add("bad_duration", node, where, node, accepted)

    def schema(self) -> JsonSchema:
        return {"type": "string", "pattern": "^P[0-9T]", "examples": ["P3D", "PT12H", "P2W", "P1M"]}


@dataclass(frozen=True)
class TitlesKind:
    """One text, or a text per language."""

    longest: int = 2000

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind == "text":
            Text(longest=self.longest).check(node, where, report)
            return
        if node.kind != "mapping":
            report.add("wrong_kind", node, where, node, "a text, or a mapping of languages to texts")
            return
        for language, value in node.entries.items():
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
                found = str(node.keys[language])
                report.add("bad_language", node.keys[language], where, found, "a language code such as fr")
            Text(longest=self.longest).check(value, f"{where}.{language}", report)

    def schema(self) -> JsonSchema:
        text = {"type": "string", "minLength": 1}
        return {"anyOf": [text, {"type": "object", "additionalProperties": text}]}


@dataclass(frozen=True)
class Many:
    """A list; one alone may be written without brackets. `told_empty` refuses the empty list, saying why."""

    kind: Kind
    told_empty: str = ""
    most: int = 0  # 0: no limit but that of the file

    def check(self, node: Node, where: str, report: Report) -> None:
        if self.most and len(node.parts) > self.most:
            report.add("too_many", node, where, f"{len(node.parts)} entries", f"at most {self.most}")
        elif node.kind == "list":
            if not node.parts and self.told_empty:
                report.add("empty_list", node, where, "an empty list", self.told_empty)
            for number, part in enumerate(node.parts, 1):
                self.kind.check(part, f"{where}[{number}]", report)
        elif node.kind == "empty":
            report.add("wrong_kind", node, where, node, "a list")
        else:
            self.kind.check(node, where, report)

    def schema(self) -> JsonSchema:
        several: JsonSchema = {"type": "array", "items": self.kind.schema()}
        if self.told_empty:
            several["minItems"] = 1
        if self.most:
            several["maxItems"] = self.most
        return {"anyOf": [self.kind.schema(), several]}


@dataclass(frozen=True)
class Table:
    """A mapping of names to values of one kind."""

    kind: Kind
    names: Kind
    told: str = "a mapping"
    least: int = 0
    most: int = 500

    def check(self, node: Node, where: str, report: Report) -> None:
        if len(node.entries) > self.most:
            report.add("too_many", node, where, f"{len(node.entries)} entries", f"at most {self.most}")
            return
        if node.kind != "mapping" or len(node.entries) < self.least:
            report.add("wrong_kind", node, where, node, self.told)
            return
        for name, value in node.entries.items():
            self.names.check(node.keys[name], where, report)
            self.kind.check(value, f"{where}.{name[:60]}", report)

    def schema(self) -> JsonSchema:
        found: JsonSchema = {"type": "object", "additionalProperties": self.kind.schema()}
        found["maxProperties"] = self.most
        return {**found, "minProperties": self.least} if self.least else found


@dataclass(frozen=True)
class Key:
    """A key of a record."""

    kind: Kind
    help: str = ""
    required: bool = False


@dataclass(frozen=True)
class Record:
    """A mapping with known keys. With `may_be_empty`, nothing at all stands for no keys (`published:`)."""

    told: str
    keys: Mapping[str, Key]
    may_be_empty: bool = False
    one_of: tuple[str, ...] = ()  # exactly one of these keys

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind == "empty" and self.may_be_empty:
            return
        if node.kind != "mapping":
            report.add("wrong_kind", node, where, node, f"{self.told}: {', '.join(self.keys)}")
            return
        for name, value in node.entries.items():
            key = self.keys.get(name)
            if key is None:
                report.add_name("unknown_key", node.keys[name], where, "key", self.keys)
            elif value.kind == "empty" and not (isinstance(key.kind, Record) and key.kind.may_be_empty):
                inside = f"{where}.{name}" if where else name
                report.add("empty_value", node.keys[name], inside, "nothing", "a value, or no key")
            else:
                key.kind.check(value, f"{where}.{name}" if where else name, report)
        for name, key in self.keys.items():
            if key.required and name not in node.entries:
                needed = [other for other, one in self.keys.items() if one.required]
                told = f"the key {name!r} is missing; needed: {', '.join(needed)}"
                report.say("missing_key", node, where, told, found="", accepted=name)
        if self.one_of and sum(name in node.entries for name in self.one_of) != 1:
            found = [name for name in self.one_of if name in node.entries]
            told = f"exactly one of {', '.join(self.one_of)}"
            report.add("not_one_of", node, where, " and ".join(found) or "none of them", told)

    def schema(self) -> JsonSchema:
        found: JsonSchema = {
            "type": ["object", "null"] if self.may_be_empty else "object",
            "additionalProperties": False,
            "properties": {
                name: {**key.kind.schema(), **({"description": key.help} if key.help else {})}
                for name, key in self.keys.items()
            },
        }
        required = [name for name, key in self.keys.items() if key.required]
        if required:
            found["required"] = required
        if self.one_of:
            found["oneOf"] = [{"required": [name]} for name in self.one_of]
        return found


@dataclass(frozen=True)
class ByKind:
    """One kind for texts and lists, another for mappings."""

    text: Kind
    mapping: Kind

    def check(self, node: Node, where: str, report: Report) -> None:
        (self.mapping if node.kind == "mapping" else self.text).check(node, where, report)

    def schema(self) -> JsonSchema:
        return {"anyOf": [self.text.schema(), self.mapping.schema()]}


@dataclass(frozen=True)
class Anything:
    """What another reader checks (a rule, an argument); `reference` names its schema under `$defs`."""

    reference: str = ""

    def check(self, node: Node, where: str, report: Report) -> None:
        return None

    def schema(self) -> JsonSchema:
        return {"$ref": f"#/$defs/{self.reference}"} if self.reference else {}


@dataclass(frozen=True)
class Later:
    """A kind that contains itself, named when it is needed; `reference` names its schema under `$defs`."""

    get: Callable[[], Kind]
    reference: str

    def check(self, node: Node, where: str, report: Report) -> None:
        self.get().check(node, where, report)

    def schema(self) -> JsonSchema:
        return {"$ref": f"#/$defs/{self.reference}"}
