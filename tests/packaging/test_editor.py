"""The built browser files in Chromium, under the Content-Security-Policy that the pages send."""

import html
import http.server
import os
import shutil
import threading
from urllib.parse import parse_qs

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from r2pflow import folders

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not shutil.which("chromedriver") and not os.environ.get("CI"), reason="scripts/setup --tests installs Chromium"
    ),
]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'"
)
TEXT = """<h1 data-block="title">The title</h1>
<p data-block="p1">First <strong>bold</strong><sup data-note="fn1"></sup> H<sub>2</sub>O \
<span lang="fr">mot</span></p>
<h2 data-block="h2">Section</h2>
<ul data-block="l1"><li>one<ul><li>nested</li></ul></li><li>two</li></ul>
<table data-block="t1"><caption>Cap</caption>\
<thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead>\
<tbody><tr><td colspan="2">x</td></tr></tbody></table>
<blockquote data-block="q1"><p>Quote</p><footer>Source</footer></blockquote>
<p data-block="p2">Second paragraph.</p>
<aside data-block="fn1" data-kind="footnote">A note.</aside>"""
PAGE = """<!doctype html><html lang="en"><head><title>Editor</title>
<meta name="htmx-config" content='{{"includeIndicatorCSS": false}}'>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/vendor/editor.css"></head><body>
<form method="post"><label for="text">Text</label>
<textarea id="text" name="text" data-editor data-draft-key="draft" data-label-bold="Gras"
 dir="{dir}">{text}</textarea>
<button id="send">Save</button></form>
<form method="post" data-confirm="Withdraw it?" data-confirm-yes="Withdraw">
<button id="withdraw">Withdraw</button></form>
<article data-commentable>
<p data-block="z1">Some words to <em>comment</em> upon<sup data-note="x"></sup> here.</p></article>
<button type="button" data-comment-button hidden>Comment</button>
<form data-comment-form hidden><input type="hidden" name="block"><input type="hidden" name="exact">
<input type="hidden" name="prefix"><input type="hidden" name="suffix"><textarea name="body"></textarea></form>
<script src="/vendor/htmx.js" defer></script><script src="/vendor/page.js" defer></script>
<script src="/vendor/editor.js" defer></script></body></html>"""

SHORT = '<!doctype html><p id="{}"></p><script src="/vendor/page.js"></script>'


class Site(http.server.ThreadingHTTPServer):
    """Serve the built files and one form; keep what the form sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.sent = []
        self.is_failing = False

    def address(self, path="/"):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, body, kind="text/html; charset=utf-8", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/vendor/"):
            file = folders.get_assets() / self.path[1:]
            self.answer(file.read_bytes(), "text/css" if file.suffix == ".css" else "text/javascript")
        elif self.path == "/done":
            self.answer(SHORT.format("done").encode())
        else:
            direction = "rtl" if self.path == "/rtl" else "ltr"
            self.answer(PAGE.format(text=html.escape(TEXT), dir=direction).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.server.is_failing:
            self.answer(SHORT.format("fault").encode(), status=500)
            return
        self.server.sent.append(parse_qs(body))
        self.send_response(303)
        self.send_header("Location", "/done")
        self.end_headers()


@pytest.fixture
def site():
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1000,1200",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium, site):
    opened = Page(chromium, site)
    opened.open()
    yield opened
    faults = [entry["message"] for entry in chromium.get_log("browser") if entry["source"] != "network"]
    assert not faults, faults


class Page:
    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def open(self, path="/"):
        self.driver.get(self.site.address(path))
        self.wait_for(".r2p-editor-text")

    def wait_for(self, selector):
        wait = WebDriverWait(self.driver, 10)
        return wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def value(self):
        return self.driver.execute_script("return document.getElementById('text').value")

    def lines(self):
        return self.value().splitlines()

    def put_caret(self, block, end=True):
        self.driver.execute_script(
            """const view = document.getElementById('text').r2pEditor.view;
            const block = view.dom.querySelector(`[data-block=${arguments[0]}]`);
            const editor = document.getElementById('text').r2pEditor;
            editor.commands.focus(view.posAtDOM(block, arguments[1] ? block.childNodes.length : 0));""",
            block,
            end,
        )
        # The editor takes the focus in the next frame.
        self.driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 20))")

    def type(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def press(self, tool):
        self.driver.find_element(By.CSS_SELECTOR, f"[data-does={tool}]").click()
        self.driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 20))")


def test_an_untouched_text_goes_back_letter_for_letter(page):
    assert page.value() == TEXT
    page.driver.find_element(By.ID, "send").click()
    page.wait_for("#done")
    assert page.site.sent[0]["text"][0].replace("\r\n", "\n") == TEXT


def test_typing_changes_only_its_own_block(page):
    page.put_caret("p2")
    page.type(" Added.")
    assert page.value() == TEXT.replace("Second paragraph.", "Second paragraph. Added.")


def test_a_split_block_keeps_its_id_and_the_new_one_gets_a_fresh_one(page):
    page.put_caret("p2")
    page.type(Keys.ENTER, "New")
    old, new = page.lines()[-3:-1]
    assert old == '<p data-block="p2">Second paragraph.</p>'
    assert new.startswith('<p data-block="b') and new.endswith('">New</p>') and "p2" not in new


def test_enter_at_the_start_leaves_the_id_with_the_words(page):
    page.put_caret("p2", end=False)
    page.type(Keys.ENTER)
    page.type(Keys.UP, "New")
    new, old = page.lines()[-3:-1]
    assert old == '<p data-block="p2">Second paragraph.</p>'
    assert "p2" not in new


def test_a_copy_gets_an_id_of_its_own(page):
    page.driver.execute_script(
        """const editor = document.getElementById('text').r2pEditor;
        editor.commands.focus('end');
        editor.view.pasteHTML('<p data-block="p1">Again</p><p data-block="p1">And again</p>');"""
    )
    ids = [line.split('"')[1] for line in page.lines()]
    assert len(ids) == len(set(ids))
    assert page.lines()[1].startswith('<p data-block="p1">First')


def test_a_footnote_is_written_and_left_by_enter(page):
    page.put_caret("p2")
    page.press("footnote")
    page.type("Note two.", Keys.ENTER, " More.")
    paragraph, note = page.lines()[-3], page.lines()[-1]
    reference = note.split('"')[1]
    assert paragraph == f'<p data-block="p2">Second paragraph.<sup data-note="{reference}"></sup> More.</p>'
    assert note == f'<aside data-block="{reference}" data-kind="footnote">Note two.</aside>'


def test_a_quotation_and_back_keeps_the_id(page):
    page.put_caret("p2")
    page.press("quotation")
    assert page.lines()[-2] == '<blockquote data-block="p2"><p>Second paragraph.</p></blockquote>'
    page.press("quotation")
    assert page.value() == TEXT


def test_undo_takes_back_what_was_typed(page):
    page.put_caret("p2")
    page.type(Keys.ENTER, "New")
    while page.driver.find_element(By.CSS_SELECTOR, "[data-does=undo]").is_enabled():
        page.press("undo")
    assert page.value() == TEXT


def test_the_page_translates_the_tools(page):
    button = page.driver.find_element(By.CSS_SELECTOR, "[data-does=bold]")
    assert button.get_attribute("aria-label") == "Gras"


def test_an_arabic_text_is_edited_from_right_to_left(page):
    page.open("/rtl")
    assert page.wait_for(".r2p-editor-text").value_of_css_property("direction") == "rtl"


def test_unsaved_work_is_offered_again_and_gone_once_saved(page):
    page.put_caret("p2")
    page.type(" Unsaved.")
    page.open()
    assert page.value() == TEXT
    page.driver.find_element(By.CSS_SELECTOR, ".r2p-editor-restore button").click()
    WebDriverWait(page.driver, 10).until(lambda _: "Unsaved." in page.value())
    page.driver.find_element(By.ID, "send").click()
    page.wait_for("#done")
    page.open()
    assert not page.driver.find_elements(By.CSS_SELECTOR, ".r2p-editor-restore")


def test_unsaved_work_outlives_an_error_of_the_server(page):
    page.site.is_failing = True
    page.put_caret("p2")
    page.type(" Unsaved.")
    page.driver.find_element(By.ID, "send").click()
    page.wait_for("#fault")
    page.open()
    assert page.driver.find_elements(By.CSS_SELECTOR, ".r2p-editor-restore")
    page.driver.execute_script("localStorage.clear()")


def test_a_confirmed_form_asks_once(page):
    page.driver.find_element(By.ID, "withdraw").click()
    dialog = page.wait_for("dialog[open]")
    assert "Withdraw it?" in dialog.text and not page.site.sent
    dialog.find_element(By.CSS_SELECTOR, "[value=yes]").click()
    page.wait_for("#done")
    assert len(page.site.sent) == 1


def test_selected_words_fill_the_comment_form(page):
    page.driver.execute_script(
        """const block = document.querySelector('[data-block=z1]');
        getSelection().setBaseAndExtent(block.firstChild, 5, block.childNodes[2], 5);"""
    )
    button = page.driver.find_element(By.CSS_SELECTOR, "[data-comment-button]")
    WebDriverWait(page.driver, 10).until(lambda _: button.is_displayed())
    button.click()
    fields = page.driver.execute_script(
        """const form = document.querySelector('[data-comment-form]');
        return ['block', 'exact', 'prefix', 'suffix'].map((name) => form[name].value);"""
    )
    assert fields == ["z1", "words to comment upon", "Some ", " here."]
