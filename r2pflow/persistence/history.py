"""History entries, timers, and mails: what happened, what is due, who was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from r2pflow.persistence.base import Base


class HistoryEntryRow(Base):
    """One thing that happened to a document; never changed. `kind` is created, transition, text, comment, disposition,
    ballot, position, translation, publication, sharing, moved, migration, fields, timer, or refused: an automatic
    transition that failed.
    """

    __tablename__ = "r2pflow_history_entry"
    __table_args__ = (Index("ix_r2pflow_history_entry_document", "document_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"))
    happened_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    actor_name: Mapped[str] = mapped_column(String(200))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_organisation.id"))
    transition: Mapped[str] = mapped_column(String(80), default="")
    source: Mapped[str] = mapped_column(String(80), default="")
    target: Mapped[str] = mapped_column(String(80), default="")
    trigger: Mapped[str] = mapped_column(String(10), default="")
    comment: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TimerRow(Base):
    """Something due at an instant: fire a transition, remind, close a ballot. Ended once `ended_at` is set.

    What a person scheduled has that person and their comment; it stays when the state is left, and is refused at
    its instant where it is not possible then.
    """

    __tablename__ = "r2pflow_timer"
    __table_args__ = (
        Index(
            "ix_r2pflow_timer_due",
            "due_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # fire | remind | close_ballot | scheduled
    name: Mapped[str] = mapped_column(String(80), default="")  # the transition, or the ballot's id
    state: Mapped[str] = mapped_column(String(80))
    due_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    workflow: Mapped[str] = mapped_column(String(80), default="")  # of a track; empty: the first of the chain
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class BatchRow(Base):
    """One transition to be fired on many documents, each in its own transaction."""

    __tablename__ = "r2pflow_batch"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_person.id"), index=True)
    transition: Mapped[str] = mapped_column(String(80))
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # None: at once
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    cancelled_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class BatchEntryRow(Base):
    """One document of a batch, and what became of it."""

    __tablename__ = "r2pflow_batch_entry"
    batch_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_batch.id", ondelete="CASCADE"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20), default="waiting")  # waiting | done | refused | cancelled
    reasons: Mapped[list[Any]] = mapped_column(default=list)  # [{"code", "params"}]
    done_at: Mapped[datetime | None]
