"""One block of a translation, read by itself."""

import pytest

from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.text import canonical
from r2pflow.services.translating import _translated_block

NOTES = ("fn1",)
TITLE, PARAGRAPH, NOTE = canonical(
    '<h1>Title</h1><p data-block="a">One<sup data-note="fn1"></sup>.</p>'
    '<aside data-block="fn1" data-kind="footnote">A note.</aside>'
)


def test_a_translated_paragraph_keeps_its_footnote_references():
    told = _translated_block(PARAGRAPH, '<p>Un<sup data-note="fn1"></sup>.</p>', NOTES)
    assert told is not None and told.notes == ("fn1",) and told.id == "a"


def test_a_reference_that_the_source_does_not_make_goes():
    told = _translated_block(PARAGRAPH, '<p>Un<sup data-note="other"></sup>.</p>', NOTES)
    assert told is not None and told.notes == ()


def test_a_footnote_and_a_title_are_translated_like_any_block():
    note = _translated_block(NOTE, '<aside data-block="fn1" data-kind="footnote">Une note.</aside>', NOTES)
    assert note is not None and note.kind == "footnote" and note.plain == "Une note."
    title = _translated_block(TITLE, "<h1>Titre</h1>", NOTES)
    assert title is not None and title.level == 1


def test_two_paragraphs_are_no_translation_of_one():
    with pytest.raises(InvalidInput):
        _translated_block(PARAGRAPH, "<p>Un</p><p>Deux</p>", NOTES)
