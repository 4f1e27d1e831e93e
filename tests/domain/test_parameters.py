"""What a condition or an effect takes is read from its signature, and files are checked against it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest

from r2pflow.domain.errors import DefinitionErrors
from r2pflow.domain.naming import Report
from r2pflow.domain.parameters import Parameters, read_signature
from r2pflow.domain.schedule import Duration, parse_duration
from r2pflow.domain.yamlnodes import read_nodes


class Tone(Enum):
    CALM = "calm"
    LOUD = "loud"


def regions_spoke(facts: Any, actor: Any, *, regions: list[str], at_least: int = 1) -> None: ...


def every_kind(
    facts: Any,
    actor: Any,
    *,
    text: str = "",
    whole: int = 0,
    number: float = 0,
    amount: Decimal = Decimal(0),
    flag: bool = False,
    day: date = date.min,
    after: Duration = Duration(),  # noqa: B008
    word: Literal["a", "b", 3] = "a",
    tone: Tone = Tone.CALM,
    days: tuple[date, ...] = (),
    perhaps: int | None = 7,
) -> None: ...


def read(parameters: Parameters, text: str) -> Any:
    root = read_nodes(f"the_name: {text}\n" if text else "the_name: x\n", "flow.yaml")
    report = Report("flow.yaml")
    found = parameters.read(root.keys["the_name"], root.entries["the_name"] if text else None, "name", report)
    report.refuse_if_any()
    return found


def told(function: Callable[..., Any], text: str) -> str:
    with pytest.raises(DefinitionErrors) as caught:
        read(read_signature(function, given=2), text)
    return str(caught.value)


def test_every_kind_is_kept_as_plain_values_and_called_with_its_own() -> None:
    known = read_signature(every_kind, given=2)
    text = (
        "{text: 1.10, whole: -3, number: 2, amount: 1.10, flag: true, day: 2027-03-31, after: P3D, word: 3, "
        "tone: loud, days: [2027-01-01, 2027-01-02], perhaps: ~}"
    )
    plain = read(known, text)
    assert plain == {
        **{"text": "1.10", "whole": -3, "number": 2, "amount": "1.10", "flag": True, "day": "2027-03-31"},
        **{"after": "P3D", "word": "3", "tone": "loud", "days": ["2027-01-01", "2027-01-02"], "perhaps": None},
    }
    bound = known.bind(plain)
    assert bound == {
        **{"text": "1.10", "whole": -3, "number": 2.0, "amount": Decimal("1.10"), "flag": True},
        **{"day": date(2027, 3, 31), "after": parse_duration("P3D"), "word": 3, "tone": Tone.LOUD},
        **{"days": (date(2027, 1, 1), date(2027, 1, 2)), "perhaps": None},
    }
    every_kind(None, None, **bound)
    assert read(known, "") is None and known.bind(None) == {}


def test_an_only_parameter_needs_no_name() -> None:
    def spoke(facts: Any, actor: Any, *, regions: list[str]) -> None: ...

    known = read_signature(spoke, given=2)
    for text, plain in (("africa", "africa"), ("[africa]", ["africa"]), ("{regions: [africa]}", ["africa"])):
        assert read(known, text) == plain
        assert known.bind(plain) == {"regions": ["africa"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: name: the parameter 'regions' is missing; accepted: a text, or a list of such"),
        ("{at_least: 2}", "1:11: name: the parameter 'regions' is missing; accepted: a text, or a list of such"),
        ("africa", "1:11: name: found 'africa'; accepted: a mapping of regions, at_least"),
        (
            "{regions: [africa], at_last: 2}",
            "1:31: name: found the parameter 'at_last'; accepted: regions, at_least (did you mean 'at_least'?)",
        ),
        ("{regions: [africa], at_least: two}", "1:41: name.at_least: found 'two'; accepted: a whole number"),
        ('{regions: [africa], at_least: "2"}', "1:41: name.at_least: found '2'; accepted: a whole number"),
        ("{regions: [africa], at_least: true}", "1:41: name.at_least: found 'true'; accepted: a whole number"),
        ("{regions: [africa, [europe]]}", "1:30: name.regions[2]: found a list; accepted: a text"),
        ("{regions: []}", "1:21: name.regions: found an empty list; accepted: a text, or a list of such"),
        ("{regions: }", "1:21: name.regions: found nothing; accepted: a text, or a list of such"),
        ("{regions: {a: b}}", "1:21: name.regions: found a mapping; accepted: a text, or a list of such"),
    ],
)
def test_what_does_not_fit_is_told_at_its_very_place(text: str, message: str) -> None:
    assert told(regions_spoke, text) == f"flow.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{tone: lowd}", "found the word 'lowd'; accepted: calm, loud (did you mean 'loud'?)"),
        ("{word: 4}", "found the word '4'; accepted: a, b, 3"),
        ("{day: 2027-02-30}", "found '2027-02-30'; accepted: a day such as 2027-03-31"),
        ("{after: 3 days}", "found '3 days'; accepted: an ISO 8601 duration such as P3D"),
        ("{amount: NaN}", "found 'NaN'; accepted: a decimal number"),
        ("{number: x}", "found 'x'; accepted: a number"),
        ("{flag: yes}", "found 'yes'; accepted: true, false"),
    ],
)
def test_each_kind_says_what_it_accepts(text: str, message: str) -> None:
    assert message in told(every_kind, text)


def test_any_names_are_taken_where_the_function_takes_them() -> None:
    def stands(facts: Any, actor: Any, **states: list[str]) -> None: ...

    known = read_signature(stands, given=2)
    plain = read(known, "{joint-text: done, other: [a, b]}")
    assert known.bind(plain) == {"joint-text": ["done"], "other": ["a", "b"]}
    accepted = "accepted: a mapping of any names to a text, or a list of such"
    assert accepted in told(stands, "done") and accepted in told(stands, "") and accepted in told(stands, "{}")
    assert "name.other: found a mapping; accepted: a text" in told(stands, "{other: {a: b}}")


def test_one_without_parameters_takes_no_argument() -> None:
    assert told(lambda facts, actor: None, "3") == "flow.yaml:1:11: name: found '3'; accepted: no argument"


def with_dict(facts: Any, actor: Any, *, table: dict[str, str]) -> None: ...


def untyped(facts: Any, actor: Any, *, table) -> None: ...  # type: ignore[no-untyped-def]


def unknown_type(facts: Any, actor: Any, *, table: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda facts: None, "takes .facts."),
        (lambda facts, actor, argument: None, "parameters of its own stand after"),
        (untyped, "the parameter table has no type"),
        (with_dict, "the parameter table is dict.* accepted: str, int, float"),
        (unknown_type, "the type 'Nowhere' of the parameter table cannot be read"),
        (dict, "no signature"),
        (3, "no signature"),
    ],
)
def test_a_signature_that_files_cannot_be_checked_against_is_refused(function: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_signature(function, given=2)


def test_annotations_that_were_left_as_text_are_read_in_their_own_module() -> None:
    def later(facts: "Nowhere", actor: "Nowhere", *, day: "date | None" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    known = read_signature(later, given=2)
    assert known.bind(read(known, "2027-01-01")) == {"day": date(2027, 1, 1)}


def test_the_schema_says_the_same() -> None:
    assert read_signature(regions_spoke, given=2).schema() == {
        "type": "object",
        "additionalProperties": False,
        "required": ["regions"],
        "properties": {
            "regions": {
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
                ]
            },
            "at_least": {"type": "integer"},
        },
    }
