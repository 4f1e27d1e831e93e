"""Fire one step on several documents in a browser: the bar fills by itself, and the report says what was refused."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from r2pflow.domain.text import canonical
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire
from r2pflow.worker import run_worker

from .test_deciding import Browser, Coalition

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not shutil.which("chromedriver") and not os.environ.get("CI"), reason="scripts/setup --tests installs Chromium"
    ),
]

TEXT = "<h1>{title}</h1><p data-block='p1'>Warnings come first.</p>"
FIELDS = {"scope": "normative", "crimes": ["genocide"]}


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[Coalition]:
    found = Coalition(tmp_path / "instance")
    yield found
    found.stop()


@pytest.fixture
def browser(coalition: Coalition, tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(coalition, tmp_path / "chromium")
    yield opened
    faults = [entry["message"] for entry in opened.driver.get_log("browser") if entry["source"] != "network"]
    opened.driver.quit()
    assert not faults, faults


def write_papers(coalition: Coalition) -> list[str]:
    """Write four papers; of the last the comment round is open already."""
    office = coalition.actors["secretary"]
    found = []
    for title in ("One", "Two", "Three", "Four"):
        text = canonical(TEXT.format(title=title))
        found.append(create_document(coalition.work, office, "position_paper", text, fields=FIELDS))
    fire(coalition.work, office, found[-1], "open_comment")
    coalition.work.commit()
    return found


def test_a_step_on_several_documents_runs_by_itself_and_is_reported(coalition: Coalition, browser: Browser) -> None:
    papers = write_papers(coalition)
    browser.sign_in("secretary")
    browser.open("/documents")
    for reference in (papers[0], papers[1], papers[3]):
        browser.click(f'input[name=reference][value="{reference}"]')
    Select(browser.find("#f-transition")).select_by_value("open_comment")
    browser.click(".bulk button[type=submit]")
    browser.wait_for_text("Possible now on 2 documents")
    browser.wait_for_text("Not possible now on 1 document")
    browser.click("#f-with_held")
    browser.click("form.apart button[type=submit]")
    browser.wait_for_text("0 of 3", "#batch-progress")
    bar = browser.find("#batch-progress progress")
    assert bar.get_attribute("aria-label") and bar.get_attribute("max") == "3"

    run_worker(coalition.app, until_idle=True, processes=1)
    browser.wait_for_text("3 of 3", "#batch-progress")  # nobody reloaded the page
    browser.wait_for_text("2 done", "#batch-progress")
    browser.wait_for_text("1 refused", "#batch-progress")
    assert browser.find("#batch-progress progress").get_attribute("value") == "3"
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "[hx-trigger]")
    browser.click("#batch-progress a")
    browser.wait_for_text("This step does not lead from the state of the document.", "#batch-report")
    browser.click("#batch-report .row-title")
    browser.wait_for_text(papers[3])
