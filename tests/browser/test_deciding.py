"""Decide and translate in a browser: the verdict changes with a vote, a paragraph is saved in its place."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from r2pflow.accounts.models import AccountBase
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import ballots, people, publishing, translating
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from r2pflow.standalone import create_app, make_sign_in_link
from r2pflow.worker import run_worker

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not shutil.which("chromedriver") and not os.environ.get("CI"), reason="scripts/setup --tests installs Chromium"
    ),
]

TEXT = """<h1 data-block="title">Act early</h1>
<p data-block="p1">Warnings come first.</p>
<ul data-block="l1"><li>one</li><li>two</li></ul>"""
REGIONS = {"alpha": "africa", "beta": "europe", "gamma": "asia_pacific", "delta": "latin_america"}

PASSING = (NoSuchElementException, StaleElementReferenceException)
"""What may be found while one page gives way to the next."""


class Coalition:
    """A stand-alone application in a thread: a secretariat, four organisations that decide, a translator."""

    def __init__(self, folder: Path) -> None:
        self.app = create_app({"R2PFLOW_INSTANCE": str(folder), "R2PFLOW_DEMO": True})
        with self.app.app_context():
            self.engine = self.app.extensions["sqlalchemy"].engine
            Base.metadata.create_all(self.engine)
            AccountBase.metadata.create_all(self.engine)
        mount = self.app.extensions["r2pflow"]
        self.session = Session(self.engine)
        self.work = UnitOfWork(self.session, mount.catalogue, mount.settings, mount.queue)
        self.actors = {"secretary": self._add("secretary", None, ["secretariat"])}
        for slug, region in REGIONS.items():
            values = {"slug": slug, "names": {"en": slug.title()}, "region": region, "roles": ["member", "steering"]}
            people.save_organisation(self.work, THE_SYSTEM, values)
            self.actors[slug] = self._add(f"person-{slug}", slug, [])
        self.actors["translator"] = self._add("translator", None, ["translator"])
        self.work.commit()
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def _add(self, name: str, organisation: str | None, roles: list[str]) -> Actor:
        values = {"name": name.title(), "email": f"{name}@example.org", "organisation": organisation, "roles": roles}
        actor = people.load_actor(self.work, people.save_person(self.work, THE_SYSTEM, values))
        assert actor is not None
        return actor

    def submit_paper(self) -> str:
        """Bring a paper to the steering group's vote."""
        fields = {"scope": "normative", "crimes": ["genocide"]}
        office = self.actors["secretary"]
        reference = create_document(self.work, office, "position_paper", canonical(TEXT), fields=fields)
        for transition in ("open_comment", "close_comment", "submit"):
            fire(self.work, office, reference, transition)
        self.work.commit()
        return reference

    def publish_report(self) -> str:
        """Carry a report through everything, rendering included; return its symbol."""
        office = self.actors["secretary"]
        reference = create_document(self.work, office, "consultation_report", canonical(TEXT))
        fire(self.work, office, reference, "submit")
        for name in REGIONS:
            subject = get_subject(self.work, THE_SYSTEM, reference)
            if subject.state_name == "steering_approval":
                ballots.record_position(self.work, self.actors[name], reference, "yes", digest=subject.text_digest)
        digest = get_subject(self.work, THE_SYSTEM, reference).text_digest
        french = {"title": "<h1>Agir</h1>", "p1": "<p>Alerter.</p>", "l1": "<ul><li>un</li><li>deux</li></ul>"}
        translating.save_translation(self.work, self.actors["translator"], reference, "fr", french, digest=digest)
        translating.verify_translation(self.work, office, reference, "fr", digest=digest)
        fire(self.work, office, reference, "publish")
        self.work.commit()
        run_worker(self.app, until_idle=True, processes=1)
        subject = get_subject(self.work, THE_SYSTEM, reference)
        publication = publishing.find_publication(self.work, subject.id)
        assert publication is not None
        symbol = publication.symbol
        self.work.session.rollback()
        return symbol

    def vote(self, name: str, reference: str, position: str) -> None:
        digest = get_subject(self.work, THE_SYSTEM, reference).text_digest
        ballots.record_position(self.work, self.actors[name], reference, position, digest=digest)
        self.work.commit()

    def stop(self) -> None:
        self.session.close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.engine.dispose()


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coalition]:
    found = Coalition(tmp_path_factory.mktemp("instance"))
    yield found
    found.stop()


class Browser:
    def __init__(self, coalition: Coalition, folder: Path) -> None:
        self.coalition = coalition
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
            "--window-size=1200,1000",
            f"--user-data-dir={folder}",
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def sign_in(self, name: str) -> None:
        person_id = self.coalition.actors[name].person_id
        assert person_id is not None
        link = make_sign_in_link(self.coalition.app, person_id)
        self.open("/" + link.split("/", 3)[3])
        self.find("main form button").click()
        self.find(".top-tools .icon-person")

    def open(self, path: str) -> None:
        self.driver.get(f"http://127.0.0.1:{self.coalition.server.server_port}{path}")

    def find(self, selector: str) -> Any:
        return WebDriverWait(self.driver, 15).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def click(self, selector: str) -> None:
        element = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def wait_for_text(self, words: str, selector: str = "main") -> None:
        waiting = WebDriverWait(self.driver, 15, ignored_exceptions=PASSING)
        waiting.until(lambda driver: words in driver.find_element(By.CSS_SELECTOR, selector).text)


@pytest.fixture
def browser(coalition: Coalition, tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(coalition, tmp_path / "chromium")
    yield opened
    faults = [entry["message"] for entry in opened.driver.get_log("browser") if entry["source"] != "network"]
    opened.driver.quit()
    assert not faults, faults


def test_a_vote_changes_the_verdict_and_the_last_one_needed_decides(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    coalition.vote("beta", reference, "yes")
    browser.sign_in("alpha")
    browser.open(f"/documents/{reference}/decision")
    browser.wait_for_text("Still open. If it closed now, it would not carry.", ".verdict-head")
    assert "In favour: 1 of 1" in browser.find(".verdict").text
    browser.click(".position-card input[value=yes]")
    browser.click(".position-form button[type=submit]")
    browser.wait_for_text("Recorded: in favour, by Person-Alpha")
    assert "In favour: 2 of 2" in browser.find(".verdict").text
    assert "Still open" in browser.find(".verdict-head").text

    coalition.vote("gamma", reference, "yes")
    browser.driver.refresh()
    browser.wait_for_text("The text is approved.", ".verdict-head")
    assert not browser.driver.find_elements(By.CSS_SELECTOR, ".position-form")


def test_a_position_without_its_reason_comes_back_as_it_was_chosen(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    browser.sign_in("alpha")
    browser.open(f"/documents/{reference}/decision")
    browser.click(".position-card input[value=no]")
    browser.click(".position-form button[type=submit]")
    browser.wait_for_text("Please give a reason", ".position-form")
    assert browser.find(".position-card input[value=no]").is_selected()


def test_a_paragraph_is_saved_in_its_place_while_the_others_wait(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    for name in REGIONS:
        if get_subject(coalition.work, THE_SYSTEM, reference).state_name == "steering_approval":
            coalition.vote(name, reference, "yes")
    browser.sign_in("translator")
    browser.open(f"/documents/{reference}/languages/fr")
    browser.find("#t-title").send_keys("Agir tôt")
    browser.find("#t-p1").send_keys("Les alertes d’abord.")
    browser.click("#save-p1")
    browser.wait_for_text("saved", "#pair-p1")
    browser.wait_for_text("1 of 3 paragraphs translated", "#translation-standing")
    assert browser.find("#t-title").get_attribute("value") == "Agir tôt"
    assert browser.find("#pair-l1 .r2p-editor-text li").text == "one"

    coalition.work.rollback()
    sheet = translating.get_sheet(coalition.work, get_subject(coalition.work, THE_SYSTEM, reference), "fr")
    assert [pair.html for pair in sheet.pairs] == ["", "<p>Les alertes d’abord.</p>", ""]
    browser.click(".sheet-end > button")
    browser.wait_for_text("1 paragraph saved.")
    browser.wait_for_text("2 of 3 paragraphs translated")


def test_a_paragraph_that_cannot_be_saved_any_more_keeps_its_words(coalition: Coalition, browser: Browser) -> None:
    reference = coalition.submit_paper()
    for name in REGIONS:
        if get_subject(coalition.work, THE_SYSTEM, reference).state_name == "steering_approval":
            coalition.vote(name, reference, "yes")
    browser.sign_in("translator")
    browser.open(f"/documents/{reference}/languages/fr")
    browser.find("#t-p1").send_keys("Les alertes d’abord.")
    fire(coalition.work, coalition.actors["secretary"], reference, "reopen", comment="A mistake in the text.")
    coalition.work.commit()
    browser.click("#save-p1")
    browser.find("#pair-p1 .notice.is-error")
    assert browser.find("#t-p1").get_attribute("value") == "Les alertes d’abord."


def test_a_published_paper_is_downloaded_and_the_check_page_knows_the_file(
    coalition: Coalition, browser: Browser, tmp_path: Path
) -> None:
    symbol = coalition.publish_report()
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    where = {"behavior": "allow", "downloadPath": str(downloads)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    browser.open(f"/register/{symbol}")
    link = browser.find("a.pdf")
    browser.driver.execute_script("arguments[0].setAttribute('download', '')", link)
    browser.click("a.pdf")
    WebDriverWait(browser.driver, 20).until(lambda _: list(downloads.glob("*.pdf")))
    (kept,) = downloads.glob("*.pdf")
    assert kept.read_bytes().startswith(b"%PDF-")

    browser.open("/check")
    browser.find("input[type=file]").send_keys(str(kept))
    if browser.driver.find_elements(By.CSS_SELECTOR, "[data-check-file] button[type=submit]"):
        browser.click("[data-check-file] button[type=submit]")
    browser.wait_for_text(symbol)
