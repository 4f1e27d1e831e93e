"""The way of a document: its workflow as a picture with the path taken, and the same in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from r2pflow.outputs.diagrams import Key, Marks
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.lineage import PathStep, list_path
from r2pflow.services.offers import find_offers
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.i18n import title_of
from r2pflow.web.pages.document_shell import document_context, state_title
from r2pflow.web.picturing import show_workflow
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import Route
from r2pflow.web.telling import tell_entries
from r2pflow.web.words import word

SHOWN = 50
"""So many of the last steps are told; the whole history is one link away."""


@dataclass(frozen=True)
class ToldLane:
    """One workflow of the document's chain: where the document stands in it, how it came there, what it can do."""

    title: str
    name: str
    state: str
    picture: Markup | None
    steps: list[tuple[PathStep, str, str, str]]  # step, who, what, address of the history's entry
    is_cut: bool
    offers: list[tuple[str, str, str]]  # title, title of the state it leads to, address where it is fired


def show_way(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    offers = find_offers(work, subject)
    lanes = []
    for lane in subject.lanes:
        names = lane.workflow.transitions
        mine = {
            one.transition.name: one.is_fireable
            for one in offers
            if one.transition.name in names and (one.is_fireable or not subject.state.final)  # else no page tells of it
        }
        path = list_path(work, lane)
        told = tell_entries(work, ((step.entry, subject) for step in path[-SHOWN:]))
        lanes.append(tell_lane(lane, path, told, mine))
    return render("documents/way.html", **document_context(subject, "way"), lanes=lanes)


def tell_lane(
    lane: Subject,
    path: Sequence[PathStep],
    told: Sequence[tuple[HistoryEntryRow, str, str]],
    offers: Mapping[str, bool],
) -> ToldLane:
    """Tell one workflow of a chain.

    `told` are the last entries of the path with who did what; `offers` say of each transition that leaves the state
    whether it can be fired.
    """
    workflow, here = lane.workflow, lane.state_name
    addresses = {step.number: history_address(lane, step) for step in path}
    taken: dict[Key, tuple[int, ...]] = {}
    links = {name: url("workflow", name=workflow.name) + f"#state-{name}" for name in workflow.states}
    for step in path:
        entry = step.entry
        taken[entry.transition, entry.source] = (*taken.get((entry.transition, entry.source), ()), step.number)
        links[entry.target] = addresses[step.number]
    marks = Marks(
        here=here,
        passed=frozenset(state for step in path for state in (step.entry.source, step.entry.target)),
        taken=taken,
        offered=frozenset((name, here) for name, is_fireable in offers.items() if is_fireable),
        state_links=links,
        arrow_links={(name, here): fire_address(lane, name) for name in offers},
    )
    shown = path[-len(told) :] if told else ()
    return ToldLane(
        title=title_of(workflow.title, word(workflow.name)),
        name=workflow.name,
        state=state_title(lane),
        picture=show_workflow(workflow, marks, prefix=f"way{lane.track}"),
        steps=[(one, who, what, addresses[one.number]) for one, (_, who, what) in zip(shown, told, strict=True)],
        is_cut=len(shown) < len(path),
        offers=[
            (
                title_of(workflow.transitions[name].title, word(name)),
                state_title(lane, workflow.transitions[name].target(here)),
                fire_address(lane, name),
            )
            for name, is_fireable in offers.items()
            if is_fireable
        ],
    )


def history_address(subject: Subject, step: PathStep) -> str:
    """Return where the history tells of the step."""
    page = {"page": step.page} if step.page > 1 else {}
    return url("history", reference=subject.reference, **page) + f"#entry-{step.entry.id}"


def fire_address(subject: Subject, transition: str) -> str:
    """Return where a transition is fired, or where it says what is missing."""
    return url("document", reference=subject.reference) + f"#step-{transition}"


ROUTES: tuple[Route, ...] = (Route("/documents/<reference>/way", "way", show_way),)
