import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r2pflow.domain import markup
from r2pflow.domain.changes import Anchor, adopt_ids, carry, make_anchor, merge, redline, stale_blocks
from r2pflow.domain.text import Block, canonical, render
from r2pflow.domain.wording import split_words


def paragraphs(*texts: str) -> tuple[Block, ...]:
    return canonical("".join(f'<p data-block="p{n}">{text}</p>' for n, text in enumerate(texts)))


def show(old: str, new: str) -> str:
    (change,) = redline(paragraphs(old), paragraphs(new))
    return re.sub(r' data-block="[^"]*"', "", change.html).removeprefix("<p>").removesuffix("</p>")


def decide(html: str, *, accept: bool) -> str:
    """Accept or reject every change, as a word processor would."""
    keep, drop = ("ins", "del") if accept else ("del", "ins")
    gone = "removed" if accept else "added"

    def settle(content):
        made = []
        for child in content:
            if isinstance(child, str):
                made.append(child)
            elif child.tag == drop or child.attrs.get("class") == gone:
                continue
            elif child.tag == keep or child.attrs.get("class") == "formatted" and child.tag == "span":
                made += settle(child.children)
            else:
                attrs = {name: value for name, value in child.attrs.items() if name != "class"}
                made.append(markup.Node(child.tag, attrs, settle(child.children)))
        return made

    return markup.serialise(settle(markup.parse(html)))


def test_words_are_compared_and_the_rest_stays():
    assert show("We call on all states.", "We urge all member states.") == (
        "We <del>call on</del><ins>urge</ins> all <ins>member </ins>states."
    )


def test_every_han_character_is_a_word():
    assert show("各国有保护责任。", "各国有预防责任。") == "各国有<del>保护</del><ins>预防</ins>责任。"
    assert split_words("保护R2P责任") == ["保", "护", "R2P", "责", "任"]


def test_an_arabic_word_is_never_cut():
    vowelled = "المَسْؤُولِيَّةُ"
    assert split_words(f"{vowelled} عن الحماية") == [vowelled, " ", "عن", " ", "الحماية"]
    assert show("مسؤولية الحماية", "مسؤولية حماية") == "مسؤولية <del>الحماية</del><ins>حماية</ins>"
    assert show(f"هذه {vowelled} لنا", "هذه المسؤولية لنا") == (f"هذه <del>{vowelled}</del><ins>المسؤولية</ins> لنا")


def test_apostrophes_and_numbers_stay_whole():
    assert split_words("women's 1,000.5, don’t") == ["women's", " ", "1,000.5", ",", " ", "don’t"]


def test_elements_stay_whole_around_changed_words():
    assert show("<strong>No state may fail.</strong>", "<strong>No state shall fail.</strong>") == (
        "<strong>No state <del>may</del><ins>shall</ins> fail.</strong>"
    )


def test_a_change_of_form_alone_is_marked_as_such():
    (change,) = redline(paragraphs("We must act now"), paragraphs("We <em>must</em> act now"))
    assert change.kind == "formatted"
    assert '<em><span class="formatted">must</span></em>' in change.html


def test_scraps_between_edits_do_not_hinder_reading():
    assert "<del>" in (html := show("alpha beta, gamma delta end", "one two, three four end"))
    assert html.count("<ins>") == 1


def test_a_rewritten_paragraph_is_struck_whole():
    assert show("Funding remains unclear to many here.", "Steering groups elect their own chairs.") == (
        "<del>Funding remains unclear to many here.</del><ins>Steering groups elect their own chairs.</ins>"
    )


def test_a_moved_block_is_a_move_and_nothing_else():
    old = paragraphs("One here", "Two there", "Three everywhere")
    changes = redline(old, (old[2], old[0], old[1]))
    assert [(c.kind, c.block.id) for c in changes] == [("moved", "p2"), ("same", "p0"), ("same", "p1")]
    assert all("<ins>" not in c.html and "<del>" not in c.html for c in changes)


def test_a_block_may_move_and_change():
    old = paragraphs("One here stands still", "Two there", "Three")
    new = (old[1], old[2], replace(old[0], html="<p>One here stands firm</p>"))
    (moved,) = (change for change in redline(old, new) if change.kind == "moved")
    assert moved.wording == "changed"
    assert "<ins>firm</ins>" in moved.html


def test_removed_blocks_stand_where_they_were():
    old = paragraphs("One", "Two", "Three")
    new = canonical('<p data-block="p0">One</p><p data-block="new">Quite other words</p><p data-block="p2">Three</p>')
    changes = redline(old, new)
    assert [c.kind for c in changes] == ["same", "removed", "added", "same"]
    assert changes[1].html == '<p data-block="p1"><del>Two</del></p>'
    assert changes[2].html == '<p data-block="new"><ins>Quite other words</ins></p>'


def test_texts_without_common_ids_are_matched_by_likeness():
    old = canonical("<p>The coalition shall meet once a year in Geneva.</p><p>Members pay what they can.</p>")
    new = canonical("<p>Members pay what they can.</p><p>The coalition shall meet twice a year in Geneva.</p>")
    changes = redline(old, new)
    assert sorted(c.kind for c in changes) in (["changed", "moved"], ["moved", "same"])
    assert any("<del>once</del><ins>twice</ins>" in c.html for c in changes)
    adopted = adopt_ids(old, new)
    assert [b.id for b in adopted] == [old[1].id, old[0].id]
    assert [b.html for b in adopted] == [b.html for b in new]


def test_adopted_footnotes_keep_their_references():
    note = '<aside data-block="{0}" data-kind="footnote">See the World Summit Outcome</aside>'
    old = canonical('<p data-block="x">Text here<sup data-note="n1"></sup></p>' + note.format("n1"))
    new = canonical('<p data-block="y">Text here<sup data-note="n9"></sup></p>' + note.format("n9"))
    assert adopt_ids(old, new) == old


def test_tables_are_compared_cell_by_cell():
    old = canonical('<table data-block="t"><tr><td>Africa</td><td>12</td></tr><tr><td>Asia</td><td>7</td></tr></table>')
    new = canonical(
        '<table data-block="t"><tr><td>Africa</td><td>13</td></tr><tr><td>Asia</td><td>7</td></tr>'
        "<tr><td>Europe</td><td>9</td></tr></table>"
    )
    (change,) = redline(old, new)
    assert "<tr><td>Africa</td><td><del>12</del><ins>13</ins></td></tr><tr><td>Asia</td><td>7</td></tr>" in change.html
    assert '<tr class="added"><td><ins>Europe</ins></td><td><ins>9</ins></td></tr>' in change.html


def test_lists_are_compared_entry_by_entry():
    old = canonical('<ul data-block="l"><li>prevent</li><li>react in time</li><li>rebuild</li></ul>')
    new = canonical('<ul data-block="l"><li>prevent</li><li>react in good time<ul><li>soon</li></ul></li></ul>')
    (change,) = redline(old, new)
    assert "<li>prevent</li><li>react in <ins>good </ins>time" in change.html
    assert '<ul class="added"><li><ins>soon</ins></li></ul>' in change.html
    assert '<li class="removed"><del>rebuild</del></li>' in change.html


def test_a_paragraph_that_became_a_list_is_shown_as_both():
    (change,) = redline(canonical('<p data-block="x">a b</p>'), canonical('<ul data-block="x"><li>a b</li></ul>'))
    assert change.html == '<p><del>a b</del></p><ul data-block="x"><li><ins>a b</ins></li></ul>'


def test_a_heading_of_another_level_is_a_change_of_form():
    (change,) = redline(canonical('<h2 data-block="x">Aims</h2>'), canonical('<h3 data-block="x">Aims</h3>'))
    assert change.kind == "formatted"
    assert change.html == '<h3 class="formatted" data-block="x">Aims</h3>'


def test_text_that_looks_like_markup_is_no_markup():
    (change,) = redline(paragraphs('class="added" &lt;ins&gt;'), paragraphs('<em>class="added" &lt;ins&gt;</em>'))
    assert change.kind == "formatted"


def test_five_hundred_blocks_are_compared_in_a_moment():
    words = (
        "the coalition shall prevent react rebuild and protect people from atrocity crimes wherever they are".split()
    )
    texts = [" ".join(words[(n * k) % len(words)] + str(n % 97) for k in range(60)) for n in range(500)]
    old = canonical("".join(f"<p>{text}</p>" for text in texts))
    new = canonical("".join(f"<p>{text.replace('shall', 'will')} more</p>" for text in reversed(texts)))
    started = time.process_time()
    changes = redline(old, new)
    assert time.process_time() - started < 8
    assert len(changes) >= 500


INLINE = st.lists(
    st.tuples(
        st.sampled_from(["", "strong", "em", "a"]),
        st.lists(st.sampled_from("we act now, 保护 人 حماية مَن a b c".split()), min_size=1, max_size=5).map(" ".join),
    ),
    min_size=1,
    max_size=4,
).map(
    lambda runs: "<br>".join(
        text if not tag else f'<a href="#x">{text}</a>' if tag == "a" else f"<{tag}>{text}</{tag}>"
        for tag, text in runs
    )
)
ENTRIES = st.lists(INLINE, min_size=1, max_size=3)
ELEMENTS = st.one_of(
    INLINE.map(lambda html: f"<p @>{html}</p>"),
    INLINE.map(lambda html: f"<h2 @>{html}</h2>"),
    ENTRIES.map(lambda parts: "<ul @>" + "".join(f"<li>{part}</li>" for part in parts) + "</ul>"),
    ENTRIES.map(lambda parts: f"<ul @><li>{parts[0]}<ol><li>{parts[-1]}</li></ol>tail</li></ul>"),
    st.lists(ENTRIES, min_size=1, max_size=3).map(
        lambda rows: (
            "<table @>" + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in r) + "</tr>" for r in rows) + "</table>"
        )
    ),
    ENTRIES.map(
        lambda parts: "<blockquote @>" + "".join(f"<p>{p}</p>" for p in parts) + "<footer>Me</footer></blockquote>"
    ),
)


@st.composite
def texts(draw) -> tuple[Block, ...]:
    names = draw(st.lists(st.sampled_from("abcdefg"), unique=True, max_size=5))
    return canonical("".join(draw(ELEMENTS).replace("@", f'data-block="{name}"', 1) for name in names))


@settings(max_examples=300, deadline=None)
@given(texts(), texts())
def test_accepting_all_gives_the_new_text_and_rejecting_all_the_old(old, new):
    changes = redline(old, new)
    assert canonical("".join(decide(c.html, accept=True) for c in changes if c.new)) == new
    assert all(markup.has_content(markup.parse(decide(c.html, accept=True))) is False for c in changes if not c.new)
    assert {c.old.id: c.old for c in changes if c.old} == {block.id: block for block in old}
    for change in changes:
        rejected = canonical(decide(change.html, accept=False))
        assert [b.plain for b in rejected] == ([change.old.plain] if change.old else [])


@settings(max_examples=100, deadline=None)
@given(texts())
def test_a_text_does_not_differ_from_itself(blocks):
    assert all(change.kind == "same" for change in redline(blocks, blocks))


@st.composite
def edited(draw, base: tuple[Block, ...], sign: str) -> tuple[Block, ...]:
    """Edit, remove, add and move blocks."""
    kept = [block for block in base if draw(st.integers(0, 4))]
    blocks = [
        replace(b, html=f"<p>{sign} {b.id}</p>", kind="paragraph") if not draw(st.integers(0, 3)) else b for b in kept
    ]
    for number in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(blocks)))
        blocks.insert(place, Block(f"{sign}{number}", "paragraph", f"<p>new {sign}{number}</p>"))
    if len(blocks) > 1 and draw(st.booleans()):
        blocks.insert(draw(st.integers(0, len(blocks) - 1)), blocks.pop(draw(st.integers(0, len(blocks) - 1))))
    return tuple(blocks)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_merge_with_an_unchanged_side_is_the_other_side(data):
    base = data.draw(texts())
    mine = data.draw(edited(base, "mine"))
    assert merge(base, base, base).blocks == base
    for result in (merge(base, mine, base), merge(base, base, mine), merge(base, mine, mine)):
        assert result.blocks == mine
        assert result.is_clean


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_merge_loses_no_text(data):
    base = data.draw(texts())
    mine, theirs = data.draw(edited(base, "mine")), data.draw(edited(base, "their"))
    result = merge(base, mine, theirs)
    there = {b.html for b in result.blocks} | {
        b.html for c in result.conflicts for b in (c.mine, c.theirs) if b is not None
    }
    before = {b.html for b in base}
    assert {b.html for b in (*mine, *theirs)} - before <= there
    assert len({b.id for b in result.blocks}) == len(result.blocks)
    both = [block for block in mine if block in theirs]
    assert all(block in result.blocks for block in both)


def test_edits_of_different_blocks_merge_by_themselves():
    base = paragraphs("One", "Two", "Three")
    mine = paragraphs("One mine", "Two", "Three")
    theirs = (*paragraphs("One", "Two", "Three theirs"), Block("new", "paragraph", "<p>New</p>"))
    result = merge(base, mine, theirs)
    assert result.is_clean
    assert [b.plain for b in result.blocks] == ["One mine", "Two", "Three theirs", "New"]


def test_edits_of_the_same_block_come_back_side_by_side():
    base, mine, theirs = paragraphs("One"), paragraphs("My one"), paragraphs("Their one")
    result = merge(base, mine, theirs)
    (conflict,) = result.conflicts
    assert (conflict.base, conflict.mine, conflict.theirs) == (base[0], mine[0], theirs[0])
    assert result.blocks == mine


def test_the_same_edit_twice_is_no_conflict():
    assert merge(paragraphs("One"), paragraphs("Two"), paragraphs("Two")).is_clean


def test_an_edit_against_a_removal_is_a_conflict_either_way_and_the_edit_stays():
    base, edit = paragraphs("One", "Two"), paragraphs("One", "Two and more")
    for mine, theirs in ((base[:1], edit), (edit, base[:1])):
        result = merge(base, mine, theirs)
        assert [c.block_id for c in result.conflicts] == ["p1"]
        assert result.blocks == edit


def test_a_move_and_an_edit_of_the_same_block_merge():
    base = paragraphs("One", "Two", "Three")
    result = merge(base, paragraphs("One edited", "Two", "Three"), (base[1], base[2], base[0]))
    assert result.is_clean
    assert [b.plain for b in result.blocks] == ["Two", "Three", "One edited"]


def test_a_footnote_still_referred_to_survives_its_removal():
    note = '<aside data-block="fn" data-kind="footnote">n</aside>'
    base = canonical('<p data-block="a">A<sup data-note="fn"></sup></p><p data-block="b">B</p>' + note)
    mine = canonical('<p data-block="a">A</p><p data-block="b">B</p>')
    theirs = canonical(
        '<p data-block="a">A<sup data-note="fn"></sup></p><p data-block="b">B<sup data-note="fn"></sup></p>' + note
    )
    result = merge(base, mine, theirs)
    assert result.is_clean
    assert canonical(render(result.blocks)) == result.blocks
    assert result.blocks[1].notes == ("fn",)


SENTENCE = "The coalition shall speak with one voice on all crises."


def anchor_on(words: str, block: Block) -> Anchor:
    start = block.plain.index(words)
    return make_anchor(block, start, start + len(words))


def test_an_anchor_whose_words_stay_is_exact():
    old, new = paragraphs(SENTENCE), paragraphs("In short: " + SENTENCE)
    anchor, health = carry(anchor_on("one voice", old[0]), old, new)
    assert (anchor.exact, anchor.block_id, health) == ("one voice", "p0", "exact")


def test_of_equal_words_the_one_in_the_same_surroundings_is_meant():
    old = paragraphs("first the vote, then the vote again")
    start = old[0].plain.rindex("the vote")
    anchor = make_anchor(old[0], start, start + 8)
    new = paragraphs("the vote comes first, the vote, then the vote again")
    carried, health = carry(anchor, old, new)
    assert health == "exact"
    assert carried.suffix == " again"


def test_an_anchor_whose_words_went_to_another_block_has_moved():
    old = paragraphs(SENTENCE, "Second")
    new = paragraphs("Nothing here any more", f"Second. {SENTENCE}")
    anchor, health = carry(anchor_on("speak with one voice", old[0]), old, new)
    assert (anchor.block_id, anchor.exact, health) == ("p1", "speak with one voice", "moved")


def test_an_anchor_whose_words_changed_a_little_has_moved():
    old, new = paragraphs(SENTENCE), paragraphs("The coalition shall speak with a single voice on all crises.")
    anchor, health = carry(anchor_on("speak with one voice", old[0]), old, new)
    assert (anchor.exact, health) == ("speak with a single voice", "moved")
    old, new = paragraphs("各国负有保护本国人民的责任"), paragraphs("各国均负有保护所有人民的责任")
    anchor, health = carry(anchor_on("保护本国人民", old[0]), old, new)
    assert (anchor.exact, health) == ("保护所有人民", "moved")


def test_an_anchor_whose_words_are_gone_is_an_orphan_and_kept_as_it_was():
    old = paragraphs(SENTENCE, "Second")
    anchor = anchor_on("one voice", old[0])
    for new in ((old[1],), paragraphs("Each member decides for itself what it signs"), ()):
        assert carry(anchor, old, new) == (anchor, "orphan")


def test_few_words_do_not_settle_just_anywhere():
    old = paragraphs("The vote is final", "Second")
    anchor = anchor_on("The", old[0])
    assert carry(anchor, old, canonical("<p data-block='z'>The weather in Geneva</p>"))[1] == "orphan"


def test_an_anchor_on_a_whole_block_follows_the_block():
    old = paragraphs(SENTENCE)
    anchor = Anchor("p0")
    assert carry(anchor, old, paragraphs("Other words")) == (anchor, "exact")
    relabelled = canonical(f"<p data-block='q'>{SENTENCE}</p>")
    assert carry(anchor, old, relabelled) == (Anchor("q"), "moved")
    assert carry(anchor, old, ()) == (anchor, "orphan")


@settings(max_examples=200, deadline=None)
@given(texts(), texts(), st.text(max_size=10), st.text(max_size=10), st.text(max_size=10), st.sampled_from("abcz"))
def test_carrying_an_anchor_never_fails(old, new, exact, prefix, suffix, block_id):
    anchor = Anchor(block_id, exact, prefix, suffix)
    carried, health = carry(anchor, old, new)
    assert health in ("exact", "moved", "orphan")
    assert health != "orphan" or carried == anchor


@pytest.mark.parametrize("made_of", ["nothing", "another text", "this text"])
def test_a_translation_is_stale_block_by_block(made_of):
    source = paragraphs("One", "Two")
    digest = {"nothing": None, "another text": "0" * 64, "this text": source[1].digest}[made_of]
    translated = {"p0": source[0].digest} | ({"p1": digest} if digest else {})
    assert stale_blocks(source, translated) == (set() if made_of == "this text" else {"p1"})
