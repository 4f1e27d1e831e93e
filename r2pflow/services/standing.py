"""Where a document stands on its way: taken path, what comes next, who must act, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from r2pflow.domain import engine
from r2pflow.domain.definition import AUTOMATIC, STAY, USER, Transition, Workflow
from r2pflow.domain.schedule import WORKING_DAYS
from r2pflow.persistence.history import TimerRow
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.calendars import DayOff, get_calendar

Status = Literal["done", "here", "ahead"]


@dataclass(frozen=True)
class Deadline:
    """When the present state ends by itself; `timezone` is the one in which it was set."""

    due_at: datetime
    timezone: str
    kind: str  # fire | close_ballot
    counts_working_days: bool = False
    days_off: Sequence[DayOff] = ()  # weekdays that did not count, by today's calendar


def find_deadline(work: UnitOfWork, subject: Subject) -> Deadline | None:
    """Return the next thing that happens by the clock in the document's present state, or None."""
    row = work.session.execute(
        select(TimerRow.due_at, TimerRow.timezone, TimerRow.kind)
        .where(TimerRow.document_id == subject.id, TimerRow.state == subject.state_name)
        .where(TimerRow.workflow == (subject.workflow.name if subject.track else ""))
        .where(TimerRow.ended_at.is_(None), TimerRow.kind.in_(("fire", "close_ballot")))
        .order_by(TimerRow.due_at)
        .limit(1)
    ).first()
    if row is None:
        return None
    if _find_calendar(subject, row.kind) != WORKING_DAYS:
        return Deadline(row.due_at, row.timezone, row.kind)
    off = get_calendar(work.settings).list_skipped(subject.state_entered_at, row.due_at, row.timezone)
    return Deadline(row.due_at, row.timezone, row.kind, True, off)


def _find_calendar(subject: Subject, kind: str) -> str:
    if kind == "fire":
        return subject.state.timer.calendar if subject.state.timer else ""
    ballot = subject.workflow.ballots.get(subject.state.ballot)
    return ballot.calendar if ballot else ""


@dataclass(frozen=True)
class NewestEdition:
    """What is published of a document: symbol, number of the edition, its languages in which a PDF is there."""

    symbol: str
    number: int
    languages: tuple[str, ...]


def find_newest_edition(work: UnitOfWork, subject: Subject) -> NewestEdition | None:
    """Return the newest edition of a document, or None where nothing is published."""
    rows = work.session.execute(
        select(PublicationRow.symbol, EditionRow.number, EditionLanguageRow.language, EditionLanguageRow.pdf_path)
        .join(EditionRow, EditionRow.publication_id == PublicationRow.id)
        .join(EditionLanguageRow, EditionLanguageRow.edition_id == EditionRow.id)
        .where(PublicationRow.document_id == subject.id)
        .order_by(EditionRow.number.desc(), EditionLanguageRow.language)
    ).all()
    if not rows:
        return None
    newest = rows[0]
    ready = tuple(row.language for row in rows if row.number == newest.number and row.pdf_path)
    return NewestEdition(newest.symbol, newest.number, ready)


def lay_way(workflow: Workflow, path: list[str]) -> list[tuple[str, Status]]:
    """Return the states from the first to a final one: those passed (loops cut out), the present one, those ahead.

    What is ahead follows the main line of the workflow: from its initial state, in each state the first transition of
    the file that leads to a state not yet on the line, one that ends it only where nothing else does.
    """
    passed: list[str] = []
    for state in path:
        if state in passed:
            del passed[passed.index(state) :]
        passed.append(state)
    line = _walk(workflow, [workflow.initial], {})
    rank = {state: place for place, state in enumerate(line)}
    whole = _walk(workflow, passed, rank)
    here = len(passed) - 1
    return [(state, "done" if n < here else "here" if n == here else "ahead") for n, state in enumerate(whole)]


def _walk(workflow: Workflow, passed: list[str], rank: dict[str, int]) -> list[str]:
    """Go on from the last state to a final one; with a rank, first to what stands behind it on the main line."""
    way = list(passed)
    while not workflow.states[way[-1]].final:
        here = way[-1]
        ways = [one.target(here) for one in workflow.transitions_from(here) if one.to != STAY]
        new = [state for state in ways if state not in way]
        behind = sorted(
            (state for state in new if rank.get(state, -1) > rank.get(here, len(rank))), key=rank.__getitem__
        )
        chosen = next(iter(behind), None) or next((state for state in new if not workflow.states[state].final), None)
        chosen = chosen or next(iter(new), None)
        if chosen is None:
            break
        way.append(chosen)
    return way


def find_main_transition(workflow: Workflow, way: list[tuple[str, Status]]) -> Transition | None:
    """Return the transition that leads from the present state to the next one of the way, or None at its end."""
    place = next(index for index, (_, status) in enumerate(way) if status == "here")
    if place + 1 == len(way):
        return None
    here, there = way[place][0], way[place + 1][0]
    return next((one for one in workflow.transitions_from(here) if one.target(here) == there), None)


def find_movers(workflow: Workflow, state: str, transition: Transition | None) -> frozenset[str]:
    """Return the roles for whom a state waits: those of its round, of its ballot,
    who translates where that is what the transition asks, else who could fire it.

    Empty where nobody has to do anything: at the end of the way, or where all goes by itself.
    """
    known = workflow.states[state]
    if known.comments:
        return frozenset({workflow.find_meant(known.comments.audience)})
    if known.ballot:
        electorate = workflow.ballots[known.ballot].electorate
        return frozenset({workflow.find_meant(electorate.role) or "member"}) if not electorate.group else frozenset()
    if transition is None or known.final or USER not in transition.triggers:
        return frozenset()
    if any(test.name == "languages_ready" for test in transition.guard.require):
        return workflow.holders(state, "translate")
    who = engine.who_could(workflow, state, transition.name)
    return who.roles or who.permission_roles


def is_automatic(transition: Transition | None) -> bool:
    """Tell whether a transition follows by itself as soon as its guard holds."""
    return transition is not None and AUTOMATIC in transition.triggers
