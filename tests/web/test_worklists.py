"""The page of a worklist."""

import re
from pathlib import Path
from typing import Any

import pytest

from r2pflow.domain.text import canonical
from r2pflow.services.drafting import create_document

FAULTY = Path(__file__).parent.parent / "services" / "faulty"


def bring(registry: Any) -> None:
    for name in ("queue_first", "break_a_rule"):
        registry.effect(name, lambda *given: None)
    registry.effect("fail", fail)
    registry.condition("cannot_tell", lambda facts, actor: None)
    registry.workflows(FAULTY)


def fail(*given: Any, error: str) -> None: ...


@pytest.fixture
def plugins() -> list[Any]:
    return [bring]


def test_the_desk_leads_to_a_list_that_is_counted_and_cut_into_pages(browse, work, persons, count_queries):
    for number in range(work.settings.page_size + 2):
        create_document(work, persons["secretary"], "faulty", canonical(f"<h1>Note {number}</h1><p>One.</p>"))
    work.commit()
    secretary = browse("secretary")
    assert 'href="/worklists/unsure"' in secretary.get("/desk").text
    del count_queries[:]
    page = secretary.get("/worklists/unsure").text
    assert len(count_queries) <= 10
    assert f"{work.settings.page_size + 2} documents" in page and page.count('class="row-title"') == 25
    assert "Note 0<" in page and "Unsure" in page
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    second = secretary.get(following.group(1).replace("&amp;", "&")).text
    assert second.count('class="row-title"') == 2


def test_an_empty_list_says_so_and_what_is_not_for_one_is_not_found(browse):
    assert "Nothing waits here" in browse("secretary").get("/worklists/unsure").text
    assert browse("member").get("/worklists/unsure").status_code == 404
    assert browse("secretary").get("/worklists/nothing").status_code == 404
    assert "unsure" not in browse("member").get("/desk").text
