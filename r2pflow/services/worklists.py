"""Worklists in SQL: which documents wait for an actor, and under which name, for all documents at once."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    union,
    union_all,
)

from r2pflow.domain import engine
from r2pflow.domain.conditions import COMBINATIONS
from r2pflow.domain.definition import Guard, Test, Workflow, WorklistDef
from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import BUILT_IN_PERMISSIONS, Actor, Titles
from r2pflow.persistence.deliberation import BallotRow, CommentRoundRow, CommentRow, TranslationRow
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, DossierRow, LocalRoleRow, TrackRow
from r2pflow.persistence.publishing import PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import held_by, visible_to
from r2pflow.services.definitions import list_workflows
from r2pflow.services.facts import has_text
from r2pflow.services.queries import LISTED, Page

Found = Select[int, datetime]


@dataclass(frozen=True)
class Match:
    """The documents that are on one worklist of an actor in one state of its workflow.

    `found` selects their ids, and as `entered` since when each has been in the state; what the actor may not view is
    still among them.
    """

    name: str
    title: Titles
    found: Found

    def first(self, actor: Actor, number: int) -> Found:
        """Return those that have waited longest, of those that the actor may view."""
        by_time = self.found.where(visible_to(actor)).order_by("entered", DocumentRow.id)
        return by_time.limit(number)


def match_worklists(work: UnitOfWork, actor: Actor) -> list[Match]:
    """Return the worklists that are for the actor, state by state; workflows with the same list share a query.

    A test of `where` that SQL cannot ask (one on fields, or a plugin's) narrows nothing: the list is a reminder, and
    the document's page says what is so.
    """
    has_tracks = exists().where(TrackRow.definition_id == DefinitionRow.id)
    versions = work.session.execute(select(DefinitionRow.workflow, DefinitionRow.id, has_tracks)).all()
    shared = cache(lambda: _find_shared_roles(work, actor))
    found = []
    for worklist, workflows in _gather(work):
        names = {workflow.name for workflow in workflows}
        where = [*_ask_all(work, worklist.where)]
        ids = [id_ for workflow, id_, _ in versions if workflow in names]
        along = [id_ for workflow, id_, is_further in versions if workflow in names and is_further]
        for state in worklist.states:
            who = _who(work, workflows[0], worklist.guard, state, actor, shared)
            if who is None:
                continue
            clauses = [*who, *where]
            if ids or not along:
                found.append(Match(worklist.name, worklist.title, _in_first(state, ids, clauses)))
            if along:
                found.append(Match(worklist.name, worklist.title, _in_further(state, along, clauses)))
    return found


def list_worklist(work: UnitOfWork, actor: Actor, name: str, number: int = 1) -> tuple[Titles, Page[DocumentRow]]:
    """Return the title of a worklist and a page of it, the longest waiting first; a number out of range the nearest.

    Raises NotFound where there is none of that name for the actor.
    """
    matches = [match for match in match_worklists(work, actor) if match.name == name]
    if not matches:
        raise NotFound("worklist_not_found", name=name)
    size = work.settings.page_size
    total = _count(work, actor, matches)
    number = min(max(1, number), max(1, -(-total // size)))
    return matches[0].title, Page(_read_page(work, actor, matches, number, size), total, number, size)


def _count(work: UnitOfWork, actor: Actor, matches: Sequence[Match]) -> int:
    """Count every document once; each state is a range of the index `ix_r2pflow_document_queue`."""
    ids = [match.found.with_only_columns(DocumentRow.id).where(visible_to(actor)) for match in matches]
    every = ids[0].subquery() if len(ids) == 1 else union(*ids).subquery()
    return work.session.scalar(select(func.count()).select_from(every)) or 0


def _read_page(
    work: UnitOfWork, actor: Actor, matches: Sequence[Match], number: int, size: int
) -> Sequence[DocumentRow]:
    ahead = (number - 1) * size
    firsts = [match.first(actor, ahead + size).subquery() for match in matches]
    every = firsts[0] if len(firsts) == 1 else union_all(*(select(first) for first in firsts)).subquery()
    once = select(every.c.id, func.min(every.c.entered).label("entered")).group_by(every.c.id).subquery()
    return work.session.scalars(
        select(DocumentRow)
        .join(once, once.c.id == DocumentRow.id)
        .options(*LISTED)
        .order_by(once.c.entered, DocumentRow.id)
        .limit(size)
        .offset(ahead)
    ).all()


def _in_first(state: str, versions: Sequence[int], clauses: Iterable[ColumnElement[bool]]) -> Found:
    entered = DocumentRow.state_entered_at.label("entered")
    return select(DocumentRow.id, entered).where(
        DocumentRow.state == state, DocumentRow.definition_id.in_(versions), *clauses
    )


def _in_further(state: str, versions: Sequence[int], clauses: Iterable[ColumnElement[bool]]) -> Found:
    """Select by where documents stand in a further workflow of their chain."""
    return (
        select(DocumentRow.id, TrackRow.state_entered_at.label("entered"))
        .join(TrackRow, TrackRow.document_id == DocumentRow.id)
        .where(TrackRow.state == state, TrackRow.definition_id.in_(versions), *clauses)
    )


def _gather(work: UnitOfWork) -> list[tuple[WorklistDef, list[Workflow]]]:
    found: dict[Hashable, tuple[WorklistDef, list[Workflow]]] = {}
    for workflow in list_workflows(work):
        for worklist in workflow.worklists.values():
            found.setdefault(_make_key(workflow, worklist), (worklist, []))[1].append(workflow)
    return list(found.values())


def _make_key(workflow: Workflow, worklist: WorklistDef) -> Hashable:
    """Return what worklists have in common that ask the same: by the roles and permissions that names stand for."""
    guard = worklist.guard
    roles = (workflow.counting_roles(guard.roles), workflow.counting_roles(workflow.bypass))
    held = [
        known if known in BUILT_IN_PERMISSIONS else tuple(workflow.holders(state, known) for state in worklist.states)
        for known in (workflow.means.get(name, name) for name in guard.permissions)
    ]
    tests = str((guard.groups, [*map(str, guard.require)], [*map(str, worklist.where)]))
    return worklist.name, worklist.states, roles, tuple(held), tests


def _find_shared_roles(work: UnitOfWork, actor: Actor) -> frozenset[str]:
    """Return the roles that sharing gives the actor on anything at all."""
    if actor.person_id is None:
        return frozenset()
    return frozenset(work.session.scalars(select(LocalRoleRow.role).where(held_by(actor)).distinct()))


def _who(
    work: UnitOfWork,
    workflow: Workflow,
    guard: Guard,
    state: str,
    actor: Actor,
    shared: Callable[[], frozenset[str]],
) -> list[ColumnElement[bool]] | None:
    """Return what must hold for the actor, or None where what is in the state is not for them."""
    if engine.may_bypass(workflow, actor):
        return []
    asked = _ask_guard(work, workflow, guard, state, actor, shared)
    passing = workflow.counting_roles(workflow.bypass) & shared() if workflow.bypass else frozenset()
    if asked == [] or not passing:
        return asked
    bypasses = _has_shared(actor, passing)
    return [bypasses if asked is None else or_(bypasses, and_(*asked))]


def _ask_guard(
    work: UnitOfWork,
    workflow: Workflow,
    guard: Guard,
    state: str,
    actor: Actor,
    shared: Callable[[], frozenset[str]],
) -> list[ColumnElement[bool]] | None:
    if guard.groups and actor.groups.isdisjoint(guard.groups):
        return None
    clauses: list[ColumnElement[bool]] = []
    if guard.roles:
        held = _holds_one(workflow, actor, workflow.counting_roles(guard.roles), shared)
        if held is None:
            return None
        clauses += held
    if guard.permissions and guard.permissions != ("view",):  # which every list asks
        ways = [_may(workflow, state, actor, permission, shared) for permission in guard.permissions]
        if all(way is None for way in ways):
            return None
        if [] not in ways:
            clauses.append(or_(*(clause for way in ways if way is not None for clause in way)))
    return [*clauses, *_ask_all(work, guard.require)]


def _may(
    workflow: Workflow, state: str, actor: Actor, permission: str, shared: Callable[[], frozenset[str]]
) -> list[ColumnElement[bool]] | None:
    known = workflow.means.get(permission, permission)
    if known in BUILT_IN_PERMISSIONS:
        return [visible_to(actor, known)]
    return _holds_one(workflow, actor, workflow.holders(state, permission), shared)  # of the workflow's own: no grants


def _holds_one(
    workflow: Workflow, actor: Actor, wanted: frozenset[str], shared: Callable[[], frozenset[str]]
) -> list[ColumnElement[bool]] | None:
    """Return what must hold for the actor to have one of the roles; None where they have none of them anywhere."""
    if not engine.roles_of(workflow, actor).isdisjoint(wanted):
        return []
    return [_has_shared(actor, wanted & shared())] if wanted & shared() else None


def _has_shared(actor: Actor, roles: Collection[str]) -> ColumnElement[bool]:
    given = (held_by(actor), LocalRoleRow.role.in_(sorted(roles)))
    here = select(LocalRoleRow.document_id).where(LocalRoleRow.document_id > 0, *given)
    reaches = DossierRow.shared_path.contains("/" + LocalRoleRow.dossier_id.cast(String) + "/")
    above = select(DossierRow.id).join(LocalRoleRow, reaches).where(LocalRoleRow.dossier_id > 0, *given)
    inherited = and_(DocumentRow.blocks_sharing.is_(False), DocumentRow.dossier_id.in_(above))
    return or_(DocumentRow.id.in_(here), inherited)


def _ask_all(work: UnitOfWork, tests: Iterable[Test]) -> Iterator[ColumnElement[bool]]:
    """Yield what SQL can ask of the tests; of an `all` those parts that it can."""
    for test in tests:
        if test.kind == "all":
            yield from _ask_all(work, test.tests)
        elif (clause := _ask(work, test)) is not None:
            yield clause


def _ask(work: UnitOfWork, test: Test) -> ColumnElement[bool] | None:
    """Return what is true exactly where the test is met, or None where SQL cannot ask it."""
    if test.kind in COMBINATIONS:
        inner = [_ask(work, part) for part in test.tests]
        known = [clause for clause in inner if clause is not None]
        if len(known) < len(inner):
            return None
        return not_(known[0]) if test.kind == "not" else (and_ if test.kind == "all" else or_)(*known)
    if test.kind != "named":
        return None
    if test.name == "has_text":
        return has_text()
    if test.name == "comments_closed":
        return ~exists().where(CommentRoundRow.document_id == DocumentRow.id, CommentRoundRow.closed_at.is_(None))
    if test.name == "has_open_comments":
        return _has_unanswered()
    if test.name == "no_comment_unanswered":
        return ~_has_unanswered()
    if test.name == "no_substantive_comment_unanswered":
        return ~_has_unanswered(CommentRow.kind != "editorial")
    if test.name == "has_published_edition":
        return exists().where(PublicationRow.document_id == DocumentRow.id)
    if test.name == "ballot":
        return _has_ballot(str(test.argument))
    if test.name == "languages_ready":
        return _has_languages(work)
    return None


def _has_unanswered(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(CommentRow.document_id == DocumentRow.id, CommentRow.outcome.is_(None), *more)


def _has_ballot(outcome: str) -> ColumnElement[bool]:
    """Ask for the newest ballot since the document entered the state, as guards do."""
    latest = (
        select(func.max(BallotRow.id))
        .where(BallotRow.document_id == DocumentRow.id, BallotRow.state == DocumentRow.state)
        .where(BallotRow.opened_at >= DocumentRow.state_entered_at)
        .correlate(DocumentRow)
    ).scalar_subquery()
    is_closed = BallotRow.closed_at.is_not(None)
    is_so = {"closed": is_closed, "open": ~is_closed}.get(outcome, and_(is_closed, BallotRow.outcome == outcome))
    return exists().where(BallotRow.id == latest, is_so)


def _has_languages(work: UnitOfWork) -> ColumnElement[bool]:
    """Every language that the type requires is verified against the text as it stands, or is the text's own."""
    clauses: Iterable[ColumnElement[bool]] = (
        and_(DocumentRow.type == kind.name, _count_verified(required) >= len(required) - _count_own(required))
        for kind in work.catalogue.types.values()
        for required in (sorted(set(kind.required_languages)),)
    )
    return or_(false(), *clauses)


def _count_own(languages: Iterable[str]) -> ColumnElement[int]:
    return case((DocumentRow.language.in_(languages), 1), else_=0)


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
