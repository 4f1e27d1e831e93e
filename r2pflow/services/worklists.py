"""Worklists in SQL: which documents wait for an actor, and under which name, for all documents at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select

from r2pflow.domain.definition import Test, WorklistDef
from r2pflow.domain.people import Actor
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow, CommentRow, TranslationRow
from r2pflow.persistence.documents import DefinitionRow, DocumentRow
from r2pflow.persistence.publishing import PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import visible_to
from r2pflow.services.definitions import list_workflows


@dataclass(frozen=True)
class Match:
    """The documents in one state that are on one worklist of an actor: a filter on DocumentRow."""

    name: str
    state: str
    clause: ColumnElement[bool]


def match_worklists(work: UnitOfWork, actor: Actor) -> list[Match]:
    """Return the worklists that are for the actor, state by state; workflows with the same list share a filter.

    A test of `where` that SQL cannot ask (one on fields, or a plugin's) narrows nothing: the list is a reminder, and
    the document's page says what is so.
    """
    found = []
    for worklist, workflows in _gather(work):
        who = _who(worklist, actor)
        if who is not None:
            where = (_ask(work, workflows, test) for test in worklist.where)
            versions = select(DefinitionRow.id).where(DefinitionRow.workflow.in_(workflows))
            clauses = [*who, *(clause for clause in where if clause is not None)]
            clause = and_(DocumentRow.definition_id.in_(versions), *clauses)
            found += [Match(worklist.name, state, clause) for state in worklist.states]
    return found


def _gather(work: UnitOfWork) -> list[tuple[WorklistDef, list[str]]]:
    found: list[tuple[WorklistDef, list[str]]] = []
    for workflow in list_workflows(work):
        for worklist in workflow.worklists.values():
            for known, workflows in found:
                if replace(known, title=worklist.title) == worklist:
                    workflows.append(workflow.name)
                    break
            else:
                found.append((worklist, [workflow.name]))
    return found


def _who(worklist: WorklistDef, actor: Actor) -> list[ColumnElement[bool]] | None:
    """Return what must hold for the actor, or None where the worklist is not for them."""
    guard = worklist.guard
    if guard.roles and actor.roles.isdisjoint(guard.roles):
        return None
    if guard.groups and actor.groups.isdisjoint(guard.groups):
        return None
    return [or_(*(visible_to(actor, permission) for permission in guard.permissions))] if guard.permissions else []


def _ask(work: UnitOfWork, workflows: Collection[str], test: Test) -> ColumnElement[bool] | None:
    if test.kind in ("all", "any", "not"):
        inner = [_ask(work, workflows, part) for part in test.tests]
        known = [clause for clause in inner if clause is not None]
        if len(known) < len(inner) and test.kind != "all":
            return None
        if not known:
            return None
        return {"all": and_, "any": or_}[test.kind](*known) if test.kind != "not" else not_(or_(*known))
    if test.kind != "named":
        return None
    if test.name == "has_text":
        return DocumentRow.revision_number > 0
    if test.name == "comments_closed":
        return ~exists().where(CommentRoundRow.document_id == DocumentRow.id, CommentRoundRow.closed_at.is_(None))
    if test.name == "has_open_comments":
        return _has_unanswered()
    if test.name == "no_comment_unanswered":
        return ~_has_unanswered()
    if test.name == "no_substantive_comment_unanswered":
        return ~_has_unanswered(CommentRow.kind.in_(("substantive", "objection")))
    if test.name == "has_published_edition":
        return exists().where(PublicationRow.document_id == DocumentRow.id)
    if test.name == "ballot":
        return _has_ballot(str(test.argument))
    if test.name == "languages_ready":
        return _has_languages(work, workflows)
    return None


def _has_unanswered(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(CommentRow.document_id == DocumentRow.id, CommentRow.outcome.is_(None), *more)


def _has_ballot(outcome: str) -> ColumnElement[bool]:
    latest = (
        select(func.max(BallotRow.id)).where(BallotRow.document_id == DocumentRow.id).correlate(DocumentRow)
    ).scalar_subquery()
    is_so = BallotRow.closed_at.is_not(None) if outcome == "closed" else BallotRow.outcome == outcome
    return exists().where(BallotRow.id == latest, is_so)


def _has_languages(work: UnitOfWork, workflows: Collection[str]) -> ColumnElement[bool]:
    """Every language that the type requires is verified against the text as it stands, or is the text's own."""
    clauses: Iterable[ColumnElement[bool]] = (
        and_(
            DocumentRow.type == kind.name,
            _count_verified(kind.required_languages) >= len(set(kind.required_languages) - {kind.authoritative}),
        )
        for kind in work.catalogue.types.values()
        if kind.workflow in workflows
    )
    return or_(false(), *clauses)


def _count_verified(languages: Iterable[str]) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(TranslationRow)
        .where(
            TranslationRow.document_id == DocumentRow.id,
            TranslationRow.status == "verified",
            TranslationRow.verified_digest == DocumentRow.text_digest,
            TranslationRow.language.in_(sorted(languages)),
            TranslationRow.language != DocumentRow.language,
        )
        .correlate(DocumentRow)
        .scalar_subquery()
    )
