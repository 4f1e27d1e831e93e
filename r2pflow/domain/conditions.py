"""Named conditions of guards, tests on fields, and their combinations: pure functions of `Facts` and `Actor`.

A condition answers None when it is met, and otherwise a mapping of details, the parameters of the sentence
that says why not. The details of the built-in ones:

    has_text, comments_closed, ballot, has_published_edition     {} or what was found
    glossary_clean                                               warnings
    fields_filled                                                fields
    no_comment_unanswered, no_substantive_comment_unanswered     count
    languages_ready, language_verified                           languages
    any, all, not                                                tests, refusals
    a field test                                                 operator, expected, found
    a condition that failed by itself                            error
    a plugin's, in its own words                                 told: a sentence by language
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from r2pflow.domain.definition import Test
from r2pflow.domain.errors import Refusal
from r2pflow.domain.facts import PARTS, Facts
from r2pflow.domain.parameters import Parameters, read_signature
from r2pflow.domain.people import Actor

logger = logging.getLogger(__name__)

Details = Mapping[str, Any]
ConditionFunction = Callable[..., Details | None]
"""`function(facts, actor, *, own parameters)`."""

FIELD_OPERATORS = ("is", "is_not", "in", "contains", "filled")
COMBINATIONS = ("any", "all", "not")
RESERVED_NAMES = (*COMBINATIONS, "field", *FIELD_OPERATORS)


@dataclass(frozen=True)
class Condition:
    """A condition that guards may name: its function, whose signature says what it takes, and the parts it reads."""

    name: str
    function: ConditionFunction
    needs: tuple[str, ...] = ()
    title: str = ""
    provider: str = ""
    parameters: Parameters = field(init=False)

    def __post_init__(self) -> None:
        unknown = [part for part in self.needs if part not in PARTS]
        if unknown:
            raise ValueError(f"condition {self.name}: {unknown} are not parts of Facts; there are: {PARTS}")
        object.__setattr__(self, "parameters", read_signature(self.function, given=2))


# Evaluation


def evaluate(
    tests: Test | Iterable[Test], facts: Facts, actor: Actor, conditions: Mapping[str, Condition]
) -> tuple[Refusal, ...]:
    """Return a `condition` refusal for each test that is not met; one that raises refuses, and is logged."""
    asked = (tests,) if isinstance(tests, Test) else tests
    found = (_refusal(test, facts, actor, conditions) for test in asked)
    return tuple(refusal for refusal in found if refusal is not None)


def _refusal(test: Test, facts: Facts, actor: Actor, conditions: Mapping[str, Condition]) -> Refusal | None:
    if test.kind == "all":
        inner = evaluate(test.tests, facts, actor, conditions)
        return None if not inner else _refuse("all", None, _combined(test, inner))
    if test.kind == "any":
        inner = evaluate(test.tests, facts, actor, conditions)
        return None if len(inner) < len(test.tests) else _refuse("any", None, _combined(test, inner))
    if test.kind == "not":
        inner = evaluate(test.tests, facts, actor, conditions)
        failed = [refusal for refusal in inner if _is_failure(refusal.params)]
        # A condition that could not be asked proves nothing, and least of all its opposite.
        return None if inner and not failed else _refuse("not", None, _combined(test, failed))
    if test.kind == "field":
        return _field_refusal(test, facts)
    condition = conditions.get(test.name)
    if condition is None:
        return _refuse(test.name, test.argument, {"error": "unknown condition"})
    try:
        detail = condition.function(facts, actor, **condition.parameters.bind(test.argument))
    except Exception as error:  # a plugin's or a fact's fault refuses, as an answer "no" does
        logger.exception("condition %s failed on a document in state %s", test.name, facts.state)
        return _refuse(test.name, test.argument, {"error": type(error).__name__})
    return None if detail is None else _refuse(test.name, test.argument, detail)


def _refuse(name: str, argument: Any, detail: Details) -> Refusal:
    return Refusal("condition", {"name": name, "argument": argument, "detail": dict(detail)})


def _is_failure(params: Mapping[str, Any]) -> bool:
    detail = params["detail"]
    return "error" in detail or any(map(_is_failure, detail.get("refusals", ())))


def _combined(test: Test, refusals: Iterable[Refusal]) -> Details:
    return {"tests": [str(part) for part in test.tests], "refusals": [dict(r.params) for r in refusals]}


def parts_needed(tests: Iterable[Test], conditions: Mapping[str, Condition]) -> frozenset[str]:
    """Return the parts of Facts that the tests read."""
    found: set[str] = set()
    for test in tests:
        if test.tests:
            found |= parts_needed(test.tests, conditions)
        elif test.kind == "named" and test.name in conditions:
            found.update(conditions[test.name].needs)
    return frozenset(found)


# Tests on fields


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def _is_same(left: Any, right: Any) -> bool:
    """Compare a stored value with one from YAML: all empties are alike, choices have no order, 3 is "3"."""
    if _is_empty(left) or _is_empty(right):
        return _is_empty(left) and _is_empty(right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return sorted(map(_as_text, left)) == sorted(map(_as_text, right))
    return bool(left == right) or _as_text(left) == _as_text(right)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _field_refusal(test: Test, facts: Facts) -> Refusal | None:
    found = facts.fields.get(test.name)
    expected = test.argument
    if test.operator == "is":
        holds = _is_same(found, expected)
    elif test.operator == "is_not":
        holds = not _is_same(found, expected)
    elif test.operator == "in":
        holds = any(_is_same(found, one) for one in _as_list(expected))
    elif test.operator == "contains":
        held = [] if _is_empty(found) else _as_list(found)
        holds = all(any(_is_same(one, wanted) for one in held) for wanted in _as_list(expected))
    else:
        holds = _is_empty(found) != (expected is True)
    if holds:
        return None
    return _refuse(test.name, expected, {"operator": test.operator, "expected": expected, "found": found})


# The built-in conditions


def _has_text(facts: Facts, actor: Actor) -> Details | None:
    """Ask for more than the title, which every text has."""
    return None if facts.text_blocks is not None and facts.text_blocks > 1 else {}


def _glossary_clean(facts: Facts, actor: Actor) -> Details | None:
    return {"warnings": list(facts.glossary_warnings)} if facts.glossary_warnings else None


def _fields_filled(facts: Facts, actor: Actor, *, fields: list[str] | None = None) -> Details | None:
    if fields is None:
        missing = list(facts.missing_fields)
    else:
        missing = [name for name in fields if _is_empty(facts.fields.get(name))]
    return {"fields": missing} if missing else None


def _comments_closed(facts: Facts, actor: Actor) -> Details | None:
    assert facts.comments is not None
    return {} if facts.comments.round_open else None


def _no_comment_unanswered(facts: Facts, actor: Actor) -> Details | None:
    assert facts.comments is not None
    return {"count": facts.comments.unanswered} if facts.comments.unanswered else None


def _no_substantive_comment_unanswered(facts: Facts, actor: Actor) -> Details | None:
    assert facts.comments is not None
    count = facts.comments.substantive_unanswered
    return {"count": count} if count else None


def _has_open_comments(facts: Facts, actor: Actor) -> Details | None:
    assert facts.comments is not None
    return None if facts.comments.unanswered else {"count": 0}


def _ballot(facts: Facts, actor: Actor, *, outcome: Literal["carried", "lost", "open", "closed"]) -> Details | None:
    ballot = facts.ballot
    if ballot is None or ballot.id is None:
        return {"found": "none"}
    found = "open" if not ballot.is_closed else ballot.outcome
    wanted = found == outcome or (outcome == "closed" and ballot.is_closed)
    return None if wanted else {"found": found}


def _languages_ready(facts: Facts, actor: Actor) -> Details | None:
    assert facts.languages is not None
    missing = facts.languages.not_ready()
    return {"languages": list(missing)} if missing else None


def _language_verified(facts: Facts, actor: Actor, *, languages: list[str]) -> Details | None:
    assert facts.languages is not None
    missing = [code for code in languages if facts.languages.status.get(code) != "verified"]
    return {"languages": missing} if missing else None


def _has_published_edition(facts: Facts, actor: Actor) -> Details | None:
    return None if facts.published_editions else {}


def _in_state(facts: Facts, actor: Actor, **accepted: list[str]) -> Details | None:
    """Ask where the document stands in other workflows of its chain: `{in_state: {translation: [done]}}`."""
    found = {name: facts.standing.get(name) for name in accepted}
    return None if all(found[name] in accepted[name] for name in accepted) else {"found": found, "accepted": accepted}


BUILT_IN_CONDITIONS: Mapping[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition("has_text", _has_text, ("text",), title="The document has text"),
        Condition("glossary_clean", _glossary_clean, ("text",), title="The glossary check finds nothing"),
        Condition("fields_filled", _fields_filled, title="The fields are filled"),
        Condition("comments_closed", _comments_closed, ("comments",), title="No comment round is open"),
        Condition("no_comment_unanswered", _no_comment_unanswered, ("comments",), title="Every comment is answered"),
        Condition(
            "no_substantive_comment_unanswered",
            _no_substantive_comment_unanswered,
            ("comments",),
            title="Every substantive comment is answered",
        ),
        Condition("has_open_comments", _has_open_comments, ("comments",), title="Comments are unanswered"),
        Condition("ballot", _ballot, ("ballot",), "The ballot is"),
        Condition(
            "languages_ready",
            _languages_ready,
            ("languages",),
            title="All required languages are verified against the approved text",
        ),
        Condition("language_verified", _language_verified, ("languages",), "The language is verified"),
        Condition("in_state", _in_state, title="The other workflow is in the state"),
        Condition("has_published_edition", _has_published_edition, ("publication",), title="An edition is published"),
    )
}
