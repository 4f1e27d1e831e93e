"""The decision: the ballot, what changed, the position of one's organisation, and the verdict clause by clause."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, redirect, request
from sqlalchemy import select

from r2pflow.domain import decisions
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import REGIONS
from r2pflow.persistence.deliberation import BallotRow, BallotVoterRow, PositionRow
from r2pflow.persistence.documents import RevisionRow, SeenRow
from r2pflow.persistence.people import OrganisationRow
from r2pflow.services import ballots, queries
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.ballots import BallotSheet
from r2pflow.services.texts import get_blocks
from r2pflow.web import ruling
from r2pflow.web.auth import current_work, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext, title_of
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.reading import ShownChange, show_redline
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import POST, Route
from r2pflow.web.sentences import sentence
from r2pflow.web.words import word

MANY = 12
"""From so many blocks on a redline shows the changed ones only."""


@dataclass(frozen=True)
class ToldPosition:
    """One organisation's position as the page tells it."""

    name: str
    region: str
    row: PositionRow


@dataclass(frozen=True)
class Tally:
    """One row of the table of positions by region; `counts` in the order of the ballot's positions."""

    title: str
    counts: tuple[int, ...]
    silent: int

    @property
    def total(self) -> int:
        return sum(self.counts) + self.silent


@dataclass(frozen=True)
class Compared:
    """The redline of the sealed text; `since` says what it is compared with."""

    old: int
    new: int
    since: str
    changes: tuple[ShownChange, ...]
    changed: int
    choices: tuple[tuple[int, str], ...]


def show_decision(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    return _show(get_subject(work, actor, reference))


def _show(subject: Subject, form: Form | None = None, refusal: str = "", status: int = 0) -> Response:
    work = current_work()
    rows = ballots.list_ballots(work, subject)
    sheet = _choose_sheet(subject, rows)
    context = document_context(subject, "decision")
    if sheet is None:
        return render(
            "decisions/none.html",
            status or (form.status if form else 200),
            **context,
            refusal=refusal,
            planned=[
                (
                    ruling.tell_ballot_title(subject.workflow, one.name),
                    ruling.tell_terms(one),
                    ruling.tell_rule(one.rule),
                )
                for one in subject.workflow.ballots.values()
            ],
            opens_in=[
                title_of(state.title, word(state.name)) for state in subject.workflow.states.values() if state.ballot
            ],
        )
    is_secret = sheet.row.terms.get("secrecy") == "secret"
    names = _name_voters(sheet)
    by_voter = {str(voter.attributes["organisation"]): names[voter.organisation_id] for voter in sheet.voters}
    own = sheet.find_position(subject.actor.organisation_id)
    may_vote = _may_vote(subject, sheet, rows)
    if form is None:
        form = Form({"position": own.position if own else "", "reason": own.reason if own else ""}, is_posted=False)
    return render(
        "decisions/ballot.html",
        status or form.status,
        **context,
        form=form,
        refusal=refusal,
        sheet=sheet,
        ballot=sheet.row,
        title=ruling.tell_ballot_title(subject.workflow, sheet.row.name),
        is_newest=sheet.row.id == rows[0].id,
        is_secret=is_secret,
        is_over=sheet.row.closes_at is not None and sheet.row.closes_at <= work.now(),
        is_voter=sheet.is_voter(subject.actor.organisation_id),
        own=own,
        own_name=names.get(subject.actor.organisation_id or 0, ""),
        may_vote=may_vote,
        meanings={one.id: ruling.tell_meaning(one) for one in sheet.rule.positions},
        verdict=sheet.verdict,
        verdict_now=ballots.judge_if_closed(sheet) if sheet.is_open else sheet.verdict,
        clauses=ruling.tell_verdict(sheet.verdict, by_voter, is_secret=is_secret),
        terms=ruling.tell_kept_terms(sheet.row.terms, sheet.rule),
        rule=ruling.tell_rule(sheet.rule.rule),
        compared=_compare(subject, sheet.row, rows),
        groups=[] if is_secret else _group(sheet, names),
        counts=_count(sheet),
        regions=[] if is_secret else _tally_regions(sheet),
        silent=[] if is_secret else _list_silent(sheet, names),
        superseded=[] if is_secret else _list_superseded(sheet, names),
        may_close=sheet.is_open and ballots.may_close(subject),
        is_ripe=sheet.is_open and ballots.is_ripe(work, sheet),
        earlier=[(row, ruling.tell_ballot_title(subject.workflow, row.name)) for row in rows if row != sheet.row],
    )


def _choose_sheet(subject: Subject, rows: list[BallotRow]) -> BallotSheet | None:
    asked = request.args.get("ballot", "")
    if asked:
        if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
            raise NotFound("ballot_not_found", ballot=asked)
        return ballots.get_ballot(current_work(), subject, int(asked))
    return ballots.find_ballot(current_work(), subject) if rows else None


def _may_vote(subject: Subject, sheet: BallotSheet, rows: list[BallotRow]) -> bool:
    is_over = sheet.row.closes_at is not None and sheet.row.closes_at <= current_work().now()
    return (
        sheet.is_open
        and not is_over
        and sheet.row.id == rows[0].id
        and subject.may("decide")
        and sheet.is_voter(subject.actor.organisation_id)
    )


def _name_voters(sheet: BallotSheet) -> dict[int, str]:
    """Return the voters' names in the reader's language, as they are now, by id; as kept where one is gone."""
    ids = [voter.organisation_id for voter in sheet.voters]
    found = current_work().session.execute(
        select(OrganisationRow.id, OrganisationRow.names).where(OrganisationRow.id.in_(ids))
    )
    known = {row.id: row.names for row in found}
    return {one.organisation_id: title_of(known.get(one.organisation_id), one.name) for one in sheet.voters}


def _group(sheet: BallotSheet, names: Mapping[int, str]) -> list[tuple[decisions.Position, list[ToldPosition]]]:
    return [
        (
            position,
            sorted(
                (ToldPosition(names[voter.organisation_id], _region(voter), row) for voter, row in holders),
                key=lambda one: one.name,
            ),
        )
        for position, holders in ballots.list_positions(sheet)
    ]


def _region(voter: BallotVoterRow) -> str:
    return str(voter.attributes.get("region") or "")


def _count(sheet: BallotSheet) -> list[tuple[decisions.Position, int]]:
    return [(position, len(holders)) for position, holders in ballots.list_positions(sheet)]


def _tally_regions(sheet: BallotSheet) -> list[Tally]:
    order = [*REGIONS, ""]
    found: list[Tally] = []
    regions = {_region(voter) for voter in sheet.voters}
    for region in sorted(regions, key=lambda one: order.index(one) if one in order else len(order)):
        held = [
            sheet.positions[voter.organisation_id].position if voter.organisation_id in sheet.positions else ""
            for voter in sheet.voters
            if _region(voter) == region
        ]
        found.append(
            Tally(
                word(region) or gettext("No region"),
                tuple(held.count(position.id) for position in sheet.rule.positions),
                held.count(""),
            )
        )
    return found


def _list_silent(sheet: BallotSheet, names: Mapping[int, str]) -> list[tuple[str, str]]:
    return sorted(
        (names[voter.organisation_id], _region(voter))
        for voter in sheet.voters
        if voter.organisation_id not in sheet.positions
    )


def _list_superseded(sheet: BallotSheet, names: Mapping[int, str]) -> list[ToldPosition]:
    return [
        ToldPosition(names.get(row.organisation_id, ""), "", row)
        for row in ballots.list_superseded(current_work(), sheet)
    ]


def _compare(subject: Subject, row: BallotRow, rows: list[BallotRow]) -> Compared | None:
    """Compare the sealed text with what the reader saw last, else with the previous ballot's, else with the first."""
    work = current_work()
    wanted = {one.revision_id for one in rows}
    found = work.session.execute(select(RevisionRow.id, RevisionRow.number).where(RevisionRow.id.in_(wanted)))
    numbers = {one.id: one.number for one in found}
    new = numbers.get(row.revision_id, 0)
    seen = work.session.get(SeenRow, (subject.actor.person_id, subject.id))
    before = [numbers[one.revision_id] for one in rows if one.id < row.id and one.revision_id in numbers]
    known: dict[int, str] = {}
    if seen is not None and 0 < seen.revision_number < new:
        known[seen.revision_number] = gettext(
            "since you last looked (revision %(number)s)", number=seen.revision_number
        )
    if before and 0 < before[0] < new:
        known.setdefault(before[0], gettext("since the ballot before (revision %(number)s)", number=before[0]))
    if new > 1:
        known.setdefault(1, gettext("since the first text"))
    if not known:
        return None
    asked = request.args.get("since", "")
    old = (
        int(asked)
        if asked.isascii() and asked.isdigit() and len(asked) < 9 and int(asked) in known
        else next(iter(known))
    )
    shown = show_redline(get_blocks(work, subject, old), get_blocks(work, subject, new))
    changed = tuple(change for change in shown if change.kind != "same")
    return Compared(old, new, known[old], shown if len(shown) < MANY else changed, len(changed), tuple(known.items()))


def record_position(reference: str) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    subject = get_subject(work, actor, reference)
    try:
        ballots.record_position(
            work, actor, reference, form.text("position"), form.text("reason"), digest=form.text("digest")
        )
        queries.mark_seen(work, actor, subject)
        work.commit()
    except InvalidInput as error:
        form.refuse(error)
        return _show(get_subject(work, actor, reference), form)
    except (Forbidden, Conflict) as error:
        undo_work()
        return _show(get_subject(work, actor, reference), form, sentence(error), status_of(error))
    tell(gettext("Your organisation’s position is recorded. You may change it until the close."))
    return redirect(url("decision", reference=reference))


def close_ballot(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    try:
        outcome = ballots.close_by_hand(work, actor, reference)
        work.commit()
    except (InvalidInput, Forbidden) as error:
        undo_work()
        return _show(get_subject(work, actor, reference), None, sentence(error), status_of(error))
    tell(gettext("The ballot is closed: %(outcome)s.", outcome=word(outcome)))
    return redirect(url("decision", reference=reference))


def send_positions(reference: str) -> Any:
    """Send what `r2pflow ballot tally` needs to come to the same verdict; of a secret ballot nothing."""
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    sheet = _choose_sheet(subject, ballots.list_ballots(work, subject))
    if sheet is None:
        raise NotFound("ballot_not_found", ballot=reference)
    if sheet.row.terms.get("secrecy") == "secret":
        raise Forbidden("ballot_secret", reference=reference)
    told = {
        "reference": subject.reference,
        "ballot": sheet.row.name,
        "digest": sheet.row.digest,
        "opened_at": sheet.row.opened_at.isoformat(),
        "closed_at": sheet.row.closed_at.isoformat() if sheet.row.closed_at else None,
        **ballots.export_positions(sheet),
        "verdict": sheet.verdict.as_dict(),
    }
    response = make_response(told)
    response.headers["Content-Disposition"] = f'attachment; filename="{subject.reference}-decision.json"'
    return response


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/decision", "decision", show_decision),
    Route("/documents/<reference>/decision/position", "record_position", record_position, POST),
    Route("/documents/<reference>/decision/close", "close_ballot", close_ballot, POST),
    Route("/documents/<reference>/decision.json", "decision_file", send_positions),
)
