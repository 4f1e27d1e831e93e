"""The built-in effects of transitions: each queues, in the transition's own transaction, what is told later."""

from r2pflow.domain.engine import Outcome
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import Subject
from r2pflow.services.publishing import publish_effect, withdraw_effect

__all__ = [
    "announce",
    "notify_members",
    "notify_steering",
    "open_translation",
    "publish",
    "withdraw",
]

publish = publish_effect
withdraw = withdraw_effect


def notify_members(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Tell the members where the document has got to, unless a comment round opens there and tells them more."""
    comments = subject.state.comments
    if comments is None or subject.workflow.find_meant(comments.audience) != "member":
        _tell_role(work, subject, "member")


def notify_steering(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Tell the steering group where the document has got to, unless a ballot opens there and tells it more."""
    if not subject.state.ballot:
        _tell_role(work, subject, "steering")


def announce(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Tell everybody in the directory that the document is published."""
    _queue(work, subject, "document_published")


def open_translation(work: UnitOfWork, subject: Subject, outcome: Outcome) -> None:
    """Tell the translators which languages the approved text waits for."""
    _queue(work, subject, "translation_wanted")


def _tell_role(work: UnitOfWork, subject: Subject, role: str) -> None:
    work.enqueue(
        "notify",
        f"notify:entered:{role}:{subject.id}:{subject.change_number}",
        event="state_entered",
        document_id=subject.id,
        role=role,
        state=subject.state_name,
    )


def _queue(work: UnitOfWork, subject: Subject, event: str) -> None:
    work.enqueue("notify", f"notify:{event}:{subject.id}:{subject.change_number}", event=event, document_id=subject.id)
