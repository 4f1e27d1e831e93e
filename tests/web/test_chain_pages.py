"""The page of a document that runs in two workflows shows where it stands in both, and fires the steps of both."""

from pathlib import Path

import pytest
from lxml import html

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire


@pytest.fixture
def plugins():
    return [lambda registry: registry.workflows(Path(__file__).parents[1] / "files" / "chain")]


@pytest.fixture
def reference(work, persons):
    found = create_document(work, persons["secretary"], "notice", canonical("<h1>Notice</h1><p>Soon.</p>"))
    fire(work, persons["secretary"], found, "agree")
    work.commit()
    return found


def test_the_page_says_where_the_document_stands_in_the_further_workflow(browse, reference):
    page = browse("secretary").get(f"/documents/{reference}").get_data(as_text=True)
    assert "Upkeep of the translations" in page
    assert "Being translated" in page


def test_a_step_of_the_further_workflow_is_fired_from_the_page(browse, work, reference):
    browser = browse("translator")
    assert "finish" in browser.get(f"/documents/{reference}").get_data(as_text=True)
    sent = browser.post(f"/documents/{reference}/fire/finish", {"comment": ""}, follow_redirects=True)
    assert sent.status_code == 200
    assert get_subject(work, THE_SYSTEM, reference).standing == {"notice": "agreed", "upkeep": "ready"}
    history = browser.get(f"/documents/{reference}/history").get_data(as_text=True)
    assert "ready" in history.lower()


def test_the_way_shows_a_picture_for_each_workflow_with_ids_of_its_own(browse, reference):
    page = html.fromstring(browse("translator").get(f"/documents/{reference}/way").get_data(as_text=True))
    pictures = page.xpath("//svg[@class='diagram']")
    assert [one.findtext("title") for one in pictures] == [
        "Workflow “notice”, version 1",
        "Workflow “Upkeep of the translations”, version 1",
    ]
    assert "Stage “Being translated”; is here now" in pictures[1].text_content()
    assert f"/documents/{reference}#step-finish" in pictures[1].xpath(".//a/@href")
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_the_counts_of_a_further_workflow_lead_to_its_documents(browse, reference):
    browser = browse("secretary")
    page = html.fromstring(browser.get("/workflows/upkeep").get_data(as_text=True))
    (link,) = page.xpath("//ul[@class='standing-list']//a/@href")
    assert reference in browser.get(link).get_data(as_text=True)
    other = link.replace("upkeep", "notice")
    assert reference not in browser.get(other).get_data(as_text=True)
