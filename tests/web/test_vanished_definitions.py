"""Pages where files of workflows and types changed under running documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
from r2pflow.services.migrating import Wish, migrate_document, plan_migration
from r2pflow.services.transitions import fire
from tests.web.conftest import make_host

FILES = Path(__file__).parents[1] / "services" / "workflows"
STATEMENT = (FILES / "statement.yaml").read_text(encoding="utf-8")
TITLED = STATEMENT.replace(
    "member_comment:\n    grants", "member_comment:\n    title: {en: Round of members}\n    grants"
)
TYPES = (FILES / "documents.yaml").read_text(encoding="utf-8")
TEXT = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
LISTS = ("/desk", "/documents", "/workflows", "/register", "/dossiers", "/dossiers/spring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "statement.yaml").write_text(TITLED, encoding="utf-8")
    (folder / "documents.yaml").write_text(TYPES, encoding="utf-8")
    return folder


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Any:
    app = make_host(tmp_path, R2PFLOW_WORKFLOW_FOLDERS=str(folder))
    with app.app_context():
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def running(work, persons) -> str:
    save_dossier(work, THE_SYSTEM, "spring", {"en": "Spring"}, "campaign", None)
    reference = create_document(work, persons["secretary"], "statement", canonical(TEXT), dossier="spring")
    fire(work, persons["secretary"], reference, "open_comment")
    fire(work, persons["secretary"], reference, "close_comment")
    work.commit()
    return reference


@pytest.fixture
def restart(tmp_path: Path, folder: Path, persons) -> Any:
    """Return a function that starts the application with its files as they are now, for the secretary."""
    apps: list[Flask] = []

    def start() -> tuple[Flask, FlaskClient]:
        app = make_host(tmp_path, R2PFLOW_WORKFLOW_FOLDERS=str(folder))
        apps.append(app)
        client = app.test_client()
        with client.session_transaction() as kept:
            kept["person_id"] = persons["secretary"].person_id
        return app, client

    yield start
    for app in apps:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


Restart = Callable[[], tuple[Flask, FlaskClient]]


def test_all_pages_work_on_when_the_file_of_a_workflow_is_gone(restart: Restart, folder: Path, running: str):
    (folder / "statement.yaml").unlink()
    _, client = restart()
    for page in (*LISTS, f"/documents/{running}", f"/documents/{running}/history"):
        assert client.get(page).status_code == 200, page
    assert "Round of members" in client.get(f"/documents/{running}/history").text


def test_a_definition_that_cannot_be_run_closes_its_document_with_a_reason_and_no_list(
    restart: Restart, folder: Path, running: str, work
):
    from sqlalchemy import update

    from r2pflow.persistence.documents import DefinitionRow

    needy = TITLED.replace("[has_text]", "[has_text, moon_is_full]")
    work.session.execute(update(DefinitionRow).values(source=needy, digest="0" * 64))
    work.commit()
    _, client = restart()
    for page in LISTS:
        assert client.get(page).status_code == 200, page
    assert "Protect civilians" in client.get("/documents").text
    answer = client.get(f"/documents/{running}")
    assert answer.status_code == 503
    assert "moon_is_full" in answer.text and "version 1" in answer.text and "wait on it: 1" in answer.text


def test_a_document_whose_type_vanished_says_so_and_closes_no_list(restart: Restart, folder: Path, running: str):
    (folder / "documents.yaml").unlink()
    _, client = restart()
    for page in LISTS:
        assert client.get(page).status_code == 200, page
    answer = client.get(f"/documents/{running}")
    assert answer.status_code == 503 and "of the type statement" in answer.text


def test_history_keeps_the_titles_of_the_version_in_which_it_happened(
    restart: Restart, folder: Path, running: str, work
):
    newer = STATEMENT.replace("version: 1", "version: 2").replace("member_comment", "consultation")
    newer = newer.replace("title: {en: Statement}", "title: {en: New statement}").replace("open_comment", "consult")
    (folder / "statement.yaml").write_text(newer, encoding="utf-8")
    app, client = restart()
    work.catalogue = app.extensions["r2pflow"].catalogue
    plan = plan_migration(work, THE_SYSTEM, Wish("statement"))
    migrate_document(work, THE_SYSTEM, plan, plan.moves[0])
    work.commit()
    told = client.get(f"/documents/{running}/history").text
    assert "“Round of members”" in told
    assert "moved the document from “Statement”, version 1, to “New statement”, version 2" in told
    assert client.get(f"/documents/{running}").status_code == 200
