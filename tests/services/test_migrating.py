"""Documents keep their definition until somebody moves them; then each moves by itself, and its past stays readable."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Refused, SetupError
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, TrackRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import definitions, queries
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.meanwhile import moved_on
from r2pflow.services.migrating import Wish, migrate_document, plan_migration
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire
from r2pflow.services.versions import see_as_then

FILES = Path(__file__).parent / "workflows"
STATEMENT = (FILES / "statement.yaml").read_text(encoding="utf-8").replace("version: 1", "version: 2")
TYPES = (FILES / "documents.yaml").read_text(encoding="utf-8")
RENAMED = STATEMENT.replace("drafting", "writing")
TEXT = "<h1>Protect civilians</h1><p data-block='p1'>States must act early.</p>"


@pytest.fixture
def change(work, tmp_path) -> Callable[..., None]:
    """Start anew with other files; None takes the file of the workflow away."""

    def start(statement: str | None = STATEMENT, types: str = TYPES, *plugins, **more: str) -> None:
        folder = tmp_path / f"files-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        texts = {"statement": statement, "documents": types, **more}
        for name, text in texts.items():
            if text is not None:
                (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        engine = work.session.get_bind()
        found = load_catalogue(
            load_plugins(plugins), [folder], lambda name: definitions.find_newest_stored(engine, name)
        )
        work.session.rollback()
        work.catalogue = found

    return start


def move(work, wish, actor=THE_SYSTEM):
    """Move what can be moved; return the states before and after by reference."""
    plan = plan_migration(work, actor, wish)
    done = {}
    for one in plan.moves:
        if not one.step.refusals:
            step = migrate_document(work, actor, plan, one)
            work.commit()
            done[one.reference] = (step.source, step.target)
    return done


def subject_of(work, reference):
    return get_subject(work, THE_SYSTEM, reference)


def open_timers(work, kind="fire"):
    query = select(TimerRow).where(TimerRow.kind == kind, TimerRow.ended_at.is_(None)).order_by(TimerRow.due_at)
    return work.session.scalars(query).all()


def test_a_dry_run_lists_each_document_and_writes_nothing(work, coalition, statement, change):
    other = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    fire(work, coalition["secretariat"], other, "open_comment")
    work.commit()
    change(RENAMED)
    plan = plan_migration(work, THE_SYSTEM, Wish("statement"))
    told = [(one.reference, one.step.source, one.step.target, len(one.step.refusals)) for one in plan.moves]
    assert told == [(statement, "drafting", "", 1), (other, "member_comment", "member_comment", 0)]
    assert plan.moves[0].step.refusals[0].code == "state_not_mapped"
    assert plan.moves[0].title == "Protect civilians" and plan.moves[0].old.version == 1
    assert not work.session.dirty and subject_of(work, statement).workflow.version == 1


def test_documents_move_to_todays_version_with_the_states_that_are_mapped(work, coalition, statement, change):
    change(RENAMED)
    assert move(work, Wish("statement", mapping={"drafting": "writing"})) == {statement: ("drafting", "writing")}
    subject = subject_of(work, statement)
    assert (subject.workflow.version, subject.state_name, subject.change_number) == (2, "writing", 2)
    assert subject.state_entered_at == work.now()
    fire(work, coalition["secretariat"], statement, "open_comment")
    assert plan_migration(work, THE_SYSTEM, Wish("statement")).moves == ()


def test_permissions_follow_the_new_definition_at_once(work, coalition, statement, change):
    change(STATEMENT.replace("drafting:\n    grants: {view: [author", "drafting:\n    grants: {view: [member, author"))
    with pytest.raises(NotFound):
        get_subject(work, coalition["delta"], statement)
    move(work, Wish("statement"))
    assert get_subject(work, coalition["delta"], statement).reference == statement
    found = queries.list_documents(work, coalition["delta"], queries.Filters()).rows
    assert [row.reference for row in found] == [statement]


def test_a_running_deadline_is_kept_where_the_new_state_has_the_same(work, coalition, statement, change, clock):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    [before] = [(one.id, one.due_at) for one in open_timers(work)]
    clock.forward(days=1)
    change(STATEMENT)
    move(work, Wish("statement"))
    assert [(one.id, one.due_at) for one in open_timers(work)] == [before]
    assert work.session.scalars(select(CommentRoundRow.closed_at)).one() is None
    assert subject_of(work, statement).state_entered_at == clock() - timedelta(days=1)


def test_another_deadline_counts_from_when_the_state_was_entered(work, coalition, statement, change, clock):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    begun = clock()
    clock.forward(days=1)
    change(STATEMENT.replace("{after: P3D, calendar: working, fire: close_comment, remind: [P1D]}",
                             "{after: P7D, fire: close_comment, remind: [P2D, P6D]}"))  # fmt: skip
    move(work, Wish("statement"))
    assert [one.due_at for one in open_timers(work)] == [begun + timedelta(days=7)]
    assert [one.due_at for one in open_timers(work, "remind")] == [begun + timedelta(days=5)]  # that of day 1 is now
    assert work.session.scalars(select(CommentRoundRow.closes_at)).one() == begun + timedelta(days=7)


def test_a_deadline_that_would_have_passed_comes_at_once_and_is_not_called_late(
    work, coalition, statement, change, clock
):
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    clock.forward(days=2)
    change(STATEMENT.replace("after: P3D, calendar: working", "after: P1D"))
    move(work, Wish("statement"))
    [timer_id] = [one for one in find_due(work, 10) if work.session.get_one(TimerRow, one).kind == "fire"]
    assert run_timer(work, timer_id)
    work.commit()
    assert subject_of(work, statement).state_name == "revision"
    assert work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "timer")).all() == []


def test_an_open_round_or_ballot_is_untouched_in_its_state_and_refuses_any_other(work, coalition, statement, change):
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    change(STATEMENT.replace("approval", "verdict"))
    plan = plan_migration(work, THE_SYSTEM, Wish("statement", mapping={"approval": "verdict"}))
    assert [refusal.code for refusal in plan.moves[0].step.refusals] == ["ballot_open"]
    with pytest.raises(Refused):
        migrate_document(work, THE_SYSTEM, plan, plan.moves[0])
    work.rollback()
    change(STATEMENT)
    move(work, Wish("statement"))
    ballot = work.session.scalars(select(BallotRow)).one()
    assert (ballot.outcome, ballot.closed_at) == ("open", None)
    assert len(open_timers(work, "close_ballot")) == 1


def test_what_a_state_newly_asks_for_opens(work, coalition, statement, change):
    change(STATEMENT.replace("    text: open\n  revision", "    ballot: simple\n  revision"))
    move(work, Wish("statement"))
    assert work.session.scalars(select(BallotRow.state)).one() == "drafting"


def test_a_document_that_changed_since_the_plan_is_left_alone(work, second_work, coalition, statement, change):
    change(STATEMENT)
    plan = plan_migration(work, THE_SYSTEM, Wish("statement"))
    fire(second_work, coalition["secretariat"], statement, "open_comment")
    second_work.commit()
    work.rollback()
    with pytest.raises(Conflict, match="moved_on"):
        migrate_document(work, THE_SYSTEM, plan, plan.moves[0])
    work.rollback()
    assert subject_of(work, statement).workflow.version == 1


def test_one_document_that_cannot_move_does_not_hold_the_others(work, coalition, statement, change):
    empty = STATEMENT.replace("    text: open\n  revision", "    ballot: simple\n  revision")
    empty = empty.replace("electorate: {role: steering}", "electorate: {group: nobody}")
    other = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    fire(work, coalition["secretariat"], other, "open_comment")
    work.commit()
    change(empty)
    plan = plan_migration(work, THE_SYSTEM, Wish("statement"))
    with pytest.raises(InvalidInput, match="empty_electorate"):
        migrate_document(work, THE_SYSTEM, plan, plan.moves[0])
    work.rollback()
    migrate_document(work, THE_SYSTEM, plan, plan.moves[1])
    work.commit()
    assert subject_of(work, statement).workflow.version == 1
    assert subject_of(work, other).workflow.version == 2


def test_only_a_version_or_some_documents_may_be_meant(work, coalition, statement, change):
    change(STATEMENT.replace("Statement}", "Second}"))
    second = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    change(STATEMENT.replace("version: 2", "version: 3"))

    def meant(**values):
        return [one.reference for one in plan_migration(work, THE_SYSTEM, Wish("statement", **values)).moves]

    assert meant() == [statement, second]
    assert meant(version="1") == [statement]
    assert meant(version=subject_of(work, second).workflow.digest[:8]) == [second]
    assert meant(references=(second,)) == [second]
    with pytest.raises(InvalidInput, match="unknown_version"):
        meant(version="9")
    with pytest.raises(NotFound, match="ST-99"):
        meant(references=(second, "ST-99"))
    with pytest.raises(InvalidInput, match="unknown_state"):
        meant(mapping={"drafting": "nowhere"})
    with pytest.raises(NotFound, match="workflow_not_found"):
        plan_migration(work, THE_SYSTEM, Wish("no_such"))


def test_only_administrators_move_and_only_what_they_may_manage(work, coalition, statement, change):
    change(STATEMENT)
    with pytest.raises(Forbidden):
        plan_migration(work, coalition["alpha"], Wish("statement"))
    assert plan_migration(work, coalition["secretariat"], Wish("statement")).moves == ()
    plan = plan_migration(work, THE_SYSTEM, Wish("statement"))
    with pytest.raises(Forbidden):
        migrate_document(work, coalition["secretariat"], plan, plan.moves[0])


def test_a_type_with_another_workflow_sends_new_documents_there_and_old_ones_stay_until_they_are_moved(
    work, coalition, statement, change
):
    other = RENAMED.replace("workflow: statement", "workflow: brief").replace("version: 2", "version: 1")
    change(STATEMENT, TYPES.replace("workflow: statement", "workflow: brief"), brief=other)
    new = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    assert subject_of(work, new).workflow.name == "brief"
    assert subject_of(work, statement).workflow.name == "statement"
    wish = Wish("statement", to="brief", mapping={"drafting": "writing"})
    assert move(work, wish) == {statement: ("drafting", "writing")}
    assert subject_of(work, statement).workflow.name == "brief"


def test_a_further_workflow_of_a_chain_moves_by_itself(work, coalition, statement, change):
    side = "\n".join((
        "workflow: side", "version: 1", "initial: open", "states:",
        "  open: {grants: {translate: [translator]}, timer: {after: P3D, fire: shut}}",
        "  shut: {final: true}", "transitions:", "  shut: {from: [open], to: shut, trigger: [timer]}", "",
    ))  # fmt: skip
    change(STATEMENT, TYPES.replace("workflow: statement", "workflow: [statement, side]"), side=side)
    both = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    newer = side.replace("version: 1", "version: 2").replace("open", "begun").replace("translate:", "sign:")
    change(STATEMENT, TYPES.replace("workflow: statement", "workflow: [statement, side]"), side=newer)
    assert move(work, Wish("side", mapping={"open": "begun"})) == {both: ("open", "begun")}
    track = work.session.scalars(select(TrackRow)).one()
    assert (track.state, track.rules) == ("begun", ",sign,")
    assert [(one.state, one.workflow) for one in open_timers(work)] == [("begun", "side")]
    assert subject_of(work, both).state_name == "drafting"
    [entry] = work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "migration")).all()
    before, after = see_as_then(work, [(entry, subject_of(work, both))])[entry.id]
    assert [lane.workflow.version for lane in before.lanes] == [2, 1]
    assert [lane.workflow.version for lane in after.lanes] == [2, 2]


def test_history_is_told_in_the_definition_in_which_it_happened(work, coalition, statement, change):
    fire(work, coalition["secretariat"], statement, "open_comment")
    fire(work, coalition["secretariat"], statement, "close_comment")
    work.commit()
    shorter = STATEMENT.replace("member_comment", "consultation").replace("open_comment", "consult")
    change(shorter)
    move(work, Wish("statement"))
    fire(work, coalition["secretariat"], statement, "submit")
    work.commit()
    change(shorter.replace("version: 2", "version: 3").replace("revision", "rewriting"))
    subject = subject_of(work, statement)
    assert queries.find_path(work, subject) == ["drafting", "revision", "approval"]
    entries = queries.list_history(work, subject).rows
    then = see_as_then(work, [(entry, subject) for entry in entries])
    versions = {
        (entry.kind, entry.transition): tuple(one.workflow.version for one in then[entry.id]) for entry in entries
    }
    assert versions["transition", "open_comment"] == (1, 1)
    assert versions["transition", "close_comment"] == (1, 1)
    assert versions["migration", ""] == (1, 2)
    assert versions["transition", "submit"] == (2, 2)
    before, _ = then[next(entry.id for entry in entries if entry.transition == "open_comment")]
    assert "member_comment" in before.workflow.states and "member_comment" not in subject.workflow.states


def test_a_conflict_tells_of_a_move_meanwhile(work, coalition, statement, change):
    change(STATEMENT)
    move(work, Wish("statement"))
    conflict = moved_on(work, THE_SYSTEM, subject_of(work, statement).id, 1)
    assert [one["what"] for one in conflict.params["meanwhile"]] == ["migration"]


def test_a_workflow_whose_file_is_gone_serves_on_from_where_it_is_stored(work, coalition, statement, change, caplog):
    change(None)  # the type still names it
    assert "no file defines the workflow statement" in caplog.text
    assert work.catalogue.kept == {"statement"}
    fire(work, coalition["secretariat"], statement, "open_comment")
    new = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    work.commit()
    assert subject_of(work, new).workflow.name == "statement"


def test_documents_of_a_workflow_that_no_type_names_any_more_run_on(work, coalition, statement, change):
    other = STATEMENT.replace("workflow: statement", "workflow: brief")
    change(None, TYPES.replace("workflow: statement", "workflow: brief"), brief=other)
    assert work.catalogue.kept == frozenset()
    assert "statement" in {one.name for one in definitions.list_workflows(work)}
    fire(work, coalition["secretariat"], statement, "open_comment")
    work.commit()
    [use] = definitions.list_uses(work)
    assert (use.workflow, use.count, use.has_file, use.found) == ("statement", 1, False, "")
    assert move(work, Wish("statement", to="brief")) == {statement: ("member_comment", "member_comment")}


def test_a_stored_definition_in_use_cannot_be_deleted(work, coalition, statement):
    with pytest.raises(IntegrityError):
        work.session.execute(delete(DefinitionRow))
    work.rollback()
    assert subject_of(work, statement).workflow.name == "statement"


NEEDY = STATEMENT.replace("require: [has_text]", "require: [has_text, moon_is_full]")


def add_moon(registry):
    registry.condition("moon_is_full", lambda facts, actor: None)


def test_a_definition_that_lost_its_plugin_closes_its_documents_and_no_lists(work, coalition, statement, change):
    change(NEEDY, TYPES, add_moon)
    needy = create_document(work, coalition["secretariat"], "statement", canonical(TEXT))
    fire(work, coalition["secretariat"], needy, "open_comment")
    work.commit()
    due_at = open_timers(work)[0].due_at
    change(STATEMENT.replace("version: 2", "version: 3"))
    with pytest.raises(SetupError) as refused:
        subject_of(work, needy)
    params = refused.value.params
    assert refused.value.code == "definition_unreadable"
    assert (params["workflow"], params["version"], params["documents"]) == ("statement", 2, 1)
    assert "moon_is_full" in params["found"]
    assert subject_of(work, statement).workflow.version == 1
    assert len(queries.list_documents(work, coalition["secretariat"], queries.Filters()).rows) == 2
    use = next(one for one in definitions.list_uses(work) if one.found)
    assert (use.version, use.count) == (2, 1)
    work.clock.at = due_at
    for timer_id in find_due(work, 10):
        if work.session.get_one(TimerRow, timer_id).kind == "fire":
            with pytest.raises(SetupError):
                run_timer(work, timer_id)  # it stays due
            work.rollback()
    assert len(open_timers(work)) == 1
    assert move(work, Wish("statement", version="2")) == {needy: ("member_comment", "member_comment")}
    assert subject_of(work, needy).workflow.version == 3


def test_a_type_that_vanished_closes_its_documents_and_is_named(work, coalition, statement, change):
    change(STATEMENT, TYPES.replace("  statement:\n", "  paper:\n"))
    with pytest.raises(SetupError) as refused:
        subject_of(work, statement)
    assert (refused.value.code, refused.value.params["type"]) == ("document_type_missing", "statement")
    assert definitions.list_missing_types(work) == {"statement": 1}
    row = work.session.scalars(select(DocumentRow)).one()
    assert definitions.get_type_outline(work, row.type).name == "statement"


