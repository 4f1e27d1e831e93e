"""Explain: of each transition what is missing and who could fire it, of each permission who holds it and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from r2pflow.domain import engine
from r2pflow.domain.definition import Guard, Transition, Workflow
from r2pflow.domain.engine import Who
from r2pflow.domain.errors import Forbidden, NotFound, Refusal
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, Actor
from r2pflow.domain.reasons import Reason, why
from r2pflow.persistence.documents import DossierRow
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject, list_ids, load_subject
from r2pflow.services.facts import gather_many
from r2pflow.services.parties import EVERYBODY, GROUP, ORGANISATION, SIGNED_IN, Party, find_held, list_parties
from r2pflow.services.people import ADMINISTRATORS, get_actor
from r2pflow.services.windows import SCHEDULED

SHOWN = 10
"""So many of those who could fire a transition are named; the others are counted."""


@dataclass(frozen=True)
class Due:
    """When a transition fires without anybody's hand: by the clock (`fire`), or `scheduled` by somebody."""

    kind: str
    at: datetime
    timezone: str


@dataclass(frozen=True)
class Explanation:
    """One transition as an actor meets it: all that is in its way, and who could fire it.

    `source` is the state that it is fired from: the present one, or the first of those that it leaves. `could` names
    some of the `could_count` who could fire it from there, conditions aside. A required comment is no refusal.
    """

    workflow: Workflow
    transition: Transition
    state: str
    source: str
    refusals: tuple[Refusal, ...]
    bypasses: bool
    who: Who
    could: tuple[Party, ...]
    could_count: int
    due: tuple[Due, ...] = ()

    @property
    def is_fireable(self) -> bool:
        return not self.refusals

    @property
    def to(self) -> str:
        """Return the state that it leads to."""
        return self.transition.target(self.source)

    @property
    def needs_comment(self) -> bool:
        return self.transition.comment == "required"


def meet(work: UnitOfWork, asker: Actor, reference: str | int, person: str = "") -> Subject:
    """Return a document as the asker meets it, or as a person does, by id or e-mail address, who need not see it.

    What others may do is for the secretariat and managers, and for who may share or manage the document. Raises
    NotFound, or Forbidden.
    """
    subject = get_subject(work, asker, reference)
    if not person:
        return subject
    knows = asker.is_system or asker.roles & ADMINISTRATORS or subject.may("share") or subject.may("manage")
    if not knows and person != str(asker.person_id):
        raise Forbidden("not_yours_to_explain", reference=subject.reference)
    return load_subject(work, get_actor(work, person), subject.id)


def explain(
    work: UnitOfWork, subject: Subject, transition: str | None = None, parties: Sequence[Party] | None = None
) -> tuple[Explanation, ...]:
    """Return what is to be said of one transition, or of all in the document's chain; those from here first.

    Raises NotFound for a transition that no workflow of the chain has. `parties` are those of the document, where the
    caller has them. The number of queries does not depend on the number of transitions.
    """
    lanes = [
        (lane, [one for one in lane.workflow.transitions.values() if transition in (None, one.name)])
        for lane in subject.lanes
    ]
    if transition is not None and not any(found for _, found in lanes):
        raise NotFound("unknown_transition", transition=transition, workflow=subject.workflow.name)
    conditions = work.catalogue.registry.conditions
    asked = [
        (lane, engine.needs(lane.workflow, [one.name for one in found], conditions)) for lane, found in lanes if found
    ]
    if parties is None:
        parties = list_parties(work, subject, list_groups(subject))
    due = _list_due(work, subject)
    explanations = []
    for (lane, _), facts in zip(asked, gather_many(work, asked), strict=True):
        for one in next(found for other, found in lanes if other is lane):
            here = lane.state_name in one.sources
            source = lane.state_name if here or not one.sources else one.sources[0]
            refusals = engine.explain(
                lane.workflow,
                one.name,
                state=lane.state_name,
                actor=lane.actor,
                facts=facts,
                conditions=conditions,
                comment="." if one.comment == "required" else None,
            )
            could = _find_could(subject, lane, one, source, parties)
            explanations.append(
                Explanation(
                    workflow=lane.workflow,
                    transition=one,
                    state=lane.state_name,
                    source=source,
                    refusals=(*_refuse_view(subject), *refusals),
                    bypasses=one.guard != Guard() and engine.may_bypass(lane.workflow, lane.actor),
                    who=engine.who_could(lane.workflow, source, one.name),
                    could=tuple(could[:SHOWN]),
                    could_count=len(could),
                    due=due.get((lane.workflow.name if lane.track else "", one.name), ()),
                )
            )
    return tuple(sorted(explanations, key=lambda one: one.state not in one.transition.sources))


def list_groups(subject: Subject) -> frozenset[str]:
    """Return the groups that guards of the document's chain name: `list_parties` is asked for who is in them."""
    guards = (one.guard for lane in subject.lanes for one in lane.workflow.transitions.values())
    return frozenset(group for guard in guards for group in guard.groups)


def _refuse_view(subject: Subject) -> tuple[Refusal, ...]:
    """Return what refuses whoever may not even see the document: `get_subject` asks that before any guard."""
    if subject.may("view"):
        return ()
    holders = sorted(subject.workflow.holders(subject.state_name, "view"))
    return (Refusal("no_permission", {"permissions": ["view"], "holders": holders}),)


def _find_could(
    subject: Subject, lane: Subject, transition: Transition, source: str, parties: Sequence[Party]
) -> list[Party]:
    """Return who could fire the transition; who can because its organisation can is not named beside it."""
    seen_in = subject.state_name if lane.track else source

    def could(party: Party) -> bool:
        actor = party.as_actor()
        views = engine.holds(subject.workflow, seen_in, "view", engine.roles_of(subject.workflow, actor))
        return views and not engine.refuse_person(lane.workflow, transition, source, actor)

    for kind in (EVERYBODY, SIGNED_IN):
        for party in parties:
            if party.kind == kind and could(party):
                return [party]
    able = [party for party in parties if party.kind not in (EVERYBODY, SIGNED_IN, GROUP) and could(party)]
    through = {party.id for party in able if party.kind == ORGANISATION}
    return [party for party in able if party.kind == ORGANISATION or party.organisation_id not in through]


def _list_due(work: UnitOfWork, subject: Subject) -> Mapping[tuple[str, str], tuple[Due, ...]]:
    """Return by workflow (empty: the first) and transition when the clock fires it."""
    found: dict[tuple[str, str], tuple[Due, ...]] = {}
    rows = work.session.execute(
        select(TimerRow.workflow, TimerRow.name, TimerRow.kind, TimerRow.due_at, TimerRow.timezone)
        .where(TimerRow.document_id == subject.id, TimerRow.kind.in_(("fire", SCHEDULED)))
        .where(TimerRow.ended_at.is_(None))
        .order_by(TimerRow.due_at)
    )
    for row in rows:
        key = (row.workflow, row.name)
        found[key] = (*found.get(key, ()), Due(row.kind, row.due_at, row.timezone))
    return found


# Permissions


@dataclass(frozen=True)
class Line:
    """Who it is, and the permissions that it holds in the present state, each with all reasons."""

    party: Party
    permissions: Mapping[str, tuple[Reason, ...]]


def explain_permissions(work: UnitOfWork, subject: Subject) -> Mapping[str, tuple[Reason, ...]]:
    """Return of each permission of the chain why the subject's actor holds it in the present states; () where not."""
    held = find_held(work, subject)
    return {name: why(subject.workflow, subject.state_name, name, held) for name in BUILT_IN_PERMISSIONS}


def list_lines(subject: Subject, parties: Sequence[Party]) -> list[Line]:
    """Return those of the parties that hold any permission in the present states, with why.

    A person who has all that from its organisation alone is left out: the organisation has a line.
    """
    lines = []
    for party in parties:
        found = {name: why(subject.workflow, subject.state_name, name, party.held) for name in BUILT_IN_PERMISSIONS}
        held = {name: reasons for name, reasons in found.items() if reasons}
        if any(reason.source.kind != ORGANISATION for reasons in held.values() for reason in reasons):
            lines.append(Line(party, held))
    return lines


@dataclass(frozen=True)
class Surroundings:
    """What the dossiers above mean for who may do what with a document.

    `blocked_by` is None where all their sharing reaches it, else the titles of the dossier that blocks what is above
    it, or no titles where the document does itself. `grants` are what dossiers grant: titles, permission, roles.
    """

    blocked_by: Mapping[str, str] | None
    grants: tuple[tuple[Mapping[str, str], str, tuple[str, ...]], ...]


def read_surroundings(work: UnitOfWork, subject: Subject) -> Surroundings:
    """Return whether sharing from above is blocked, and what the dossiers above grant; one query at most."""
    line, reaching = list_ids(subject.dossier_path), list_ids(subject.shared_path)
    if not line:
        return Surroundings(None, ())
    rows = {row.id: row for row in work.session.scalars(select(DossierRow).where(DossierRow.id.in_(line)))}
    blocked: Mapping[str, str] | None = None
    if len(reaching) < len(line):
        blocked = rows[reaching[0]].titles if reaching else {}
    applied = {name for lane in subject.lanes for name in lane.workflow.above}
    grants = tuple(
        (rows[one].titles, permission, tuple(grant["roles"]))
        for one in line
        for permission, grant in rows[one].grants.items()
        if permission in applied
    )
    return Surroundings(blocked, grants)
