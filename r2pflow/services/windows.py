"""What opens when a state is entered and closes when it is left: comment round, ballot, timers."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import insert, select, update

from r2pflow.domain import schedule
from r2pflow.domain.definition import BallotDef
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.people import THE_SYSTEM, Electorate, Organisation
from r2pflow.persistence.deliberation import BallotRow, BallotVoterRow, CommentRoundRow
from r2pflow.persistence.documents import RevisionRow
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow, OrganisationRow, RoleGrantRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.calendars import get_calendar
from r2pflow.services.history import record

SCHEDULED = "scheduled"
"""The kind of a timer that a person set: it stays when the state is left."""


def enter_state(work: UnitOfWork, subject: Subject) -> None:
    """Open what the subject's state asks for; the subject is as it stands after the transition."""
    closes_at = start_timer(work, subject, work.now())
    open_round(work, subject, closes_at)
    open_ballot(work, subject)


def start_timer(work: UnitOfWork, subject: Subject, since: datetime) -> datetime | None:
    """Start the timer of the subject's state with its reminders, counted from an instant; return when it is due.

    What should have been due already is due now.
    """
    timer = subject.state.timer
    if timer is None:
        return None
    due_at = max(_deadline(work, timer.after, timer.calendar, since), work.now())
    _add_timer(work, subject, "fire", timer.fire, due_at)
    for ahead in timer.remind:
        at = schedule.remind_at(
            due_at,
            ahead,
            calendar=timer.calendar,
            timezone=work.settings.timezone,
            holidays=get_calendar(work.settings),
        )
        if at > work.now():
            _add_timer(work, subject, "remind", timer.fire, at)
    return due_at


def open_round(work: UnitOfWork, subject: Subject, closes_at: datetime | None) -> None:
    """Open the comment round of the subject's state, if it has one."""
    comments = subject.state.comments
    if comments is None:
        return
    work.session.execute(
        insert(CommentRoundRow).values(
            document_id=subject.id,
            revision_id=get_revision_id(work, subject),
            audience=subject.workflow.find_meant(comments.audience),
            kinds=list(comments.kinds),
            opened_at=work.now(),
            closes_at=closes_at,
            timezone=work.settings.timezone,
        )
    )
    _tell(work, subject, "comment_round_opened")


def leave_state(work: UnitOfWork, subject: Subject) -> None:
    """Close what the state had open; the subject is as it stands before the transition."""
    now = work.now()
    if subject.state.timer or subject.state.ballot:
        work.session.execute(
            update(TimerRow)
            .where(TimerRow.document_id == subject.id, TimerRow.ended_at.is_(None))
            .where(TimerRow.workflow == _track_name(subject), TimerRow.kind != SCHEDULED)
            .values(ended_at=now)
        )
    if subject.state.comments:
        work.session.execute(
            update(CommentRoundRow)
            .where(CommentRoundRow.document_id == subject.id, CommentRoundRow.closed_at.is_(None))
            .values(closed_at=now)
        )
        _tell(work, subject, "round_closed")
    if subject.state.ballot:
        cancelled = work.write(
            update(BallotRow)
            .where(BallotRow.document_id == subject.id, BallotRow.closed_at.is_(None))
            .values(closed_at=now, outcome="cancelled")
        )
        if cancelled:
            record(work, subject.id, subject.actor, "ballot", what="cancelled")


def get_revision_id(work: UnitOfWork, subject: Subject) -> int:
    """Return the id of the newest revision; InvalidInput `no_text` when the document has none."""
    found = work.session.scalar(
        select(RevisionRow.id).where(
            RevisionRow.document_id == subject.id, RevisionRow.number == subject.revision_number
        )
    )
    if found is None:
        raise InvalidInput("no_text", reference=subject.reference)
    return found


def find_electorate(work: UnitOfWork, electorate: Electorate) -> list[Organisation]:
    """Return the active organisations that an electorate names, by slug."""
    query = select(OrganisationRow).where(OrganisationRow.is_active).order_by(OrganisationRow.slug)
    if electorate.organisations:
        query = query.where(OrganisationRow.slug.in_(electorate.organisations))
    elif electorate.group:
        group = select(GroupMemberRow.organisation_id).join(GroupRow).where(GroupRow.name == electorate.group)
        query = query.where(OrganisationRow.id.in_(group))
    else:
        role = "member" if electorate.members else electorate.role
        query = query.where(
            OrganisationRow.id.in_(select(RoleGrantRow.organisation_id).where(RoleGrantRow.role == role))
        )
    return [
        Organisation(
            id=row.id,
            slug=row.slug,
            name=row.short_name or row.names.get("en") or row.slug,
            region=row.region,
            sector=row.sector,
            scope=row.scope,
            functions=tuple(row.functions),
        )
        for row in work.session.scalars(query)
    ]


def open_ballot(work: UnitOfWork, subject: Subject) -> None:
    """Open the ballot of the subject's state, if it has one; refuse with InvalidInput where nobody could vote."""
    if subject.state.ballot:
        _open_ballot(work, subject, subject.workflow.ballots[subject.state.ballot])


def _open_ballot(work: UnitOfWork, subject: Subject, terms: BallotDef) -> None:
    electorate = replace(terms.electorate, role=subject.workflow.find_meant(terms.electorate.role))
    voters = find_electorate(work, electorate)
    if not voters:
        raise InvalidInput("empty_electorate", ballot=terms.name, reference=subject.reference)
    closes_at = _deadline(work, terms.open_for, terms.calendar, work.now()) if terms.open_for else None
    ballot = BallotRow(
        document_id=subject.id,
        revision_id=get_revision_id(work, subject),
        state=subject.state_name,
        name=terms.name,
        terms=terms.source,
        digest=subject.text_digest,
        opened_at=work.now(),
        closes_at=closes_at,
        timezone=work.settings.timezone,
        outcome="open",
    )
    work.session.add(ballot)
    work.session.flush()
    work.session.execute(
        insert(BallotVoterRow),
        [
            {
                "ballot_id": ballot.id,
                "organisation_id": one.id,
                "name": one.name,
                "attributes": dict(one.attributes()),
            }
            for one in voters
        ],
    )
    if closes_at:
        _add_timer(work, subject, "close_ballot", str(ballot.id), closes_at)
    _tell(work, subject, "ballot_opened")
    record(
        work,
        subject.id,
        THE_SYSTEM,
        "ballot",
        digest=subject.text_digest,
        what="opened",
        ballot=terms.name,
        voters=len(voters),
    )


def _deadline(work: UnitOfWork, duration: str, calendar: str, since: datetime) -> datetime:
    return schedule.deadline(
        since,
        duration,
        calendar=calendar,
        timezone=work.settings.timezone,
        holidays=get_calendar(work.settings),
    )


def _tell(work: UnitOfWork, subject: Subject, event: str) -> None:
    """Queue the notification of a window; `services/notices` finds out whom it concerns."""
    work.enqueue("notify", f"notify:{event}:{subject.id}:{subject.change_number}", event=event, document_id=subject.id)


def _add_timer(work: UnitOfWork, subject: Subject, kind: str, name: str, due_at: datetime) -> None:
    work.session.execute(
        insert(TimerRow).values(
            document_id=subject.id,
            kind=kind,
            name=name,
            state=subject.state_name,
            due_at=due_at,
            timezone=work.settings.timezone,
            workflow=_track_name(subject),
            created_at=work.now(),
        )
    )


def _track_name(subject: Subject) -> str:
    """Return what timers of the subject's workflow are marked with: nothing for the first of its chain."""
    return subject.workflow.name if subject.track else ""
