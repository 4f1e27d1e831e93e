"""One transition on many documents: each by itself, as who asked, with a reason for each refusal."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import NOBODY, THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import BatchEntryRow, BatchRow, HistoryEntryRow
from r2pflow.persistence.people import PersonRow
from r2pflow.services import bulk, people
from r2pflow.services.batches import Progress, get_batch, list_batches, list_entries
from r2pflow.services.bulk import cancel_batch, run_batch, start_batch
from r2pflow.services.drafting import create_document
from r2pflow.services.transitions import fire

TEXT = canonical("<h1 data-block='title'>Act</h1><p data-block='p1'>Early.</p>")


@pytest.fixture
def papers(work, coalition):
    """Three statements in drafting."""
    found = [create_document(work, coalition["secretariat"], "statement", TEXT) for _ in range(3)]
    work.commit()
    return found


def start(work, actor, references, transition="open_comment", **more):
    batch_id = start_batch(work, actor, transition, references, **more)
    work.commit()
    return batch_id


def run(work, batch_id, part=1):
    run_batch(work, batch_id, part)
    work.commit()


def states(work, references):
    work.rollback()
    found = dict(tuple(row) for row in work.session.execute(select(DocumentRow.reference, DocumentRow.state)))
    return [found[reference] for reference in references]


def progress(work, batch_id):
    return get_batch(work, THE_SYSTEM, batch_id).progress


def codes(work, batch_id):
    entries = list_entries(work, THE_SYSTEM, get_batch(work, THE_SYSTEM, batch_id)).rows
    return [[refusal.code for refusal in entry.reasons] for entry in entries]


def test_every_document_of_a_batch_is_fired_as_who_asked(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    assert progress(work, batch_id) == Progress(waiting=3)
    assert states(work, papers) == ["drafting"] * 3
    run(work, batch_id)
    assert states(work, papers) == ["member_comment"] * 3
    assert progress(work, batch_id) == Progress(done=3)
    assert work.session.get(BatchRow, batch_id).finished_at is not None
    fired = select(HistoryEntryRow.person_id).where(HistoryEntryRow.transition == "open_comment")
    assert set(work.session.scalars(fired)) == {coalition["secretariat"].person_id}


def test_what_is_refused_keeps_its_reasons_and_holds_up_nothing(work, coalition, papers):
    fire(work, coalition["secretariat"], papers[1], "open_comment")
    work.commit()
    batch_id = start(work, coalition["secretariat"], papers)
    run(work, batch_id)
    assert progress(work, batch_id) == Progress(done=2, refused=1)
    assert codes(work, batch_id) == [[], ["wrong_state"], []]


def test_a_document_that_moved_meanwhile_is_taken_as_it_stands_at_its_turn(work, coalition, papers):
    secretary = coalition["secretariat"]
    batch_id = start(work, secretary, papers, "submit")
    fire(work, secretary, papers[0], "submit")
    fire(work, secretary, papers[1], "open_comment")
    fire(work, secretary, papers[1], "close_comment")
    work.commit()
    run(work, batch_id)
    assert codes(work, batch_id) == [["wrong_state"], [], []]
    assert states(work, papers) == ["approval"] * 3


def test_running_a_batch_again_does_nothing_twice(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    run(work, batch_id)
    run(work, batch_id)
    fired = select(HistoryEntryRow.id).where(HistoryEntryRow.transition == "open_comment")
    assert len(work.session.scalars(fired).all()) == 3


def test_a_worker_that_died_on_the_way_leaves_what_waits_to_the_next(work, second_work, coalition, papers, monkeypatch):
    batch_id = start(work, coalition["secretariat"], papers)
    before = bulk._settle
    seen = []

    def die_at_the_second(*order):
        if seen:
            raise KeyboardInterrupt
        seen.append(order)
        before(*order)

    with monkeypatch.context() as patched:
        patched.setattr(bulk, "_settle", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            run_batch(work, batch_id, 1)
    work.rollback()
    assert progress(second_work, batch_id) == Progress(done=1, waiting=2)
    second_work.rollback()
    run(second_work, batch_id)
    assert progress(second_work, batch_id) == Progress(done=3)
    fired = select(HistoryEntryRow.id).where(HistoryEntryRow.transition == "open_comment")
    assert len(second_work.session.scalars(fired).all()) == 3


def test_two_workers_with_the_same_batch_fire_each_document_once(work, second_work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    order = bulk._Order(batch_id, coalition["secretariat"].person_id, "open_comment", "")
    ids = work.session.scalars(select(BatchEntryRow.document_id)).all()
    work.rollback()
    bulk._settle(second_work, order, ids[0])
    bulk._settle(work, order, ids[0])
    assert codes(work, batch_id) == [[], [], []]
    assert progress(work, batch_id) == Progress(done=1, waiting=2)


def test_a_long_batch_goes_on_in_a_further_job(work, coalition, papers, monkeypatch):
    monkeypatch.setattr(bulk, "STEP", 2)
    batch_id = start(work, coalition["secretariat"], papers)
    run(work, batch_id, 1)
    assert progress(work, batch_id) == Progress(done=2, waiting=1)
    keys = work.session.scalars(select(JobRow.key).where(JobRow.kind == "batch").order_by(JobRow.id)).all()
    assert keys == [f"batch:{batch_id}:1", f"batch:{batch_id}:2"]
    run(work, batch_id, 2)
    assert progress(work, batch_id) == Progress(done=3)


def test_who_was_deactivated_meanwhile_fires_nothing(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    work.session.execute(
        update(PersonRow).where(PersonRow.id == coalition["secretariat"].person_id).values(is_active=False)
    )
    work.commit()
    run(work, batch_id)
    assert codes(work, batch_id) == [["person_inactive"]] * 3
    assert states(work, papers) == ["drafting"] * 3


def test_roles_are_those_held_at_the_turn(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    people.save_organisation(work, THE_SYSTEM, {"roles": ["member"]}, slug="secretariat")
    work.commit()
    run(work, batch_id)
    assert {code for reasons in codes(work, batch_id) for code in reasons} <= {"no_role", "document_not_found"}
    assert progress(work, batch_id) == Progress(refused=3)


def test_what_still_waits_can_be_cancelled(work, coalition, papers, monkeypatch):
    monkeypatch.setattr(bulk, "STEP", 1)
    batch_id = start(work, coalition["secretariat"], papers)
    run(work, batch_id, 1)
    assert cancel_batch(work, coalition["secretariat"], batch_id) == 2
    work.commit()
    run(work, batch_id, 2)
    assert states(work, papers) == ["member_comment", "drafting", "drafting"]
    assert progress(work, batch_id) == Progress(done=1, cancelled=2)
    row = work.session.get(BatchRow, batch_id)
    assert row.cancelled_at is not None and row.finished_at is not None
    assert cancel_batch(work, coalition["secretariat"], batch_id) == 0


def test_documents_that_do_not_exist_or_are_hidden_are_named(work, coalition, papers):
    with pytest.raises(InvalidInput) as caught:
        start_batch(work, coalition["secretariat"], "open_comment", [papers[0], "NO-1", "NO-2"])
    assert caught.value.code == "documents_not_found"
    assert caught.value.params["references"] == ["NO-1", "NO-2"]
    with pytest.raises(InvalidInput) as hidden:  # a member does not see drafts
        start_batch(work, coalition["delta"], "open_comment", papers)
    assert hidden.value.params["references"] == papers
    assert work.session.scalars(select(BatchRow)).all() == []


@pytest.mark.parametrize(
    ("references", "code"), [([], "choose_documents"), ([f"X-{n}" for n in range(1001)], "too_many_documents")]
)
def test_the_number_of_documents_has_bounds(work, coalition, references, code):
    with pytest.raises(InvalidInput) as caught:
        start_batch(work, coalition["secretariat"], "submit", references)
    assert caught.value.code == code


def test_the_same_document_named_twice_is_fired_once(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], [papers[0], papers[0]])
    assert progress(work, batch_id).total == 1


def test_a_transition_that_none_knows_is_refused(work, coalition, papers):
    with pytest.raises(NotFound) as caught:
        start_batch(work, coalition["secretariat"], "abolish", papers)
    assert caught.value.code == "unknown_transition"


def test_a_required_comment_is_asked_for_before_anything_starts(work, coalition, papers):
    with pytest.raises(InvalidInput) as caught:
        start_batch(work, coalition["secretariat"], "withdraw", papers)
    assert (caught.value.code, caught.value.params["field"]) == ("comment_required", "comment")


def test_nobody_in_particular_starts_no_batch(work, coalition, papers):
    with pytest.raises(Forbidden):
        start_batch(work, NOBODY, "submit", papers)


def test_a_batch_waits_for_its_instant(work, coalition, papers, clock):
    due_at = clock() + timedelta(days=2)
    batch_id = start(work, coalition["secretariat"], papers, due_at=due_at, timezone="Europe/Paris")
    job = work.session.scalars(select(JobRow).where(JobRow.key == f"batch:{batch_id}:1")).one()
    assert job.due_at == due_at
    with pytest.raises(InvalidInput) as caught:
        start_batch(work, coalition["secretariat"], "submit", papers, due_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert caught.value.code == "in_the_past"


def test_only_who_began_a_batch_and_the_secretariat_see_it(work, coalition, papers):
    batch_id = start(work, coalition["secretariat"], papers)
    for name in ("alpha", "delta"):
        with pytest.raises(NotFound):
            get_batch(work, coalition[name], batch_id)
        assert list_batches(work, coalition[name]).total == 0
    [seen] = list_batches(work, coalition["secretariat"]).rows
    assert (seen.person, seen.progress) == ("Secretariat", Progress(waiting=3))


def test_of_a_document_that_is_hidden_now_only_the_outcome_is_told(work, coalition, papers):
    for reference in papers:
        fire(work, coalition["secretariat"], reference, "open_comment")
    work.commit()
    batch_id = start(work, coalition["delta"], papers, "close_comment")
    run(work, batch_id)
    fire(work, coalition["secretariat"], papers[0], "close_comment")
    work.session.execute(update(DocumentRow).where(DocumentRow.reference == papers[0]).values(state="drafting"))
    work.commit()
    batch = get_batch(work, coalition["delta"], batch_id)
    first, *others = list_entries(work, coalition["delta"], batch).rows
    assert (first.is_visible, first.reference, first.title, first.reasons) == (False, "", "", ())
    assert first.outcome == "refused"
    assert [entry.reference for entry in others] == papers[1:]


def test_a_fault_of_the_program_on_one_document_holds_up_no_other(work, coalition, papers, monkeypatch):
    before = bulk.transitions.fire

    def fail_once(work, actor, document_id, *rest, **more):
        if document_id == ids[0]:
            raise ZeroDivisionError
        return before(work, actor, document_id, *rest, **more)

    batch_id = start(work, coalition["secretariat"], papers)
    ids = work.session.scalars(select(BatchEntryRow.document_id).order_by(BatchEntryRow.rank)).all()
    monkeypatch.setattr(bulk.transitions, "fire", fail_once)
    run(work, batch_id)
    assert codes(work, batch_id) == [["failed_unexpectedly"], [], []]
