"""One step on many documents, in the browser: chosen in the list, foretold, begun, and reported."""

import csv
import io
import re

import pytest
from sqlalchemy import select, update

from r2pflow.domain.text import canonical
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import BatchEntryRow, BatchRow
from r2pflow.services import bulk
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

FIELDS = {"scope": "normative", "crimes": ["genocide"]}
STEP = "open_comment"


@pytest.fixture
def papers(work, persons):
    """Three position papers in drafting; of the second the comment round is open."""
    text = "<h1>{title}</h1><p data-block='p1'>Early.</p>"
    titles = ("=1+1 <b>bold</b>".replace("<", "&lt;"), "Second", "Third")
    found = [
        create_document(work, persons["secretary"], "position_paper", canonical(text.format(title=one)), fields=FIELDS)
        for one in titles
    ]
    fire(work, persons["secretary"], found[1], STEP)
    work.commit()
    return found


def begin(browser, references, **more):
    form = {"transition": STEP, "references": " ".join(references), "timezone": "UTC", **more}
    return browser.post("/batches/new", form)


def run(work, batch_id):
    work.rollback()
    bulk.run_batch(work, batch_id, 1)
    work.commit()


def only_batch(work):
    work.rollback()
    return work.session.scalars(select(BatchRow)).one()


def test_the_list_offers_the_steps_that_are_possible_on_one_of_it(browse, papers):
    page = browse("secretary").get("/documents").text
    assert page.count('name="reference"') == 3
    assert f'<option value="{STEP}">' in page and "(possible on 2)" in page
    outside = browse("outsider").get("/documents").text
    assert 'name="reference"' not in outside


def test_what_was_ticked_is_foretold_and_nothing_happens_yet(browse, papers, work):
    ticked = "&".join(f"reference={one}" for one in papers)
    page = browse("secretary").get(f"/batches/new?scope=ticked&transition={STEP}&{ticked}")
    assert page.status_code == 200
    assert "Possible now on 2 documents" in page.text
    assert "Not possible now on 1 document" in page.text
    assert "This step leads from: Drafting" in page.text and "The document is in “Member comment”." in page.text
    assert work.session.scalars(select(BatchRow)).all() == []


@pytest.mark.parametrize(("scope", "number"), [("all", 2), ("page", 1)])
def test_the_page_or_all_that_match_can_be_chosen_at_once(browse, papers, scope, number):
    asked = f"scope={scope}&transition={STEP}&state=drafting&listed={papers[0]}"
    page = browse("secretary").get(f"/batches/new?{asked}").text
    assert f"Possible now on {number} document" in page


def test_nothing_chosen_says_what_to_do(browse, papers):
    answer = browse("secretary").get(f"/batches/new?scope=ticked&transition={STEP}")
    assert answer.status_code == 200 and "No document is chosen" in answer.text


def test_more_than_a_batch_holds_is_refused(browse, papers, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = browse("secretary").get(f"/batches/new?scope=all&transition={STEP}")
    assert "3 documents are too many at once; at most 2 are possible." in answer.text


def test_hidden_documents_are_refused_by_name(browse, papers, work):
    answer = begin(browse("member"), papers)
    assert answer.status_code == 422 and papers[0] in answer.text
    assert work.session.scalars(select(BatchRow)).all() == []


def test_a_batch_fires_what_is_possible_and_its_page_tells_how_far_it_is(browse, papers, work):
    browser = browse("secretary")
    answer = begin(browser, papers)
    batch = only_batch(work)
    assert answer.status_code == 302 and answer.headers["Location"].endswith(f"/batches/{batch.id}")
    page = browser.get(f"/batches/{batch.id}").text
    assert '<progress class="meter" max="2" value="0"' in page
    assert 'aria-live="polite"' in page and 'hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    run(work, batch.id)
    page = browser.get(f"/batches/{batch.id}").text
    assert '<progress class="meter" max="2" value="2"' in page and "finished" in page
    assert "http-equiv" not in page and "hx-trigger" not in page
    assert "Open for comment" in page or "comment" in page


def test_the_others_are_tried_too_where_that_is_wanted_and_refused_with_a_sentence(browse, papers, work):
    browser = browse("secretary")
    begin(browser, papers, with_held="1")
    batch = only_batch(work)
    run(work, batch.id)
    page = browser.get(f"/batches/{batch.id}").text
    assert "1 refused" in page and "This step does not lead from the state of the document." in page
    assert f'href="/documents/{papers[1]}"' in page  # those that were refused are shown first
    assert f'href="/documents/{papers[0]}"' not in page
    assert f'href="/documents/{papers[0]}"' in browser.get(f"/batches/{batch.id}?show=done").text


def test_the_report_is_a_table_that_no_spreadsheet_takes_for_formulas(browse, papers, work):
    browser = browse("secretary")
    begin(browser, papers, with_held="1")
    run(work, only_batch(work).id)
    answer = browser.get(f"/batches/{only_batch(work).id}/report.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert rows[0] == ["number", "reference", "title", "outcome", "reasons", "ended_at"]
    assert rows[1][2].startswith("'=1+1")
    assert [row[3] for row in rows[1:]] == ["done", "refused", "done"]
    assert "does not lead" in rows[2][4]


def test_only_who_began_it_and_the_secretariat_see_a_batch(browse, papers, work):
    begin(browse("secretary"), papers)
    path = f"/batches/{only_batch(work).id}"
    for name in ("member", "steerer", "outsider"):
        browser = browse(name)
        assert browser.get(path).status_code == 404
        assert browser.get(f"{path}/report.csv").status_code == 404
        assert browser.post(f"{path}/cancel").status_code == 404
        assert path not in browser.get("/batches").text
    for name in ("secretary", "manager"):
        assert browse(name).get(path).status_code == 200
        assert path in browse(name).get("/batches").text


def test_who_began_it_learns_nothing_of_a_document_that_was_closed_to_them(browse, papers, persons, work):
    fire(work, persons["secretary"], papers[0], STEP)
    batch_id = bulk.start_batch(work, persons["member"], "close_comment", papers[:2])
    work.commit()
    run(work, batch_id)
    work.session.execute(update(DocumentRow).where(DocumentRow.reference == papers[0]).values(state="drafting"))
    work.commit()
    for path in (f"/batches/{batch_id}", f"/batches/{batch_id}/report.csv"):
        told = browse("member").get(path).text
        assert "A document that is not open to you" in told and "refused" in told
        assert papers[0] not in told and "bold" not in told
        assert papers[1] in told
        assert papers[0] in browse("secretary").get(path).text


def test_what_still_waits_is_cancelled(browse, papers, work):
    browser = browse("secretary")
    begin(browser, papers)
    batch = only_batch(work)
    answer = browser.post(f"/batches/{batch.id}/cancel", follow_redirects=True)
    assert "2 documents are left as they were." in answer.text
    assert set(work.session.scalars(select(BatchEntryRow.outcome))) == {"cancelled"}


def test_a_batch_can_be_set_for_a_date_and_the_form_keeps_its_input(browse, papers, work):
    browser = browse("secretary")
    told = {"at": "2020-01-01T10:00", "timezone": "Africa/Nairobi", "comment": "For the record", "with_held": "1"}
    answer = begin(browser, papers, **told)
    assert answer.status_code == 422 and "This moment is past." in answer.text
    assert 'value="2020-01-01T10:00"' in answer.text and 'value="Africa/Nairobi"' in answer.text
    assert "For the record" in answer.text
    assert re.search(
        r'name="with_held" value="1"\s+id=|id="f-with_held" name="with_held" value="1" checked', answer.text
    )
    assert 'value="' + " ".join(papers) + '"' in answer.text
    wrong = begin(browser, papers, at="2031-01-01T10:00", timezone="Nowhere")
    assert wrong.status_code == 422 and "There is no such time zone" in wrong.text
    assert begin(browser, papers, **{**told, "at": "2031-01-01T10:00"}).status_code == 302
    batch = only_batch(work)
    assert (batch.due_at.isoformat(), batch.timezone) == ("2031-01-01T07:00:00+00:00", "Africa/Nairobi")
    page = browser.get(f"/batches/{batch.id}").text
    assert "Scheduled:" in page and "Africa/Nairobi" in page


def test_a_required_comment_is_asked_for_and_what_was_chosen_is_kept(browse, papers, persons, work):
    browser = browse("secretary")
    form = {"transition": "withdraw", "references": " ".join(papers), "with_held": "1", "timezone": "UTC"}
    answer = browser.post("/batches/new", form)
    assert answer.status_code == 422 and "this step needs a comment" in answer.text
    assert " ".join(papers) in answer.text


def test_where_nothing_is_possible_nothing_begins(browse, papers, work):
    answer = begin(browse("secretary"), papers[1:2])
    assert answer.status_code == 422 and "None of these documents can take this step now." in answer.text
    assert work.session.scalars(select(BatchRow)).all() == []
