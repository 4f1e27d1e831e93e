"""On random definitions, loaded and walked at random: no document stands where its history does not lead."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from r2pflow.domain.definition import TIMER, USER, Workflow
from r2pflow.domain.errors import Refused
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.deliberation import BallotRow
from r2pflow.persistence.documents import DocumentRow, TrackRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import ballots, timers
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.explaining import explain
from r2pflow.services.offers import find_offers
from r2pflow.services.transitions import fire
from r2pflow.settings import Settings
from tests.strategies import Definition, as_yaml, further_definitions, sound_definitions

TYPES = {
    "types": {
        "random": {
            "title": {"en": "Random"},
            "code": "RA",
            "languages": {"authoritative": "en"},
            "symbol": "{code}/{number}",
            "template": "statement",
            "fields": {"scope": {"kind": "text", "title": {"en": "Scope"}}},
        }
    }
}
TEXT = "<h1>Title</h1><p>One sentence.</p>"


def load(folder: Path, chain: list[Definition]) -> Any:
    """Load the definitions as an application does when it starts, with one type of document that runs in all."""
    folder.mkdir(exist_ok=True)
    for definition in chain:
        (folder / f"{definition['workflow']}.yaml").write_text(as_yaml(definition), encoding="utf-8")
    TYPES["types"]["random"]["workflow"] = [definition["workflow"] for definition in chain]
    (folder / "documents.yaml").write_text(json.dumps(TYPES), encoding="utf-8")
    return load_catalogue(load_plugins(), [folder])


def replay(work: UnitOfWork, document_id: int, workflows: list[Workflow]) -> dict[str, str]:
    """Return where the document stands in each workflow by its history alone, each entry checked as it is read."""
    standing = {workflow.name: workflow.initial for workflow in workflows}
    by_name = {workflow.name: workflow for workflow in workflows}
    entries = work.session.scalars(
        select(HistoryEntryRow)
        .where(HistoryEntryRow.document_id == document_id, HistoryEntryRow.kind == "transition")
        .order_by(HistoryEntryRow.id)
    )
    for entry in entries:
        workflow = by_name[entry.params.get("workflow", workflows[0].name)]
        transition = workflow.transitions[entry.transition]
        assert entry.source == standing[workflow.name] and entry.source in transition.sources
        assert entry.target == transition.target(entry.source)
        assert entry.trigger in transition.triggers
        assert entry.trigger != USER or transition.comment != "required" or entry.comment
        assert entry.trigger == USER or entry.actor_name == "system"
        assert entry.trigger != TIMER or workflow.states[entry.source].timer.fire == entry.transition
        standing[workflow.name] = entry.target
    return standing


def stand(work: UnitOfWork, document_id: int, first: str) -> dict[str, str]:
    """Return where the document stands by its rows."""
    work.session.expire_all()
    state = work.session.scalar(select(DocumentRow.state).where(DocumentRow.id == document_id))
    tracks = select(TrackRow.workflow, TrackRow.state).where(TrackRow.document_id == document_id)
    return {first: str(state), **{row.workflow: row.state for row in work.session.execute(tracks)}}


def attempt(work: UnitOfWork, actor: Any, document_id: int, name: str, comment: str) -> None:
    """Fire, and see that it succeeds just where the offers of the document say so."""
    subject = get_subject(work, actor, document_id)
    offer = {one.transition.name: one for one in find_offers(work, subject)}.get(name)
    [explanation] = explain(work, subject, name)
    assert (explanation.refusals == ()) == (offer is not None and offer.is_fireable)
    wanted = "" if offer is None else offer.transition.comment
    is_open = offer is not None and offer.is_fireable and wanted in ("optional", "required" if comment else "none")
    before = len(work.session.scalars(select(HistoryEntryRow.id)).all())
    try:
        outcome = fire(work, actor, document_id, name, comment=comment)
    except Refused:
        assert not is_open
        assert len(work.session.scalars(select(HistoryEntryRow.id)).all()) == before
    else:
        assert is_open and outcome.target == offer.to
        event("fired")
    work.commit()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(sound_definitions(), st.one_of(st.none(), further_definitions()), st.data())
def test_no_walk_leaves_a_document_where_its_history_does_not_lead(
    work, coalition, clock, tmp_path, first: Definition, further: Definition | None, data: st.DataObject
):
    catalogue = load(tmp_path / "workflows", [first] if further is None else [first, further])
    kind = catalogue.types["random"]
    workflows = [catalogue.workflows[name] for name in kind.chain]
    walk = UnitOfWork(work.session, catalogue, Settings(instance=tmp_path), EmbeddedQueue(), clock)
    fields = data.draw(st.sampled_from([{}, {"scope": "global"}]))
    secretary = coalition["secretariat"]
    reference = create_document(walk, secretary, "random", canonical(TEXT), fields=fields)
    document_id = get_subject(walk, secretary, reference).id
    walk.commit()
    names = [name for workflow in workflows for name in workflow.transitions]
    for _ in range(data.draw(st.integers(3, 12))):
        match data.draw(st.integers(0, 9)):
            case 0:
                clock.forward(days=4)
                for due in timers.find_due(walk, 10):
                    timers.run_timer(walk, due)
                    walk.commit()
            case 1:
                held = select(BallotRow.id).where(BallotRow.document_id == document_id, BallotRow.closed_at.is_(None))
                for ballot_id in walk.session.scalars(held).all():
                    ballots.close_ballot(walk, ballot_id)
                    walk.commit()
            case _:
                actor = coalition[data.draw(st.sampled_from(["secretariat", "secretariat", "alpha", "delta"]))]
                comment = data.draw(st.sampled_from(["", "because"]))
                attempt(walk, actor, document_id, data.draw(st.sampled_from(names)), comment)
        assert stand(walk, document_id, workflows[0].name) == replay(walk, document_id, workflows)
