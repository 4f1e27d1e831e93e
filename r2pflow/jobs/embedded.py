"""A lease table in r2pflow's own database: a job whose worker was killed is taken again when its lease lapses."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Index, String, Text, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from r2pflow.jobs.port import Job
from r2pflow.persistence.base import Base

LAST_ATTEMPT = 6
BACKOFF = timedelta(seconds=5)


class JobRow(Base):
    """A job; open while neither `done_at` nor `failed_at` is set."""

    __tablename__ = "r2pflow_job"
    __table_args__ = (
        Index(
            "ix_r2pflow_job_open",
            "due_at",
            "id",
            sqlite_where=text("done_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("done_at IS NULL AND failed_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    leased_by: Mapped[str | None] = mapped_column(String(80))
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")


_INSERTS = {
    name: dialect.insert(JobRow.__table__).on_conflict_do_nothing(index_elements=["key"])
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


class EmbeddedQueue:
    """The queue of `jobs/port.py` on the table above; the same on SQLite and PostgreSQL."""

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
        row = {
            "kind": kind,
            "key": key,
            "payload": dict(payload),
            "queued_at": now,
            "due_at": due_at or now,
            "attempts": 0,
            "error": "",
        }
        known = _INSERTS.get(session.get_bind().dialect.name)
        if known is not None:
            session.execute(known, row)
        elif session.scalar(select(JobRow.id).where(JobRow.key == key)) is None:
            session.execute(insert(JobRow).values(row))

    def lease(
        self, session: Session, worker: str, *, now: datetime, seconds: int, kinds: tuple[str, ...] = ()
    ) -> Job | None:
        due = (
            JobRow.done_at.is_(None),
            JobRow.failed_at.is_(None),
            JobRow.due_at <= now,
            or_(JobRow.leased_until.is_(None), JobRow.leased_until < now),
            *((JobRow.kind.in_(kinds),) if kinds else ()),
        )
        while True:
            found = session.execute(
                select(JobRow.id, JobRow.kind, JobRow.key, JobRow.payload, JobRow.attempts)
                .where(*due)
                .order_by(JobRow.due_at, JobRow.id)
                .limit(1)
            ).first()
            if found is None:
                session.rollback()
                return None
            taken = session.execute(
                update(JobRow)
                .where(JobRow.id == found.id, *due)
                .values(
                    leased_by=worker,
                    leased_until=now + timedelta(seconds=seconds),
                    attempts=found.attempts + 1,
                )
                .execution_options(synchronize_session=False)
            )
            assert isinstance(taken, CursorResult)
            session.commit()
            if taken.rowcount == 1:
                return Job(found.id, found.kind, found.key, found.payload, found.attempts + 1)

    def finish(self, session: Session, job: Job, *, now: datetime) -> None:
        session.execute(
            update(JobRow)
            .where(JobRow.id == job.id)
            .values(done_at=now, leased_until=None, error="")
            .execution_options(synchronize_session=False)
        )

    def fail(self, session: Session, job: Job, error: str, *, now: datetime) -> None:
        over = job.attempts >= LAST_ATTEMPT
        session.execute(
            update(JobRow)
            .where(JobRow.id == job.id)
            .values(
                error=error[:4000],
                leased_until=None,
                due_at=now + BACKOFF * 2**job.attempts,
                failed_at=now if over else None,
            )
            .execution_options(synchronize_session=False)
        )
        session.commit()

    def renew(self, session: Session, jobs: Sequence[Job], worker: str, *, now: datetime, seconds: int) -> None:
        self._change_own(session, jobs, worker, {"leased_until": now + timedelta(seconds=seconds)})

    def release(self, session: Session, jobs: Sequence[Job], worker: str, *, now: datetime) -> None:
        self._change_own(session, jobs, worker, {"leased_until": None, "attempts": JobRow.attempts - 1})

    def _change_own(self, session: Session, jobs: Sequence[Job], worker: str, values: dict[str, Any]) -> None:
        own = (JobRow.id.in_([job.id for job in jobs]), JobRow.leased_by == worker, JobRow.done_at.is_(None))
        session.execute(update(JobRow).where(*own).values(values).execution_options(synchronize_session=False))
        session.commit()

    def count_due(self, session: Session, *, now: datetime) -> int:
        due = (JobRow.done_at.is_(None), JobRow.failed_at.is_(None), JobRow.due_at <= now)
        return session.scalar(select(func.count()).select_from(JobRow).where(*due)) or 0

    def list_failed(self, session: Session, limit: int = 20) -> Sequence[JobRow]:
        """Return the jobs that were given up or failed at their last try, the newest first."""
        troubled = (JobRow.done_at.is_(None), or_(JobRow.failed_at.is_not(None), JobRow.error != ""))
        return session.scalars(select(JobRow).where(*troubled).order_by(JobRow.id.desc()).limit(limit)).all()

    def retry(self, session: Session, job_id: int, *, now: datetime) -> bool:
        """Let a job that was given up be tried again from the start; tell whether there was one."""
        again = update(JobRow).where(JobRow.id == job_id, JobRow.failed_at.is_not(None))
        values = {"failed_at": None, "due_at": now, "attempts": 0}
        return session.scalar(again.values(values).returning(JobRow.id)) is not None

    def count_open(self, session: Session) -> int:
        """Count the jobs that still wait or run."""
        return (
            session.scalar(
                select(func.count()).select_from(JobRow).where(JobRow.done_at.is_(None), JobRow.failed_at.is_(None))
            )
            or 0
        )
