"""The register, editions, files, feeds and the check page, as the public meets them."""

import hashlib
import io
import re
from pathlib import Path

import pytest
from lxml import etree

from r2pflow.domain.engine import Outcome
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.publishing import EditionLanguageRow, PublicationRow
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.publishing import publish_effect, store_pdf

TEXT = (
    "<h1 data-block='title'>Keep the promise of 2005</h1>"
    "<p data-block='p1'>States must act early.<sup data-note='fn1'></sup></p>"
    "<table data-block='t1'><thead><tr><th>Who</th><th>What</th></tr></thead>"
    "<tbody><tr><td>States</td><td>Act</td></tr></tbody></table>"
    "<aside data-block='fn1' data-kind='footnote'>A/RES/60/1, paragraph 138.</aside>"
)


def publish(work, text: str = TEXT, pdf: bytes = b"%PDF-1.7 not really") -> str:
    reference = create_document(work, THE_SYSTEM, "joint_statement", canonical(text))
    subject = get_subject(work, THE_SYSTEM, reference)
    publish_effect(work, subject, Outcome("publish", "a", "b", (), ""))
    row = work.session.query(EditionLanguageRow).order_by(EditionLanguageRow.id.desc()).first()
    store_pdf(work, row.id, pdf)
    work.commit()
    return work.session.query(PublicationRow).order_by(PublicationRow.id.desc()).first().symbol


@pytest.fixture
def symbol(work, persons) -> str:
    return publish(work)


def test_everybody_finds_an_edition_by_its_words_and_reads_it(browse, symbol):
    visitor = browse("")
    assert visitor.get("/").location == "/register"
    found = visitor.get("/register?q=PROMISE+early").text
    assert "Keep the promise of 2005" in found
    assert "Nothing published fits" in visitor.get("/register?q=unheard").text
    page = visitor.get(f"/register/{symbol}")
    assert page.status_code == 200
    assert "States must act early." in page.text and "A/RES/60/1, paragraph 138." in page.text
    assert 'href="#note-fn1"' in page.text and symbol in page.text


def test_the_text_is_in_the_language_that_was_asked_for_whatever_the_page_speaks(browse, symbol):
    page = browse("").get(f"/register/{symbol}?hl=ar")
    assert '<html lang="ar" dir="rtl"' in page.text
    assert '<article class="text" lang="en" dir="ltr">' in page.text
    assert browse("").get(f"/register/{symbol}?language=xx").status_code == 404


def test_the_pdf_is_sent_byte_for_byte_and_only_once(browse, symbol):
    visitor = browse("")
    answer = visitor.get(f"/register/{symbol}/en.pdf")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"%PDF-1.7 not really", "application/pdf")
    again = visitor.get(f"/register/{symbol}/en.pdf", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(("format", "mimetype"), [("html", "text/html"), ("json", "application/json")])
def test_an_edition_is_had_in_the_other_formats_of_its_type(browse, symbol, format, mimetype):
    answer = browse("").get(f"/register/{symbol}/en.{format}")
    assert answer.status_code == 200 and answer.mimetype == mimetype
    assert "States must act early." in answer.text
    if format == "html":
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/en.exe", "/fr.pdf", "?edition=7", "?edition=x", "/en.ics"])
def test_what_was_not_published_is_not_found(browse, symbol, path):
    assert browse("").get(f"/register/{symbol}{path}").status_code == 404


def test_a_symbol_that_nobody_gave_is_not_found(browse, persons):
    page = browse("").get("/register/R2PCS/1999/XX/1")
    assert page.status_code == 404 and "no published document" in page.text


def test_a_withdrawn_edition_stays_readable_and_says_so(browse, work, symbol):
    row = work.session.query(PublicationRow).one()
    row.withdrawn_at, row.withdrawal_reason = work.now(), "A figure was wrong."
    work.commit()
    page = browse("").get(f"/register/{symbol}").text
    assert "Withdrawn on" in page and "A figure was wrong." in page and "States must act early." in page
    assert "Withdrawn" in browse("").get("/register").text
    assert symbol not in browse("").get("/feeds/en.atom").text


def test_the_feed_names_what_was_published_in_its_language(browse, symbol):
    answer = browse("").get("/feeds/en.atom")
    assert answer.mimetype == "application/atom+xml"
    feed = etree.fromstring(answer.data)
    names = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.xpath("//a:entry/a:title/text()", namespaces=names) == ["Keep the promise of 2005"]
    assert feed.xpath("count(//a:link[@rel='enclosure'])", namespaces=names) == 1
    assert browse("").get("/feeds/fr.atom").text.count("<entry>") == 0
    assert browse("").get("/feeds/xx.atom").status_code == 404


def test_a_digest_tells_what_it_is_of(browse, work, symbol):
    visitor = browse("")
    digest = work.session.query(PublicationRow).one().editions[0].digest
    spaced = " ".join(digest[at : at + 8].upper() for at in range(0, 64, 8))
    moved = visitor.get("/check", query_string={"digest": spaced})
    assert (moved.status_code, moved.location) == (303, f"/check/{digest}")
    page = visitor.get(f"/check/{digest}")
    assert "Yes, this was published" in page.text and symbol in page.text
    pdf = hashlib.sha256(b"%PDF-1.7 not really").hexdigest()
    assert "byte for byte" in visitor.get(f"/check/{pdf}").text
    unknown = visitor.get(f"/check/{'0' * 64}")
    assert unknown.status_code == 404 and "was not published here" in unknown.text


def test_a_file_is_checked_without_javascript(browse, symbol):
    visitor = browse("")
    page = visitor.get("/check").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    form = {"csrf_token": token, "file": (io.BytesIO(b"%PDF-1.7 not really"), "a.pdf")}
    answer = visitor.client.post("/check", data=form)
    assert answer.status_code == 303
    assert "byte for byte" in visitor.get(answer.location).text
    digest = hashlib.sha256(b"%PDF-1.7 not really").hexdigest()  # as a browser sends it, without the file
    assert visitor.client.post("/check", data={"csrf_token": token, "digest": digest}).location == f"/check/{digest}"


@pytest.mark.parametrize("digest", ["", "abc", "z" * 64])
def test_what_is_no_digest_is_told_beside_the_field(browse, persons, digest):
    page = browse("").get("/check", query_string={"digest": digest})
    assert page.status_code == 422
    assert "A digest has 64 characters" in page.text and 'aria-invalid="true"' in page.text


def test_markup_in_names_and_titles_is_shown_not_obeyed(browse, work, persons):
    symbol = publish(work, TEXT.replace("Keep the", "&lt;script&gt;alert(1)&lt;/script&gt;"))
    for path in ("/register", f"/register/{symbol}", "/register?q=%3Cscript%3Ealert(1)"):
        assert "<script>alert" not in browse("").get(path).text


def test_no_published_page_needs_more_queries_for_more_editions(browse, work, persons, count_queries):
    symbol = publish(work)
    visitor = browse("")
    del count_queries[:]
    visitor.get("/register")
    few = len(count_queries)
    for _more in range(6):
        publish(work)
    del count_queries[:]
    visitor.get("/register")
    assert len(count_queries) == few
    del count_queries[:]
    visitor.get(f"/register/{symbol}")
    assert len(count_queries) <= 12


def test_text_that_fonts_alone_carry_is_never_sent(app):
    styles = "".join(path.read_text() for path in (Path(app.blueprints["r2pflow"].static_folder) / "css").glob("*.css"))
    assert "NotoSansSC" not in styles and "NotoSerifSC" not in styles
