"""Two workflows run beside each other on one document: each in its own state, and each permission ruled by one."""

from pathlib import Path

import pytest
from sqlalchemy import select

from r2pflow.domain.errors import Conflict, DefinitionErrors, Refused
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import queries, timers
from r2pflow.services.access import get_subject, visible_to
from r2pflow.services.drafting import create_document
from r2pflow.services.offers import find_offers
from r2pflow.services.transitions import fire

CHAIN = Path(__file__).parents[1] / "files" / "chain"
TYPES = (CHAIN / "documents.yaml").read_text(encoding="utf-8")
NOTICE = (CHAIN / "notice.yaml").read_text(encoding="utf-8")
UPKEEP = (CHAIN / "upkeep.yaml").read_text(encoding="utf-8")


def load(folder: Path, notice: str = NOTICE, upkeep: str = UPKEEP, types: str = TYPES) -> Catalogue:
    folder.mkdir(exist_ok=True)
    for name, text in (("documents", types), ("notice", notice), ("upkeep", upkeep)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_catalogue(load_plugins(), [folder])


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load(tmp_path_factory.mktemp("chain"))


@pytest.fixture
def reference(work, coalition) -> str:
    found = create_document(work, coalition["secretariat"], "notice", canonical("<h1>Notice</h1><p>Soon.</p>"))
    work.commit()
    return found


def standing(work, reference):
    return get_subject(work, THE_SYSTEM, reference).standing


def test_a_document_starts_in_the_initial_state_of_each_workflow(work, reference):
    assert standing(work, reference) == {"notice": "drafting", "upkeep": "idle"}


def test_what_happens_in_one_workflow_sets_off_an_automatic_transition_of_the_other(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    assert standing(work, reference) == {"notice": "agreed", "upkeep": "translating"}


def test_one_workflow_waits_for_the_other(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    with pytest.raises(Refused) as refused:
        fire(work, coalition["secretariat"], reference, "publish")
    detail = refused.value.refusals[0].params["detail"]
    assert detail == {"found": {"upkeep": "translating"}, "accepted": {"upkeep": ["ready"]}}
    fire(work, coalition["translator"], reference, "finish")
    fire(work, coalition["secretariat"], reference, "publish")
    assert standing(work, reference) == {"notice": "published", "upkeep": "ready"}


def test_the_further_workflow_rules_the_permission_that_it_names(work, coalition, reference):
    def may(name):
        row = select(DocumentRow.id).where(visible_to(coalition[name], "translate"))
        listed = work.session.scalar(row) is not None
        alone = get_subject(work, coalition[name], reference).may("translate")
        assert listed == alone
        return alone

    assert not may("secretariat"), "the first workflow grants it, and does not rule it"
    assert not may("translator")
    fire(work, coalition["secretariat"], reference, "agree")
    assert may("translator")
    assert not may("secretariat")


def test_the_steps_of_both_workflows_are_offered(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    offers = find_offers(work, get_subject(work, coalition["translator"], reference))
    assert {offer.transition.name: offer.is_fireable for offer in offers} == {"publish": False, "finish": True}


def test_the_history_says_in_which_workflow_something_happened(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    rows = work.session.execute(
        select(HistoryEntryRow.transition, HistoryEntryRow.target, HistoryEntryRow.params)
        .where(HistoryEntryRow.kind == "transition")
        .order_by(HistoryEntryRow.id)
    ).all()
    assert [(name, target, params.get("workflow")) for name, target, params in rows] == [
        ("agree", "agreed", None),
        ("start", "translating", "upkeep"),
    ]
    subject = get_subject(work, THE_SYSTEM, reference)
    assert [queries.find_path(work, lane) for lane in subject.lanes] == [
        ["drafting", "agreed"],
        ["idle", "translating"],
    ]


def test_a_timer_of_the_further_workflow_runs_whatever_the_first_does(work, coalition, clock, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    work.commit()
    clock.forward(days=2, seconds=1)
    (due,) = timers.find_due(work, 10)
    assert timers.run_timer(work, due)
    work.commit()
    assert standing(work, reference) == {"notice": "agreed", "upkeep": "ready"}


def test_leaving_a_state_of_one_workflow_ends_only_its_own_timers(work, coalition, reference):
    fire(work, coalition["secretariat"], reference, "agree")
    fire(work, coalition["translator"], reference, "finish")
    ended = work.session.execute(select(TimerRow.workflow, TimerRow.ended_at.is_not(None))).all()
    assert [tuple(row) for row in ended] == [("upkeep", True)]


def test_a_step_in_one_workflow_makes_a_step_in_the_other_stale(work, coalition, reference):
    seen = get_subject(work, THE_SYSTEM, reference).change_number
    fire(work, coalition["secretariat"], reference, "agree")
    with pytest.raises(Conflict, match="moved_on"):
        fire(work, coalition["translator"], reference, "finish", expected_change=seen)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"upkeep": UPKEEP.replace("initial", "permissions: {view: [member]}\ninitial")}, "further_with_view"),
        ({"upkeep": UPKEEP.replace("  idle: {", "  idle: {text: open, ")}, "further_with_window"),
        ({"upkeep": UPKEEP.replace("  finish:", "  agree:")}, "transition_twice"),
        ({"upkeep": UPKEEP.replace("{notice: [agreed]}", "{notice: [agred]}")}, "unknown_state"),
        ({"notice": NOTICE.replace("{upkeep: ready}", "{upkep: ready}")}, "unknown_workflow"),
        ({"types": TYPES.replace("[notice, upkeep]", "[upkeep, notice]")}, "first_without_view"),
        ({"types": TYPES.replace("[notice, upkeep]", "[notice, notice]")}, "bad_chain"),
        ({"types": TYPES.replace("[notice, upkeep]", "[]")}, "bad_chain"),
        ({"types": TYPES.replace("[notice, upkeep]", "[notice, upkeeep]")}, "unknown_workflow"),
    ],
)
def test_a_chain_that_cannot_work_is_refused_at_its_place(tmp_path, change, code):
    with pytest.raises(DefinitionErrors) as refused:
        load(tmp_path / "wrong", **change)
    found = {error.code: error for error in refused.value.errors}
    assert code in found
    assert found[code].line and found[code].column
