"""Begin a document, edit its text, settle what two people changed at once."""

import io
import re
from typing import Any

import pytest

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical, render
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import fire

TEXT = '<h1>Act early</h1><p data-block="p1">Warnings come first.</p><p data-block="p2">Then come deeds.</p>'
FIELDS = {"scope": "normative", "crimes": ["genocide"]}


@pytest.fixture
def paper(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    reference = create_document(work, persons["secretary"], "position_paper", canonical(TEXT), fields=FIELDS)
    work.commit()
    return reference


def read(response: Any) -> str:
    return " ".join(response.get_data(as_text=True).split())


def text_of(work: UnitOfWork, reference: str, actor: Actor) -> str:
    work.session.expire_all()
    work.rollback()
    return render(get_blocks(work, get_subject(work, actor, reference)))


def test_only_creators_begin_documents(browse: Any) -> None:
    assert browse("secretary").get("/documents/new").status_code == 200
    assert browse("member").get("/documents/new").status_code == 403
    assert browse("").post("/documents/new", {"type": "position_paper", "title": "X"}).status_code == 403


def test_an_empty_document_begins_with_its_title_and_opens_in_the_editor(browse: Any) -> None:
    secretary = browse("secretary")
    response = secretary.post("/documents/new", {"type": "position_paper", "title": "Early & <b>late</b>"})
    assert response.status_code == 302 and response.location.endswith("/edit")
    assert "Early &amp;amp; &amp;lt;b&amp;gt;late&amp;lt;/b&amp;gt;" in read(secretary.get(response.location))


def test_a_document_begins_from_a_file(browse: Any) -> None:
    secretary = browse("secretary")
    upload = (io.BytesIO(b"# Act early\n\nWarnings come first.\n\n- one\n- two\n"), "paper.md")
    response = secretary.post("/documents/new", {"type": "position_paper", "title": "", "file": upload})
    assert response.status_code == 302
    page = read(secretary.get(response.location))
    assert "Act early" in page and "Warnings come first." in page and "<li>one</li>" in page


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("paper.exe", b"MZ", "cannot be imported"),
        ("paper.docx", b"not a zip", "paper.docx"),
        ("paper.txt", b"", "empty"),
    ],
)
def test_a_bad_file_is_refused_and_leaves_nothing(browse: Any, name: str, content: bytes, told: str) -> None:
    secretary = browse("secretary")
    form = {"type": "joint_statement", "title": "Kept title", "file": (io.BytesIO(content), name)}
    response = secretary.post("/documents/new", form)
    page = read(response)
    assert response.status_code == 422
    assert "Kept title" in page and 'value="joint_statement" checked' in page and 'href="#f-file"' in page
    assert "No document yet" in read(secretary.get("/documents"))


def test_what_does_not_fit_is_told_beside_its_field(browse: Any) -> None:
    secretary = browse("secretary")
    for form, field in (
        ({"type": "position_paper", "title": ""}, "title"),
        ({"type": "poem", "title": "X"}, "type"),
        ({"type": "position_paper", "title": "X", "language": "xx"}, "language"),
        ({"type": "position_paper", "title": "X", "dossier": "none"}, "dossier"),
    ):
        response = secretary.post("/documents/new", form)
        assert response.status_code == 422 and f'href="#f-{field}"' in read(response), field


def test_the_editor_has_the_text_with_its_block_ids(browse: Any, paper: str) -> None:
    page = read(browse("secretary").get(f"/documents/{paper}/edit"))
    assert "data-editor" in page and 'name="based_on" value="1"' in page
    assert "&lt;p data-block=&#34;p1&#34;&gt;Warnings come first.&lt;/p&gt;" in page
    assert 'id="r2p-editor-labels"' in page


def test_saving_writes_a_revision_and_unchanged_text_none(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    secretary = browse("secretary")
    form = {"html": TEXT.replace("come first", "arrive first"), "based_on": "1", "summary": "Better verb"}
    response = secretary.post(f"/documents/{paper}/edit", form, follow_redirects=True)
    assert "Saved as revision 2." in read(response)
    assert 'data-block="p1">Warnings arrive first.' in text_of(work, paper, persons["secretary"])
    response = secretary.post(f"/documents/{paper}/edit", form | {"based_on": "2"}, follow_redirects=True)
    assert "Nothing was changed" in read(response)


def test_blocks_that_come_back_without_ids_keep_theirs(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    bare = re.sub(r' data-block="\w+"', "", TEXT).replace("come deeds", "come many deeds")
    browse("secretary").post(f"/documents/{paper}/edit", {"html": bare, "based_on": "1"})
    found = text_of(work, paper, persons["secretary"])
    assert 'data-block="p1"' in found and 'data-block="p2">Then come many deeds.' in found


def test_edits_of_different_blocks_are_merged_and_named(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    save_text(work, persons["secretary"], paper, canonical(TEXT.replace("come first", "arrive first")), based_on=1)
    work.commit()
    form = {"html": TEXT.replace("come deeds", "come many deeds"), "based_on": "1"}
    response = browse("secretary").post(f"/documents/{paper}/edit", form, follow_redirects=True)
    assert "Saved as revision 3, merged with edits by Secretary." in read(response)
    found = text_of(work, paper, persons["secretary"])
    assert "arrive first" in found and "many deeds" in found


@pytest.mark.parametrize(
    ("choice", "kept"),
    [("mine", "Warnings shout first."), ("theirs", "Warnings arrive first."), ("edited", "Warnings sing first.")],
)
def test_two_edits_of_one_block_come_side_by_side_and_are_settled(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor], choice: str, kept: str
) -> None:
    secretary = browse("secretary")
    theirs = TEXT.replace("come first", "arrive first")
    save_text(work, persons["secretary"], paper, canonical(theirs), based_on=1)
    work.commit()
    mine = TEXT.replace("come first", "shout first").replace("come deeds", "come many deeds")
    response = secretary.post(f"/documents/{paper}/edit", {"html": mine, "based_on": "1", "summary": "Louder"})
    page = read(response)
    assert response.status_code == 409
    assert "<ins>shout</ins>" in page and "<ins>arrive</ins>" in page and "While you wrote, Secretary saved." in page
    assert "many deeds" in page and 'value="Louder"' in page and 'name="based_on" value="2"' in page
    assert "shout" not in text_of(work, paper, persons["secretary"])
    settled = {
        "html": render(canonical(mine)),
        "based_on": "2",
        "summary": "Louder",
        "conflict": "p1",
        "choice-p1": choice,
        "edited-p1": '<p data-block="p1">Warnings sing first.</p>',
    }
    assert secretary.post(f"/documents/{paper}/edit", settled).status_code == 302
    found = text_of(work, paper, persons["secretary"])
    assert f'<p data-block="p1">{kept}</p>' in found and "many deeds" in found


def test_a_block_that_one_removed_and_the_other_changed_can_go(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    secretary = browse("secretary")
    save_text(work, persons["secretary"], paper, canonical(TEXT.replace("come first", "arrive first")), based_on=1)
    work.commit()
    mine = TEXT.replace('<p data-block="p1">Warnings come first.</p>', "")
    response = secretary.post(f"/documents/{paper}/edit", {"html": mine, "based_on": "1"})
    page = read(response)
    assert response.status_code == 409 and "You removed this paragraph." in page
    merged = re.search(r'<textarea name="html" hidden[^>]*>(.*?)</textarea>', response.get_data(as_text=True), re.S)
    assert merged and "arrive first" in merged.group(1)
    form = {
        "html": TEXT.replace("come first", "arrive first"),
        "based_on": "2",
        "conflict": "p1",
        "choice-p1": "remove",
    }
    secretary.post(f"/documents/{paper}/edit", form)
    assert "p1" not in text_of(work, paper, persons["secretary"])


def test_a_form_that_comes_after_the_freeze_gives_its_text_back(
    browse: Any, paper: str, work: UnitOfWork, persons: dict[str, Actor]
) -> None:
    fire(work, persons["secretary"], paper, "open_comment")
    work.commit()
    form = {"html": TEXT.replace("come first", "whisper first"), "based_on": "1"}
    response = browse("secretary").post(f"/documents/{paper}/edit", form)
    page = read(response)
    assert response.status_code == 403
    assert "Your text was not saved" in page and "whisper first" in page
    assert browse("secretary").get(f"/documents/{paper}/edit").status_code == 403


def test_an_empty_text_or_an_unknown_base_is_refused_with_the_text_kept(browse: Any, paper: str) -> None:
    secretary = browse("secretary")
    assert secretary.post(f"/documents/{paper}/edit", {"html": "", "based_on": "1"}).status_code == 422
    response = secretary.post(f"/documents/{paper}/edit", {"html": TEXT + "<p>Kept words.</p>", "based_on": "7"})
    assert response.status_code == 422 and "Kept words." in read(response)


def test_script_in_a_text_never_reaches_a_page(browse: Any, paper: str) -> None:
    evil = TEXT + '<p onclick="x()">Hi <a href="javascript:x()">there</a><script>x()</script></p>'
    secretary = browse("secretary")
    secretary.post(f"/documents/{paper}/edit", {"html": evil, "based_on": "1"})
    page = read(secretary.get(f"/documents/{paper}"))
    assert "Hi " in page and "javascript:" not in page and "onclick" not in page and "x()" not in page
