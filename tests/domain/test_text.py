import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2pflow.domain import text
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.text import canonical, render

PAPER = """
<h1>Protecting  people</h1>
<p data-block="intro">We, the <b>undersigned</b>,<sup data-note="fn1">1</sup> agree.</p>
<ul><li><p>prevent</p></li><li>react<ol start="3"><li>last resort</li></ol></li></ul>
<table><tbody><tr><th>Region</th><th colspan="1">Members</th></tr>
<tr><td>Africa</td><td>12</td></tr></tbody></table>
<blockquote><p>Never again.</p><footer>A survivor</footer></blockquote>
<aside data-block="fn1" data-kind="footnote"><p>World Summit Outcome, para. 138.</p></aside>
"""


def html_of(source: str, **given: object) -> str:
    return "".join(block.html for block in canonical(source, **given))


def test_a_text_keeps_its_kinds_ids_and_order():
    blocks = canonical(PAPER)
    assert [b.kind for b in blocks] == ["heading", "paragraph", "list", "table", "quotation", "footnote"]
    assert [b.id for b in blocks][:2] == ["title", "intro"]
    assert blocks[-1].element().startswith('<aside data-block="fn1" data-kind="footnote">World')
    assert text.title_of(blocks) == "Protecting people"
    assert [b.level for b in blocks] == [1, 0, 0, 0, 0, 0]


def test_the_digest_of_a_block_ignores_its_id_and_that_of_the_text_does_not():
    one, other = canonical('<p data-block="a1">Same</p>'), canonical('<p data-block="a2">Same</p>')
    assert one[0].digest == other[0].digest == hashlib.sha256(b"<p>Same</p>").hexdigest()
    assert text.digest(one) != text.digest(other)
    assert text.digest(one) == hashlib.sha256(b'<p data-block="a1">Same</p>').hexdigest()


def test_white_space_and_spelling_do_not_change_the_digest():
    tidy = canonical("<p>Ne\u0301e <strong>a b</strong></p>")
    messy = canonical("<div><P class=x style='color:red'>\n  N\u00e9e <b>a</b><b> \n b </b> </P></div>")
    assert tidy[0].html == messy[0].html == "<p>Née <strong>a b</strong></p>"


def test_no_break_spaces_are_text():
    assert html_of("<p>«&nbsp;oui&nbsp;»</p>") == "<p>«\xa0oui\xa0»</p>"


def test_the_same_import_gives_the_same_ids():
    source = "<p>One</p><p>Two</p><p>One</p>"
    first, second = canonical(source), canonical(source)
    assert first == second
    assert len({block.id for block in first}) == 3
    assert all(text.is_block_id(block.id) and len(block.id) == 9 for block in first)


def test_a_fresh_id_is_none_that_another_block_has_had():
    fresh = canonical("<p>One</p>")[0].id
    assert canonical("<p>One</p>", previous_ids={fresh})[0].id != fresh


def test_a_block_split_in_two_keeps_its_id_once():
    blocks = canonical('<p data-block="p1">One</p><p data-block="p1">Two</p><p data-block="é">Three</p>')
    assert blocks[0].id == "p1"
    assert len({block.id for block in blocks}) == 3


def test_the_title_is_one_and_first():
    blocks = canonical("<p>Lead</p><h1>Title</h1><h1>Part</h1><h6>Detail</h6>")
    assert [b.html for b in blocks] == ["<h1>Title</h1>", "<p>Lead</p>", "<h2>Part</h2>", "<h4>Detail</h4>"]
    assert [b.id == "title" for b in blocks] == [True, False, False, False]


def test_a_title_known_by_its_id_stays_the_title_when_a_heading_is_pasted_before_it():
    blocks = canonical('<h1>Pasted</h1><h1 data-block="title">Kept</h1>')
    assert text.title_of(blocks) == "Kept"
    assert blocks[1].html == "<h2>Pasted</h2>"


def test_a_paragraph_may_not_call_itself_the_title():
    assert canonical('<p data-block="title">No</p>')[0].id != "title"


def test_with_title_replaces_the_one_there_is():
    blocks = text.with_title(canonical("<h1>Old</h1><p>x</p>"), " New  <title> ")
    assert [b.html for b in blocks] == ["<h1>New &lt;title&gt;</h1>", "<p>x</p>"]
    assert canonical(render(blocks)) == blocks


def test_stray_text_and_wrappers_become_paragraphs():
    assert html_of("a <i>b</i><div>c<section>d</section></div><li>e</li><li>f</li>") == (
        "<p>a <em>b</em></p><p>c</p><p>d</p><ul><li>e</li><li>f</li></ul>"
    )


def test_a_wrapper_hands_its_id_to_the_block_inside():
    assert canonical('<div data-block="p7"><p>x</p></div>')[0].id == "p7"


def test_paragraphs_in_list_entries_and_cells_become_lines():
    assert html_of("<ul><li><p>a</p><p>b</p></li></ul>") == "<ul><li>a<br>b</li></ul>"
    assert html_of("<table><tr><td><p>a</p><p>b</p></td></tr></table>") == (
        "<table><tbody><tr><td>a<br>b</td></tr></tbody></table>"
    )


def test_a_first_row_of_header_cells_is_the_head_of_the_table():
    assert "<thead><tr><th>Region</th><th>Members</th></tr></thead><tbody><tr><td>Africa" in html_of(PAPER)


def test_preformatted_lines_stay_lines():
    assert html_of("<pre>a\n  b\nc</pre>") == "<p>a<br>b<br>c</p>"


def test_what_shows_nothing_goes():
    source = "<p></p><p> &nbsp; </p><p><br></p><ul><li></li></ul><table><tr><td></td></tr></table><p>x<b> </b></p>"
    assert html_of(source) == "<p>x</p>"


def test_invisible_characters_that_forge_likeness_go_and_joiners_stay():
    assert html_of("<p>\ufeffa\u00adb\u202ec&#1;</p>") == "<p>abc</p>"
    assert html_of("<p>می\u200cخواهم</p>") == "<p>می\u200cخواهم</p>"


def test_footnotes_are_numbered_by_first_reference_and_unreferenced_ones_come_last():
    blocks = canonical(
        '<p>x<sup data-note="b"></sup></p><p>y<sup data-note="a"></sup><sup data-note="b"></sup></p>'
        + "".join(f'<aside data-block="{n}" data-kind="footnote">{n}</aside>' for n in "zab")
    )
    assert text.footnote_numbers(blocks) == {"b": 1, "a": 2, "z": 3}


def test_a_reference_to_a_missing_footnote_goes():
    assert html_of('<p>x <sup data-note="gone">1</sup> y</p>') == "<p>x y</p>"


def test_a_footnote_with_an_odd_id_keeps_its_references():
    blocks = canonical('<p>x<sup data-note="ü1"></sup></p><aside data-block="ü1" data-kind="footnote">n</aside>')
    assert blocks[0].notes == (blocks[1].id,)


def test_a_reference_inside_a_footnote_goes():
    assert html_of('<aside data-block="n" data-kind="footnote">x<sup data-note="n"></sup></aside>') == (
        '<aside data-kind="footnote">x</aside>'
    )


def test_plain_text_parts_cells_rows_and_lines():
    blocks = canonical(PAPER)
    assert blocks[1].plain == "We, the undersigned, agree."
    assert blocks[2].plain == "prevent\nreact\nlast resort"
    assert blocks[3].plain == "Region\tMembers\nAfrica\t12"
    assert blocks[4].plain == "Never again.\nA survivor"
    assert text.plain_text(blocks).startswith("Protecting people\n\nWe,")


def test_json_holds_a_text_whole():
    blocks = canonical(PAPER)
    assert text.from_json(text.as_json(blocks)) == blocks


HOSTILE = [
    "<script>alert(1)</script>",
    "<p onclick=alert(1)>x</p>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" &#106;avascript&colon;alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="//evil.example">x</a>',
    '<a href="vbscript:alert(1)">x</a>',
    '<a href="file:///etc/passwd">x</a>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<style>@import "javascript:alert(1)"</style>',
    '<p style="background:url(javascript:alert(1))">x</p>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<form action=javascript:alert(1)><input type=submit></form>",
    '<span lang="en&quot; onload=&quot;alert(1)">x</span>',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "<base href=javascript:alert(1)//>",
    "<object data=javascript:alert(1)></object>",
    "<textarea><script>alert(1)</script></textarea>",
    "<!--><script>alert(1)</script-->",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_html_is_disarmed(source):
    html = render(canonical(f"before {source} after"))
    for trace in (
        "script",
        "alert(1)<",
        "onerror",
        "onload",
        "onclick",
        "href",
        "style",
        "iframe",
        "img",
        "svg",
    ):
        assert trace not in html.lower()
    assert "before" in html


def test_safe_addresses_stay():
    for address in (
        "https://example.org/a?b=1&amp;c=2",
        "http://example.org",
        "mailto:a@example.org",
        "#fn1",
    ):
        assert html_of(f'<p><a href="{address}" target=_blank>x</a></p>') == f'<p><a href="{address}">x</a></p>'
    assert html_of("<p><a href='HTTPS://Example.org/x y'>x</a></p>") == (
        '<p><a href="https://Example.org/x%20y">x</a></p>'
    )


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("é" * 1_100_000, "text_too_large"),
        ("<p>x" * 5001, "too_many_blocks"),
        ("<div>" * 5000, "too_deeply_nested"),
        ("<ul><li>" * 3000, "too_deeply_nested"),
        ("<br>" * 300_000, "too_many_elements"),
    ],
)
def test_a_text_beyond_the_limits_is_refused(source, code):
    with pytest.raises(InvalidInput) as refused:
        canonical(source)
    assert refused.value.code == code
    assert refused.value.params["limit"] > 0


TAGS = (
    "p div h1 h2 h5 ul ol li col table thead tbody tr td th caption blockquote footer aside strong b em u s a"
    " span q sup sub code pre dl dd section svg bdi"
).split()
ATTRIBUTES = [
    "",
    ' data-block="x1"',
    ' data-block="title"',
    ' data-kind="footnote" data-block="fn1"',
    ' data-note="fn1"',
    ' lang="ar" dir="rtl"',
    ' href="#x1"',
    ' href="https://e.org/?a=1&b=2"',
    ' colspan="2"',
    ' start="4"',
    ' onclick="x()"',
]
WORDS = st.text(st.sampled_from("ab \n\t<>&\"'é\u0301\xa0\u200f\u0651م国\u0338\u2028\u3000"), max_size=6)
OPENERS = st.builds(lambda tag, attr: f"<{tag}{attr}>", st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES))
CLOSERS = st.builds(lambda tag: f"</{tag}>", st.sampled_from(TAGS))
SOUP = st.lists(st.one_of(WORDS, OPENERS, CLOSERS, st.just("<br>")), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(SOUP)
def test_the_canonical_form_is_a_fixed_point(source):
    blocks = canonical(source)
    assert canonical(render(blocks)) == blocks
    assert len({block.id for block in blocks}) == len(blocks)
    assert [b.id for b in blocks if b.level == 1] in ([], [blocks[0].id if blocks else ""])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_characters_at_all_are_read(source):
    blocks = canonical(source)
    assert canonical(render(blocks)) == blocks
