"""What becomes of a document that moves to another version of its workflow, or to another workflow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from r2pflow.domain.definition import Workflow
from r2pflow.domain.errors import InvalidInput, Refusal

NONE, KEPT, ENDED, BEGUN = "none", "kept", "ended", "begun"
"""What becomes of the deadline of the state."""


@dataclass(frozen=True)
class Step:
    """One document's way from the state of the old definition to that of the new; refused where it cannot go it."""

    source: str
    target: str
    deadline: str = NONE
    refusals: tuple[Refusal, ...] = ()

    @property
    def enters(self) -> bool:
        """Tell whether the document comes into a state of another name, which it enters then."""
        return self.source != self.target


def check_mapping(old: Iterable[Workflow], new: Workflow, mapping: Mapping[str, str]) -> None:
    """Refuse with InvalidInput a mapping from a state that no old definition has, or to one that the new one lacks."""
    known = sorted({state for workflow in old for state in workflow.states})
    for source, target in mapping.items():
        if source not in known:
            raise InvalidInput("unknown_state", field="map", value=source, workflow=new.name, accepted=known)
        if target not in new.states:
            raise InvalidInput("unknown_state", field="map", value=target, workflow=new.name, accepted=[*new.states])


def plan_step(
    old: Workflow, new: Workflow, state: str, mapping: Mapping[str, str], *, has_round: bool, has_ballot: bool
) -> Step:
    """Return the step of a document in `state`, with an open comment round or ballot or without.

    A state that is not mapped leads to that of the same name. What is open stays as it is where the state keeps its
    name and still has a place for it; otherwise the step is refused.
    """
    target = mapping.get(state, state)
    if target not in new.states:
        accepted = tuple(new.states)
        return Step(state, "", refusals=(Refusal("state_not_mapped", {"state": state, "accepted": accepted}),))
    there, here = new.states[target], old.states.get(state)
    refusals = []
    if has_round and (target != state or not there.comments):
        refusals.append(Refusal("round_open", {"state": state}))
    if has_ballot and (target != state or not there.ballot):
        refusals.append(Refusal("ballot_open", {"state": state}))
    was = here.timer if here else None
    if there.timer == was:
        deadline = KEPT if was else NONE
    else:
        deadline = BEGUN if there.timer else ENDED
    return Step(state, target, deadline, tuple(refusals))
