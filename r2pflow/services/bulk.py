"""Fire one transition on many documents, each in its own transaction, and keep what became of each.

A batch fires on each document as it stands at its turn, not as it stood when the batch began, and as the person who
began it, with the roles that they hold then.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from r2pflow.domain.definition import Transition
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, R2PFlowError, Refusal, Refused
from r2pflow.domain.moments import check_ahead
from r2pflow.domain.people import Actor
from r2pflow.domain.schedule import get_timezone
from r2pflow.persistence.documents import DefinitionRow, DocumentRow, TrackRow
from r2pflow.persistence.history import BatchEntryRow, BatchRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import transitions
from r2pflow.services.access import visible_to
from r2pflow.services.batches import CANCELLED, DONE, REFUSED, WAITING, get_batch
from r2pflow.services.definitions import get_outline
from r2pflow.services.people import load_actor

logger = logging.getLogger(__name__)

MOST = 1000
"""So many documents may be in one batch."""

STEP = 50
"""So many documents are fired by one job; the next job stands behind what else is due by then."""

LONGEST_COMMENT = 5000
_TRIES = 3  # where somebody changes the document in the very moment
_SLICE = 500  # values in one query


def start_batch(
    work: UnitOfWork,
    actor: Actor,
    transition: str,
    references: Sequence[str],
    comment: str = "",
    due_at: datetime | None = None,
    timezone: str = "",
) -> int:
    """Queue a transition for many documents, at once or at an instant; return the id of the batch.

    Whether it is possible is asked of each document at its turn. Raises InvalidInput where there are none or more
    than MOST, where some do not exist or may not be viewed (all named), where the comment does not fit the
    transitions, or the instant is not ahead; NotFound where no document's workflow knows the transition.
    """
    if actor.person_id is None:
        raise Forbidden("sign_in_first")
    asked = check_references(references)
    comment = comment.strip()
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput("too_long", field="comment", count=len(comment), limit=LONGEST_COMMENT)
    if due_at is not None:
        check_ahead(due_at, work.now())
    timezone = get_timezone(timezone or work.settings.timezone).key
    known = find_documents(work, actor, asked)
    missing = [reference for reference in asked if reference not in known]
    if missing:
        raise InvalidInput("documents_not_found", field="references", references=missing[:20], count=len(missing))
    _check_comment(_list_transitions(work, transition, list(known.values())), transition, comment)
    row = BatchRow(
        person_id=actor.person_id,
        transition=transition,
        comment=comment,
        created_at=work.now(),
        due_at=due_at,
        timezone=timezone,
    )
    work.session.add(row)
    work.session.flush()
    work.session.execute(
        insert(BatchEntryRow),
        [{"batch_id": row.id, "document_id": known[one], "rank": rank} for rank, one in enumerate(asked, 1)],
    )
    _enqueue(work, row.id, 1, due_at)
    return row.id


def check_references(references: Sequence[str]) -> list[str]:
    """Return the references without repetition; InvalidInput where there are none, or more than MOST."""
    asked = list(dict.fromkeys(one.strip() for one in references if one.strip()))
    if not asked:
        raise InvalidInput("choose_documents", field="references")
    if len(asked) > MOST:
        raise InvalidInput("too_many_documents", field="references", count=len(asked), limit=MOST)
    return asked


def find_documents(work: UnitOfWork, actor: Actor, references: Sequence[str]) -> dict[str, int]:
    """Return the ids, by reference and in this order, of those documents that the actor may view."""
    found: dict[str, int] = {}
    for start in range(0, len(references), _SLICE):
        some = references[start : start + _SLICE]
        query = select(DocumentRow.reference, DocumentRow.id).where(DocumentRow.reference.in_(some), visible_to(actor))
        known = {row.reference: row.id for row in work.session.execute(query)}
        found |= {reference: known[reference] for reference in some if reference in known}
    return found


def ask_comment(work: UnitOfWork, transition: str, document_ids: Sequence[int]) -> str:
    """Return what the transition asks of a comment on these documents: required, optional or none.

    InvalidInput where some ask for one and others take none; NotFound where no workflow knows the transition.
    """
    asked = {one.comment for one in _list_transitions(work, transition, document_ids)}
    if not asked:
        raise NotFound("unknown_transition", transition=transition)
    if asked >= {"required", "none"}:
        raise InvalidInput("comments_differ")
    return "required" if "required" in asked else "none" if "none" in asked else "optional"


def cancel_batch(work: UnitOfWork, actor: Actor, batch_id: int) -> int:
    """Leave undone what still waits; return how many documents that were. What is done stays done."""
    batch = get_batch(work, actor, batch_id)
    waiting = update(BatchEntryRow).where(BatchEntryRow.batch_id == batch.row.id, BatchEntryRow.outcome == WAITING)
    count = work.write(waiting.values(outcome=CANCELLED, done_at=work.now()))
    if count:
        ended = update(BatchRow).where(BatchRow.id == batch.row.id)
        work.write(ended.values(cancelled_at=work.now(), finished_at=work.now()))
    return count


def run_batch(work: UnitOfWork, batch_id: int, part: int) -> None:
    """Fire on the next STEP documents of a batch, committing after each; then queue the next part, or end the batch.

    For a worker's job: what comes after the last document is left to be committed with the job. A job that is done
    again goes on with what still waits.
    """
    batch = work.session.get(BatchRow, batch_id)
    if batch is None or batch.finished_at is not None:
        return
    order = _Order(batch.id, batch.person_id, batch.transition, batch.comment)
    waiting = (BatchEntryRow.batch_id == order.batch_id, BatchEntryRow.outcome == WAITING)
    rank = BatchEntryRow.rank
    documents = work.session.scalars(select(BatchEntryRow.document_id).where(*waiting).order_by(rank).limit(STEP)).all()
    work.rollback()
    for document_id in documents:
        _settle(work, order, document_id)
    if work.session.scalar(select(func.count()).select_from(BatchEntryRow).where(*waiting)):
        _enqueue(work, order.batch_id, part + 1)
    else:
        ended = update(BatchRow).where(BatchRow.id == order.batch_id, BatchRow.finished_at.is_(None))
        work.write(ended.values(finished_at=work.now()))


@dataclass(frozen=True)
class _Order:
    batch_id: int
    person_id: int
    transition: str
    comment: str


def _settle(work: UnitOfWork, order: _Order, document_id: int) -> None:
    """Fire on one document and commit, or write down why not; what fails without a reason does not hold up the rest."""
    reasons: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        try:
            work.complete(lambda: _fire(work, order, document_id))
            return
        except DBAPIError:
            raise
        except Conflict as error:  # at this moment; the document is taken as it stands now
            work.rollback()
            reasons = [{"code": error.code, "params": {}}]
        except R2PFlowError as error:
            work.rollback()
            reasons = _list_reasons(error)
            break
        except Exception as error:
            work.rollback()
            logger.exception("the batch %d failed on the document %d", order.batch_id, document_id)
            reasons = [{"code": "failed_unexpectedly", "params": {"error": type(error).__name__}}]
            break
    work.complete(lambda: _take(work, order, document_id, REFUSED, reasons))


def _fire(work: UnitOfWork, order: _Order, document_id: int) -> None:
    if not _take(work, order, document_id, DONE):
        return
    actor = load_actor(work, order.person_id)
    if actor is None:
        raise Refused(order.transition, [Refusal("person_inactive")])
    transitions.fire(work, actor, document_id, order.transition, comment=order.comment)


def _take(work: UnitOfWork, order: _Order, document_id: int, outcome: str, reasons: Sequence[Any] = ()) -> bool:
    """Write down what becomes of a document that still waits; False where it no longer does."""
    entry = update(BatchEntryRow).where(
        BatchEntryRow.batch_id == order.batch_id,
        BatchEntryRow.document_id == document_id,
        BatchEntryRow.outcome == WAITING,
    )
    return work.write(entry.values(outcome=outcome, reasons=list(reasons), done_at=work.now())) == 1


def _list_reasons(error: R2PFlowError) -> list[dict[str, Any]]:
    found = error.refusals if isinstance(error, Refused) else [error]
    told = [{"code": one.code, "params": dict(one.params)} for one in found]
    plain: list[dict[str, Any]] = json.loads(json.dumps(told, default=str))  # conditions say what they like
    return plain


def _enqueue(work: UnitOfWork, batch_id: int, part: int, due_at: datetime | None = None) -> None:
    work.enqueue("batch", f"batch:{batch_id}:{part}", due_at=due_at, batch_id=batch_id, part=part)


def _list_transitions(work: UnitOfWork, name: str, document_ids: Sequence[int]) -> list[Transition]:
    """Return the transition of this name as each workflow has it in whose chain the documents stand."""
    digests: set[str] = set()
    for start in range(0, len(document_ids), _SLICE):
        some = document_ids[start : start + _SLICE]
        for definition, document in (
            (DocumentRow.definition_id, DocumentRow.id),
            (TrackRow.definition_id, TrackRow.document_id),
        ):
            used = select(definition).where(document.in_(some))
            digests.update(work.session.scalars(select(DefinitionRow.digest).where(DefinitionRow.id.in_(used))))
    known = (get_outline(work, digest).transitions.get(name) for digest in sorted(digests))
    return [transition for transition in known if transition is not None]


def _check_comment(known: Sequence[Transition], name: str, comment: str) -> None:
    if not known:
        raise NotFound("unknown_transition", transition=name)
    asked = {one.comment for one in known}
    if asked >= {"required", "none"}:
        raise InvalidInput("comments_differ")
    if "required" in asked and not comment:
        raise InvalidInput("comment_required", field="comment")
    if "none" in asked and comment:
        raise InvalidInput("comment_not_allowed", field="comment")
