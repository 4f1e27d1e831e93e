"""What a reader copies out of a PDF is what was written, in every language."""

import logging
import re
import unicodedata
from collections import Counter

import pymupdf
import pytest

from r2pflow.domain import markup
from r2pflow.domain.markup import Node
from r2pflow.domain.text import footnote_numbers

LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")
KINDS = ("position_paper", "joint_statement")
SAMPLES = [(kind, language) for kind in KINDS for language in LANGUAGES]
FONTS = {
    "ar": {"Noto-Naskh-Arabic", "Noto-Naskh-Arabic-Bold", "Noto-Sans", "Noto-Sans-Bold", "Noto-Serif"},
    "zh": {
        *("Noto-Serif-SC", "Noto-Serif-SC-Bold", "Noto-Sans-SC", "Noto-Sans-SC-Bold"),
        *("Noto-Sans", "Noto-Sans-Bold", "Noto-Serif", "Noto-Naskh-Arabic", "Noto-Naskh-Arabic-Bold"),
    },
}
LATIN_FONTS = {
    *("Noto-Serif", "Noto-Serif-Bold", "Noto-Serif-Italic", "Noto-Serif-Bold-Italic"),
    *("Noto-Sans", "Noto-Sans-Bold", "Noto-Naskh-Arabic", "Noto-Naskh-Arabic-Bold"),
}


def squeeze(text: str) -> str:
    """Leave out what setting may change: white space, hyphens, ligatures."""
    return re.sub(r"[\s\u200b\u2010\u00ad-]", "", unicodedata.normalize("NFKC", text))


def tell(content: list, numbers: dict[str, int]) -> str:
    """Give the text of a block as it is set: footnote references as their numbers."""
    words = ""
    for child in content:
        if isinstance(child, str):
            words += child
        elif "data-note" in child.attrs:
            words += str(numbers[child.attrs["data-note"]])
        else:
            words += " " + tell(child.children, numbers) + " "
    return words


def is_set(text: str, pages: list[str]) -> bool:
    """Tell whether a text is on a page, or on two that follow each other: its beginning and its rest."""
    if any(text in page for page in pages):
        return True
    for first, second in zip(pages, pages[1:], strict=False):
        for cut in range(1, len(text)):
            if text[:cut] not in first:
                break
            if text[cut:] in second:
                return True
    return False


@pytest.mark.parametrize(("kind", "language"), [s for s in SAMPLES if s[1] != "ar"])
def test_every_block_is_in_the_pdf_word_for_word(kind, language, rendered, open_pdf):
    printable, content = rendered(kind, language)
    pages = [squeeze(page.get_text()) for page in open_pdf(content)]
    numbers = footnote_numbers(printable.blocks)
    missing = []
    for block in printable.blocks:
        (node,) = markup.parse(block.html)
        assert isinstance(node, Node)
        # A list or table may be broken between any two of its parts.
        parts = [node] if block.kind in ("paragraph", "heading", "footnote") else _leaves(node)
        missing += [told for part in parts if not is_set(told := squeeze(tell(part.children, numbers)), pages)]
    assert missing == []


def _leaves(node: Node) -> list[Node]:
    """Give the innermost elements that hold running text."""
    if node.tag in ("li", "td", "th", "p", "caption", "footer"):
        return [node]
    return [leaf for child in node.children if isinstance(child, Node) for leaf in _leaves(child)]


@pytest.mark.parametrize("kind", KINDS)
def test_arabic_comes_out_of_the_pdf_as_whole_words_in_order(kind, rendered, open_pdf):
    printable, content = rendered(kind, "ar")
    set_words = [word for page in open_pdf(content) for word in _arabic_words(page.get_text())]
    written = [_arabic_words(block.plain) for block in printable.blocks]
    missing = Counter(word for words in written for word in words) - Counter(set_words)
    assert not missing
    pairs = [pair for words in written for pair in zip(words, words[1:], strict=False)]
    found = set(zip(set_words, set_words[1:], strict=False))
    # Extraction turns a line round at its numbers and Latin words, and breaks pairs there.
    assert sum(pair in found for pair in pairs) / len(pairs) > 0.9


def _arabic_words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text)
    return re.findall(r"[\u0621-\u063a\u0641-\u064a]+", re.sub(r"[\u0640\u064b-\u065f\u0670]", "", text))


@pytest.mark.parametrize(("kind", "language"), SAMPLES)
def test_every_glyph_comes_from_an_embedded_font_of_the_package(kind, language, rendered, open_pdf):
    document = open_pdf(rendered(kind, language)[1])
    fonts = {font for page in document for font in page.get_fonts()}
    assert all(extension == "ttf" for _, extension, *_ in fonts)
    assert {name.partition("+")[2] for _, _, _, name, *_ in fonts} <= FONTS.get(language, LATIN_FONTS)
    assert all("\ufffd" not in page.get_text() and "\0" not in page.get_text() for page in document)


def test_chinese_is_set_in_the_faces_of_simplified_chinese(rendered, open_pdf):
    document = open_pdf(rendered("position_paper", "zh")[1])
    han = {
        span["font"]
        for page in document
        for block in page.get_text("dict")["blocks"]
        for line in block.get("lines", ())
        for span in line["spans"]
        if re.search(r"[\u4e00-\u9fff]", span["text"])
    }
    assert han and all("SC" in font for font in han)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rendering_has_nothing_to_complain_of(language, edition, caplog):
    from r2pflow.outputs import pdf

    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        pdf.render_pdf(edition("joint_statement", language))
    assert caplog.messages == []


@pytest.mark.parametrize(("kind", "language"), SAMPLES)
def test_each_footnote_stands_on_the_page_of_its_reference(kind, language, rendered, open_pdf):
    printable, content = rendered(kind, language)
    pages = list(open_pdf(content))
    numbers = footnote_numbers(printable.blocks)
    assert numbers
    for number in numbers.values():
        notes = [page.number for page in pages if _has_marker(page, number)]
        calls = [page.number for page in pages if _has_reference(page, number)]
        assert notes == calls and len(notes) == 1


def _spans(page: pymupdf.Page) -> list[dict]:
    return [
        span for block in page.get_text("dict")["blocks"] for line in block.get("lines", ()) for span in line["spans"]
    ]


def _has_marker(page: pymupdf.Page, number: int) -> bool:
    return any(
        span["text"].strip().strip("\u2002 ") in (f"{number}.", f".{number}")
        and span["size"] < 9.5
        and span["bbox"][1] > page.rect.height / 2
        and span["color"] != 0x16181D
        for span in _spans(page)
    )


def _has_reference(page: pymupdf.Page, number: int) -> bool:
    return any(
        span["text"].strip() == str(number)
        and span["size"] < 9
        and span["color"] != 0x16181D
        and span["color"] != 0x565C66
        for span in _spans(page)
    )


@pytest.mark.parametrize(("kind", "language"), SAMPLES)
def test_samples_fill_two_to_six_pages(kind, language, rendered, open_pdf):
    assert 2 <= len(open_pdf(rendered(kind, language)[1])) <= 6
