"""The chain of a document: the workflows that run beside its first one, and which of them rules which permission.

The first workflow of a chain says who may view, and it alone holds text, comments and ballots. A further one rules the
permissions of which it says something, in its own state; where two of them do, the later one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from r2pflow.domain.definition import Workflow
from r2pflow.domain.people import BUILT_IN_PERMISSIONS
from r2pflow.persistence.documents import DefinitionRow, TrackRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.definitions import get_workflow, store_definition

FIRST_ALONE = frozenset({"view"})
"""Permissions that the first workflow of a chain rules alone: lists of documents ask for them."""


@dataclass(frozen=True)
class Track:
    """Where a document stands in one of the further workflows of its chain; `position` counts from 1."""

    position: int
    workflow: Workflow
    definition_id: int
    state: str
    state_entered_at: datetime


_TRACK, _DEFINITION = TrackRow.__table__, DefinitionRow.__table__
_TRACKS = (
    select(*_TRACK.c, _DEFINITION.c.digest)
    .join_from(_TRACK, _DEFINITION)
    .order_by(_TRACK.c.document_id, _TRACK.c.position)
)
_BY_DOCUMENT = _TRACKS.where(_TRACK.c.document_id.in_(bindparam("wanted", expanding=True)))


def load_tracks(
    work: UnitOfWork, document_ids: Sequence[int], read: Callable[[UnitOfWork, str], Workflow] = get_workflow
) -> Mapping[int, tuple[Track, ...]]:
    """Return by document its tracks in the order of the chain; one query. `read` gives a definition by its digest."""
    found: dict[int, list[Track]] = {}
    if document_ids:
        for row in work.run(_BY_DOCUMENT, wanted=list(document_ids)):
            workflow = read(work, row.digest)
            track = Track(row.position, workflow, row.definition_id, row.state, row.state_entered_at)
            found.setdefault(row.document_id, []).append(track)
    return {document_id: tuple(tracks) for document_id, tracks in found.items()}


def start_tracks(work: UnitOfWork, document_id: int, workflows: Sequence[Workflow]) -> None:
    """Put a new document into the initial states of the further workflows of its chain."""
    for position, workflow in enumerate(workflows, start=1):
        rules = sorted(list_ruled(workflow))
        work.session.execute(
            insert(TrackRow).values(
                document_id=document_id,
                position=position,
                workflow=workflow.name,
                definition_id=store_definition(work, workflow),
                state=workflow.initial,
                state_entered_at=work.now(),
                rules=f",{','.join(rules)}," if rules else "",
            )
        )


def list_ruled(workflow: Workflow) -> frozenset[str]:
    """Return the permissions that a workflow rules where it stands behind another in a chain."""
    return (workflow.named_permissions() & frozenset(BUILT_IN_PERMISSIONS)) - FIRST_ALONE


def rule_together(first: Workflow, state: str, tracks: Sequence[Track]) -> tuple[Workflow, tuple[Track, ...]]:
    """Return the workflows of a chain so that each answers for all of them who holds a permission."""
    ruler = dict.fromkeys(BUILT_IN_PERMISSIONS, (first, state))
    for track in tracks:
        ruler.update(dict.fromkeys(list_ruled(track.workflow), (track.workflow, track.state)))
    holders = {name: workflow.holders(place, name) for name, (workflow, place) in ruler.items()}

    def see(workflow: Workflow) -> Workflow:
        return replace(workflow, ruled={name: held for name, held in holders.items() if ruler[name][0] is not workflow})

    return see(first), tuple(replace(track, workflow=see(track.workflow)) for track in tracks)
