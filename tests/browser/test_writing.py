"""Write and comment in a browser: the editor keeps the ids of blocks, a selection becomes a quotation."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from r2pflow.accounts.models import AccountBase
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical, render
from r2pflow.persistence.base import Base
from r2pflow.persistence.deliberation import CommentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_text
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import fire
from r2pflow.standalone import create_app, make_sign_in_link

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not shutil.which("chromedriver") and not os.environ.get("CI"), reason="scripts/setup --tests installs Chromium"
    ),
]

TEXT = """<h1 data-block="title">Act early</h1>
<p data-block="p1">Warnings come first.</p>
<p data-block="p2">Then come deeds, and <strong>someone</strong> must do them.</p>
<ul data-block="l1"><li>one</li><li>two</li></ul>"""


class Site:
    """A stand-alone application in a thread, its coalition of two, and a unit of work beside it."""

    def __init__(self, app: Flask, port: int) -> None:
        self.app = app
        self.port = port
        mount = app.extensions["r2pflow"]
        with app.app_context():
            self.engine = mount.db.engine
        self.session = Session(self.engine)
        self.work = UnitOfWork(self.session, mount.catalogue, mount.settings, mount.queue)
        people.save_organisation(
            self.work, THE_SYSTEM, {"slug": "delta", "names": {"en": "Delta"}, "roles": ["member"]}
        )
        self.secretary = self._add("Secretary", None, ["secretariat"])
        self.member = self._add("Member", "delta", [])
        self.work.commit()

    def _add(self, name: str, organisation: str | None, roles: list[str]) -> Actor:
        values = {"name": name, "email": f"{name.lower()}@example.org", "organisation": organisation, "roles": roles}
        actor = people.load_actor(self.work, people.save_person(self.work, THE_SYSTEM, values))
        assert actor is not None
        return actor

    def begin_paper(self) -> str:
        fields = {"scope": "normative", "crimes": ["genocide"]}
        reference = create_document(self.work, self.secretary, "position_paper", canonical(TEXT), fields=fields)
        self.work.commit()
        return reference

    def text_of(self, reference: str) -> str:
        self.work.rollback()
        return render(get_blocks(self.work, get_subject(self.work, self.secretary, reference)))

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    config = {"R2PFLOW_INSTANCE": str(tmp_path_factory.mktemp("instance")), "R2PFLOW_DEMO": True}
    app = create_app(config)
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        Base.metadata.create_all(engine)
        AccountBase.metadata.create_all(engine)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found = Site(app, server.server_port)
    yield found
    found.session.close()
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


@pytest.fixture
def open_browser(site: Site, tmp_path: Path) -> Iterator[Any]:
    opened: list[webdriver.Chrome] = []

    def start(actor: Actor, width: int = 1200) -> "Browser":
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--force-prefers-reduced-motion",
            f"--window-size={width},1000",
            f"--user-data-dir={tmp_path / f'chromium-{len(opened)}'}",
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        opened.append(driver)
        browser = Browser(driver, site)
        browser.sign_in(actor)
        return browser

    yield start
    for driver in opened:
        faults = [entry["message"] for entry in driver.get_log("browser") if entry["source"] != "network"]
        driver.quit()
        assert not faults, faults


class Browser:
    def __init__(self, driver: webdriver.Chrome, site: Site) -> None:
        self.driver = driver
        self.site = site

    def sign_in(self, actor: Actor) -> None:
        assert actor.person_id is not None
        link = make_sign_in_link(self.site.app, actor.person_id)
        self.driver.get(self.site.address("/" + link.split("/", 3)[3]))
        self.find("main form button").click()
        self.find(".top-tools .icon-person")

    def open(self, path: str) -> None:
        self.driver.get(self.site.address(path))

    def find(self, selector: str) -> Any:
        return WebDriverWait(self.driver, 15).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def wait_for_text(self, words: str) -> None:
        WebDriverWait(self.driver, 15).until(lambda driver: words in driver.find_element(By.TAG_NAME, "main").text)

    def write_at_the_end_of(self, selector: str, *keys: str) -> None:
        """Put the caret behind the last letter of an element of the editor, and type."""
        element = self.find(selector)
        self.driver.execute_script(
            "const range = document.createRange(); range.selectNodeContents(arguments[0]); range.collapse(false);"
            "arguments[0].closest('[contenteditable]').focus();"
            "const selection = getSelection(); selection.removeAllRanges(); selection.addRange(range);",
            element,
        )
        actions = ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()


def test_what_is_written_in_the_editor_keeps_the_ids_of_its_blocks(site: Site, open_browser: Any) -> None:
    reference = site.begin_paper()
    browser = open_browser(site.secretary)
    browser.open(f"/documents/{reference}/edit")
    browser.write_at_the_end_of(
        '.r2p-editor-text [data-block="p1"]', " Listen to them.", Keys.ENTER, "A new paragraph."
    )
    browser.find("#f-summary").send_keys("Two sentences more", Keys.ENTER)
    browser.wait_for_text("Saved as revision 2.")
    found = site.text_of(reference)
    assert '<p data-block="p1">Warnings come first. Listen to them.</p>' in found
    assert '<p data-block="p2">Then come deeds, and <strong>someone</strong> must do them.</p>' in found
    assert '<ul data-block="l1">' in found and '<h1 data-block="title">' in found
    assert found.count("data-block=") == 5 and ">A new paragraph.</p>" in found
    assert browser.driver.execute_script("return localStorage.length") == 0


def test_an_edit_of_the_same_paragraph_comes_side_by_side_and_is_settled(site: Site, open_browser: Any) -> None:
    reference = site.begin_paper()
    browser = open_browser(site.secretary)
    browser.open(f"/documents/{reference}/edit")
    browser.write_at_the_end_of('.r2p-editor-text [data-block="p1"]', " Mine.")
    theirs = TEXT.replace("Warnings come first.", "Warnings come first. Theirs.")
    save_text(site.work, site.secretary, reference, canonical(theirs), based_on=1)
    site.work.commit()
    browser.find("#f-summary").send_keys(Keys.ENTER)
    browser.wait_for_text("Nothing is saved yet and nothing is lost")
    browser.write_at_the_end_of('.conflict .r2p-editor-text [data-block="p1"]', " And theirs.")
    assert browser.find("input[value=edited]").is_selected()
    browser.driver.execute_script("document.querySelector('.conflict').closest('form').requestSubmit()")
    browser.wait_for_text("Saved as revision 3.")
    assert '<p data-block="p1">Warnings come first. Mine. And theirs.</p>' in site.text_of(reference)


def test_selected_words_become_the_quotation_of_a_comment(site: Site, open_browser: Any) -> None:
    reference = site.begin_paper()
    fire(site.work, site.secretary, reference, "open_comment")
    site.work.commit()
    browser = open_browser(site.member)
    browser.open(f"/documents/{reference}")
    browser.find("[data-block=p2]")
    browser.driver.execute_script(
        "const paragraph = document.querySelector('[data-block=p2] p');"
        "paragraph.scrollIntoView({block: 'center'});"
        "const range = document.createRange();"
        "range.setStart(paragraph.firstChild, 10); range.setEnd(paragraph.querySelector('strong').firstChild, 7);"
        "const selection = getSelection(); selection.removeAllRanges(); selection.addRange(range);"
    )
    browser.find("[data-comment-button]:not([hidden])").click()
    browser.find("dialog[open] textarea[name=body]").send_keys("Who is someone?")
    browser.driver.execute_script("document.querySelector('dialog[open] form').requestSubmit()")
    browser.wait_for_text("Your comment is recorded.")
    site.work.rollback()
    document_id = get_subject(site.work, site.secretary, reference).id
    (row,) = site.work.session.scalars(select(CommentRow).where(CommentRow.document_id == document_id))
    assert (row.block_id, row.exact, row.body) == ("p2", "deeds, and someone", "Who is someone?")
    assert row.prefix == "Then come " and row.suffix == " must do them."


def test_a_comment_that_was_not_sent_is_still_there_after_the_page_is_closed(site: Site, open_browser: Any) -> None:
    reference = site.begin_paper()
    fire(site.work, site.secretary, reference, "open_comment")
    site.work.commit()
    browser = open_browser(site.member, width=500)
    browser.open(f"/documents/{reference}/comments/new?block=p1")
    browser.find("textarea[name=body]").send_keys("Half a thought")
    browser.open("/documents")
    browser.open(f"/documents/{reference}/comments/new?block=p1")
    field = browser.find("textarea[name=body]")
    assert field.get_property("value") == "Half a thought"
    browser.driver.execute_script("arguments[0].form.requestSubmit()", field)
    browser.wait_for_text("Your comment is recorded.")
    browser.open(f"/documents/{reference}/comments/new?block=p1")
    assert browser.find("textarea[name=body]").get_property("value") == ""
