"""Fields of every kind are read from a form, or refused at their place."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2pflow.domain.definition import DocumentType, FieldDef
from r2pflow.domain.people import Titles
from r2pflow.domain.printable import Plan, PlannedMilestone
from r2pflow.domain.type_reading import read_document_types
from r2pflow.services import planning

SHIPPED = Path(__file__).parents[2] / "workflows" / "documents.yaml"
TYPES = {one.name: one for one in read_document_types(SHIPPED.read_text(encoding="utf-8"), "documents.yaml")}
LAUNCH = TYPES["conference_launch"]


def type_with(*fields: FieldDef) -> DocumentType:
    return DocumentType("t", Titles(), Titles(), "T", "t", "en", ("en",), (), "", "", fields)


def read_one(kind: str, typed: str, **more):
    field = FieldDef("f", kind, Titles(), **more)
    values, errors = planning.read_fields(type_with(field), {"f": [typed]}, organisations={"alpha"})
    return errors["f"].code if errors else values["f"]


@pytest.mark.parametrize(
    ("kind", "typed", "expected"),
    [
        ("text", "  Nairobi ", "Nairobi"),
        ("longtext", "one\r\ntwo", "one\ntwo"),
        ("date", "2027-05-11", "2027-05-11"),
        ("date", "11.5.2027", "bad_date"),
        ("date", "2027-02-30", "bad_date"),
        ("datetime", "2027-05-11T09:30", "2027-05-11T09:30"),
        ("datetime", "2027-05-11 09:30:59", "2027-05-11T09:30"),
        ("datetime", "tomorrow", "bad_datetime"),
        ("time", "9:30", "bad_time"),
        ("time", "09:30", "09:30"),
        ("number", "1 200", 1200),
        ("number", "12.5", "12.5"),
        ("number", "NaN", "bad_number"),
        ("number", "1e999", "bad_number"),
        ("money", "27000", "27000.00"),
        ("money", "0.005", "bad_amount"),
        ("money", "-3", "bad_amount"),
        ("boolean", "1", True),
        ("boolean", "", False),
        ("email", "a@example.org", "a@example.org"),
        ("email", "a@example", "bad_email"),
        ("url", "https://example.org/x", "https://example.org/x"),
        ("url", "javascript:alert(1)", "bad_url"),
        ("url", "https://[", "bad_url"),
        ("timezone", "Africa/Nairobi", "Africa/Nairobi"),
        ("timezone", "Mars/Olympus", "unknown_timezone"),
        ("organisation", "alpha", "alpha"),
        ("organisation", "omega", "unknown_choice"),
        ("text", "x" * 501, "too_long"),
        ("date", "", ""),
    ],
)
def test_each_kind_takes_what_fits_and_refuses_the_rest(kind, typed, expected):
    assert read_one(kind, typed) == expected


def test_a_choice_must_be_among_the_choices():
    choices = {"a": Titles({"en": "A"}), "b": Titles({"en": "B"})}
    assert read_one("choice", "b", choices=choices) == "b"
    assert read_one("choice", "z", choices=choices) == "unknown_choice"
    field = FieldDef("f", "choices", Titles(), choices=choices)
    values, errors = planning.read_fields(type_with(field), {"f": ["b", "a"]})
    assert (values, errors) == ({"f": ["a", "b"]}, {})


def test_rows_come_in_the_order_of_the_form_and_empty_ones_are_left_out():
    form = {
        "rows-milestones": ["4", "0", "9"],
        "milestones-4-title-en": ["Invitations sent"],
        "milestones-4-due_on": ["2027-01-15"],
        "milestones-0-title-fr": ["Lieu confirmé"],
        "milestones-0-due_on": ["2026-10-16"],
        "milestones-0-done": ["1"],
    }
    values, errors = planning.read_fields(LAUNCH, form)
    assert errors == {}
    assert values["milestones"] == [
        {"title": {"en": "Invitations sent"}, "owner": "", "due_on": "2027-01-15", "done": False},
        {"title": {"fr": "Lieu confirmé"}, "owner": "", "due_on": "2026-10-16", "done": True},
    ]


def test_a_row_without_what_it_needs_is_refused_at_its_place_in_the_form():
    form = {"rows-milestones": ["7", "8"], "milestones-8-due_on": ["soon"]}
    _, errors = planning.read_fields(LAUNCH, form)
    assert {name: error.code for name, error in errors.items()} == {
        "milestones-1-title": "required",
        "milestones-1-due_on": "bad_date",
    }


def test_an_end_does_not_come_before_its_start():
    form = {
        "starts_on": ["2027-05-12"],
        "ends_on": ["2027-05-11"],
        "rows-sessions": ["0"],
        "sessions-0-title-en": ["Opening"],
        "sessions-0-starts_at": ["2027-05-11T10:00"],
        "sessions-0-ends_at": ["2027-05-11T09:00"],
    }
    _, errors = planning.read_fields(LAUNCH, form)
    assert sorted(errors) == ["ends_on", "sessions-0-ends_at"]


def test_a_required_field_may_stay_empty_until_a_step_asks_for_it():
    values, errors = planning.read_fields(LAUNCH, {})
    assert errors == {} and values["venue"] == "" and values["milestones"] == []


def test_rows_are_added_moved_and_removed():
    raw = planning.as_raw(LAUNCH, {"milestones": [{"title": {"en": name}} for name in "abc"]})
    assert planning.change_rows(LAUNCH, raw, "milestones:up:2") == "milestones"
    planning.change_rows(LAUNCH, raw, "milestones:remove:0")
    planning.change_rows(LAUNCH, raw, "milestones:down:1")
    planning.change_rows(LAUNCH, raw, "milestones:add")
    assert [row["title"]["en"] for row in raw["milestones"]] == ["c", "b", ""]
    for nonsense in ("", "milestones:up:99", "venue:add", "milestones:fly:0x", "nothing:add"):
        planning.change_rows(LAUNCH, raw, nonsense)
    assert len(raw["milestones"]) == 3


def as_form(raw):
    form = {}
    for name, value in raw.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            form[f"rows-{name}"] = [str(n) for n in range(len(value))]
            for number, row in enumerate(value):
                form |= {f"{name}-{number}-{key}": one for key, one in as_form(row).items()}
        elif isinstance(value, dict):
            form |= {f"{name}-{code}": [text] for code, text in value.items()}
        else:
            form[name] = value if isinstance(value, list) else [value]
    return form


def test_what_is_stored_goes_through_the_form_unchanged():
    stored = {
        "venue": "Hall",
        "timezone": "Africa/Nairobi",
        "starts_on": "2027-05-11",
        "sessions": [
            {
                "title": {"en": "Opening", "ar": "الافتتاح"},
                "starts_at": "2027-05-11T09:30",
                "ends_at": "2027-05-11T10:30",
                "room": "",
                "chair": "",
                "speakers": "A\nB",
                "languages": ["ar", "en"],
            }
        ],
        "budget": [{"line": {"en": "Grants"}, "kind": "income", "amount": "96000.00", "currency": "USD"}],
    }
    values, errors = planning.read_fields(LAUNCH, as_form(planning.as_raw(LAUNCH, stored)))
    assert errors == {}
    assert {name: values[name] for name in stored} == stored


@given(
    st.dictionaries(
        st.sampled_from(["venue", "starts_on", "rows-sessions", "sessions-0-starts_at"]), st.lists(st.text())
    )
)
def test_nothing_that_can_be_typed_breaks_the_reading(form):
    values, _ = planning.read_fields(LAUNCH, form)
    assert set(values) == {field.name for field in LAUNCH.fields}


def test_milestones_are_dated_back_from_the_first_day_and_late_ones_say_by_how_much():
    plan = Plan(
        starts_on=date(2027, 5, 11),
        milestones=(
            PlannedMilestone(date(2027, 5, 1), "b"),
            PlannedMilestone(date(2027, 4, 1), "a", is_done=True),
            PlannedMilestone(date(2027, 5, 20), "c"),
        ),
    )
    laid = planning.lay_milestones(plan, date(2027, 5, 3))
    assert [(one.milestone.title, one.days_before, one.days_late, one.status) for one in laid] == [
        ("a", 40, 0, "done"),
        ("b", 10, 2, "late"),
        ("c", -9, 0, "ahead"),
    ]


def test_invitees_are_counted_by_category_and_status():
    field = LAUNCH.field("invitees")
    assert field is not None
    columns = {column.name: column for column in field.columns}
    rows = [
        {"category": "un", "status": "accepted"},
        {"category": "un", "status": "invited"},
        {"category": "", "status": ""},
    ]
    assert planning.count_by(rows, columns["category"], columns["status"]) == [
        ("un", [0, 1, 1, 0]),
        ("", [1, 0, 0, 0]),
    ]
