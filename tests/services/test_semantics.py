"""What the format says of a workflow, sentence by sentence, on workflows that are as small as the sentence."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from r2pflow.domain.errors import Refused
from r2pflow.domain.moments import Moment
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.deliberation import BallotRow, BallotVoterRow, CommentRoundRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import bulk, drafting, notices, people, scheduling, timers, translating
from r2pflow.services.access import get_subject
from r2pflow.services.desk import read_desk
from r2pflow.services.standing import find_movers
from r2pflow.services.transitions import fire

TYPES = """\
types:
  note:
    title: {en: Note}
    code: NO
    workflow: note
    languages: {authoritative: en, required: [en], optional: [fr]}
    fields: {place: {kind: text, title: {en: Place}}}
    template: statement
"""
HEAD = """\
workflow: note
initial: a
permissions: {view: [anonymous], edit: [secretariat], decide: [steering], comment: [member], translate: [translator]}
"""
TEXT = canonical("<h1>Note</h1><p data-block='p1'>One.</p>")


@pytest.fixture
def begin(tmp_path: Path, work, coalition):
    """Load a workflow, and begin a document of it."""

    def begin(rest: str, html: str = "<h1>Note</h1><p data-block='p1'>One.</p>", further: str = "") -> str:
        folder = tmp_path / "workflows"
        folder.mkdir()
        chain = "[note, further]" if further else "note"
        (folder / "documents.yaml").write_text(TYPES.replace("workflow: note", f"workflow: {chain}"))
        if further:
            (folder / "further.yaml").write_text(further)
        (folder / "note.yaml").write_text(HEAD + rest)
        work.catalogue = load_catalogue(load_plugins(), [folder])
        reference = drafting.create_document(work, coalition["secretariat"], "note", canonical(html))
        work.commit()
        return reference

    return begin


def state(work, reference) -> str:
    return get_subject(work, THE_SYSTEM, reference).state_name


def history(work, kind="transition"):
    work.session.flush()
    rows = select(HistoryEntryRow).where(HistoryEntryRow.kind == kind).order_by(HistoryEntryRow.id)
    return work.session.scalars(rows).all()


AUTOMATIC = """\
states: {a: {text: open}, b: {final: true}}
transitions:
  go: {from: [a], to: b, trigger: [automatic], guard: {role: [manager], require: [CONDITION]}}
"""


def test_an_automatic_transition_is_tried_when_a_document_is_begun(work, begin):
    reference = begin(AUTOMATIC.replace("CONDITION", "has_text"))
    assert state(work, reference) == "b"
    (entry,) = history(work)
    assert (entry.transition, entry.trigger, entry.person_id) == ("go", "automatic", None)


def test_an_automatic_transition_is_tried_when_fields_are_saved(work, coalition, begin):
    reference = begin(AUTOMATIC.replace("CONDITION", "{field: place, is: Geneva}"))
    drafting.save_fields(work, coalition["secretariat"], reference, {"place": "Bern"})
    assert state(work, reference) == "a"
    drafting.save_fields(work, coalition["secretariat"], reference, {"place": "Geneva"})
    assert state(work, reference) == "b"


def test_an_automatic_transition_is_tried_when_the_text_is_saved(work, coalition, begin):
    reference = begin(AUTOMATIC.replace("CONDITION", "has_text"), "<h1>Note</h1>")
    assert state(work, reference) == "a"
    drafting.save_text(work, coalition["secretariat"], reference, TEXT, based_on=1)
    assert state(work, reference) == "b"


def test_an_automatic_transition_is_tried_when_a_translation_is_verified(work, coalition, begin):
    reference = begin(AUTOMATIC.replace("CONDITION", "{language_verified: [fr]}"))
    subject = get_subject(work, THE_SYSTEM, reference)
    title, paragraph = (pair.source.id for pair in translating.get_sheet(work, subject, "fr").pairs)
    sheet = {title: "<h1>Note</h1>", paragraph: "<p>Un.</p>"}
    digest = subject.text_digest
    translating.save_translation(work, coalition["translator"], reference, "fr", sheet, digest=digest)
    assert state(work, reference) == "a"
    translating.verify_translation(work, coalition["verifier"], reference, "fr", digest=digest)
    assert state(work, reference) == "b"


def test_a_chain_of_automatic_transitions_ends_after_twenty_and_goes_on_with_the_next_change(work, coalition, begin):
    names = [f"s{number:02}" for number in range(25)]
    states = "".join(f"  {name}: {{text: open}}\n" for name in names)
    steps = "".join(
        f"  t{name}: {{from: [{name}], to: {after}, trigger: [automatic], guard: {{require: [has_text]}}}}\n"
        for name, after in zip(names, names[1:], strict=False)
    )
    go = "  go: {from: [a], to: s00, guard: {role: [secretariat]}}\n"
    end = "  end: {from: [s24], to: z, guard: {role: [secretariat]}}\n"
    reference = begin(f"states:\n  a: {{text: open}}\n{states}  z: {{final: true}}\ntransitions:\n{go}{steps}{end}")
    fire(work, coalition["secretariat"], reference, "go")
    assert state(work, reference) == "s20"
    drafting.save_fields(work, coalition["secretariat"], reference, {"place": "Geneva"})
    assert state(work, reference) == "s24"


STAYING = """\
states:
  a:
    comments: {round: member}
    ballot: vote
    timer: {after: P3D, fire: close, remind: [P1D]}
  b: {final: true}
transitions:
  note: {from: [a], to: stay, comment: required, guard: {role: [secretariat]}}
  close: {from: [a], to: b, trigger: [user, timer], comment: required, guard: {role: [secretariat]}}
ballots:
  vote: {electorate: {role: steering}, positions: [yes, no], open_for: P5D, rule: {count: yes, at_least: 1}}
"""


def test_to_stay_lets_round_ballot_and_timers_go_on_and_the_history_grow(work, coalition, clock, begin):
    reference = begin(STAYING)

    def windows():
        work.session.flush()
        return [
            work.session.execute(select(CommentRoundRow.id, CommentRoundRow.closed_at)).all(),
            work.session.execute(select(BallotRow.id, BallotRow.closed_at, BallotRow.closes_at)).all(),
            work.session.execute(select(TimerRow.id, TimerRow.due_at, TimerRow.ended_at)).all(),
            work.session.execute(select(DocumentRow.state, DocumentRow.state_entered_at)).all(),
        ]

    before = windows()
    clock.forward(hours=5)
    fire(work, coalition["secretariat"], reference, "note", comment="Once more.")
    assert windows() == before
    (entry,) = history(work)
    assert (entry.source, entry.target, entry.comment) == ("a", "a", "Once more.")


def test_a_timer_is_asked_for_neither_role_nor_comment(work, coalition, clock, begin):
    reference = begin(STAYING)
    with pytest.raises(Refused) as refused:
        fire(work, coalition["delta"], reference, "close")
    assert {reason.code for reason in refused.value.refusals} == {"comment_required", "no_role"}
    clock.forward(days=3, seconds=1)
    for due in timers.find_due(work, 10):
        assert timers.run_timer(work, due)
    assert state(work, reference) == "b"
    assert history(work)[-1].trigger == "timer"


BYPASS = """\
bypass: [manager]
states: {a: {grants: {edit: []}, text: open}, b: {final: true}}
transitions:
  go: {from: [a], to: b, comment: COMMENT, guard: {role: [author], group: [bureau], require: [has_published_edition]}}
  free: {from: [a], to: b}
"""


@pytest.fixture
def boss(work, coalition):
    id_ = people.save_person(
        work, THE_SYSTEM, {"name": "Boss", "email": "boss@example.org", "roles": ["manager"], "language": "en"}
    )
    return people.load_actor(work, id_)


def test_a_bypass_is_written_into_the_history_whichever_way_it_was_used(work, boss, clock, begin):
    first = begin(BYPASS.replace("COMMENT", "optional"))
    others = [drafting.create_document(work, THE_SYSTEM, "note", TEXT) for _ in range(3)]
    fire(work, boss, first, "go")
    batch = bulk.start_batch(work, boss, "go", [others[0]])
    scheduling.schedule(work, boss, others[1], "go", Moment(clock.at.replace(hour=11), "UTC"))
    work.commit()
    bulk.run_batch(work, batch, 1)
    clock.forward(hours=3)
    (due,) = timers.find_due(work, 10)
    assert timers.run_timer(work, due)
    fire(work, boss, others[2], "free")
    assert [entry.params.get("bypassed", False) for entry in history(work)] == [True, True, True, False]


def test_a_bypass_gives_no_permission_and_says_no_comment(work, boss, begin):
    reference = begin(BYPASS.replace("COMMENT", "required"))
    assert not get_subject(work, boss, reference).may("edit"), "an empty list is nobody"
    with pytest.raises(Refused) as refused:
        fire(work, boss, reference, "go")
    assert [reason.code for reason in refused.value.refusals] == ["comment_required"]


def test_a_round_and_a_ballot_are_for_whom_a_role_of_another_name_means(work, coalition, begin):
    named = "roles: [{id: Board, is: steering}, {id: Circle, is: member}]\n"
    reference = begin(
        named + STAYING.replace("role: steering", "role: Board").replace("round: member", "round: Circle")
    )
    assert work.session.scalar(select(CommentRoundRow.audience)) == "member"
    assert work.session.scalar(select(func.count()).select_from(BallotVoterRow)) == 3
    kinds = {one.kind for one in read_desk(work, coalition["alpha"]).waiting}
    assert kinds == {"comment", "decide"}
    workflow = get_subject(work, THE_SYSTEM, reference).workflow
    assert find_movers(workflow, "a", None) == {"member"}


FURTHER = """\
workflow: further
initial: idle
states: {idle: {title: Waiting, timer: {after: P2D, fire: end, remind: [P1D]}}, over: {final: true}}
transitions: {end: {from: [idle], to: over, trigger: [timer]}}
"""


def test_a_further_workflow_may_grant_nobody_anything(work, begin):
    reference = begin(STAYING, further=FURTHER)
    assert get_subject(work, THE_SYSTEM, reference).standing == {"note": "a", "further": "idle"}


def test_a_reminder_of_a_further_workflow_is_of_its_own_deadline(work, begin, clock):
    began = clock.at
    begin(STAYING.replace("remind: [P1D]", "remind: []"), further=FURTHER)
    clock.forward(days=1, seconds=1)
    (due,) = timers.find_due(work, 10)
    assert timers.run_timer(work, due)
    job = work.session.scalars(select(JobRow).where(JobRow.kind == "notify").order_by(JobRow.id.desc())).first()
    assert notices.notify(work, job.key, **job.payload)
    mails = work.session.scalars(select(JobRow).where(JobRow.kind == "mail")).all()
    told = [notices.prepare_mail(work, mail.key, mail.payload) for mail in mails]
    assert {(mail.event, mail.name, mail.state_title, mail.deadline) for mail in told} == {
        ("step_reminder", "Secretariat", "Waiting", began + timedelta(days=2))
    }
