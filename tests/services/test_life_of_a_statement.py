"""Services carry one statement from draft to edition, and refuse what they must on the way."""

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Refused
from r2pflow.domain.people import NOBODY, THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.deliberation import BallotRow, CommentRow, PositionRow, TranslationRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.services import ballots, comments, desk, publishing, queries, register, translating
from r2pflow.services.access import get_subject, visible_to
from r2pflow.services.comments import NewComment
from r2pflow.services.drafting import _write_revision, create_document, save_text
from r2pflow.services.offers import find_offers
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import _fire_once, fire

EDITED = "<h1 data-block='title'>Protect civilians</h1><p data-block='p1'>{one}</p><p data-block='p2'>{two}</p>"
FRENCH = {"title": "<h1>Protéger les civils</h1>", "p1": "<p>Agir tôt.</p>", "p2": "<p>Agir ensemble.</p>"}


def text_with(one="States must act early.", two="They must act together."):
    return canonical(EDITED.format(one=one, two=two))


def state_of(work, reference):
    return work.session.scalar(select(DocumentRow.state).where(DocumentRow.reference == reference))


def bring_to_approval(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "submit")
    work.commit()
    return get_subject(work, THE_SYSTEM, reference).text_digest


def approve(work, coalition, reference):
    digest = bring_to_approval(work, coalition, reference)
    for voter in ("alpha", "beta", "gamma"):
        if state_of(work, reference) == "approval":
            ballots.record_position(work, coalition[voter], reference, "yes", digest=digest)
            work.commit()


def publish(work, coalition, reference):
    approve(work, coalition, reference)
    digest = get_subject(work, THE_SYSTEM, reference).text_digest
    translating.save_translation(work, coalition["translator"], reference, "fr", FRENCH, digest=digest)
    translating.verify_translation(work, coalition["verifier"], reference, "fr", digest=digest)
    fire(work, coalition["secretariat"], reference, "publish")
    work.commit()


def test_only_the_secretariat_starts_a_document(work, coalition):
    with pytest.raises(Forbidden, match="may_not_create"):
        create_document(work, coalition["alpha"], "statement", text_with())


def test_a_draft_is_not_found_by_those_who_may_not_see_it(work, coalition, statement):
    for stranger in (NOBODY, coalition["alpha"]):
        with pytest.raises(NotFound):
            get_subject(work, stranger, statement)
        assert work.session.scalars(select(DocumentRow).where(visible_to(stranger))).all() == []
    assert get_subject(work, coalition["secretariat"], statement).may("edit")


def test_edits_of_different_blocks_merge(work, coalition, statement):
    secretariat = coalition["secretariat"]
    save_text(work, secretariat, statement, text_with(one="States must act at once."), based_on=1)
    work.commit()
    saved = save_text(work, secretariat, statement, text_with(two="They must act as one."), based_on=1)
    work.commit()
    assert saved.merged and not saved.conflicts and saved.number == 3
    now = [block.plain for block in get_blocks(work, get_subject(work, secretariat, statement))]
    assert now == ["Protect civilians", "States must act at once.", "They must act as one."]


def test_edits_of_the_same_block_come_back_and_write_nothing(work, coalition, statement):
    secretariat = coalition["secretariat"]
    save_text(work, secretariat, statement, text_with(one="States must act at once."), based_on=1)
    work.commit()
    saved = save_text(work, secretariat, statement, text_with(one="States should act."), based_on=1)
    assert [conflict.block_id for conflict in saved.conflicts] == ["p1"]
    assert get_subject(work, secretariat, statement).revision_number == 2


def test_two_writers_at_once_cannot_both_write_the_next_revision(work, second_work, coalition, statement):
    secretariat = coalition["secretariat"]
    subject = get_subject(second_work, secretariat, statement)
    second_work.session.rollback()
    save_text(work, secretariat, statement, text_with(one="First."), based_on=1)
    work.commit()

    with pytest.raises(Conflict):
        _write_revision(second_work, subject, text_with(one="Second."), summary="", origin="edit")


def test_a_frozen_text_refuses_edits(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    with pytest.raises(Forbidden):
        save_text(work, coalition["secretariat"], statement, text_with(one="No."), based_on=1)


def test_a_member_comments_and_reads_what_became_of_it(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    new = NewComment("substantive", "Name the actors.", "en", "p1", "act early", "must ", ".", "act within days")
    comment = comments.submit_comment(work, coalition["delta"], statement, new)
    work.commit()
    fire(work, coalition["secretariat"], statement, "close_comment")
    work.commit()
    with pytest.raises(Refused) as refused:
        fire(work, coalition["secretariat"], statement, "submit")
    assert refused.value.refusals[0].params["name"] == "no_substantive_comment_unanswered"
    with pytest.raises(InvalidInput, match="reason_required"):
        comments.dispose(work, coalition["secretariat"], comment, "accepted", " ")
    comments.dispose(work, coalition["secretariat"], comment, "accepted", "Clearer.")
    comments.acknowledge(work, coalition["delta"], comment, True)
    work.commit()
    fire(work, coalition["secretariat"], statement, "submit")


def test_a_comment_needs_an_open_round_and_a_quotation_that_is_there(work, coalition, statement):
    plain = NewComment("editorial", "A comma.", "en")
    with pytest.raises(NotFound):
        comments.submit_comment(work, coalition["delta"], statement, plain)
    fire(work, coalition["secretariat"], statement, "open_comment")
    wrong = NewComment("editorial", "A comma.", "en", "p1", "words that are nowhere")
    with pytest.raises(InvalidInput, match="quotation_not_found"):
        comments.submit_comment(work, coalition["delta"], statement, wrong)
    with pytest.raises(Forbidden):
        comments.submit_comment(work, coalition["secretariat"], statement, plain)


def test_a_comment_on_what_may_not_be_seen_is_as_one_that_does_not_exist(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    comment = comments.submit_comment(work, coalition["delta"], statement, NewComment("editorial", "A comma.", "en"))
    work.commit()
    for number in (comment, comment + 1):
        with pytest.raises(NotFound) as refused:
            comments.dispose(work, NOBODY, number, "accepted", "Yes.")
        assert (refused.value.code, refused.value.params) == ("comment_not_found", {"comment": number})


def test_a_comment_after_the_deadline_is_refused_before_the_timer_ran(work, coalition, statement, clock):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    clock.forward(days=3, seconds=1)
    with pytest.raises(Forbidden, match="round_closed"):
        comments.submit_comment(work, coalition["delta"], statement, NewComment("editorial", "Late.", "en"))


def test_comments_follow_their_words_into_the_next_revision(work, coalition, statement):
    secretariat = coalition["secretariat"]
    fire(work, secretariat, statement, "open_comment")
    new = NewComment("editorial", "Why?", "en", "p2", "act together", "must ", ".")
    comment = comments.submit_comment(work, coalition["alpha"], statement, new)
    fire(work, secretariat, statement, "close_comment")
    save_text(work, secretariat, statement, text_with(two="They must always act together."), based_on=1)
    assert work.session.get(CommentRow, comment).health == "exact"
    save_text(work, secretariat, statement, text_with(two="Nothing of it is left here."), based_on=2)
    assert work.session.get(CommentRow, comment).health == "orphan"


def test_a_ballot_is_sealed_to_the_text_and_carries_by_itself(work, coalition, statement):
    digest = bring_to_approval(work, coalition, statement)
    row = work.session.scalars(select(BallotRow)).one()
    assert row.digest == digest and row.outcome == "open"
    with pytest.raises(Conflict):
        ballots.record_position(work, coalition["alpha"], statement, "yes", digest="0" * 64)
    for voter in ("alpha", "beta"):
        ballots.record_position(work, coalition[voter], statement, "yes", digest=digest)
        work.commit()
    assert state_of(work, statement) == "approval", "gamma could still block"
    ballots.record_position(work, coalition["gamma"], statement, "abstain", digest=digest)
    work.commit()
    assert state_of(work, statement) == "translation"
    assert row.outcome == "carried" and row.verdict["outcome"] == "carried"


def test_a_lost_ballot_reopens_the_text_and_the_next_one_is_new(work, coalition, statement):
    digest = bring_to_approval(work, coalition, statement)
    ballots.record_position(work, coalition["alpha"], statement, "block", "Too weak.", digest=digest)
    work.commit()
    assert state_of(work, statement) == "revision"
    save_text(work, coalition["secretariat"], statement, text_with(one="States must act now."), based_on=1)
    new_digest = bring_to_approval(work, coalition, statement)
    rows = work.session.scalars(select(BallotRow).order_by(BallotRow.id)).all()
    assert [row.outcome for row in rows] == ["lost", "open"] and rows[1].digest == new_digest != digest


def test_an_organisation_has_one_position_and_all_that_it_had_stay(work, coalition, statement):
    digest = bring_to_approval(work, coalition, statement)
    ballots.record_position(work, coalition["alpha"], statement, "yes", digest=digest)
    ballots.record_position(work, coalition["alpha"], statement, "no", "On reflection.", digest=digest)
    work.commit()
    rows = work.session.scalars(select(PositionRow).order_by(PositionRow.id)).all()
    assert [(row.position, row.superseded_at is None) for row in rows] == [("yes", False), ("no", True)]
    second = {"ballot_id": rows[0].ballot_id, "organisation_id": rows[0].organisation_id}
    with pytest.raises(IntegrityError):
        work.session.add(
            PositionRow(**second, position="yes", person_id=rows[0].person_id, recorded_at=work.now(), reason="")
        )
        work.session.flush()


def test_only_the_electorate_decides_also_for_the_database(work, coalition, statement):
    digest = bring_to_approval(work, coalition, statement)
    with pytest.raises(Forbidden):
        ballots.record_position(work, coalition["delta"], statement, "yes", digest=digest)
    ballot = work.session.scalars(select(BallotRow)).one()
    with pytest.raises(IntegrityError):
        work.session.add(
            PositionRow(
                ballot_id=ballot.id,
                organisation_id=coalition["delta"].organisation_id,
                position="yes",
                person_id=coalition["delta"].person_id,
                recorded_at=work.now(),
                reason="",
            )
        )
        work.session.flush()


def test_a_reason_is_asked_for_where_the_ballot_asks_for_one(work, coalition, statement):
    digest = bring_to_approval(work, coalition, statement)
    with pytest.raises(InvalidInput, match="reason_required"):
        ballots.record_position(work, coalition["alpha"], statement, "no", "", digest=digest)
    with pytest.raises(InvalidInput, match="unknown_position"):
        ballots.record_position(work, coalition["alpha"], statement, "maybe", digest=digest)


def test_a_ballot_takes_no_position_after_its_close(work, coalition, statement, clock):
    digest = bring_to_approval(work, coalition, statement)
    clock.forward(days=5)
    with pytest.raises(Forbidden, match="ballot_closed"):
        ballots.record_position(work, coalition["alpha"], statement, "yes", digest=digest)


def test_a_translation_goes_stale_by_block_and_publishing_waits_for_it(work, coalition, statement):
    approve(work, coalition, statement)
    digest = get_subject(work, THE_SYSTEM, statement).text_digest
    some = {"title": FRENCH["title"], "p1": FRENCH["p1"]}
    sheet = translating.save_translation(work, coalition["translator"], statement, "fr", some, digest=digest)
    assert sheet.status == "in_progress"
    with pytest.raises(InvalidInput, match="translation_incomplete"):
        translating.verify_translation(work, coalition["verifier"], statement, "fr", digest=digest)
    with pytest.raises(Refused):
        fire(work, coalition["secretariat"], statement, "publish")
    translating.save_translation(work, coalition["translator"], statement, "fr", {"p2": FRENCH["p2"]}, digest=digest)
    with pytest.raises(Forbidden, match="verifier_is_translator"):
        translating.verify_translation(work, coalition["translator"], statement, "fr", digest=digest)
    translating.verify_translation(work, coalition["verifier"], statement, "fr", digest=digest)
    assert work.session.scalars(select(TranslationRow)).one().status == "verified"
    translating.refresh_status(work, get_subject(work, THE_SYSTEM, statement).id, text_with(one="Other words."))
    row = work.session.scalars(select(TranslationRow)).one()
    assert (row.status, row.stale_count, row.translated_count) == ("stale", 1, 2)


def test_a_translated_block_keeps_the_kind_of_its_source(work, coalition, statement):
    approve(work, coalition, statement)
    digest = get_subject(work, THE_SYSTEM, statement).text_digest
    two = {"p1": "<p>Un.</p><p>Deux.</p>"}
    with pytest.raises(InvalidInput, match="block_shape"):
        translating.save_translation(work, coalition["translator"], statement, "fr", two, digest=digest)


def test_publishing_freezes_an_edition_and_queues_a_pdf_per_language(work, coalition, statement):
    publish(work, coalition, statement)
    publication = publishing.get_publication(work, "TEST/2027/ST/1")
    (edition,) = publication.editions
    assert [row.language for row in edition.languages] == ["en", "fr"]
    assert edition.decision["outcome"] == "carried"
    jobs = work.session.scalars(select(JobRow).where(JobRow.kind == "render")).all()
    assert len(jobs) == 2
    path = publishing.store_pdf(work, edition.languages[0].id, b"%PDF-1.7 first")
    assert publishing.store_pdf(work, edition.languages[0].id, b"%PDF-1.7 second") == path
    assert publishing.read_pdf(work, edition.languages[0]) == b"%PDF-1.7 first"
    (checked,) = publishing.check_digest(work, edition.digest)
    assert checked.edition is edition


def test_a_late_language_joins_the_same_edition(work, coalition, statement):
    publish(work, coalition, statement)
    spanish = {"title": "<h1>Proteger</h1>", "p1": "<p>Pronto.</p>", "p2": "<p>Juntos.</p>"}
    digest = get_subject(work, THE_SYSTEM, statement).text_digest
    translating.save_translation(work, coalition["translator"], statement, "es", spanish, digest=digest)
    translating.verify_translation(work, coalition["verifier"], statement, "es", digest=digest)
    work.commit()
    (edition,) = publishing.get_publication(work, "TEST/2027/ST/1").editions
    assert [row.language for row in edition.languages] == ["en", "es", "fr"]


def test_a_withdrawn_publication_stays_and_says_so(work, coalition, statement):
    publish(work, coalition, statement)
    with pytest.raises(Refused) as refused:
        fire(work, coalition["secretariat"], statement, "withdraw")
    assert [refusal.code for refusal in refused.value.refusals] == ["comment_required"]
    fire(work, coalition["secretariat"], statement, "withdraw", comment="Overtaken by events.")
    work.commit()
    publication = publishing.get_publication(work, "TEST/2027/ST/1")
    assert publication.withdrawn_at is not None and publication.withdrawal_reason == "Overtaken by events."
    assert register.list_feed(work, "en") == []


def test_a_note_stays_in_the_state_and_makes_history_grow(work, coalition, statement):
    publish(work, coalition, statement)
    fire(work, coalition["secretariat"], statement, "note", comment="Sent to the press.")
    work.commit()
    newest = queries.list_history(work, get_subject(work, NOBODY, statement)).rows[0]
    assert (newest.transition, newest.source, newest.target) == ("note", "published", "published")


def test_a_refusal_writes_nothing(work, coalition, statement):
    before = work.session.scalar(select(func.count()).select_from(HistoryEntryRow))
    with pytest.raises(Refused):
        fire(work, coalition["secretariat"], statement, "publish")
    assert work.session.scalar(select(func.count()).select_from(HistoryEntryRow)) == before
    assert state_of(work, statement) == "drafting"


def test_a_document_that_moved_on_is_a_conflict(work, second_work, coalition, statement):
    seen = get_subject(second_work, coalition["secretariat"], statement).change_number
    second_work.session.rollback()
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    with pytest.raises(Conflict):
        fire(second_work, coalition["secretariat"], statement, "open_comment", expected_change=seen)


def test_leaving_a_state_ends_its_timers_and_its_round(work, coalition, statement):
    fire(work, coalition["secretariat"], statement, "open_comment")
    kinds = work.session.scalars(select(TimerRow.kind).where(TimerRow.ended_at.is_(None))).all()
    assert sorted(kinds) == ["fire", "remind"]
    fire(work, coalition["secretariat"], statement, "close_comment")
    assert work.session.scalars(select(TimerRow).where(TimerRow.ended_at.is_(None))).all() == []
    assert comments.find_open_round(work, get_subject(work, THE_SYSTEM, statement).id) is None


def test_offers_say_why_not(work, coalition, statement):
    offers = {o.transition.name: o for o in find_offers(work, get_subject(work, coalition["secretariat"], statement))}
    assert offers["open_comment"].is_fireable and offers["submit"].is_fireable


def test_the_desk_shows_what_waits_for_each(work, coalition, statement):
    assert [d.reference for d in desk.read_desk(work, coalition["secretariat"]).drafts] == [statement]
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    assert [w.kind for w in desk.read_desk(work, coalition["delta"]).waiting] == ["comment"]
    assert [w.kind for w in desk.read_desk(work, coalition["secretariat"]).running] == ["round"]
    fire(work, coalition["secretariat"], statement, "close_comment")
    bring_to_approval(work, coalition, statement)
    assert [w.kind for w in desk.read_desk(work, coalition["alpha"]).waiting] == ["decide"]
    of_delta = desk.read_desk(work, coalition["delta"])
    assert of_delta.waiting == () and [w.kind for w in of_delta.running] == ["ballot"]


def test_the_visible_list_agrees_with_the_document_page_for_everybody(work, coalition, statement):
    for step in (None, "open_comment"):
        if step:
            fire(work, coalition["secretariat"], statement, step)
            work.commit()
        for actor in (NOBODY, *coalition.values()):
            listed = queries.list_documents(work, actor, queries.Filters()).total == 1
            try:
                get_subject(work, actor, statement)
                reached = True
            except NotFound:
                reached = False
            assert listed == reached, (step, actor.name)


def test_the_register_finds_a_text_in_any_of_its_languages(work, coalition, statement):
    publish(work, coalition, statement)
    for words in ("civilians", "PROTÉGER", "proteger civils", "TEST/2027"):
        assert register.search_register(work, text=words, language="fr").total == 1, words
    assert register.search_register(work, text="nothing such").total == 0
    assert register.search_register(work, language="fr").rows[0].language.title == "Protéger les civils"


def test_a_reference_is_never_given_twice(work, coalition):
    given = [create_document(work, coalition["secretariat"], "statement", text_with()) for _ in range(3)]
    assert given == ["ST-1", "ST-2", "ST-3"]


def test_an_overdue_change_number_never_overwrites(work, coalition, statement):
    subject = get_subject(work, coalition["secretariat"], statement)
    work.session.execute(update(DocumentRow).values(change_number=DocumentRow.change_number + 1))

    with pytest.raises(Conflict):
        _fire_once(work, subject, "open_comment", "", "user")
