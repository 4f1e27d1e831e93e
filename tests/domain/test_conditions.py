"""Conditions say why not; fields and combinations of tests."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from r2pflow.domain.conditions import BUILT_IN_CONDITIONS, Condition, evaluate, parts_needed
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.facts import BallotFacts, CommentFacts, Facts, LanguageFacts
from r2pflow.domain.people import NOBODY, Actor

NOW = datetime(2027, 5, 11, 9, 30, tzinfo=UTC)


def facts(**known: Any) -> Facts:
    return Facts(document_type="paper", state="drafting", now=NOW, **known)


def named(name: str, argument: Any = None) -> Clause:
    return Clause("named", name, argument)


def field(name: str, operator: str, argument: Any) -> Clause:
    return Clause("field", name, argument, operator)


def why_not(test: Clause, **known: Any) -> Mapping[str, Any] | None:
    refusals = evaluate(test, facts(**known), NOBODY, BUILT_IN_CONDITIONS)
    assert all(refusal.code == "condition" for refusal in refusals)
    return refusals[0].params["detail"] if refusals else None


def test_a_title_alone_is_no_text() -> None:
    assert why_not(named("has_text"), text_blocks=1) == {}
    assert why_not(named("has_text"), text_blocks=0) == {}
    assert why_not(named("has_text"), text_blocks=2) is None


def test_the_glossary_check_tells_its_warnings() -> None:
    assert why_not(named("glossary_clean"), glossary_warnings=("right to intervene",)) == {
        "warnings": ["right to intervene"]
    }
    assert why_not(named("glossary_clean")) is None


def test_fields_filled_asks_for_the_named_fields_or_for_what_the_type_requires() -> None:
    assert why_not(named("fields_filled", ["scope", "crimes"]), fields={"scope": "x", "crimes": []}) == {
        "fields": ["crimes"]
    }
    assert why_not(named("fields_filled", "scope"), fields={"scope": "x"}) is None
    assert why_not(named("fields_filled"), missing_fields=("venue",)) == {"fields": ["venue"]}
    assert why_not(named("fields_filled"), fields={"done": False, "seats": 0}) is None
    assert why_not(named("fields_filled", ["done", "seats"]), fields={"done": False, "seats": 0}) is None


def test_comments_are_counted_by_kind() -> None:
    comments = CommentFacts(total=3, unanswered=2, substantive_unanswered=0, round_open=True)
    assert why_not(named("no_comment_unanswered"), comments=comments) == {"count": 2}
    assert why_not(named("no_substantive_comment_unanswered"), comments=comments) is None
    assert why_not(named("has_open_comments"), comments=comments) is None
    assert why_not(named("has_open_comments"), comments=CommentFacts()) == {"count": 0}
    assert why_not(named("comments_closed"), comments=comments) == {}


def test_a_forecast_before_the_close_carries_nothing() -> None:
    running = BallotFacts(id=1, outcome="carried", is_closed=False)
    assert why_not(named("ballot", "carried"), ballot=running) == {"found": "open"}
    assert why_not(named("ballot", "open"), ballot=running) is None
    closed = BallotFacts(id=1, outcome="carried", is_closed=True)
    assert why_not(named("ballot", "carried"), ballot=closed) is None
    assert why_not(named("ballot", "closed"), ballot=closed) is None
    assert why_not(named("ballot", "lost"), ballot=closed) == {"found": "carried"}
    assert why_not(named("ballot", "lost"), ballot=BallotFacts()) == {"found": "none"}


def test_languages_not_ready_are_named() -> None:
    languages = LanguageFacts(("en", "fr", "ar"), {"en": "verified", "fr": "stale"})
    assert why_not(named("languages_ready"), languages=languages) == {"languages": ["fr", "ar"]}
    assert why_not(named("language_verified", "en"), languages=languages) is None
    assert why_not(named("language_verified", ["en", "fr"]), languages=languages) == {"languages": ["fr"]}


@pytest.mark.parametrize(
    ("operator", "argument", "value", "holds"),
    [
        ("is", "normative", "normative", True),
        ("is", "normative", None, False),
        ("is", 3, "3", True),
        ("is", True, True, True),
        ("is", "true", True, True),
        ("is", ["b", "a"], ["a", "b"], True),
        ("is", ["a"], ["a", "b"], False),
        ("is_not", [], None, False),
        ("is_not", [], "", False),
        ("is_not", [], ["genocide"], True),
        ("is_not", "country", None, True),
        ("in", ["a", "b"], "b", True),
        ("in", ["a", "b"], "c", False),
        ("contains", "a", ["a", "b"], True),
        ("contains", ["a", "c"], ["a", "b"], False),
        ("contains", "a", None, False),
        ("filled", True, ["x"], True),
        ("filled", True, [], False),
        ("filled", False, None, True),
        ("filled", True, 0, True),
    ],
)
def test_a_field_is_compared(operator: str, argument: Any, value: Any, holds: bool) -> None:
    assert (why_not(field("f", operator, argument), fields={"f": value}) is None) is holds


def test_a_field_test_tells_what_it_found() -> None:
    assert why_not(field("scope", "is", "normative"), fields={"scope": "country"}) == {
        "operator": "is",
        "expected": "normative",
        "found": "country",
    }


def test_any_all_and_not_combine() -> None:
    yes, no = field("a", "is", 1), field("a", "is", 2)
    assert why_not(Clause("any", tests=(no, yes)), fields={"a": 1}) is None
    assert why_not(Clause("all", tests=(yes, yes)), fields={"a": 1}) is None
    assert why_not(Clause("not", tests=(no,)), fields={"a": 1}) is None
    none_holds = why_not(Clause("any", tests=(no, no)), fields={"a": 1})
    assert none_holds is not None and len(none_holds["refusals"]) == 2
    one_fails = why_not(Clause("all", tests=(yes, no)), fields={"a": 1})
    assert one_fails is not None and [r["detail"]["expected"] for r in one_fails["refusals"]] == [2]
    assert why_not(Clause("not", tests=(yes,)), fields={"a": 1}) == {"tests": ["a is 1"], "refusals": []}


def fail(facts: Facts, actor: Actor) -> None:
    raise RuntimeError("the plugin is broken")


@pytest.mark.parametrize("test", [named("broken"), Clause("not", tests=(named("broken"),))])
def test_a_condition_that_raises_refuses_and_logs(test: Clause, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        (refusal,) = evaluate(test, facts(), NOBODY, {"broken": Condition("broken", fail)})
    assert "RuntimeError" in str(refusal.params)
    assert "the plugin is broken" in caplog.text


def test_a_part_that_was_not_gathered_refuses(caplog: pytest.LogCaptureFixture) -> None:
    (refusal,) = evaluate(named("languages_ready"), facts(), NOBODY, BUILT_IN_CONDITIONS)
    assert refusal.params["detail"] == {"error": "AssertionError"}


def test_only_the_parts_that_are_read_are_needed() -> None:
    tests = [named("has_text"), Clause("any", tests=(Clause("not", tests=(named("ballot", "open"),)),))]
    assert parts_needed(tests, BUILT_IN_CONDITIONS) == {"text", "ballot"}
    assert parts_needed([field("scope", "is", 1), named("fields_filled")], BUILT_IN_CONDITIONS) == frozenset()


def test_a_condition_that_needs_an_unknown_part_is_refused() -> None:
    with pytest.raises(ValueError, match="weather"):
        Condition("sunny", fail, needs=("weather",))
