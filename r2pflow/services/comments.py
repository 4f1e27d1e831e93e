"""Comment on a text during a round, and answer each comment with a disposition."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from r2pflow.domain import changes
from r2pflow.domain.changes import Anchor
from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import Actor
from r2pflow.persistence.deliberation import OUTCOMES, CommentRoundRow, CommentRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.history import record
from r2pflow.services.texts import get_blocks
from r2pflow.services.transitions import fire_automatic
from r2pflow.services.windows import get_revision_id

LONGEST = 20_000  # characters
_WITH_PEOPLE = (
    joinedload(CommentRow.author),
    joinedload(CommentRow.organisation),
    joinedload(CommentRow.disposed_by),
)


@dataclass(frozen=True)
class NewComment:
    """What a member sends; an empty `block_id` means the document as a whole."""

    kind: str
    body: str
    language: str
    block_id: str = ""
    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    suggestion: str = ""


def find_open_round(work: UnitOfWork, document_id: int) -> CommentRoundRow | None:
    """Return the round of a document that has not been closed, whether or not its deadline has passed."""
    return work.session.scalars(
        select(CommentRoundRow).where(CommentRoundRow.document_id == document_id, CommentRoundRow.closed_at.is_(None))
    ).first()


def may_comment(work: UnitOfWork, subject: Subject) -> bool:
    """Tell whether the subject's actor can comment now: permission, an open round, its deadline."""
    return not subject.actor.is_anonymous and subject.may("comment") and _find_window(work, subject) is not None


def _find_window(work: UnitOfWork, subject: Subject) -> CommentRoundRow | None:
    window = find_open_round(work, subject.id)
    if window is None or (window.closes_at is not None and window.closes_at <= work.now()):
        return None
    return window


def submit_comment(work: UnitOfWork, actor: Actor, reference: str | int, new: NewComment) -> int:
    """Record a comment for the actor's organisation on the text as it stands; return its id.

    Raises Forbidden without the permission `comment` or after the round, InvalidInput for an unknown kind or block,
    an empty body, one of more than LONGEST characters, or a quotation that is not in the block.
    """
    subject = get_subject(work, actor, reference, "comment")
    if actor.person_id is None:
        raise Forbidden("sign_in_first")
    window = _find_window(work, subject)
    if window is None:
        raise Forbidden("round_closed", reference=subject.reference)
    if new.kind not in window.kinds:
        raise InvalidInput("unknown_kind", field="kind", value=new.kind, accepted=list(window.kinds))
    body = new.body.strip()
    if not body:
        raise InvalidInput("empty_comment", field="body")
    for name, value in (("body", body), ("suggestion", new.suggestion), ("exact", new.exact)):
        if len(value) > LONGEST:
            raise InvalidInput("too_long", field=name, limit=LONGEST, count=len(value))
    anchor = Anchor(new.block_id, new.exact.strip(), new.prefix[-200:], new.suffix[:200])
    health = "exact"
    if new.block_id:
        blocks = get_blocks(work, subject)
        if new.block_id not in {block.id for block in blocks}:
            raise InvalidInput("unknown_block", field="block_id", value=new.block_id)
        if anchor.exact:
            found, health = changes.carry(anchor, blocks, blocks)
            if health == "orphan" or found.block_id != new.block_id:
                raise InvalidInput("quotation_not_found", field="exact", value=new.exact[:80])
    row = CommentRow(
        document_id=subject.id,
        round_id=window.id,
        revision_id=get_revision_id(work, subject),
        block_id=new.block_id,
        current_block_id=new.block_id,
        exact=anchor.exact,
        prefix=anchor.prefix,
        suffix=anchor.suffix,
        health="exact",
        kind=new.kind,
        language=new.language,
        body=body,
        suggestion=new.suggestion.strip(),
        organisation_id=actor.organisation_id,
        author_id=actor.person_id,
        created_at=work.now(),
    )
    work.session.add(row)
    work.session.flush()
    record(
        work,
        subject.id,
        actor,
        "comment",
        digest=subject.text_digest,
        comment_id=row.id,
        comment_kind=row.kind,
    )
    work.enqueue(
        "notify",
        f"notify:comment:{row.id}",
        event="comment_submitted",
        document_id=subject.id,
        comment_id=row.id,
    )
    fire_automatic(work, subject.id)
    return row.id


def dispose(
    work: UnitOfWork,
    actor: Actor,
    comment_id: int,
    outcome: str,
    reason: str,
    *,
    seen_outcome: str | None = None,
) -> None:
    """Answer a comment. An answer may be changed until the document is published; every change is in the history.

    `seen_outcome` is the outcome that the actor saw; another one by now raises Conflict. Raises Forbidden without the
    permission `edit` or `manage`, InvalidInput for an unknown outcome or an empty reason.
    """
    row, subject = _open_comment(work, actor, comment_id)
    if not may_dispose(subject):
        raise Forbidden("no_permission", permission="edit", reference=subject.reference, state=subject.state_name)
    if outcome not in OUTCOMES:
        raise InvalidInput("unknown_outcome", field="outcome", value=outcome, accepted=list(OUTCOMES))
    if not reason.strip():
        raise InvalidInput("reason_required", field="reason")
    if len(reason) > LONGEST:
        raise InvalidInput("too_long", field="reason", limit=LONGEST, count=len(reason))
    if (row.outcome or "") != (seen_outcome or "") and seen_outcome is not None:
        raise Conflict("already_answered", comment=comment_id, outcome=row.outcome)
    before = row.outcome
    row.outcome, row.reason = outcome, reason.strip()
    row.disposed_by_id, row.disposed_at = actor.person_id, work.now()
    row.resulting_revision = subject.revision_number
    row.is_satisfied = None
    work.session.flush()
    record(work, subject.id, actor, "disposition", comment_id=row.id, outcome=outcome, before=before or "")
    work.enqueue(
        "notify",
        f"notify:disposition:{row.id}:{work.now().isoformat()}",
        event="comment_answered",
        document_id=subject.id,
        comment_id=row.id,
    )
    fire_automatic(work, subject.id)


def may_dispose(subject: Subject) -> bool:
    """Tell whether the subject's actor may answer comments: who edits, and the secretariat, until the final states."""
    return not subject.state.final and (subject.may("edit") or "secretariat" in subject.actor.roles)


def acknowledge(work: UnitOfWork, actor: Actor, comment_id: int, is_satisfied: bool) -> None:
    """Let the commenting organisation say whether the disposition satisfies it."""
    row, subject = _open_comment(work, actor, comment_id)
    speaks_for_it = row.organisation_id is not None and row.organisation_id == actor.organisation_id
    if not (speaks_for_it or (actor.person_id is not None and actor.person_id == row.author_id)):
        raise Forbidden("not_your_comment", reference=subject.reference)
    if row.outcome is None:
        raise InvalidInput("not_answered_yet", field="comment", value=comment_id)
    row.is_satisfied = is_satisfied
    work.session.flush()
    record(work, subject.id, actor, "comment", comment_id=row.id, satisfied=is_satisfied)


def _open_comment(work: UnitOfWork, actor: Actor, comment_id: int) -> tuple[CommentRow, Subject]:
    """Return a comment and its document; a comment on what may not be seen is as one that does not exist."""
    row = work.session.get(CommentRow, comment_id)
    if row is None:
        raise NotFound("comment_not_found", comment=comment_id)
    try:
        return row, get_subject(work, actor, row.document_id)
    except NotFound:
        raise NotFound("comment_not_found", comment=comment_id) from None
