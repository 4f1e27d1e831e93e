"""What a job is, whatever queue carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Job:
    """A piece of work that may be started more than once and must have its result once; `key` names that result."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int


class JobQueue(Protocol):
    """Queue jobs in the caller's transaction: they exist exactly when what caused them does."""

    def enqueue(
        self,
        session: Session,
        kind: str,
        key: str,
        payload: Mapping[str, Any],
        *,
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """Queue the job unless one with this key is there already."""

    def lease(
        self, session: Session, worker: str, *, now: datetime, seconds: int, kinds: tuple[str, ...] = ()
    ) -> Job | None:
        """Take the oldest due job for some seconds and commit; None when nothing is due.

        A lapsed lease is taken again.
        """

    def finish(self, session: Session, job: Job, *, now: datetime) -> None:
        """Mark the job done, in the transaction that holds its result."""

    def fail(self, session: Session, job: Job, error: str, *, now: datetime) -> None:
        """Give the job back for a later try, or up after the last; commits."""

    def renew(self, session: Session, jobs: Sequence[Job], worker: str, *, now: datetime, seconds: int) -> None:
        """Hold leases for longer, those that are still this worker's; commits."""

    def release(self, session: Session, jobs: Sequence[Job], worker: str, *, now: datetime) -> None:
        """Give jobs back that were not begun, or were broken off, as if this worker had not taken them; commits."""

    def count_due(self, session: Session, *, now: datetime) -> int:
        """Count the jobs that are due and not done, those that a worker has in hand included."""
        ...
