"""A step set for a day and time, on the page of its document."""

import pytest
from sqlalchemy import select

from r2pflow.domain.text import canonical
from r2pflow.persistence.history import TimerRow
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

FIELDS = {"scope": "normative", "crimes": ["genocide"]}
FAR = "2031-03-10T12:00"


@pytest.fixture
def paper(work, persons):
    text = canonical("<h1>Act early</h1><p data-block='p1'>Warnings come first.</p>")
    found = create_document(work, persons["secretary"], "position_paper", text, fields=FIELDS)
    work.commit()
    return found


def set_up(browser, paper, transition="open_comment", at=FAR, timezone="Europe/Paris", **more):
    form = {"transition": transition, "at": at, "timezone": timezone, **more}
    return browser.post(f"/documents/{paper}/schedule", form)


def timers(work):
    work.rollback()
    return work.session.scalars(select(TimerRow).where(TimerRow.kind == "scheduled")).all()


def test_each_step_can_be_scheduled_beside_its_button(browse, paper):
    page = browse("secretary").get(f"/documents/{paper}").text
    assert f'formaction="/documents/{paper}/schedule"' in page
    assert '<input type="datetime-local" id="at-open_comment" name="at">' in page


def test_what_is_scheduled_stands_on_the_page_in_both_zones_and_in_the_history(browse, paper, work):
    browser = browse("secretary")
    answer = set_up(browser, paper, comment="As agreed")
    assert answer.status_code == 302
    [row] = timers(work)
    assert (row.due_at.isoformat(), row.timezone) == ("2031-03-10T11:00:00+00:00", "Europe/Paris")
    page = browser.get(f"/documents/{paper}").text
    assert 'id="scheduled"' in page and "by Secretary" in page and "As agreed" in page
    assert "2031-03-10T11:00:00+00:00" in page and "Europe/Paris" in page
    history = browser.get(f"/documents/{paper}/history").text
    assert "scheduled “" in history and "Europe/Paris" in history


def test_what_was_scheduled_is_taken_back_by_who_did_and_not_by_others(browse, paper, persons, work):
    set_up(browse("secretary"), paper)
    [row] = timers(work)
    fire(work, persons["secretary"], paper, "open_comment")
    work.commit()
    path = f"/documents/{paper}/schedule/{row.id}/cancel"
    assert path not in browse("member").get(f"/documents/{paper}").text
    assert browse("member").post(path).status_code == 403
    assert browse("outsider").post(path).status_code == 404
    answer = browse("secretary").post(path, follow_redirects=True)
    assert "Taken back" in answer.text and 'id="scheduled"' not in answer.text
    assert browse("secretary").post(path).status_code == 404
    assert "took back" in browse("secretary").get(f"/documents/{paper}/history").text


@pytest.mark.parametrize(
    ("at", "zone", "told"),
    [
        ("2020-01-01T10:00", "UTC", "This moment is past."),
        ("", "UTC", "is no day and time"),
        ("next week", "UTC", "is no day and time"),
        (FAR, "Nowhere/At_all", "There is no such time zone"),
        ("2090-01-01T10:00", "UTC", "more than ten years ahead"),
    ],
)
def test_the_form_keeps_its_input_where_it_does_not_fit(browse, paper, work, at, zone, told):
    answer = set_up(browse("secretary"), paper, at=at, timezone=zone, comment="As agreed")
    assert answer.status_code == 422 and told in answer.text
    assert "As agreed" in answer.text and f'value="{zone}"' in answer.text
    assert f'value="{at}"' in answer.text
    assert '<option value="open_comment" selected>' in answer.text
    assert timers(work) == []


def test_a_time_that_the_clock_skips_is_moved_and_told(browse, paper, work):
    answer = browse("secretary").post(
        f"/documents/{paper}/schedule",
        {"transition": "open_comment", "at": "2031-03-30T02:30", "timezone": "Europe/Paris"},
        follow_redirects=True,
    )
    assert "skips the time that you chose" in answer.text
    assert timers(work)[0].due_at.isoformat() == "2031-03-30T01:30:00+00:00"


def test_who_could_never_fire_it_cannot_schedule_it(browse, paper, persons, work):
    fire(work, persons["secretary"], paper, "open_comment")
    work.commit()
    browser = browse("member")
    assert "No step is yours" in browser.get(f"/documents/{paper}/schedule").text
    assert set_up(browser, paper, "close_comment").status_code == 403
    assert set_up(browser, paper, "no_such_step").status_code == 404
    assert set_up(browse("outsider"), paper, "close_comment").status_code == 404
    assert timers(work) == []


def test_a_step_of_a_later_state_can_be_scheduled(browse, paper, work):
    page = browse("secretary").get(f"/documents/{paper}/schedule").text
    assert '<option value="close_comment"' in page
    assert set_up(browse("secretary"), paper, "close_comment").status_code == 302
    assert [row.name for row in timers(work)] == ["close_comment"]
