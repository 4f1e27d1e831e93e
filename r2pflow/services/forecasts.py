"""Say of many documents at once on which of them an actor could fire a transition now, and on which not, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from r2pflow.domain.definition import USER
from r2pflow.domain.engine import Offer
from r2pflow.domain.errors import InvalidInput, Refusal
from r2pflow.domain.people import Actor
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.bulk import check_references, find_documents
from r2pflow.services.offers import find_offers_for

_SLICE = 500  # values in one query


@dataclass(frozen=True)
class Forecast:
    """What firing would come to on one document; a comment that is required is still to be asked for."""

    subject: Subject
    refusals: tuple[Refusal, ...] = ()


def forecast(work: UnitOfWork, actor: Actor, transition: str, references: Sequence[str]) -> list[Forecast]:
    """Return what would become of each document, in the order of the references.

    Raises InvalidInput as `bulk.start_batch` does, for the documents alone.
    """
    asked = check_references(references)
    ids = find_documents(work, actor, asked)
    missing = [reference for reference in asked if reference not in ids]
    if missing:
        raise InvalidInput("documents_not_found", field="references", references=missing[:20], count=len(missing))
    wanted = list(ids.values())
    offers: dict[int, tuple[Subject, tuple[Offer, ...]]] = {}
    for start in range(0, len(wanted), _SLICE):
        offers |= find_offers_for(work, actor, wanted[start : start + _SLICE])
    return [_foresee(*offers[one], transition) for one in wanted if one in offers]


def _foresee(subject: Subject, offers: Iterable[Offer], name: str) -> Forecast:
    offer = next((one for one in offers if one.transition.name == name), None)
    if offer is not None:
        return Forecast(subject, offer.refusals)
    lane = subject.find_lane(name)
    found = lane.workflow.transitions.get(name)
    if found is None:
        return Forecast(subject, (Refusal("unknown_transition", {"transition": name}),))
    if USER not in found.triggers:
        return Forecast(subject, (Refusal("not_this_trigger", {"trigger": USER, "accepted": list(found.triggers)}),))
    accepted = list(found.sources)
    return Forecast(subject, (Refusal("wrong_state", {"state": lane.state_name, "accepted": accepted}),))


def count_fireable(offers: Mapping[int, tuple[Subject, Sequence[Offer]]]) -> dict[str, tuple[Subject, int]]:
    """Return the transitions that can be fired on at least one document: with one such, and how many there are."""
    counts: dict[str, tuple[Subject, int]] = {}
    for subject, some in offers.values():
        for name in (offer.transition.name for offer in some if offer.is_fireable):
            first, count = counts.get(name, (subject, 0))
            counts[name] = (first, count + 1)
    return counts
