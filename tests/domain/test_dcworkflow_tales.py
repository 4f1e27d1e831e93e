"""TALES: what is simple is translated to what means the same, and everything else is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2pflow.domain.conditions import evaluate
from r2pflow.domain.dcworkflow_python import Untranslatable
from r2pflow.domain.dcworkflow_tales import NEVER, translate
from r2pflow.domain.dcworkflow_tales_writing import write_expression
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.facts import Facts
from r2pflow.domain.people import NOBODY
from r2pflow.domain.tables import plain_test

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILLED_A = [{"field": "a", "filled": True}, {"field": "a", "is_not": False}]


@pytest.mark.parametrize(
    ("expression", "tests"),
    [
        ("here/a", FILLED_A),
        ("object/a|nothing", FILLED_A),
        ("path: here/a", FILLED_A),
        ("not:here/a", [{"not": {"all": FILLED_A}}]),
        ("not: not: here/a", [{"not": {"not": {"all": FILLED_A}}}]),
        ("python: here.a", FILLED_A),
        ("python: bool(getattr(here, 'a', None))", FILLED_A),
        ("python: not object.a", [{"not": {"all": FILLED_A}}]),
        ("python: object.a == 'x'", [{"field": "a", "is": "x"}]),
        ("python: 'x' == object.a", [{"field": "a", "is": "x"}]),
        ("python: here.getProperty('a') == 'x'", [{"field": "a", "is": "x"}]),
        ("python:object.a != 3", [{"field": "a", "is_not": 3}]),
        ("python: object.a is None", [{"field": "a", "filled": False}]),
        ("python: object.a is not None", [{"field": "a", "filled": True}]),
        ("python: object.a in ('x', 'y')", [{"field": "a", "in": ["x", "y"]}]),
        ("python: object.a not in ('x', 'y')", [{"not": {"field": "a", "in": ["x", "y"]}}]),
        ("python: 'x' in object.a", [{"field": "a", "contains": "x"}]),
        ("python: object.a == 'x' and object.b == 'y'", [{"field": "a", "is": "x"}, {"field": "b", "is": "y"}]),
        ("python: object.a == 1 or object.b == 2", [{"any": [{"field": "a", "is": 1}, {"field": "b", "is": 2}]}]),
        ("python: object.a == 1\n   or object.b == 2", [{"any": [{"field": "a", "is": 1}, {"field": "b", "is": 2}]}]),
        ("scripts/is_ripe", ["is_ripe"]),
        ("python: scripts.is_ripe(state_change)", ["is_ripe"]),
        ("python: scripts.is_ripe(state_change, ['a', 1])", [{"is_ripe": ["a", 1]}]),
        ("python: True", []),
        ("nothing", [plain_test(NEVER)]),
        ("python: 0", [plain_test(NEVER)]),
    ],
)
def test_a_test_is_translated(expression, tests):
    asked = translate(expression)
    assert [plain_test(test) for test in asked.tests] == tests
    assert asked.roles == asked.permissions == asked.groups == []


@pytest.mark.parametrize(
    ("expression", "kind", "lists"),
    [
        ("python: 'Reviewer' in user.getRoles()", "roles", [("Reviewer",)]),
        ("python: 'Reviewer' in user.getRolesInContext(here)", "roles", [("Reviewer",)]),
        ("python:user.has_role('Reviewer')", "roles", [("Reviewer",)]),
        ("python:user.has_role(['Reviewer', 'Owner'], here)", "roles", [("Reviewer", "Owner")]),
        ("python:member.has_role('Reviewer', object)", "roles", [("Reviewer",)]),
        ("python: user.has_role('A') or user.has_role('B')", "roles", [("A", "B")]),
        ("python: user.has_role('A') and user.has_role('B')", "roles", [("A",), ("B",)]),
        ("python: checkPermission('View', here)", "permissions", [("View",)]),
        ("python: here.portal_membership.checkPermission('View', here)", "permissions", [("View",)]),
        ("python: user.has_permission('View', object)", "permissions", [("View",)]),
        ("python: 'board' in user.getGroups()", "groups", [("board",)]),
        ("python: 'X' in here.portal_membership.getAuthenticatedMember().getRoles()", "roles", [("X",)]),
    ],
)
def test_who_may_is_translated(expression, kind, lists):
    asked = translate(expression)
    assert getattr(asked, kind) == lists and asked.tests == []


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "python:",
        "python: (",
        "python: " + "(" * 500,
        "python: " + "not " * 400 + "here.a",
        "not:" * 30 + "here/a",
        "x" * 3000,
        "string:yes",
        "exists:here/a",
        "here/a/b",
        "here/a|here/b",
        "user/getId",
        "here/portal_type",
        "here/getScope",
        "here/_secret",
        "python: here.Title() == 'x'",
        "python: here.review_state == 'x'",
        "python: object.a > 3",
        "python: object.a == object.b",
        "python: object.a == {}",
        "python: 1e999 == object.a",
        "python: object.a == 10**5",
        "python: object.a == '\\ud800'",
        "python: None in object.a",
        "python: not user.has_role('A')",
        "python: 'A' not in user.getRoles()",
        "python: user.has_role('A') or object.a",
        "python: user.has_role('A') or checkPermission('B', here)",
        "python: object.a or True",
        "python: checkPermission('View')",
        "python: checkPermission('View', container)",
        "python: user.has_role('A', container)",
        "python: user.has_role([])",
        "python: scripts.x(object)",
        "python: scripts['any'](state_change)",
        "python: [1 for x in object.a]",
        "python: 1 < 2 < 3",
        "python: object.a == 'x' if object.b else object.c",
        "python: __import__('os').system('true')",
    ],
)
def test_what_is_not_simple_is_refused(expression):
    with pytest.raises(Untranslatable):
        translate(expression)


def test_a_global_role_is_remarked_on():
    assert "whole site" in translate("python: 'Reviewer' in user.getRoles()").remarks[0]
    assert translate("python: user.has_role('Reviewer', here)").remarks == []


@pytest.mark.parametrize("value", [None, "", [], False, 0, "x", True, 3, ["a"]])
def test_a_field_is_true_when_python_says_so(value):
    facts = Facts("statement", "drafting", NOW, fields={"a": value})
    for expression, expected in (("here/a", bool(value)), ("not:here/a", not value), ("nothing", False)):
        met = not evaluate(translate(expression).tests, facts, NOBODY, {})
        assert met == expected, expression


VALUES = st.one_of(st.text(max_size=6), st.integers(-999, 999), st.booleans(), st.sampled_from([0.5, -2.25]))
NAMES = st.sampled_from(["a", "scope", "due-date", "çà"])
FIELDS = st.one_of(
    st.builds(lambda n, v, o: Clause("field", n, v, o), NAMES, VALUES, st.sampled_from(["is", "is_not", "contains"])),
    st.builds(lambda n, v, o: Clause("field", n, v, o), NAMES, st.lists(VALUES), st.sampled_from(["is", "contains"])),
    st.builds(lambda n, v: Clause("field", n, v, "in"), NAMES, st.lists(VALUES, min_size=1)),
    st.builds(lambda n, v: Clause("field", n, v, "filled"), NAMES, st.booleans()),
)
ARGUMENTS = st.one_of(st.none(), VALUES, st.lists(VALUES), st.dictionaries(st.sampled_from("xyz"), VALUES))
NAMED = st.builds(lambda n, v: Clause("named", n, v), st.sampled_from(["has_text", "is-ripe", "two words"]), ARGUMENTS)
TESTS = st.recursive(
    st.one_of(FIELDS, NAMED),
    lambda inner: st.one_of(
        st.builds(
            lambda kind, tests: Clause(kind, tests=tuple(tests)),
            st.sampled_from(["any", "all"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda test: Clause("not", tests=(test,)), inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TESTS, max_size=3))
def test_every_test_comes_back_from_tales_or_is_refused(tests):
    try:
        written = write_expression(tests)
    except Untranslatable:
        return
    assert (translate(written).tests if written else []) == tests


@pytest.mark.parametrize(
    "test",
    [
        Clause("field", "a", True, "filled"),
        Clause("field", "a", False, "filled"),
        Clause("field", "a", ["x", "y"], "contains"),
        Clause("field", "due-date", [], "is_not"),
        Clause("any", tests=(Clause("named", "has_text"),)),
        Clause("named", "fields_filled", ["a", "b"]),
        Clause("named", "two words"),
        NEVER,
    ],
)
def test_the_usual_tests_are_not_refused(test):
    assert translate(write_expression([test])).tests == [test]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="pythonhere./:|'()[]=,! not anduser0", max_size=60))
def test_any_text_is_translated_or_refused(text):
    try:
        translate(text)
    except Untranslatable as error:
        assert str(error)
