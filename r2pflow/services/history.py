"""Write the history of a document: who did what to it, when, on which text."""

from typing import Any

from sqlalchemy import ColumnElement, insert, literal, select

from r2pflow.domain.people import Actor
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.unit_of_work import UnitOfWork

_INSERT = insert(HistoryEntryRow.__table__)  # type: ignore[arg-type]  # a Table, typed as any FromClause


def record(
    work: UnitOfWork,
    document_id: int,
    actor: Actor,
    kind: str,
    *,
    transition: str = "",
    source: str = "",
    target: str = "",
    trigger: str = "",
    comment: str = "",
    digest: str = "",
    **params: Any,
) -> None:
    """Add an entry to the document's history in the running transaction; `params` fill the entry's sentence."""
    work.run(
        _INSERT,
        document_id=document_id,
        happened_at=work.now(),
        kind=kind,
        person_id=actor.person_id,
        actor_name=actor.name,
        organisation_id=actor.organisation_id,
        transition=transition,
        source=source,
        target=target,
        trigger=trigger,
        comment=comment,
        digest=digest,
        params=params,
    )


def record_many(work: UnitOfWork, here: ColumnElement[bool], actor: Actor, kind: str, **params: Any) -> None:
    """Add the same entry to the history of every document of the condition; one statement, however many they are."""
    table = HistoryEntryRow.__table__.c
    values = {
        "happened_at": work.now(),
        "kind": kind,
        "person_id": actor.person_id,
        "actor_name": actor.name,
        "organisation_id": actor.organisation_id,
        **dict.fromkeys(("transition", "source", "target", "trigger", "comment", "digest"), ""),
        "params": params,
    }
    columns = [literal(value, table[name].type).label(name) for name, value in values.items()]
    work.session.flush()
    entries = select(DocumentRow.id, *columns).where(here)
    work.session.execute(insert(HistoryEntryRow).from_select(["document_id", *values], entries))
