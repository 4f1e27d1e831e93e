"""How a PDF is set: direction, drafts, contents, what stands behind the text."""

import dataclasses
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from r2pflow.domain.clauses import Voter
from r2pflow.domain.decisions import explain, judge
from r2pflow.domain.printable import (
    BudgetLine,
    ClauseLine,
    InviteeCount,
    Plan,
    PlannedMilestone,
    PlannedSession,
    PrintedField,
)
from r2pflow.domain.rule_reading import read_ballot_rule
from r2pflow.domain.text import Block
from r2pflow.outputs import pdf, setting
from r2pflow.outputs.body import set_body
from r2pflow.outputs.translations import translator

PLAN = Plan(
    venue="Uwanda Conference Centre",
    city="Nairobi",
    timezone="Africa/Nairobi",
    starts_on=date(2027, 5, 11),
    ends_on=date(2027, 5, 12),
    sessions=(
        PlannedSession(date(2027, 5, 12), time(9), time(10), "Second day", chair="نادين خوري"),
        PlannedSession(date(2027, 5, 11), time(9, 30), time(10, 30), "Opening", speakers=("A. One", "B. Two")),
    ),
    milestones=(PlannedMilestone(date(2027, 1, 15), "Invitations sent", "Secretariat"),),
    budget=(
        BudgetLine("Grants", Decimal("1500.50"), "USD", is_income=True),
        BudgetLine("Rooms", Decimal(900), "USD"),
    ),
    invitees=(InviteeCount("Governments", 12, 4),),
)


def find_text(page, text):
    (found, *_) = page.search_for(text)
    return found


def measure_edges(page) -> tuple[float, float]:
    """Give the share of full lines that begin at the left edge of the text, and at the right one."""
    lines = [line["bbox"] for block in page.get_text("dict")["blocks"] for line in block.get("lines", ())]
    text = [box for box in lines if 230 < box[1] < 700 and box[2] - box[0] > 60]
    left, right = min(box[0] for box in text), max(box[2] for box in text)
    return (
        sum(abs(box[0] - left) < 1.5 for box in text) / len(text),
        sum(abs(box[2] - right) < 1.5 for box in text) / len(text),
    )


def test_arabic_runs_from_the_right(rendered, open_pdf):
    page = open_pdf(rendered("position_paper", "ar")[1])[0]
    assert find_text(page, "R2PCS/2027/PP/3").x1 < page.rect.width / 2
    left, right = measure_edges(page)
    assert right > 0.5 > 0.2 > left


def test_english_runs_from_the_left(rendered, open_pdf):
    page = open_pdf(rendered("position_paper", "en")[1])[0]
    assert find_text(page, "R2PCS/2027/PP/3").x0 > page.rect.width / 2
    left, right = measure_edges(page)
    assert left > 0.5 > 0.2 > right


def test_arabic_table_has_its_first_column_at_the_right(edition, open_pdf):
    html = "<table><tbody><tr><td>AAAA</td><td>BBBB</td></tr></tbody></table>"
    printable = edition("joint_statement", "ar", decision=None)
    (page, *_) = open_pdf(
        pdf.render_pdf(dataclasses.replace(printable, blocks=(printable.blocks[0], Block("t", "table", html))))
    )
    assert find_text(page, "AAAA").x0 > find_text(page, "BBBB").x0


def test_running_heads_begin_on_the_second_page(rendered, open_pdf):
    pages = list(open_pdf(rendered("position_paper", "en")[1]))
    assert len(pages[0].search_for("R2PCS/2027/PP/3")) == 1  # the letterhead's
    assert find_text(pages[1], "R2PCS/2027/PP/3").y0 < 80
    assert f"Page 2 of {len(pages)}" in pages[1].get_text()


def test_metadata_name_the_text_its_author_and_its_language(rendered, open_pdf):
    printable, content = rendered("position_paper", "fr")
    document = open_pdf(content)
    assert document.metadata["title"] == printable.title
    assert document.metadata["author"] == "R2P Coalition"
    assert document.metadata["creationDate"].startswith("D:20270310090000")
    catalogue = document.xref_object(document.pdf_catalog())
    assert "/Lang (fr)" in catalogue and "/StructTreeRoot" in catalogue
    assert (
        b"pdfuaid:part" in document.xref_stream(document.xml_metadata_xref())
        if hasattr(document, "xml_metadata_xref")
        else "pdfuaid" in document.get_xml_metadata()
    )


def test_the_decision_is_told_clause_by_clause(rendered, open_pdf):
    text = "".join(page.get_text() for page in open_pdf(rendered("joint_statement", "en")[1]))
    assert "How this text was agreed" in text
    assert "carried" in text and "9 March 2027, 18:00 (UTC+1)" in text
    assert "All of these" in text and "In favour: 6 of 8" in text
    assert "Organisation 1" in text and "2 by silence" in text


def test_a_group_and_the_one_clause_asked_of_it_share_a_line():
    rule = read_ballot_rule(
        {"positions": ["yes", "no"], "rule": {"each": "region", "at_least": 2, "rule": {"count": "yes", "at_least": 1}}}
    )
    voters = [Voter("a", "yes", {"region": "africa"}), Voter("b", "no", {"region": "europe"})]
    lines = [ClauseLine(one.depth, one.params["holds"], line=one) for one in explain(judge(rule, voters, closed=True))]
    told = setting.list_clauses(lines, translator("en"))
    assert [(depth, holds) for depth, _, holds in told] == [(0, False), (1, True), (1, False)]
    assert told[1][1] == "Region: Africa – In favour: 1; needed: at least 1"


def test_a_secret_ballot_names_nobody(edition):
    printable = edition("joint_statement", "en")
    note = dataclasses.replace(printable.decision, is_named=False)
    html = setting.render_html(dataclasses.replace(printable, decision=note), with_styles=False)
    assert "Organisation 1" not in html
    assert "The ballot was secret." in html


def test_digest_and_check_address_stand_at_the_end(rendered, open_pdf):
    printable, content = rendered("position_paper", "ru")
    document = open_pdf(content)
    words = document[-1].get_text()
    assert setting.group_digits(printable.digest)[:35] in words
    assert printable.check_url in {link.get("uri") for page in document for link in page.get_links()}


def test_a_draft_says_so_on_every_page(edition, open_pdf):
    printable = edition(
        "joint_statement", "en", is_draft=True, published_at=None, state_title="Member comment", decision=None
    )
    document = open_pdf(pdf.render_pdf(printable))
    for page in document:
        assert "Draft, not adopted" in page.get_text()
        assert setting.group_digits(printable.digest[:32]) in page.get_text()
    assert "Draft: Member comment" in document[0].get_text()


def test_stale_paragraphs_are_stamped(edition):
    printable = edition("position_paper", "fr")
    id = printable.blocks[2].id
    html = setting.render_html(dataclasses.replace(printable, stale_blocks=frozenset({id})), with_styles=False)
    assert html.count('class="stale-label"') == 1
    assert "paragraphe de cette traduction" in html


def test_a_long_paper_has_contents_with_page_numbers(edition, open_pdf):
    printable = edition("position_paper", "en", decision=None)
    extra = tuple(
        block
        for n in range(14)
        for block in (
            Block(f"h{n}", "heading", f"<h2>Chapter {n}</h2>"),
            Block(f"p{n}", "paragraph", f"<p>{'Words are set. ' * 150}</p>"),
        )
    )
    printable = dataclasses.replace(printable, blocks=printable.blocks[:1] + extra)
    assert set_body(printable).wants_contents("en")
    document = open_pdf(pdf.render_pdf(printable))
    first = document[0].get_text()
    (place,) = [page.number + 1 for page in document if page.number and "Chapter 13" in page.get_text()]
    assert "Contents" in first and f"Chapter 13\n{place}\n" in first
    assert [title for _, title, _ in document.get_toc()][-1] == "Chapter 13"


def test_a_repeated_reference_repeats_the_number_and_not_the_note(edition, open_pdf):
    printable = dataclasses.replace(
        edition("joint_statement", "en", decision=None),
        blocks=(
            Block("title", "heading", "<h1>Title</h1>"),
            Block("a", "paragraph", '<p>One<sup data-note="n"></sup> and again<sup data-note="n"></sup>.</p>'),
            Block("n", "footnote", '<aside data-kind="footnote">The note.</aside>'),
        ),
    )
    (page,) = open_pdf(pdf.render_pdf(printable))
    assert len(page.search_for("The note.")) == 1
    assert "One1 and again1." in page.get_text().replace("\n", "")


def test_the_public_programme_keeps_budget_and_milestones_to_the_organisers(edition):
    printable = edition(
        "conference_launch",
        "en",
        plan=PLAN,
        fields=(
            PrintedField("budget", "Budget", "rows", columns=(("Line", "text"),), rows=(("Rooms",),)),
            PrintedField("venue", "Venue", "text", "Uwanda"),
            PrintedField("host", "Host", "text", "Rift Early Warning Circle"),
        ),
    )
    public = setting.render_html(printable, with_styles=False)
    assert "Tuesday, 11 May 2027" in public and "09:30–10:30" in public
    assert public.index("Opening") < public.index("Second day")
    assert "Rift Early Warning Circle" in public
    assert "Rooms" not in public and "Invitations sent" not in public and "Governments" not in public
    internal = setting.render_html(dataclasses.replace(printable, is_internal=True), with_styles=False)
    assert "Invitations sent" in internal and "Governments" in internal
    assert "USD\xa01,500.50" in internal and "USD\xa0900" in internal


def test_names_of_another_script_are_kept_together():
    assert setting.isolate("Nadine", "rtl") == '<bdi class="short" dir="ltr">Nadine</bdi>'
    assert setting.isolate("نادين (Nadine)", "rtl") == '<bdi class="short" dir="rtl">نادين (Nadine)</bdi>'
    assert setting.isolate("نادين", "ltr") == '<bdi class="short" dir="rtl">نادين</bdi>'
    assert setting.isolate("<b>", "ltr") == '<bdi class="short" dir="ltr">&lt;b&gt;</bdi>'


def test_text_of_fields_is_escaped(edition):
    printable = edition(
        "position_paper", "en", coalition="<b>Us</b>", fields=(PrintedField("scope", "<i>", "text", "<script>"),)
    )
    html = setting.render_html(printable, with_styles=False)
    assert "<script>" not in html and "<b>Us</b>" not in html and "&lt;i&gt;" in html


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("date", "2027-03-09", "9 March 2027"),
        ("date", "soon", "soon"),
        ("time", time(9, 5), "09:05"),
        ("datetime", datetime(2027, 3, 9, 17, tzinfo=UTC), "9 March 2027, 18:00 (UTC+1)"),
        ("money", {"amount": "12500", "currency": "USD"}, "USD\xa012,500"),
        ("number", 12500, "12,500"),
        ("choices", ("genocide", "war crimes"), "genocide, war crimes"),
        ("boolean", True, "yes"),
        ("text", None, ""),
    ],
)
def test_values_of_fields_are_written_as_the_language_does(kind, value, told):
    assert setting.format_value(kind, value, translator("en", "Europe/Brussels")) == told


def test_page_numbers_follow_the_sentence_of_the_language():
    assert setting.page_of_pages("%(page)s / %(pages)s") == 'counter(page) " / " counter(pages)'
    assert setting.page_of_pages('第"%(page)s"页') == '"第\\22 " counter(page) "\\22 页"'
