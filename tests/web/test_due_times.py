"""Deadlines on pages: in the reader's zone and in their own, counted in working days."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from tests.web.conftest import make_host

TEXT = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>States must act early.</p>"
SAMPLE = Path(__file__).parents[1] / "services" / "workflows" / "statement.yaml"
WORKING = SAMPLE.read_text(encoding="utf-8").replace("{after: P3D,", "{after: P250D,")
TYPES = """
types:
  working_statement:
    title: {en: Working statement}
    code: WS
    workflow: statement
    languages: {authoritative: en, required: [en]}
    symbol: "T/{year}/{code}/{number}"
    template: statement
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "working.yaml").write_text(WORKING, encoding="utf-8")
    (folder / "documents.yaml").write_text(TYPES, encoding="utf-8")
    app = make_host(
        tmp_path,
        R2PFLOW_TIMEZONE="Europe/Paris",
        R2PFLOW_HOLIDAYS="FR; DE-BY",
        R2PFLOW_WORKFLOW_FOLDERS=str(folder),
    )
    with app.app_context():
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def open_rounds(work: UnitOfWork, persons) -> list[str]:
    found = []
    for kind in ("joint_statement", "working_statement"):
        fields = {"scope": "normative", "crimes": ["genocide"]} if kind == "joint_statement" else {}
        found.append(create_document(work, persons["secretary"], kind, canonical(TEXT), fields=fields))
        work.commit()
        fire(work, persons["secretary"], found[-1], "open_comment")
        work.commit()
    return found


def set_zone(work, persons, name, zone):
    work.session.get_one(PersonRow, persons[name].person_id).timezone = zone
    work.commit()


def test_a_reader_elsewhere_sees_both_times_on_the_document_and_on_the_desk(browse, work, persons, open_rounds):
    set_zone(work, persons, "member", "Asia/Tokyo")
    for page in (f"/documents/{open_rounds[0]}", "/desk"):
        told = browse("member").get(page).text
        assert "(UTC+9)</time>" in told and '<bdi dir="ltr">Europe/Paris</bdi>' in told


def test_a_reader_where_the_clocks_agree_sees_one_time(browse, work, persons, open_rounds):
    set_zone(work, persons, "member", "Europe/Berlin")
    for page in (f"/documents/{open_rounds[0]}", "/desk"):
        told = browse("member").get(page).text
        assert "</time>" in told and "Europe/Paris" not in told


def test_the_page_says_how_a_deadline_was_counted_and_which_days_were_off(browse, open_rounds):
    assert "Counted in working days" not in browse("member").get(f"/documents/{open_rounds[0]}").text
    told = browse("member").get(f"/documents/{open_rounds[1]}").text  # a year of working days
    assert "Counted in working days. Days off on the way:" in told
    assert "1 May" not in told or "(France; Germany, BY)" in told


def test_the_decision_page_tells_both_times(browse, work, persons, open_rounds):
    fire(work, THE_SYSTEM, open_rounds[0], "close_comment", trigger="timer")
    work.commit()
    fire(work, replace(persons["secretary"]), open_rounds[0], "submit")
    work.commit()
    set_zone(work, persons, "steerer", "America/New_York")
    told = browse("steerer").get(f"/documents/{open_rounds[0]}/decision").text
    assert '<bdi dir="ltr">Europe/Paris</bdi>' in told
