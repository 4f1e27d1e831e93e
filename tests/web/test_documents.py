"""The list of documents, the page of one, its next step, its history and its files."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import comments, queries
from r2pflow.services.access import get_subject
from r2pflow.services.comments import NewComment
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.transitions import fire

TEXT = """<h1>Act early</h1>
<p data-block="p1">Warnings come first.<sup data-note="fn1"></sup></p>
<h2 data-block="h1">What we ask</h2>
<table data-block="t1"><caption>Who does what</caption><tbody><tr><td>States</td><td>listen</td></tr></tbody></table>
<aside data-block="fn1" data-kind="footnote">See the report of 2005.</aside>"""
FIELDS = {"scope": "normative", "crimes": ["genocide"]}


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    """A position paper in drafting."""
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT), fields=FIELDS)
    work.commit()
    return reference


@pytest.fixture
def move(work: UnitOfWork, persons: dict[str, Actor], paper: str) -> Callable[..., None]:
    """Fire transitions of the paper as the secretariat."""

    def go(*transitions: str) -> None:
        for transition in transitions:
            fire(work, persons["secretary"], paper, transition)
            work.commit()

    return go


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def test_the_list_shows_only_what_is_open_to_its_reader(browse: Any, paper: str, move: Any) -> None:
    assert "Act early" in read(browse("secretary").get("/documents"))
    assert "No document yet" in read(browse("member").get("/documents"))
    move("open_comment")
    assert "Act early" in read(browse("member").get("/documents"))
    assert browse("").get("/documents").status_code == 403


def test_the_list_narrows_to_type_state_and_words(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    for asked in ("type=position_paper", "state=drafting", "text=early", f"text={paper}"):
        assert "Act early" in read(secretary.get(f"/documents?{asked}")), asked
    for asked in ("type=joint_statement", "state=published", "text=late", "dossier=none"):
        page = read(secretary.get(f"/documents?{asked}"))
        assert "Act early" not in page and "Nothing fits" in page, asked


def test_a_document_not_open_to_somebody_looks_as_if_it_were_not_there(browse: Any, paper: str) -> None:
    for path in ("", "/history", "/comments", "/redline", "/sharing", "/edit", "/export/json", "/comments/new"):
        assert browse("member").get(f"/documents/{paper}{path}").status_code == 404, path
        assert browse("").get(f"/documents/{paper}{path}").status_code in (403, 404), path


def test_footnotes_are_numbered_with_links_both_ways_and_tables_scroll_in_their_box(browse: Any, paper: str) -> None:
    page = read(browse("secretary").get(f"/documents/{paper}"))
    assert 'href="#note-fn1"' in page and 'id="ref-fn1"' in page
    assert 'id="note-fn1"' in page and 'href="#ref-fn1"' in page
    assert re.search(r'<div aria-label="Who does what" class="table-wrap" role="region" tabindex="0"><table', page)
    assert page.count("Act early</bdi></h1>") == 1


def test_the_strip_tells_the_way_and_the_header_for_whom_it_waits(browse: Any, paper: str, move: Any) -> None:
    page = read(browse("secretary").get(f"/documents/{paper}"))
    assert page.index('aria-current="step"') < page.index("Member comment") < page.index("Steering approval")
    assert "The next step is with: the secretariat" in page
    move("open_comment")
    page = read(browse("member").get(f"/documents/{paper}"))
    assert "Comments are open to: the members" in page and "in 2 weeks" in page


def test_the_next_step_is_fired_from_its_button(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    page = read(secretary.get(f"/documents/{paper}"))
    change = hidden(page, "change_number")
    response = secretary.post(f"/documents/{paper}/fire/open_comment", {"change_number": change})
    assert response.status_code == 302
    assert "Member comment" in read(secretary.get(f"/documents/{paper}"))


def test_a_refused_step_says_every_reason_and_keeps_the_comment(browse: Any, paper: str, move: Any) -> None:
    move("open_comment")
    response = browse("member").post(f"/documents/{paper}/fire/close_comment", {"comment": "enough, thank you all"})
    page = read(response)
    assert response.status_code == 403
    assert "was not possible" in page and "secretariat" in page
    assert "enough, thank you all" in page


def test_an_unknown_step_is_not_found(browse: Any, paper: str) -> None:
    assert browse("secretary").post(f"/documents/{paper}/fire/fly").status_code == 404


def test_a_stale_step_tells_what_happened_meanwhile_and_keeps_the_comment(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    secretary = browse("secretary")
    page = read(secretary.get(f"/documents/{paper}"))
    form = {"change_number": hidden(page, "change_number"), "comment": "go on then"}
    save_text(work, persons["manager"].with_roles({"editor"}), paper, canonical(TEXT), based_on=1)
    save_text(
        work, persons["secretary"], paper, canonical(TEXT.replace("come", "arrive")), based_on=1, summary="arrive"
    )
    work.commit()
    response = secretary.post(f"/documents/{paper}/fire/open_comment", form)
    page = read(response)
    assert response.status_code == 409
    assert "Meanwhile:" in page and "wrote revision 2." in page and "Secretary" in page
    assert "go on then" in page
    assert "Drafting" in read(secretary.get(f"/documents/{paper}"))


def test_steps_of_others_are_told_with_what_they_need(browse: Any, paper: str, move: Any) -> None:
    move("open_comment")
    page = read(browse("member").get(f"/documents/{paper}"))
    assert f"/documents/{paper}/fire/" not in page
    assert "more step" in page and "Comment for your organisation" in page


def test_a_step_that_goes_back_or_ends_asks_once(browse: Any, paper: str, move: Any) -> None:
    move("open_comment", "close_comment", "submit")
    page = read(browse("secretary").get(f"/documents/{paper}"))
    assert re.search(r'fire/recall"[^>]* data-confirm="', page) or 'data-confirm="' in page


def test_a_document_page_costs_at_most_25_queries(
    browse: Any,
    paper: str,
    move: Any,
    work: UnitOfWork,
    persons: dict[str, Actor],
    count_queries: list[str],
) -> None:
    move("open_comment")
    for number in range(12):
        new = NewComment("substantive", f"Remark {number}", "en", "p1", "Warnings", suggestion="Signals")
        comments.submit_comment(work, persons["member"], paper, new)
    work.commit()
    for name in ("secretary", "member"):
        for path in ("", "/comments", "/history"):
            browser = browse(name)
            browser.get(f"/documents/{paper}{path}")
            count_queries.clear()
            assert browser.get(f"/documents/{paper}{path}").status_code == 200
            assert len(count_queries) <= 25, (name, path, len(count_queries))


def test_the_page_tells_what_changed_since_one_looked(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    secretary = browse("secretary")
    assert "since you last looked" not in read(secretary.get(f"/documents/{paper}"))
    save_text(work, persons["secretary"], paper, canonical(TEXT.replace("come", "arrive")), based_on=1)
    work.commit()
    page = read(secretary.get(f"/documents/{paper}"))
    assert f"/documents/{paper}/redline?from=1&amp;to=2" in page
    assert "since you last looked" not in read(secretary.get(f"/documents/{paper}"))


def test_the_history_tells_sentences_and_lets_revisions_be_compared(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor], move: Any
) -> None:
    save_text(
        work, persons["secretary"], paper, canonical(TEXT.replace("come", "arrive")), based_on=1, summary="Better verb"
    )
    work.commit()
    move("open_comment")
    page = read(browse("secretary").get(f"/documents/{paper}/history"))
    for told in ("began the document.", "wrote revision 2.", "Better verb", "The document is now in “Member comment”."):
        assert told in page, told
    assert 'name="from" value="1" checked' in page and 'name="to" value="2" checked' in page


def test_the_redline_shows_words_moves_and_what_only_looks_different(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    changed = TEXT.replace("Warnings come", "<strong>Warnings</strong> arrive")
    save_text(work, persons["secretary"], paper, canonical(changed), based_on=1)
    work.commit()
    page = read(browse("secretary").get(f"/documents/{paper}/redline?from=1&to=2"))
    assert "<del>come</del>" in page and "<ins>arrive</ins>" in page and 'class="formatted"' in page
    assert "1 paragraph changed" in page
    assert browse("secretary").get(f"/documents/{paper}/redline?from=1&to=9").status_code == 404
    swapped = browse("secretary").get(f"/documents/{paper}/redline?from=2&to=1")
    assert swapped.status_code == 302


def test_a_draft_can_be_taken_away_without_loading_what_sets_pdfs(browse: Any, paper: str) -> None:
    secretary, was_loaded = browse("secretary"), "weasyprint" in sys.modules
    for format in ("json", "html", "docx", "pdf"):
        response = secretary.get(f"/documents/{paper}/export/{format}")
        assert response.status_code == 200, format
        assert f'-draft-en.{format}"' in response.headers["Content-Disposition"]
    assert secretary.get(f"/documents/{paper}/export/pdf").data.startswith(b"%PDF-1.7")
    told = json.loads(secretary.get(f"/documents/{paper}/export/json").data)
    assert told["is_draft"] and told["title"] == "Act early"
    assert secretary.get(f"/documents/{paper}/export/exe").status_code == 404
    assert secretary.get(f"/documents/{paper}/export/json?language=xx").status_code == 422
    assert secretary.get(f"/documents/{paper}/export/json?language=fr").status_code == 404
    assert ("weasyprint" in sys.modules) == was_loaded


def test_comments_and_history_are_not_for_the_public_even_where_the_text_is(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    from sqlalchemy import update

    from r2pflow.persistence.documents import DocumentRow

    work.session.execute(update(DocumentRow).where(DocumentRow.reference == paper).values(state="published"))
    work.commit()
    nobody = browse("")
    page = read(nobody.get(f"/documents/{paper}"))
    assert "Warnings come first" in page and "/history" not in page and "/comments" not in page
    assert nobody.get(f"/documents/{paper}/history").status_code == 403
    assert nobody.get(f"/documents/{paper}/comments").status_code == 403
    assert queries.mark_seen(work, Actor(), get_subject(work, Actor(), paper)) is None
