import io
import subprocess
import zipfile
from pathlib import Path

import pypandoc
import pytest

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.text import canonical, render, title_of
from r2pflow.services.importing import read_file

FILES = Path(__file__).parent.parent / "files"

MARKDOWN = """# Protecting people

We agree.[^a] The *first* [link](https://example.org).

## What we ask

- prevent
- react
    1. last resort

| Region | Members |
|--------|---------|
| Africa | 12      |

> Never again.

Again.[^long]

[^a]: World Summit Outcome, *para. 138*.
[^long]: One.

    Two.
"""


def read(name: str, content: str | bytes, language: str = "en", **given: object):
    raw = content.encode() if isinstance(content, str) else content
    return read_file(name, raw, language=language, **given)


def htmls(blocks) -> list[str]:
    return [block.html for block in blocks]


def refusal(name: str, content: str | bytes, **given: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        read(name, content, **given)
    assert refused.value.params["name"] == name
    return refused.value


def make_word(markdown: str) -> bytes:
    command = [pypandoc.get_pandoc_path(), "--from=markdown", "--to=docx", "--output=-"]
    return subprocess.run(command, input=markdown.encode(), capture_output=True, check=True).stdout


def repack(word: bytes, **changed: bytes) -> bytes:
    """Replace parts of a Word file; the name of `word_document` stands for `word/document.xml`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            key = part.filename.replace("/", "_").removesuffix(".xml")
            new.writestr(part.filename, changed.pop(key, old.read(part)))
        for key, content in changed.items():
            new.writestr(f"{key}.xml", content)
    return out.getvalue()


def test_markdown_and_word_of_the_same_text_are_the_same_blocks():
    from_markdown = read("a.md", MARKDOWN)
    from_word = read("A.DOCX", make_word(MARKDOWN))
    assert from_word == from_markdown
    assert [b.kind for b in from_markdown] == (
        "heading paragraph heading list table quotation paragraph footnote footnote".split()
    )
    assert from_markdown[1].notes == ("fn1",)
    assert from_markdown[-1].html == '<aside data-kind="footnote">One.<br>Two.</aside>'


def test_every_import_is_canonical_and_repeatable():
    for name, content in (("a.md", MARKDOWN), ("a.html", MARKDOWN), ("a.txt", MARKDOWN)):
        blocks = read(name, content)
        assert canonical(render(blocks)) == blocks == read(name, content)


def test_tracked_changes_in_word_are_accepted():
    text = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"
    word = make_word("# T\n\nMARK")
    with zipfile.ZipFile(io.BytesIO(word)) as package:
        document = package.read("word/document.xml").decode()
    tracked = (
        "<w:p>"
        + text.format("We ")
        + "<w:del w:id='1' w:author='A' w:date='2026-01-01T00:00:00Z'><w:r><w:delText>may</w:delText></w:r></w:del>"
        + f"<w:ins w:id='2' w:author='A' w:date='2026-01-01T00:00:00Z'>{text.format('must')}</w:ins>"
        + text.format(" act.")
        + "</w:p><w:sectPr"
    )
    changed = document.replace("<w:sectPr", tracked, 1).encode()
    assert htmls(read("a.docx", repack(word, word_document=changed)))[-1] == "<p>We must act.</p>"


def test_the_title_style_of_word_is_the_title_and_headings_come_below_it():
    blocks = read("a.docx", make_word("---\ntitle: The Title\n---\n\n# One\n\n## Two\n\nx\n\n# Three\n"))
    assert htmls(blocks) == ["<h1>The Title</h1>", "<h2>One</h2>", "<h3>Two</h3>", "<p>x</p>", "<h2>Three</h2>"]


def test_a_given_title_goes_above_the_headings_of_the_file():
    assert htmls(read("a.md", "# One\n\nx", title="Given & kept")) == [
        "<h1>Given &amp; kept</h1>",
        "<h2>One</h2>",
        "<p>x</p>",
    ]
    assert htmls(read("a.md", "# One\n\nx", title="one")) == ["<h1>One</h1>", "<p>x</p>"]


def test_without_a_title_a_short_first_line_is_it_and_else_the_name_of_the_file():
    assert title_of(read("a.txt", "Joint statement\n\nWe, the undersigned.")) == "Joint statement"
    assert title_of(read("a.md", "---\ntitle: 'From above'\n---\nText")) == "From above"
    assert title_of(read("a.html", "<title>Page</title><p>Text</p>")) == "Page"
    long = "Word " * 80
    blocks = read("our_position-2027.txt", f"{long}\n\n{long}")
    assert title_of(blocks) == "Our position 2027"
    assert len(blocks) == 3
    assert title_of(read("minutes.txt", "I. Opening\n\nWelcome.\n\nII. Close\n\nThanks.")) == "Minutes"
    assert title_of(read("a.md", "## Statement\n\n### Aims\n\nx")) == "Statement"


def test_web_pages_lose_what_is_no_text():
    page = (
        "<html><head><style>p{}</style><title>T</title></head><body><nav>Home</nav><script>x()</script><p>A</p></body>"
    )
    assert htmls(read("a.htm", page)) == ["<h1>T</h1>", "<p>A</p>"]


@pytest.mark.parametrize(
    "page",
    [
        '<p>A<sup id="fnref:1"><a href="#fn:1">1</a></sup></p><ol><li id="fn:1">Note '
        '<a href="#fnref:1">up</a></li></ol>',
        '<p>A<a href="#_ftn1" name="_ftnref1"><sup>[1]</sup></a></p><div id="ftn1"><p><a href="#_ftnref1" '
        'name="_ftn1">[1]</a> Note</p></div>',
        '<p>A<sup><a href="#n1" id="r1" data-footnote-ref>1</a></sup></p><section><ol><li id="n1"><p>Note '
        '<a href="#r1">↩</a></p></li></ol></section>',
        '<p>A<sup data-note="n"></sup></p><aside data-block="n" data-kind="footnote">Note</aside>',
    ],
)
def test_footnotes_of_many_makers_become_footnotes(page):
    blocks = read("a.html", f"<h1>T</h1>{page}")
    assert [b.kind for b in blocks] == ["heading", "paragraph", "footnote"]
    assert blocks[1].notes == (blocks[2].id,)
    assert blocks[1].plain == "A"
    assert blocks[2].plain.removeprefix("[1] ") == "Note"


def test_a_link_to_a_chapter_that_links_back_is_no_footnote():
    page = '<h1>T</h1><p><a href="#c" id="t">Chapter</a></p><h2 id="c"><a href="#t">Chapter</a></h2><p>x</p>'
    assert [b.kind for b in read("a.html", page)] == ["heading", "paragraph", "heading", "paragraph"]


def test_lines_of_plain_text_are_joined_and_lists_and_headings_guessed():
    blocks = read("scan.txt", (FILES / "scan.txt").read_bytes(), title="Minutes")
    assert htmls(blocks) == [
        "<h1>Minutes</h1>",
        "<h2>I. Opening of the Meeting</h2>",
        "<p>The chair opened the meeting and welcomed all participants. A first paragraph runs over several lines and "
        "also over the end of the page.</p>",
        "<h3>1. Breadth of movement</h3>",
        "<p>Two models for country-specific work were suggested:</p>",
        "<ul><li>a mass movement with as many members as would like to join it from every region</li>"
        "<li>a small group</li><li>something between</li></ul>",
        "<h4>A. Mass movement</h4>",
        "<p>It would be broad.</p>",
        "<p>2. A numbered line that is a whole sentence and goes on for more than one line of the page is a "
        "paragraph.</p>",
        "<ol><li>first</li><li>second</li><li>third</li></ol>",
        "<h2>VII. Structure</h2>",
        "<ul><li>All results will need to be shared.</li><li>A global conference could follow.</li></ul>",
    ]


def test_chinese_lines_are_joined_without_spaces_and_numbered_headings_found():
    blocks = read("a.txt", "联合声明\n\n一、背景\n各国负有保护本国\n人民的责任。\n", language="zh")
    assert htmls(blocks) == ["<h1>联合声明</h1>", "<h2>一、背景</h2>", "<p>各国负有保护本国人民的责任。</p>"]


@pytest.mark.parametrize(
    ("encoding", "language", "text"),
    [
        ("utf-8", "fr", "Déclaration commune"),
        ("utf-8-sig", "es", "Declaración conjunta"),
        ("utf-16", "ru", "Совместное заявление"),
        ("cp1252", "fr", "Déclaration « commune » – œuvre"),
        ("cp1251", "ru", "Совместное заявление"),
        ("cp1256", "ar", "بيان مشترك"),
        ("gb18030", "zh", "联合声明"),
    ],
)
def test_plain_text_is_read_in_every_usual_encoding(encoding, language, text):
    assert title_of(read("a.txt", f"{text}\n\n{text}".encode(encoding), language)) == text


def test_a_page_is_read_in_the_encoding_that_it_declares():
    page = '<meta charset="windows-1251"><h1>Заявление</h1><p>x</p>'.encode("cp1251")
    assert title_of(read("a.html", page, "en")) == "Заявление"


def test_hostile_pages_come_out_harmless():
    page = "<h1>T</h1><p onclick=x()>a<img src=x onerror=x()><a href='javascript:x()'>b</a></p><script>x()</script>"
    assert htmls(read("a.html", page))[1:] == ["<p>ab</p>"]
    html = render(read("a.md", "# T\n\n<script>x()</script>\n\n[a](javascript:x)\n\n<a href=javascript:x>b</a>"))
    assert "<script" not in html
    assert "href" not in html


def test_what_cannot_be_read_is_refused_by_name():
    assert refusal("a.pdf", "x").code == "unknown_format"
    assert refusal("a", "x").params["allowed"][0] == ".docx"
    assert refusal("a.txt", "x" * 11, limit=10).params["limit"] == 10
    for name, content in (
        ("a.txt", ""),
        ("a.md", " \n"),
        ("a.html", "<p></p>"),
        ("a.html", "<!-- -->"),
        ("a.txt", "\n\f"),
    ):
        assert refusal(name, content).code == "empty_file"
    assert refusal("a.html", "<script>x</script>", title="T").code == "empty_file"


def test_what_is_no_text_is_refused():
    assert refusal("a.txt", b"%PDF-1.7\n\x00\x01\x02").code == "wrong_encoding"
    assert refusal("a.txt", b"caf\x81").code == "wrong_encoding"
    assert refusal("a.txt", b"\xab \xbb", language="ru").code == "wrong_encoding"


def test_what_is_no_word_file_is_refused_with_the_reason():
    word = make_word(MARKDOWN)
    with zipfile.ZipFile(io.BytesIO(word)) as package:
        document = package.read("word/document.xml")
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + document
    cases = {
        "not_word": [b"hello", repack(word, **{"[Content_Types]": b"<Types/>"})],
        "encrypted": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512],
        "damaged": [word[: len(word) // 2], word[:60] + b"\0" * 40 + word[100:]],
        "has_entities": [repack(word, word_document=entities)],
        "unpacks_too_large": [repack(word, bomb=b" " * 32_000_000), repack(word, word_document=b" " * 32_000_000)],
        "conversion": [repack(word, word_document=b"<w:document")],
    }
    for reason, contents in cases.items():
        for content in contents:
            refused = refusal("a.docx", content)
            assert (refused.code, refused.params["reason"]) == ("broken_file", reason)


def test_a_file_that_lies_about_its_size_is_measured():
    word = bytearray(repack(make_word("# T\n\nx"), word_bomb=b"\0" * 32_000_000))
    place = word.rindex(b"word_bomb.xml") - 46 + 24
    word[place : place + 4] = (10).to_bytes(4, "little")
    assert refusal("a.docx", bytes(word)).params["reason"] in ("unpacks_too_large", "damaged")
