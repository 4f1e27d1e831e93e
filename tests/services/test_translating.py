"""Translated blocks keep what their source refers to, and tell what their source was."""

from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.services import translating
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_text

NOTED = (
    "<h1>Protect<sup data-note='fn1'></sup></h1><p data-block='p1'>Act early.<sup data-note='fn1'></sup></p>"
    "<aside data-block='fn1' data-kind='footnote'>See paragraph 138.</aside>"
)


def test_a_translated_block_keeps_its_references_to_footnotes(work, coalition):
    office = coalition["secretariat"]
    reference = create_document(work, office, "statement", canonical(NOTED))
    fr = {
        "title": "<h1>Protéger<sup data-note='fn1'></sup></h1>",
        "p1": "<p>Agir tôt.<sup data-note='fn1'></sup></p>",
        "fn1": "<aside data-kind='footnote'>Voir le paragraphe 138.</aside>",
    }
    digest = get_subject(work, office, reference).text_digest
    sheet = translating.save_translation(work, THE_SYSTEM, reference, "fr", fr, digest=digest)
    assert [pair.html for pair in sheet.pairs] == [
        '<h1>Protéger<sup data-note="fn1"></sup></h1>',
        '<p>Agir tôt.<sup data-note="fn1"></sup></p>',
        '<aside data-kind="footnote">Voir le paragraphe 138.</aside>',
    ]


def test_a_stale_block_tells_what_it_translated(work, coalition):
    office = coalition["secretariat"]
    reference = create_document(work, office, "statement", canonical(NOTED))
    digest = get_subject(work, office, reference).text_digest
    translating.save_translation(work, THE_SYSTEM, reference, "fr", {"p1": "<p>Agir tôt.</p>"}, digest=digest)
    save_text(work, office, reference, canonical(NOTED.replace("early", "at once")), based_on=1)
    subject = get_subject(work, office, reference)
    sheet = translating.get_sheet(work, subject, "fr")
    old = translating.find_old_sources(work, subject, sheet)
    assert [block.plain for block in old.values()] == ["Act early."]
    assert translating.find_old_sources(work, subject, translating.get_sheet(work, subject, "es")) == {}
