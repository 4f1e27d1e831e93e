"""The page that moves running documents to another version of their workflow."""

import re
from pathlib import Path

import pytest
from flask import Flask

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from tests.web.conftest import Browser, make_host

FILES = Path(__file__).parents[1] / "services" / "workflows"
STATEMENT = (FILES / "statement.yaml").read_text(encoding="utf-8")
STATEMENT = STATEMENT.replace("  share: [secretariat]", "  share: [secretariat]\n  manage: [secretariat, manager]")
TYPES = (FILES / "documents.yaml").read_text(encoding="utf-8")
TEXT = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
PAGE = "/workflows/statement/migrate"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "statement.yaml").write_text(STATEMENT, encoding="utf-8")
    (folder / "documents.yaml").write_text(TYPES, encoding="utf-8")
    return folder


@pytest.fixture
def app(tmp_path: Path, folder: Path):
    app = make_host(tmp_path, R2PFLOW_WORKFLOW_FOLDERS=str(folder))
    with app.app_context():
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def newer(tmp_path: Path, folder: Path, work, persons):
    """The application with version 2, in which drafting is called writing; two documents stand in version 1."""
    references = [create_document(work, persons["secretary"], "statement", canonical(TEXT)) for _ in range(2)]
    fire(work, persons["secretary"], references[1], "open_comment")
    work.commit()
    text = STATEMENT.replace("version: 1", "version: 2").replace("drafting", "writing")
    (folder / "statement.yaml").write_text(text, encoding="utf-8")
    app = make_host(tmp_path, R2PFLOW_WORKFLOW_FOLDERS=str(folder))
    work.catalogue = app.extensions["r2pflow"].catalogue
    yield app, references
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def sign_in(app: Flask, persons, name: str) -> Browser:
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["person_id"] = persons[name].person_id
    return Browser(client)


def test_the_page_lists_what_would_become_of_each_and_asks_for_the_missing_state(newer, persons, work):
    app, references = newer
    told = sign_in(app, persons, "secretary").get(PAGE).text
    assert all(reference in told for reference in references)
    assert "has no state “drafting”" in told and 'name="map-drafting"' in told
    assert "Move 1 document<" in told and "its deadline stays" in told
    assert get_subject(work, THE_SYSTEM, references[1]).workflow.version == 1


def test_the_button_moves_what_can_be_moved(newer, persons, work):
    app, references = newer
    assert "No document is to be moved" in sign_in(app, persons, "manager").get(PAGE).text  # who may not view them
    browser = sign_in(app, persons, "secretary")
    told = browser.get(f"{PAGE}?map-drafting=writing").text
    assert "Move 2 documents" in told
    assert re.search(r'<option value="writing"[^>]*selected', told)
    answer = browser.post(PAGE, {"map-drafting": "writing"}, follow_redirects=True)
    assert "2 documents were moved" in answer.text and "No document is to be moved" in answer.text
    work.rollback()
    assert [get_subject(work, THE_SYSTEM, one).workflow.version for one in references] == [2, 2]
    assert "Secretary" in browser.get(f"/documents/{references[0]}/history").text


def test_nonsense_is_refused_beside_its_field_and_nothing_moves(newer, persons, work):
    app, references = newer
    browser = sign_in(app, persons, "secretary")
    for query in ({"map-drafting": "nowhere"}, {"to": "nowhere"}, {"from": "77"}):
        assert browser.get(PAGE, query_string=query).status_code in (404, 422)
        assert browser.post(PAGE, query).status_code in (404, 422)
    assert browser.get("/workflows/nowhere/migrate").status_code == 404
    assert get_subject(work, THE_SYSTEM, references[1]).workflow.version == 1


def test_only_those_who_keep_the_place_see_it(newer, persons):
    app, _ = newer
    for name in ("member", "steerer", "translator", "outsider"):
        browser = sign_in(app, persons, name)
        assert browser.get(PAGE).status_code == 403
        assert browser.post(PAGE, {"map-drafting": "writing"}).status_code == 403
