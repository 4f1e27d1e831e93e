import re
from collections.abc import Callable

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.drafting import create_document

from .conftest import Browser

Open = Callable[[str], Browser]
PLAN = {
    "venue": "Hall",
    "city": "Nairobi",
    "country": "KE",
    "timezone": "Africa/Nairobi",
    "starts_on": "2027-05-11",
    "ends_on": "2027-05-12",
    "milestones": [
        {"title": {"en": "Venue confirmed"}, "owner": "delta", "due_on": "2020-01-01", "done": False},
        {"title": {"en": "Invitations sent"}, "owner": "office", "due_on": "2027-04-11", "done": False},
    ],
    "sessions": [
        {"title": {"en": "Opening", "ar": "الافتتاح"}, "starts_at": "2027-05-11T09:30", "ends_at": "2027-05-11T10:30"}
    ],
    "invitees": [{"name": "A. Envoy", "category": "un", "status": "accepted"}],
    "budget": [
        {"line": {"en": "Grants"}, "kind": "income", "amount": "96000.00", "currency": "USD"},
        {"line": {"en": "Catering"}, "kind": "expense", "amount": "100000.00", "currency": "USD"},
    ],
}


@pytest.fixture
def plan(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    html = "<h1>Launch</h1><p>Programme.</p>"
    reference = create_document(work, persons["secretary"], "conference_launch", canonical(html), fields=PLAN)
    work.commit()
    return reference


def move(work: UnitOfWork, state: str) -> None:
    work.session.query(DocumentRow).one().state = state
    work.commit()


def read_form(page: str) -> dict[str, list[str]]:
    """Return what a browser would send of the form as it stands."""
    form: dict[str, list[str]] = {}
    body = page[page.index('class="form is-wide fields-form"') :]
    for tag in re.findall(r"<(?:input|option)[^>]*>", body):
        name = re.search(r' name="([^"]+)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            form.setdefault(name.group(1), []).append(value.group(1) if value else "")
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        form[name] = [chosen.group(1) if chosen else ""]
    for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', body, re.DOTALL):
        form[name] = [text]
    form.pop("csrf_token", None)
    return form


def test_the_plan_is_dated_back_from_the_event_and_says_what_is_late_and_whose(browse: Open, plan: str):
    page = browse("secretary").get(f"/documents/{plan}/fields").get_data(as_text=True)
    assert "30 days before" in page and "1 milestone is late" in page
    assert "Delta Network" in page and "The event begins" in page
    assert "Tuesday" in page and "09:30–10:30" in page
    assert "United Nations" in page and "USD\xa0-4,000" in page
    assert f"/documents/{plan}/fields?edit=1" in page


def test_the_form_sent_back_as_it_is_changes_nothing(browse: Open, plan: str, work: UnitOfWork):
    browser = browse("secretary")
    form = read_form(browser.get(f"/documents/{plan}/fields?edit=1").get_data(as_text=True))
    assert browser.post(f"/documents/{plan}/fields", form).status_code == 302
    kept = work.session.query(DocumentRow).one().fields
    for name, value in PLAN.items():
        if isinstance(value, list):
            assert [{k: v for k, v in row.items() if v not in ("", [])} for row in kept[name]] == value
        else:
            assert kept[name] == value


def test_a_row_is_added_and_moved_without_scripts_and_kept_on_saving(browse: Open, plan: str, work: UnitOfWork):
    browser = browse("secretary")
    form = read_form(browser.get(f"/documents/{plan}/fields?edit=1").get_data(as_text=True))
    added = browser.post(f"/documents/{plan}/fields", form | {"row": "milestones:add"})
    form = read_form(added.get_data(as_text=True))
    assert form["rows-milestones"] == ["0", "1", "2"]
    form |= {"milestones-2-title-fr": ["Salle réservée"], "milestones-2-due_on": ["2027-01-01"]}
    moved = browser.post(f"/documents/{plan}/fields", form | {"row": "milestones:up:2"})
    form = read_form(moved.get_data(as_text=True))
    assert len(work.session.query(DocumentRow).one().fields["milestones"]) == 2
    assert browser.post(f"/documents/{plan}/fields", form).status_code == 302
    work.session.expire_all()
    rows = work.session.query(DocumentRow).one().fields["milestones"]
    assert [next(iter(row["title"].values())) for row in rows] == [
        "Venue confirmed",
        "Salle réservée",
        "Invitations sent",
    ]


def test_a_fault_stands_beside_its_field_and_what_was_typed_is_kept(browse: Open, plan: str, work: UnitOfWork):
    browser = browse("secretary")
    form = read_form(browser.get(f"/documents/{plan}/fields?edit=1").get_data(as_text=True))
    form |= {"venue": ["Another hall"], "milestones-1-due_on": ["soon"], "timezone": ["Mars"]}
    response = browser.post(f"/documents/{plan}/fields", form)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert 'href="#f-milestones-1-due_on"' in page and 'id="f-milestones-1-due_on-fault"' in page
    assert "Another hall" in page and "There is no such time zone" in page
    assert work.session.query(DocumentRow).one().fields["venue"] == "Hall"


def test_somebody_elses_change_meanwhile_is_told_and_nothing_typed_is_lost(browse: Open, plan: str, work: UnitOfWork):
    browser = browse("secretary")
    form = read_form(browser.get(f"/documents/{plan}/fields?edit=1").get_data(as_text=True))
    browser.post(f"/documents/{plan}/fields", form | {"venue": ["First"]})
    response = browser.post(f"/documents/{plan}/fields", form | {"venue": ["Second"]})
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "Somebody else changed this document meanwhile" in page and 'value="Second"' in page


def test_a_change_meanwhile_is_noticed_after_adding_a_row_too(browse: Open, plan: str, work: UnitOfWork):
    browser = browse("secretary")
    form = read_form(browser.get(f"/documents/{plan}/fields?edit=1").get_data(as_text=True))
    browser.post(f"/documents/{plan}/fields", form | {"venue": ["First"]})
    added = browser.post(f"/documents/{plan}/fields", form | {"row": "milestones:add"})
    again = read_form(added.get_data(as_text=True))
    told = browser.post(f"/documents/{plan}/fields", again)
    assert told.status_code == 409
    assert browser.post(f"/documents/{plan}/fields", read_form(told.get_data(as_text=True))).status_code == 302


def test_a_frozen_plan_is_read_and_not_written(browse: Open, plan: str, work: UnitOfWork):
    move(work, "steering_approval")
    browser = browse("secretary")
    assert "fields-form" not in browser.get(f"/documents/{plan}/fields").get_data(as_text=True)
    assert browser.get(f"/documents/{plan}/fields?edit=1").status_code == 403
    assert browser.post(f"/documents/{plan}/fields", {"venue": "X"}).status_code == 403
    assert browse("steerer").get(f"/documents/{plan}/fields").status_code == 200


def test_a_published_programme_is_for_everybody_and_the_budget_is_not(browse: Open, plan: str, work: UnitOfWork):
    assert browse("").get(f"/documents/{plan}/fields").status_code == 404
    move(work, "published")
    for name in ("", "outsider"):
        page = browse(name).get(f"/documents/{plan}/fields").get_data(as_text=True)
        assert "Opening" in page
        assert "96,000" not in page and "Venue confirmed" not in page and "A. Envoy" not in page
    assert "96,000" in browse("member").get(f"/documents/{plan}/fields").get_data(as_text=True)


def test_the_calendar_asks_for_the_same_permission(browse: Open, plan: str, work: UnitOfWork):
    assert browse("outsider").get(f"/documents/{plan}/plan.ics").status_code == 404
    response = browse("secretary").get(f"/documents/{plan}/plan.ics")
    assert response.status_code == 200 and response.content_type.startswith("text/calendar")
    assert b"Invitations sent" in response.data and b"Opening" in response.data
    move(work, "published")
    assert b"Invitations sent" not in browse("").get(f"/documents/{plan}/plan.ics").data


def test_simple_details_are_a_form_at_once_and_name_what_is_still_empty(
    browse: Open, work: UnitOfWork, persons: dict[str, Actor], count_queries: list[str]
):
    reference = create_document(work, persons["secretary"], "position_paper", canonical("<h1>T</h1><p>x</p>"))
    work.commit()
    browser = browse("secretary")
    del count_queries[:]
    page = browser.get(f"/documents/{reference}/fields").get_data(as_text=True)
    assert len(count_queries) <= 25
    assert 'name="scope"' in page and "Genocide" in page
    form = {"scope": "country", "crimes": ["war_crimes", "genocide"], "countries": "Utopia"}
    assert browser.post(f"/documents/{reference}/fields", form).status_code == 302
    kept = work.session.query(DocumentRow).one().fields
    assert kept == {"scope": "country", "crimes": ["genocide", "war_crimes"], "countries": "Utopia"}
