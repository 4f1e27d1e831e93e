import re
from collections.abc import Callable

import pytest

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.deliberation import TranslationRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import translating
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_text
from r2pflow.web import inner

from .conftest import Browser

TEXT = (
    "<h1>Protect civilians</h1><p data-block='p1'>States must <em>act</em> early.<sup data-note='fn1'></sup></p>"
    "<ul data-block='l1'><li>One</li><li>Two</li></ul>"
    "<aside data-block='fn1' data-kind='footnote'>See paragraph 138.</aside>"
)
Open = Callable[[str], Browser]


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    """A position paper whose approved text is being translated."""
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT))
    row = work.session.query(DocumentRow).one()
    row.state = "translation"
    work.commit()
    return reference


def address(reference: str, language: str = "fr") -> str:
    return f"/documents/{reference}/languages/{language}"


def find_digest(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found.group(1)


def save(browser: Browser, reference: str, blocks: dict[str, str], **more: str):
    digest = find_digest(browser.get(address(reference)).get_data(as_text=True))
    form = {f"block-{name}": text for name, text in blocks.items()}
    return browser.post(address(reference), {"digest": digest, **form, **more})


def stored(work: UnitOfWork) -> dict[str, str]:
    work.session.expire_all()
    return {block.block_id: block.html for row in work.session.query(TranslationRow) for block in row.blocks}


def test_what_stands_in_a_field_is_read_back_as_it_was():
    for block in canonical(TEXT):
        assert inner.read(block, inner.write(block, block.html)) == block.html
    paragraph = next(block for block in canonical(TEXT) if block.kind == "paragraph")
    assert inner.write(paragraph, paragraph.html) == "States must <em>act</em> early.[^fn1]"


def test_a_translator_saves_only_what_was_typed(browse: Open, paper: str, work: UnitOfWork):
    browser = browse("translator")
    page = browser.get(address(paper)).get_data(as_text=True)
    assert 'lang="fr" dir="ltr"' in page and "0 of 4 paragraphs translated" in page
    source = next(block.html for block in canonical(TEXT) if block.id == "l1")
    response = save(browser, paper, {"title": "Protéger", "p1": "Agir <em>tôt</em>.[^fn1]", "l1": source, "fn1": ""})
    assert response.status_code == 302
    assert stored(work) == {
        "title": "<h1>Protéger</h1>",
        "p1": '<p>Agir <em>tôt</em>.<sup data-note="fn1"></sup></p>',
    }
    assert "2 of 4 paragraphs translated" in browser.get(address(paper)).get_data(as_text=True)
    only = browser.get(address(paper) + "?only=open").get_data(as_text=True)
    assert 'id="pair-l1"' in only and 'id="pair-p1"' not in only


def test_a_list_that_reads_the_same_in_both_languages_is_saved_by_its_own_button(
    browse: Open, paper: str, work: UnitOfWork
):
    source = next(block.html for block in canonical(TEXT) if block.id == "l1")
    save(browse("translator"), paper, {"title": "", "p1": "", "l1": source, "fn1": ""}, save="l1")
    assert stored(work) == {"l1": source}


def test_one_paragraph_is_saved_in_place(browse: Open, paper: str, work: UnitOfWork):
    browser = browse("translator")
    digest = find_digest(browser.get(address(paper)).get_data(as_text=True))
    response = browser.post(
        address(paper),
        {"digest": digest, "block-p1": "Agir tôt.[^fn1]", "save": "p1"},
        headers={"HX-Request": "true"},
    )
    part = response.get_data(as_text=True)
    assert response.status_code == 200 and "<html" not in part
    assert 'id="pair-p1"' in part and 'hx-swap-oob="true"' in part and "saved" in part
    assert list(stored(work)) == ["p1"]


def test_a_fault_stands_beside_its_paragraph_and_everything_typed_is_kept(browse: Open, paper: str, work: UnitOfWork):
    response = save(browse("translator"), paper, {"title": "Protéger", "p1": "un</p><h2>deux</h2>"})
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "must stay a paragraph of the same kind" in page and "Protéger" in page and "deux" in page
    assert stored(work) == {}


def test_when_the_source_moved_on_the_words_stay_beside_the_new_source(
    browse: Open, paper: str, work: UnitOfWork, persons: dict[str, Actor]
):
    browser = browse("translator")
    digest = find_digest(browser.get(address(paper)).get_data(as_text=True))
    change(work, paper, persons, TEXT.replace("early", "at once"))
    response = browser.post(address(paper), {"digest": digest, "block-p1": "Agir tôt.", "block-gone": "Perdu ?"})
    page = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "Agir tôt." in page and "at once" in page and "Perdu ?" in page
    assert find_digest(page) != digest
    assert stored(work) == {}


def change(work: UnitOfWork, reference: str, persons: dict[str, Actor], html: str) -> None:
    row = work.session.query(DocumentRow).one()
    row.state = "revision"
    work.commit()
    save_text(work, persons["secretary"], reference, canonical(html), based_on=row.revision_number)
    work.commit()
    work.session.expire_all()
    row.state = "translation"
    work.commit()


def test_only_the_changed_paragraph_comes_back_with_what_changed(
    browse: Open, paper: str, work: UnitOfWork, persons: dict[str, Actor]
):
    browser = browse("translator")
    save(browser, paper, {"title": "Protéger", "p1": "Agir tôt.[^fn1]"})
    change(work, paper, persons, TEXT.replace("early", "at once"))
    page = browser.get(address(paper)).get_data(as_text=True)
    assert "1 changed in the source" in page
    assert "<del>early</del>" in page and "<ins>at once</ins>" in page
    save(browser, paper, {"title": "Protéger", "p1": "Agir tôt.[^fn1]"})
    assert "1 changed in the source" in browser.get(address(paper)).get_data(as_text=True)
    save(browser, paper, {"p1": "Agir tôt.[^fn1]"}, confirm="p1")
    assert "changed in the source" not in browser.get(address(paper)).get_data(as_text=True)


def test_whoever_made_the_last_change_does_not_verify_and_somebody_else_does(
    browse: Open, paper: str, work: UnitOfWork
):
    digest = get_subject(work, THE_SYSTEM, paper).text_digest
    whole = {block.id: block.html for block in canonical(TEXT)}
    browser, office = browse("translator"), browse("secretary")
    save(browser, paper, {"title": "Protéger"})
    assert "It can be verified once every paragraph is translated" in browser.get(address(paper)).get_data(as_text=True)
    texts = {block.id: inner.write(block, block.html) for block in canonical(TEXT)} | {"l1": "<ul><li>Un</li></ul>"}
    assert whole.keys() == texts.keys()
    save(browser, paper, texts)
    assert "You made the last change" in browser.get(address(paper)).get_data(as_text=True)
    refused = browser.post(address(paper) + "/verify", {"digest": digest})
    assert refused.status_code == 403 and "Somebody other than the translator" in refused.get_data(as_text=True)
    assert office.post(address(paper) + "/verify", {"digest": digest}).status_code == 302
    assert "verified" in office.get(f"/documents/{paper}/languages").get_data(as_text=True)


def test_members_read_and_may_not_write(browse: Open, paper: str):
    member = browse("member")
    page = member.get(address(paper)).get_data(as_text=True)
    assert "<textarea" not in page and "States must" in page
    assert member.post(address(paper), {"digest": "0" * 64}).status_code == 403
    assert member.get(f"/documents/{paper}/languages").status_code == 200


def test_outsiders_and_unknown_languages_find_nothing(browse: Open, paper: str):
    assert browse("outsider").get(address(paper)).status_code == 404
    assert browse("").get(f"/documents/{paper}/languages").status_code == 403
    assert browse("secretary").get(address(paper, "xx")).status_code == 422


def test_two_hundred_paragraphs_take_no_more_queries_than_two(
    browse: Open, work: UnitOfWork, persons: dict[str, Actor], count_queries: list[str]
):
    html = "<h1>Long</h1>" + "".join(f"<p data-block='p{n}'>Paragraph {n}.</p>" for n in range(200))
    reference = create_document(work, persons["secretary"], "position_paper", canonical(html))
    work.session.query(DocumentRow).one().state = "translation"
    digest = get_subject(work, THE_SYSTEM, reference).text_digest
    texts = {f"p{n}": f"<p>Absatz {n}.</p>" for n in range(200)}
    translating.save_translation(work, persons["translator"], reference, "fr", texts, digest=digest)
    work.commit()
    browser = browse("translator")
    del count_queries[:]
    assert browser.get(address(reference)).status_code == 200
    assert len(count_queries) <= 25
