"""What an actor may do next: with one document, or with each of a list of them."""

from collections.abc import Mapping, Sequence

from r2pflow.domain import engine
from r2pflow.domain.definition import USER
from r2pflow.domain.engine import Offer
from r2pflow.domain.people import Actor
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, load_subjects
from r2pflow.services.facts import gather_many


def find_offers(work: UnitOfWork, subject: Subject) -> tuple[Offer, ...]:
    """Return every transition that leaves the subject's states by a user's hand, each with all that refuses it."""
    return _find_offers(work, [subject])[0]


def find_offers_for(
    work: UnitOfWork, actor: Actor, document_ids: Sequence[int]
) -> Mapping[int, tuple[Subject, tuple[Offer, ...]]]:
    """Return by id, for those of the documents that the actor may view, how they meet it and what they offer it.

    Three queries at most, however many documents, states, guards and chains there are.
    """
    subjects = load_subjects(work, actor, document_ids)
    return {
        subject.id: (subject, offers) for subject, offers in zip(subjects, _find_offers(work, subjects), strict=True)
    }


def _find_offers(work: UnitOfWork, subjects: Sequence[Subject]) -> list[tuple[Offer, ...]]:
    conditions = work.catalogue.registry.conditions
    lanes = [(number, lane) for number, subject in enumerate(subjects) for lane in subject.lanes]
    needed: dict[tuple[str, str], frozenset[str]] = {}
    for _, lane in lanes:
        if (lane.workflow.digest, lane.state_name) not in needed:
            names = [one.name for one in lane.workflow.transitions_from(lane.state_name) if USER in one.triggers]
            needed[lane.workflow.digest, lane.state_name] = engine.needs(lane.workflow, names, conditions)
    asked = [(lane, needed[lane.workflow.digest, lane.state_name]) for _, lane in lanes]
    found: list[list[Offer]] = [[] for _ in subjects]
    for (number, lane), facts in zip(lanes, gather_many(work, asked), strict=True):
        found[number] += engine.available(
            lane.workflow, state=lane.state_name, actor=lane.actor, facts=facts, conditions=conditions
        )
    return [tuple(offers) for offers in found]
