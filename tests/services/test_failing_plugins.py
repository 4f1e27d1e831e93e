"""A condition or an effect that raises refuses its transition; nothing is half written, and the log says why."""

import logging
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import func, insert, select, text

from r2pflow.domain.errors import InvalidInput, Refused
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import translator
from r2pflow.persistence.documents import CounterRow
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.plugins import signals
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.plugins.registry import Registry
from r2pflow.services import desk, timers
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document, save_fields
from r2pflow.services.offers import find_offers
from r2pflow.services.transitions import fire

FAULTS = {"ValueError": ValueError, "KeyError": KeyError, "InvalidInput": lambda told: InvalidInput("bad_slug")}


def queue_first(work: Any, subject: Any, outcome: Any) -> None:
    work.enqueue("notify", f"first:{subject.id}:{subject.change_number}", event="document_published")
    work.session.add(CounterRow(name=f"counted:{subject.id}", value=1))
    work.announce(lambda: signals.document_published.send(None, symbol="never"))


def fail(work: Any, subject: Any, outcome: Any, *, error: Literal["ValueError", "KeyError", "InvalidInput"]) -> None:
    raise FAULTS[error]("out of order")


def break_a_rule(work: Any, subject: Any, outcome: Any) -> None:
    work.session.execute(insert(TimerRow).values(document_id=None))


def cannot_tell(facts: Any, actor: Any) -> None:
    raise RuntimeError("no answer")


def bring(registry: Registry) -> None:
    registry.effect("queue_first", queue_first)
    registry.effect("fail", fail)
    registry.effect("break_a_rule", break_a_rule)
    registry.condition("cannot_tell", cannot_tell)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(load_plugins([bring]), [Path(__file__).parent / "faulty"])


@pytest.fixture
def paper(work, coalition) -> str:
    reference = create_document(
        work, coalition["secretariat"], "faulty", canonical("<h1>Note</h1><p>One.</p>"), fields={"place": ""}
    )
    work.commit()
    return reference


def written(work) -> dict[str, int]:
    counted = {
        row.__tablename__: work.session.scalar(select(func.count()).select_from(row))
        for row in (HistoryEntryRow, JobRow, TimerRow, CounterRow)
    }
    return {**counted, "changes": work.session.scalar(text("SELECT sum(change_number) FROM r2pflow_document"))}


@pytest.mark.parametrize("name", ["break", "break_the_database"])
def test_an_effect_that_raises_refuses_and_leaves_nothing_even_where_the_caller_goes_on(
    work, coalition, paper, name, caplog
):
    before, heard = written(work), []
    effect = {"break": "fail", "break_the_database": "break_a_rule"}[name]
    with caplog.at_level(logging.ERROR), pytest.raises(Refused) as refused:
        fire(work, coalition["secretariat"], paper, name)
    with signals.transition_fired.connected_to(lambda *_, **told: heard.append(told)):
        with signals.document_published.connected_to(lambda *_, **told: heard.append(told)):
            work.commit()
    (refusal,) = refused.value.refusals
    assert (refusal.code, refusal.params["name"]) == ("effect_failed", effect)
    assert effect in sentence(refused.value, translator("en"))
    assert written(work) == before and heard == []
    assert get_subject(work, THE_SYSTEM, paper).state_name == "draft"
    (logged,) = [one for one in caplog.records if one.exc_info]
    assert paper in logged.getMessage() and effect in logged.getMessage()


def test_an_effect_may_refuse_in_its_own_words(work, coalition, paper):
    before = written(work)
    with pytest.raises(InvalidInput, match="bad_slug"):
        fire(work, coalition["secretariat"], paper, "refuse")
    work.commit()
    assert written(work) == before


def test_a_timer_whose_effect_raises_is_refused_once_and_told(work, coalition, paper, clock, caplog):
    fire(work, coalition["secretariat"], paper, "wait")
    work.commit()
    clock.forward(days=2)
    (due,) = timers.find_due(work, 5)
    before = written(work)
    assert timers.run_timer(work, due)
    work.commit()
    assert get_subject(work, THE_SYSTEM, paper).state_name == "waiting"
    entry = work.session.scalars(select(HistoryEntryRow).order_by(HistoryEntryRow.id.desc())).first()
    assert (entry.kind, entry.params["reasons"][0]["code"]) == ("timer", "effect_failed")
    after = written(work)
    assert after["changes"] == before["changes"] and after["r2pflow_counter"] == before["r2pflow_counter"]
    assert timers.find_due(work, 5) == []
    assert "KeyError" in caplog.text


def test_an_automatic_transition_that_fails_leaves_what_led_to_it(work, coalition, paper, caplog):
    save_fields(work, coalition["secretariat"], paper, {"place": "Geneva"})
    work.commit()
    subject = get_subject(work, THE_SYSTEM, paper)
    assert (subject.state_name, subject.fields["place"]) == ("draft", "Geneva")
    kinds = work.session.scalars(select(HistoryEntryRow.kind).order_by(HistoryEntryRow.id)).all()
    assert kinds == ["created", "fields", "refused"]
    assert work.session.scalars(select(JobRow.key).where(JobRow.key.startswith("first:"))).all() == []
    assert "fail" in caplog.text and "Traceback" in caplog.text


def test_a_condition_that_raises_refuses_where_it_is_asked_and_hides_nothing_in_lists(work, coalition, paper, caplog):
    secretary = coalition["secretariat"]
    with pytest.raises(Refused) as refused:
        fire(work, secretary, paper, "doubt")
    assert refused.value.refusals[0].params["detail"] == {"error": "RuntimeError"}
    offers = {offer.transition.name: offer for offer in find_offers(work, get_subject(work, secretary, paper))}
    assert not offers["doubt"].is_fireable and offers["break"].is_fireable
    assert [one.document.reference for one in desk.read_desk(work, secretary).waiting] == [paper]
    assert "no answer" in caplog.text
