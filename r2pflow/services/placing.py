"""What a document takes from where it lies: the workflows of its chain, what dossiers grant, whose sharing applies."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, case, or_, select, update

from r2pflow.domain.definition import DocumentType, Workflow
from r2pflow.domain.errors import InvalidInput
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, DossierRow, TrackRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import list_ids
from r2pflow.services.definitions import Above, get_outline, place_under, store_definition


def find_chain(work: UnitOfWork, document_type: DocumentType, dossier: DossierRow | None) -> tuple[Workflow, ...]:
    """Return the workflows of a new document of the type in the dossier: the nearest policy above it, or the type's.

    Raises InvalidInput for a policy that names a workflow that no file defines.
    """
    names, _ = find_policy(document_type, list_line(work, dossier))
    workflows = work.catalogue.workflows
    for name in names:
        if name not in workflows:
            raise InvalidInput("unknown_workflow", field="dossier", value=name, accepted=sorted(workflows))
    return tuple(workflows[name] for name in names)


def find_policy(document_type: DocumentType, line: Sequence[DossierRow]) -> tuple[Sequence[str], DossierRow | None]:
    """Return the names of the chain that the nearest policy of a line chooses, and the dossier that has the policy.

    Without a policy it is the type's own chain, and None. A policy without workflows says: as the type does.
    """
    for place in reversed(line):
        if document_type.name in place.policies:
            named = place.policies[document_type.name]
            return ([named] if isinstance(named, str) else named) or document_type.chain, place
    return document_type.chain, None


def list_line(work: UnitOfWork, dossier: DossierRow | None) -> list[DossierRow]:
    """Return the dossiers from the topmost down to this one, itself included."""
    if dossier is None:
        return []
    above = list_ids(dossier.path)[:-1]
    if not above:
        return [dossier]
    rows = work.session.scalars(select(DossierRow).where(DossierRow.id.in_(above)).order_by(DossierRow.path)).all()
    return [*sorted(rows, key=lambda row: len(list_ids(row.path))), dossier]


def find_grants(workflow: Workflow, line: Sequence[DossierRow]) -> Above:
    """Return what the dossiers of a line grant where states of the workflow inherit: permission -> all its roles.

    A dossier's grant stands in the place of those above it, or is added to them; at the top, to the workflow's own.
    """
    granted: dict[str, tuple[frozenset[str], bool]] = {}
    for place in line:
        for permission, grant in place.grants.items():
            roles, reaches_top = granted.get(permission, (frozenset[str](), True))
            own = frozenset(grant["roles"])
            granted[permission] = (roles | own, reaches_top) if grant.get("adds") else (own, False)
    inherited = {workflow.means.get(name, name) for state in workflow.states.values() for name in state.inherit}
    found: dict[str, Sequence[str]] = {}
    for permission, (roles, reaches_top) in granted.items():
        if permission in inherited:
            top = _find_top(workflow, permission) if reaches_top else frozenset()
            found[permission] = sorted(roles | top)
    return found


def _find_top(workflow: Workflow, permission: str) -> frozenset[str]:
    names = {permission, *(own for own, meant in workflow.means.items() if meant == permission)}
    return frozenset(role for name in names for role in workflow.permissions.get(name, ()))


def hold_tree(work: UnitOfWork) -> None:
    """Let nobody else move a dossier or put a document into one, until this transaction ends."""
    _begin_writing(work)
    work.session.execute(select(DossierRow.id).order_by(DossierRow.id).with_for_update())
    work.session.expire_all()


def hold_dossier(work: UnitOfWork, slug: str) -> DossierRow | None:
    """Return the dossier, or None; until this transaction ends it stays where it is, with all above it."""
    _begin_writing(work)
    named = select(DossierRow).where(DossierRow.slug == slug)
    return work.session.scalars(named.with_for_update(read=True).execution_options(populate_existing=True)).first()


def _begin_writing(work: UnitOfWork) -> None:
    """Take SQLite's one lock before anything is read that is written on; PostgreSQL locks rows, and this is nothing."""
    work.write(update(DossierRow).where(DossierRow.id == 0).values(kind=""))


Note = Callable[[ColumnElement[bool]], None]
"""Is told of documents, by a condition on them, before their definitions change."""


def settle(work: UnitOfWork, dossier: DossierRow, note: Note | None = None) -> None:
    """Let a dossier and all below it follow a change of its place, its blocking or its grants.

    Paths of dossiers and documents are written anew, and each document stands in its definition as it applies there.
    `dossier.path` must still be the old one where the dossier has moved.
    """
    old_path = dossier.path
    rows = work.session.scalars(select(DossierRow).where(DossierRow.path.startswith(old_path, autoescape=True))).all()
    by_id = {row.id: row for row in rows}
    parent = work.session.get(DossierRow, dossier.parent_id) if dossier.parent_id else None
    lines: dict[int, list[DossierRow]] = {}
    for row in sorted(rows, key=lambda one: len(list_ids(one.path))):
        above = parent if row.id == dossier.id else by_id[row.parent_id]  # type: ignore[index]
        over = list_line(work, parent) if row.id == dossier.id else lines[above.id]  # type: ignore[union-attr]
        lines[row.id] = [*over, row]
        row.path = f"{above.path if above else '/'}{row.id}/"
        row.shared_path = f"/{row.id}/" if row.blocks_sharing or above is None else f"{above.shared_path}{row.id}/"
    work.session.flush()
    for row in rows:
        work.write(
            update(DocumentRow)
            .where(DocumentRow.dossier_id == row.id, DocumentRow.dossier_path != row.path)
            .values(dossier_path=row.path)
            .execution_options(synchronize_session=False)
        )
        _settle_where(work, lines[row.id], DocumentRow.dossier_id == row.id, note)
    work.session.expire_all()


def settle_documents(work: UnitOfWork, line: Sequence[DossierRow], dossier_id: int | None, *ids: int) -> None:
    """Put the documents of a dossier, or those of them, into their definitions as these dossiers make them apply."""
    _settle_where(work, line, DocumentRow.id.in_(ids) if ids else DocumentRow.dossier_id == dossier_id)
    work.session.expire_all()


def _settle_where(
    work: UnitOfWork, line: Sequence[DossierRow], here: ColumnElement[bool], note: Note | None = None
) -> None:
    of_these = TrackRow.document_id.in_(select(DocumentRow.id).where(here))
    moves = _find_moves(work, select(DocumentRow.definition_id).where(here).distinct(), line)
    further = _find_moves(work, select(TrackRow.definition_id).where(of_these).distinct(), line)
    if note is not None and (moves or further):
        along = select(TrackRow.document_id).where(of_these, TrackRow.definition_id.in_(list(further)))
        note(and_(here, or_(DocumentRow.definition_id.in_(list(moves)), DocumentRow.id.in_(along))))
    for table, where, changed in ((DocumentRow, here, moves), (TrackRow, of_these, further)):
        if changed:
            into = case(changed, value=table.definition_id)
            work.write(
                update(table)
                .where(where, table.definition_id.in_(list(changed)))
                .values(definition_id=into)
                .execution_options(synchronize_session=False)
            )


def _find_moves(work: UnitOfWork, used: object, line: Sequence[DossierRow]) -> Mapping[int, int]:
    moves: dict[int, int] = {}
    rows = work.session.execute(
        select(DefinitionRow.id, DefinitionRow.digest).where(DefinitionRow.id.in_(used))  # type: ignore[arg-type]
    ).all()
    for row in rows:
        workflow = get_outline(work, row.digest)
        new = store_definition(work, place_under(workflow, find_grants(workflow, line)))
        if new != row.id:
            moves[row.id] = new
    return moves
