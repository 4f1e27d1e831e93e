"""What is scheduled, or fired on many, reaches the workflow of a chain that knows the transition."""

from pathlib import Path

import pytest
from sqlalchemy import select

from r2pflow.domain.errors import NotFound
from r2pflow.domain.moments import read_moment
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import batches, bulk
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.scheduling import list_schedulable, schedule
from r2pflow.services.timers import find_due, run_timer
from r2pflow.services.transitions import fire

CHAIN = Path(__file__).parents[1] / "files" / "chain"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(load_plugins(), [CHAIN])


@pytest.fixture
def notices(work, coalition) -> list[str]:
    text = canonical("<h1>Notice</h1><p>Soon.</p>")
    found = [create_document(work, coalition["secretariat"], "notice", text) for _ in range(3)]
    for reference in found[:2]:
        fire(work, coalition["secretariat"], reference, "agree")
    work.commit()
    return found


def upkeep(work, references):
    return [get_subject(work, THE_SYSTEM, one).standing["upkeep"] for one in references]


def test_a_schedule_fires_in_the_further_workflow(work, coalition, notices, clock):
    translator = coalition["translator"]
    assert [one.name for _, one in list_schedulable(get_subject(work, translator, notices[0]))] == ["finish"]
    moment = read_moment("2027-03-09T12:00", "UTC", work.now())
    timer_id = schedule(work, translator, notices[0], "finish", moment)
    work.commit()
    assert work.session.get(TimerRow, timer_id).workflow == "upkeep"
    clock.forward(days=1, hours=4)
    for due in find_due(work, 10):
        run_timer(work, due)
        work.commit()
    assert upkeep(work, notices[:1]) == ["ready"]
    entry = work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.transition == "finish")).all()[-1]
    assert (entry.person_id, entry.params["workflow"]) == (translator.person_id, "upkeep")


def test_a_batch_fires_in_the_further_workflow(work, coalition, notices):
    translator = coalition["translator"]
    batch_id = bulk.start_batch(work, translator, "finish", notices)
    work.commit()
    bulk.run_batch(work, batch_id, 1)
    work.commit()
    assert upkeep(work, notices) == ["ready", "ready", "idle"]
    assert batches.get_batch(work, translator, batch_id).progress == batches.Progress(done=2, refused=1)


def test_a_transition_of_no_workflow_of_the_chain_is_not_known(work, coalition, notices):
    with pytest.raises(NotFound):
        bulk.start_batch(work, coalition["secretariat"], "open_comment", notices)
