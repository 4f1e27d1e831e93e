"""Workflows at a glance: on their own page, from version to version, and on a document that is on its way."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import select, update

from r2pflow.domain.people import Actor
from r2pflow.domain.reading import read_workflow
from r2pflow.domain.text import canonical
from r2pflow.outputs import layout
from r2pflow.persistence.documents import DefinitionRow, DocumentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.definitions import get_workflow, store_definition
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

from .conftest import Browser

Open = Callable[[str], Browser]
TEXT = canonical("<h1>Act early</h1><p>Warnings come first.</p>")


@pytest.fixture
def statement(work: UnitOfWork, persons: dict[str, Actor]) -> str:
    """A joint statement that was commented on twice, and is in revision."""
    reference = create_document(work, persons["secretary"], "joint_statement", TEXT)
    for transition in ("open_comment", "close_comment", "open_comment", "close_comment"):
        fire(work, persons["secretary"], reference, transition)
    work.commit()
    return reference


def store_older(work: UnitOfWork, old: str, new: str) -> str:
    """Store what the joint statement's workflow may have been before; return its digest."""
    present = work.catalogue.workflows["joint_statement"]
    assert old in present.source
    registry = work.catalogue.registry
    source = present.source.replace(old, new).replace("version: 1", "version: 7", 1)
    older = read_workflow(source, "older.yaml", conditions=registry.conditions, effects=registry.effects)
    store_definition(work, older)
    work.commit()
    return older.digest


def find_svg(page: str) -> Any:
    (found,) = [one for one in html.fromstring(page).iter("svg") if one.get("class") == "diagram"]
    return found


def test_a_workflow_shows_its_picture_with_numbers_of_documents(browse: Open, statement: str):
    page = browse("secretary").get("/workflows/joint_statement").get_data(as_text=True)
    picture = find_svg(page)
    assert picture.get("lang") == "en" and "Steering approval" in picture.text_content()
    assert "Stage “Revision”; 1 document here" in page
    assert html.fromstring(page).xpath("//ul[@class='standing-list']//a/text()") == ["Revision"]
    for link in picture.iter("a"):
        assert html.fromstring(page).get_element_by_id(link.get("href").removeprefix("#")) is not None
    outsider = browse("outsider").get("/workflows/joint_statement").get_data(as_text=True)
    assert "document here" not in outsider and "No document that is open to you" in outsider


def test_pictures_fit_the_policy_of_the_pages(browse: Open, statement: str):
    for path in ("/workflows/joint_statement", f"/documents/{statement}/way"):
        response = browse("secretary").get(path)
        page = response.get_data(as_text=True)
        assert "style-src 'self'" in response.headers["Content-Security-Policy"]
        assert " style=" not in page and "<style" not in page and "css/diagram.css" in page


def test_rights_can_be_read_stage_by_stage_and_role_by_role(browse: Open):
    browser = browse("member")
    by_stage = html.fromstring(browser.get("/workflows/joint_statement").get_data(as_text=True))
    by_role = html.fromstring(browser.get("/workflows/joint_statement?by=role").get_data(as_text=True))

    def read(page: Any) -> dict[tuple[str, str], str]:
        (table,) = page.xpath("//table[contains(@class, 'who-table')]")
        return {
            (row.xpath("string(th)"), cell.get("data-label")): cell.text_content()
            for row in table.iter("tr")
            for cell in row.iter("td")
        }

    stages, roles = read(by_stage), read(by_role)
    for (stage, permission), holders in stages.items():
        for (role, place), held in roles.items():
            if place == stage:
                assert (role.lower() in holders.lower()) == (permission.lower() in held.lower()), (role, place)
    assert len({stage for stage, _ in stages}) == 7 == len({place for _, place in roles})


def test_versions_say_since_when_and_for_how_many_documents(browse: Open, work: UnitOfWork, statement: str):
    digest = store_older(work, "decide: [steering]", "decide: [steering, member]")
    page = browse("secretary").get("/workflows/joint_statement")
    rows = html.fromstring(page.get_data(as_text=True)).xpath("//table[contains(@class, 'versions-table')]/tbody/tr")
    assert [row.xpath("string(td[2])") for row in rows] == ["0", "1"]
    assert [bool(row.xpath(".//*[contains(@class, 'badge')]")) for row in rows] == [False, True]
    assert rows[0].xpath(".//a/@href") == [f"/workflows/joint_statement/changes?from={digest}"]


def test_what_changed_between_versions_is_drawn_and_listed(browse: Open, work: UnitOfWork, statement: str):
    digest = store_older(work, "decide: [steering]", "decide: [steering, member]")
    browser = browse("member")
    page = browser.get(f"/workflows/joint_statement/changes?from={digest}").get_data(as_text=True)
    assert "Right lost by member: take part in the decision" in page
    assert "is-changed" in html.tostring(find_svg(page), encoding="unicode")
    swapped = re.search(r'name="to">(.*?)</select>', page, re.DOTALL)
    assert swapped is not None and digest in swapped.group(1)
    present = work.catalogue.workflows["joint_statement"].digest
    back = browser.get(f"/workflows/joint_statement/changes?from={present}&to={digest}").get_data(as_text=True)
    assert "Right gained by member: take part in the decision" in back
    arabic = browser.get(f"/workflows/joint_statement/changes?from={digest}&hl=ar").get_data(as_text=True)
    assert find_svg(arabic).get("direction") == "rtl"


def test_versions_that_are_not_there_or_the_same_are_no_error_page(browse: Open, work: UnitOfWork):
    browser = browse("member")
    assert browser.get("/workflows/joint_statement/changes").status_code == 200
    present = work.catalogue.workflows["joint_statement"].digest
    assert browser.get(f"/workflows/joint_statement/changes?from={present}&to={present}").status_code == 200
    assert browser.get("/workflows/joint_statement/changes?from=zzz").status_code == 404
    paper = work.catalogue.workflows["position_paper"].digest
    assert browser.get(f"/workflows/joint_statement/changes?from={paper}").status_code == 404
    assert browser.get("/workflows/unheard_of/changes").status_code == 404
    assert browse("").get("/workflows/joint_statement/changes").status_code == 403


def test_a_version_whose_plugin_is_gone_can_still_be_compared(browse: Open, work: UnitOfWork, statement: str):
    digest = store_older(work, "decide: [steering]", "decide: [steering, member]")
    row = work.session.scalars(select(DefinitionRow).where(DefinitionRow.digest == digest)).one()
    row.source, row.digest = re.sub(r"\bhas_text\b", "has_gone", row.source), "0" * 64
    work.commit()
    answer = browse("member").get(f"/workflows/joint_statement/changes?from={'0' * 64}")
    assert answer.status_code == 200 and "has gone" in answer.get_data(as_text=True)


def test_a_document_shows_where_it_is_how_it_came_there_and_what_can_be_done(
    browse: Open, work: UnitOfWork, statement: str
):
    browser = browse("secretary")
    page = browser.get(f"/documents/{statement}/way").get_data(as_text=True)
    picture = find_svg(page)
    titles = [one.text_content() for one in picture.iter("title")]
    assert "Stage “Revision”; is here now" in titles
    assert "Stage “Member comment”; has been here" in titles and "Stage “Translation”" in titles
    assert any("“Close comment”" in one and "taken as step 2 and 4" in one for one in titles)
    assert any("“Submit to the steering group”" in one and "you can do this now" in one for one in titles)
    links = {one.get("aria-label").split(";")[0]: one.get("href") for one in picture.iter("a")}
    where, _, anchor = links["“Submit to the steering group” from “Revision” to “Steering approval”"].partition("#")
    assert html.fromstring(browser.get(where).get_data(as_text=True)).get_element_by_id(anchor).tag == "form"
    where, _, anchor = links["Stage “Member comment”"].partition("#")
    entry = html.fromstring(browser.get(where).get_data(as_text=True)).get_element_by_id(anchor)
    assert "Member comment" in entry.text_content()
    assert links["Stage “Translation”"] == "/workflows/joint_statement#state-translation"
    steps = html.fromstring(page).xpath("//ol[@class='way-steps']/li")
    assert [one.get("value") for one in steps] == ["1", "2", "3", "4"]
    assert "Secretary" in steps[0].text_content() and "Open for comment" in steps[0].text_content()


def test_a_step_far_back_leads_to_its_page_of_the_history(app: Flask, browse: Open, work: UnitOfWork, statement: str):
    mount = app.extensions["r2pflow"]
    object.__setattr__(mount, "settings", replace(mount.settings, page_size=2))
    browser = browse("secretary")
    page = html.fromstring(browser.get(f"/documents/{statement}/way").get_data(as_text=True))
    for address in page.xpath("//ol[@class='way-steps']//a/@href"):
        where, _, anchor = address.partition("#")
        assert f'id="{anchor}"' in browser.get(where).get_data(as_text=True), address


def test_who_cannot_fire_is_offered_nothing(browse: Open, statement: str):
    page = browse("member").get(f"/documents/{statement}/way").get_data(as_text=True)
    assert "you can do this now" not in page and "is-open" not in page and "You can do this now" not in page


def test_states_that_a_later_version_forgot_stay_readable(browse: Open, work: UnitOfWork, statement: str):
    """History keeps names that today's definition may not know."""
    present = work.catalogue.workflows["joint_statement"]
    source = re.sub(r"\bopen_comment\b", "ask_members", present.source).replace("  member_comment:", "  hearing:")
    source = source.replace("to: member_comment", "to: hearing").replace("[member_comment", "[hearing")
    registry = work.catalogue.registry
    other = read_workflow(source, "other.yaml", conditions=registry.conditions, effects=registry.effects)
    moved = store_definition(work, other)
    work.session.execute(update(DocumentRow).where(DocumentRow.reference == statement).values(definition_id=moved))
    work.commit()
    assert get_workflow(work, other.digest).states.keys() != present.states.keys()
    answer = browse("secretary").get(f"/documents/{statement}/way")
    assert answer.status_code == 200 and "member comment" in answer.get_data(as_text=True)


def test_pages_go_on_in_words_where_no_picture_can_be_drawn(
    browse: Open, work: UnitOfWork, statement: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    digest = store_older(work, "decide: [steering]", "decide: [steering, member]")
    monkeypatch.setattr(layout, "_CACHE", layout._Cache(8))
    monkeypatch.setenv("PATH", str(tmp_path))
    browser = browse("secretary")
    for path, words in (
        ("/workflows/joint_statement", "Where documents stand now"),
        (f"/workflows/joint_statement/changes?from={digest}", "Right lost by member"),
        (f"/documents/{statement}/way", "Open for comment"),
    ):
        answer = browser.get(path)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200 and "The picture cannot be drawn at the moment" in page and words in page


def test_a_page_asks_graphviz_once(browse: Open, statement: str, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    run = layout._run
    monkeypatch.setattr(layout, "_CACHE", layout._Cache(8))
    monkeypatch.setattr(layout, "_run", lambda source: asked.append(source) or run(source))
    browser = browse("secretary")
    for _ in range(3):
        browser.get(f"/documents/{statement}/way")
    assert len(asked) == 1


def test_the_way_of_a_document_takes_few_queries(browse: Open, statement: str, count_queries: list[str]):
    browser = browse("secretary")
    browser.get(f"/documents/{statement}/way")
    del count_queries[:]
    browser.get(f"/documents/{statement}/way")
    assert len(count_queries) <= 20
