from collections.abc import Callable

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.drafting import create_document
from r2pflow.web import ruling

from .conftest import Browser

Open = Callable[[str], Browser]


def test_every_shipped_workflow_has_its_page(browse: Open, count_queries: list[str]):
    browser = browse("member")
    listed = browser.get("/workflows").get_data(as_text=True)
    for name in ("position_paper", "joint_statement", "consultation_report", "conference_launch"):
        assert f"/workflows/{name}" in listed
        del count_queries[:]
        response = browser.get(f"/workflows/{name}")
        assert response.status_code == 200
        assert len(count_queries) <= 25


def test_a_workflow_is_told_in_words(browse: Open):
    page = browse("member").get("/workflows/joint_statement").get_data(as_text=True)
    assert "The ballot carried" in page and "By itself, as soon as it can" in page
    assert "Every substantive comment and objection is answered" in page
    assert "5 working days" in page and "Nobody: blocking objection" in page
    assert "By region, in at least 3 of the groups:" in page
    assert "who says nothing until the close counts as: in favour" in page


def test_stages_count_only_what_the_reader_may_see(browse: Open, work: UnitOfWork, persons: dict[str, Actor]):
    create_document(work, persons["secretary"], "joint_statement", canonical("<h1>T</h1><p>x</p>"))
    work.commit()
    assert "1 document here" in browse("secretary").get("/workflows/joint_statement").get_data(as_text=True)
    assert "1 document here" not in browse("member").get("/workflows/joint_statement").get_data(as_text=True)


def test_titles_come_in_the_readers_language(browse: Open):
    page = browse("member").get("/workflows/joint_statement?hl=ar").get_data(as_text=True)
    assert 'dir="rtl"' in page and "بيان مشترك" in page


def test_unknown_workflows_and_nobody_find_nothing(browse: Open):
    assert browse("member").get("/workflows/unheard_of").status_code == 404
    assert browse("").get("/workflows").status_code == 403
    assert browse("").get("/workflows/joint_statement").status_code == 403


@pytest.mark.parametrize(
    ("written", "calendar", "told"),
    [
        ("P5D", "working", "5 working days"),
        ("P1D", "all", "1 day"),
        ("P2W", "all", "2 weeks"),
        ("P2W", "working", "14 working days"),
        ("P1DT12H", "all", "1 day and 12 hours"),
        ("PT90M", "all", "1 hour and 30 minutes"),
        ("soon", "all", "soon"),
    ],
)
def test_durations_are_told_in_words(app, written: str, calendar: str, told: str):
    with app.test_request_context():
        assert ruling.tell_duration(written, calendar) == told
