"""The errors of a rule, and the place and words that they carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from ruamel.yaml.scalarbool import ScalarBoolean

from r2pflow.domain.errors import DefinitionError

# The English sentence of each code; the edge translates it by the same text.
MESSAGES = {
    "rule_wrong_kind": "{where}: found {found} where {accepted} is expected",
    "rule_unknown_key": "{where}: unknown key {found}; known are {accepted}",
    "rule_missing_key": "{where}: {found} has no {accepted}",
    "rule_several_clauses": "{where}: one clause has one of {accepted}; found {found}",
    "rule_comparison": "{where}: exactly one comparison is needed ({accepted}); found {found}",
    "rule_unknown_position": "{where}: unknown position {found}; this ballot has {accepted}",
    "rule_unknown_word": "{where}: found {found} where one of {accepted} is expected",
    "rule_reserved": "{where}: {found} is reserved, choose another name for the position",
    "rule_position_kind": "{where}: position {found} always counts as {accepted}",
    "rule_position_unspelled": "{where}: position {found} is none of the known ({accepted}); spell out"
    " what it counts: {{id: ..., counts: for | against | abstention | recusal}}",
    "rule_duplicate": "{where}: {found} is there twice",
    "rule_empty": "{where}: {found} is empty; at least one of {accepted} is expected",
    "rule_zero_divisor": "{where}: {found} divides by zero",
    "rule_share_too_large": "{where}: a share lies between 0 and 1; found {found}",
    "rule_negative": "{where}: a count is a whole number of zero or more; found {found}",
    "rule_not_exact": "{where}: found {found}; write a share as a fraction or percentage, as 1/2 or 62.5%",
    "rule_too_long": "{where}: the value has more than {accepted} characters",
    "rule_too_deep": "{where}: clauses are nested more than {accepted} deep",
    "rule_too_many": "{where}: the rule has more than {accepted} clauses",
}


class RuleError(DefinitionError):
    """Name the place in a rule that makes no sense.

    Parameters: `where` (such as `rule.all[2].count`), `found`, `accepted`, and `nearest` or None.
    """


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node stands: its way from the top, and line and column from 1 (0 when unknown)."""

    where: str
    line: int = 0
    column: int = 0

    def of_key(self, node: Any, key: str) -> "Spot":
        return self._at(f"{self.where}.{shorten(key)}".lstrip("."), node, "key", key)

    def of_value(self, node: Any, key: str) -> "Spot":
        return self._at(f"{self.where}.{shorten(key)}".lstrip("."), node, "value", key)

    def of_entry(self, node: Any, index: int) -> "Spot":
        return self._at(f"{self.where}[{index}]", node, "item", index)

    def _at(self, where: str, node: Any, method: str, key: str | int) -> "Spot":
        try:
            line, column = getattr(node.lc, method)(key)[:2]
        except (AttributeError, KeyError, IndexError, TypeError):  # not ruamel's, or merged in from elsewhere
            return Spot(where, self.line, self.column)
        return Spot(where, line + 1, column + 1)

    def refuse(self, code: str, found: object = "", accepted: object = "", names: Iterable[str] = ()) -> NoReturn:
        """Raise; `names` are those among which the nearest to a mistyped word is looked for."""
        shown = found if isinstance(found, Shown) else describe(found)
        word = found if isinstance(found, str) and not isinstance(found, Shown) else None
        near = get_close_matches(word[:100], list(names), n=1, cutoff=0.5) if word else []
        nearest = shorten(near[0]) if near else None
        params: dict[str, Any] = {
            "where": (self.where or "the ballot") if len(self.where) <= 200 else f"…{self.where[-200:]}",
            "found": str(shown),
            "accepted": str(accepted),
            "nearest": nearest,
        }
        message = MESSAGES[code].format(**params)
        if nearest:
            message += f" (did you mean {nearest}?)"
        raise RuleError(code, path="", line=self.line, column=self.column, message=message, **params)


class Shown(str):
    """Text that goes into a message as it is."""


def shorten(name: object) -> str:
    """Return a name fit for one line of a message."""
    text = str(name)
    return text if len(text) <= 60 and text.isprintable() else repr(text[:60])


def describe(node: Any) -> Shown:
    """Say in a few words what a node is, whatever it is."""
    if node is None:
        return Shown("nothing")
    if is_boolean(node):
        return Shown("true" if node else "false")
    if isinstance(node, str):
        return Shown(repr(str(node) if len(node) <= 60 else node[:60] + "…"))
    if isinstance(node, int | float):
        text = str(getattr(node, "source", None) or (node if abs(node) < 10**40 else "a huge number"))
        return Shown(text[:60])
    if isinstance(node, dict):
        return Shown("a mapping" if node else "an empty mapping")
    return Shown(("a list" if node else "an empty list") if isinstance(node, list) else "something else")


def is_boolean(node: Any) -> bool:
    return isinstance(node, bool | ScalarBoolean)  # ruamel's anchored `true` is an int


def start_of(node: Any, where: str) -> Spot:
    """Return the spot of a top node."""
    lc = getattr(node, "lc", None)
    line, column = getattr(lc, "line", None), getattr(lc, "col", None)
    return Spot(where) if line is None or column is None else Spot(where, line + 1, column + 1)
