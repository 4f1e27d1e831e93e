"""Record positions, tell how a ballot stands, and close it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from r2pflow.domain.clauses import BallotRule, Position, Voter
from r2pflow.domain.decisions import Verdict, judge
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.rule_reading import read_ballot_rule
from r2pflow.persistence.deliberation import BallotRow, BallotVoterRow, PositionRow
from r2pflow.persistence.people import OrganisationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.history import record
from r2pflow.services.transitions import fire_automatic

LONGEST_REASON = 10_000  # characters


@dataclass(frozen=True)
class BallotSheet:
    """A ballot with its voters and their current positions, and the verdict as it stands (or stood at the close)."""

    row: BallotRow
    rule: BallotRule
    voters: tuple[BallotVoterRow, ...]
    positions: Mapping[int, PositionRow]  # organisation id -> current position
    verdict: Verdict

    @property
    def is_open(self) -> bool:
        return self.row.closed_at is None

    def find_position(self, organisation_id: int | None) -> PositionRow | None:
        """Return the current position of an organisation."""
        return self.positions.get(organisation_id) if organisation_id is not None else None

    def is_voter(self, organisation_id: int | None) -> bool:
        """Tell whether the organisation is in the electorate as it was when the ballot opened."""
        return any(voter.organisation_id == organisation_id for voter in self.voters)


def find_ballot(work: UnitOfWork, subject: Subject) -> BallotSheet | None:
    """Return the newest ballot on the document, open or closed, or None."""
    row = work.session.scalars(
        select(BallotRow).where(BallotRow.document_id == subject.id).order_by(BallotRow.id.desc()).limit(1)
    ).first()
    return _read_sheet(work, row) if row else None


def get_ballot(work: UnitOfWork, subject: Subject, ballot_id: int) -> BallotSheet:
    """Return one ballot on the document, an earlier one too; raise NotFound."""
    row = work.session.get(BallotRow, ballot_id)
    if row is None or row.document_id != subject.id:
        raise NotFound("ballot_not_found", ballot=ballot_id)
    return _read_sheet(work, row)


def judge_if_closed(sheet: BallotSheet) -> Verdict:
    """Return what the verdict would be if the ballot closed now, silence counted as its terms say."""
    return _judge(sheet.rule, sheet.voters, sheet.positions, closed=True)


def may_close(subject: Subject) -> bool:
    """Tell whether the actor is one who may close ballots by hand; the moment must be `is_ripe` too."""
    return "secretariat" in subject.actor.roles or subject.may("manage")


def is_ripe(work: UnitOfWork, sheet: BallotSheet) -> bool:
    """Tell whether an open ballot waits for nobody any more: everybody spoke, or its time is over."""
    if len(sheet.positions) == len(sheet.voters):
        return True
    return sheet.row.closes_at is not None and sheet.row.closes_at <= work.now()


def list_ballots(work: UnitOfWork, subject: Subject) -> list[BallotRow]:
    """Return all ballots on the document, newest first."""
    return list(
        work.session.scalars(select(BallotRow).where(BallotRow.document_id == subject.id).order_by(BallotRow.id.desc()))
    )


def _read_sheet(work: UnitOfWork, row: BallotRow) -> BallotSheet:
    voters = tuple(
        work.session.scalars(
            select(BallotVoterRow).where(BallotVoterRow.ballot_id == row.id).order_by(BallotVoterRow.name)
        )
    )
    current = work.session.scalars(
        select(PositionRow)
        .where(PositionRow.ballot_id == row.id, PositionRow.superseded_at.is_(None))
        .options(joinedload(PositionRow.person))
    )
    positions = {position.organisation_id: position for position in current}
    rule = read_ballot_rule(row.terms)
    return BallotSheet(row, rule, voters, positions, _judge(rule, voters, positions, closed=row.closed_at is not None))


def _judge(
    rule: BallotRule,
    voters: tuple[BallotVoterRow, ...],
    positions: Mapping[int, PositionRow],
    *,
    closed: bool,
) -> Verdict:
    spoken = [
        Voter(
            str(voter.attributes["organisation"]),
            positions[voter.organisation_id].position if voter.organisation_id in positions else None,
            voter.attributes,
        )
        for voter in voters
    ]
    return judge(rule, spoken, closed=closed, silence=rule.silence)


def record_position(
    work: UnitOfWork,
    actor: Actor,
    reference: str | int,
    position: str,
    reason: str = "",
    *,
    digest: str,
) -> None:
    """Record the position of the actor's organisation on the text with this digest; an earlier one stays in the record.

    Raises Forbidden without the permission `decide`, outside the electorate or after the close; Conflict when the
    ballot is sealed to another text; InvalidInput for an unknown position, or where the reason is missing or too long.
    """
    subject = get_subject(work, actor, reference, "decide")
    sheet = find_ballot(work, subject)
    if sheet is None or not sheet.is_open:
        raise Forbidden("ballot_closed", reference=subject.reference)
    row, now = sheet.row, work.now()
    if row.closes_at is not None and row.closes_at <= now:
        raise Forbidden("ballot_closed", reference=subject.reference)
    if actor.person_id is None or not sheet.is_voter(actor.organisation_id):
        raise Forbidden("not_in_electorate", reference=subject.reference)
    if digest != row.digest:
        raise Conflict("ballot_on_other_text", reference=subject.reference)
    known = [one.id for one in sheet.rule.positions]
    if position not in known:
        raise InvalidInput("unknown_position", field="position", value=position, accepted=known)
    if position in sheet.rule.reason_required and not reason.strip():
        raise InvalidInput("reason_required", field="reason", position=position)
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("too_long", field="reason", limit=LONGEST_REASON, count=len(reason))
    assert actor.organisation_id is not None
    before = sheet.find_position(actor.organisation_id)
    if before is not None and (before.position, before.reason) == (position, reason.strip()):
        return
    if before is not None:
        work.session.execute(
            update(PositionRow)
            .where(PositionRow.id == before.id, PositionRow.superseded_at.is_(None))
            .values(superseded_at=now)
        )
    new = PositionRow(
        ballot_id=row.id,
        organisation_id=actor.organisation_id,
        position=position,
        reason=reason.strip(),
        person_id=actor.person_id,
        recorded_at=now,
    )
    work.session.add(new)
    work.session.flush()
    record(
        work,
        subject.id,
        actor,
        "position",
        digest=row.digest,
        position=position,
        before=before.position if before else "",
    )
    if row.terms.get("close_early") == "when_decided":
        verdict = _judge(sheet.rule, sheet.voters, {**sheet.positions, new.organisation_id: new}, closed=False)
        if verdict.outcome != "open":
            close_ballot(work, row.id)
            return
    fire_automatic(work, subject.id)


def close_ballot(work: UnitOfWork, ballot_id: int, actor: Actor = THE_SYSTEM) -> str:
    """Close a ballot at its instant, or early once decided; write the verdict and let what follows from it follow.

    Closing a closed ballot changes nothing. Return the outcome.
    """
    row = work.session.get(BallotRow, ballot_id, with_for_update=True)
    if row is None:
        raise NotFound("ballot_not_found", ballot=ballot_id)
    if row.closed_at is not None:
        return row.outcome
    row.closed_at = work.now()
    sheet = _read_sheet(work, row)
    row.outcome = sheet.verdict.outcome
    row.verdict = sheet.verdict.as_dict()
    work.session.flush()
    record(
        work,
        row.document_id,
        actor,
        "ballot",
        digest=row.digest,
        what="closed",
        ballot=row.name,
        outcome=row.outcome,
    )
    work.enqueue(
        "notify",
        f"notify:ballot:{row.id}:closed",
        event="ballot_closed",
        document_id=row.document_id,
        ballot_id=row.id,
    )
    fire_automatic(work, row.document_id)
    return row.outcome


def close_by_hand(work: UnitOfWork, actor: Actor, reference: str | int) -> str:
    """Let whoever manages the document close its ballot before the time, only where the verdict cannot change any more.

    Raises Forbidden without the role secretariat or the permission `manage`, InvalidInput while it is undecided.
    """
    subject = get_subject(work, actor, reference)
    if not may_close(subject):
        raise Forbidden("no_permission", permission="manage", reference=subject.reference, state=subject.state_name)
    sheet = find_ballot(work, subject)
    if sheet is None or not sheet.is_open:
        raise Forbidden("ballot_closed", reference=subject.reference)
    if not is_ripe(work, sheet):
        raise InvalidInput("ballot_undecided", missing=list(sheet.verdict.missing))
    return close_ballot(work, sheet.row.id, subject.actor)


def list_positions(sheet: BallotSheet) -> list[tuple[Position, list[tuple[BallotVoterRow, PositionRow]]]]:
    """Return each position of the ballot with the organisations that hold it."""
    found: list[tuple[Position, list[tuple[BallotVoterRow, PositionRow]]]] = []
    for position in sheet.rule.positions:
        holders = [
            (voter, sheet.positions[voter.organisation_id])
            for voter in sheet.voters
            if voter.organisation_id in sheet.positions
            and sheet.positions[voter.organisation_id].position == position.id
        ]
        found.append((position, holders))
    return found


def describe_decision(work: UnitOfWork, row: BallotRow) -> dict[str, Any]:
    """Return a closed ballot as an edition keeps it: terms, close, voters with positions and reasons, as plain JSON."""
    sheet = _read_sheet(work, row)
    names = {
        organisation_id: names
        for organisation_id, names in work.session.execute(
            select(OrganisationRow.id, OrganisationRow.names)
            .join(BallotVoterRow, BallotVoterRow.organisation_id == OrganisationRow.id)
            .where(BallotVoterRow.ballot_id == row.id)
        )
    }
    return {
        "ballot": row.name,
        "outcome": row.outcome,
        "opened_at": row.opened_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "timezone": row.timezone,
        "digest": row.digest,
        "terms": row.terms,
        "voters": [
            {
                "name": voter.name,
                "names": names.get(voter.organisation_id, {}),
                "attributes": voter.attributes,
                "position": held.position if held else None,
                "reason": held.reason if held else "",
            }
            for voter in sheet.voters
            for held in (sheet.positions.get(voter.organisation_id),)
        ],
    }


def list_superseded(work: UnitOfWork, sheet: BallotSheet) -> list[PositionRow]:
    """Return the positions that were changed before the close, oldest first."""
    return list(
        work.session.scalars(
            select(PositionRow)
            .where(PositionRow.ballot_id == sheet.row.id, PositionRow.superseded_at.is_not(None))
            .options(joinedload(PositionRow.person))
            .order_by(PositionRow.id)
        )
    )


def export_positions(sheet: BallotSheet) -> dict[str, Any]:
    """Return what `ballot tally` needs to reproduce the verdict: terms, and voters with positions and attributes."""
    return {
        "rule": sheet.row.terms,
        "voters": [
            {
                "voter": voter.attributes["organisation"],
                "position": sheet.positions[voter.organisation_id].position
                if voter.organisation_id in sheet.positions
                else "",
                **{key: value for key, value in voter.attributes.items() if key != "organisation"},
            }
            for voter in sheet.voters
        ],
    }
