"""Comment rounds and comments; ballots, their voters and positions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from r2pflow.persistence.base import Base
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.people import OrganisationRow, PersonRow

OUTCOMES = ("accepted", "partly", "rejected", "out_of_scope", "deferred")


class CommentRoundRow(Base):
    """A window for comments on one revision; `closes_at` may be None (closed by hand); `timezone` is the deadline's."""

    __tablename__ = "r2pflow_comment_round"
    __table_args__ = (
        Index(
            "uq_r2pflow_comment_round_open",
            "document_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_r2pflow_comment_round_deadline",
            "closes_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_revision.id"))
    audience: Mapped[str] = mapped_column(String(60))
    kinds: Mapped[list[str]]
    opened_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    closed_at: Mapped[datetime | None]


class CommentRow(Base):
    """A comment on a block and quotation (block_id empty: on the whole document) and what became of it."""

    __tablename__ = "r2pflow_comment"
    __table_args__ = (
        CheckConstraint("kind IN ('editorial', 'substantive', 'objection')", name="kind"),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('accepted', 'partly', 'rejected', 'out_of_scope', 'deferred')",
            name="outcome",
        ),
        CheckConstraint("outcome IS NULL OR reason <> ''", name="reason"),
        Index("ix_r2pflow_comment_document_outcome", "document_id", "outcome"),
        Index(
            "ix_r2pflow_comment_unacknowledged",
            "author_id",
            "document_id",
            "disposed_at",
            sqlite_where=text("outcome IS NOT NULL AND is_satisfied IS NULL"),
            postgresql_where=text("outcome IS NOT NULL AND is_satisfied IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"))
    round_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_comment_round.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_revision.id"))
    block_id: Mapped[str] = mapped_column(String(64), default="")
    exact: Mapped[str] = mapped_column(Text, default="")
    prefix: Mapped[str] = mapped_column(String(200), default="")
    suffix: Mapped[str] = mapped_column(String(200), default="")
    health: Mapped[str] = mapped_column(String(10), default="exact")
    current_block_id: Mapped[str] = mapped_column(String(64), default="")  # where the anchor is in the newest text
    kind: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(12))
    body: Mapped[str] = mapped_column(Text)
    suggestion: Mapped[str] = mapped_column(Text, default="")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_organisation.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_person.id"))
    created_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    disposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    disposed_at: Mapped[datetime | None]
    resulting_revision: Mapped[int | None]
    is_satisfied: Mapped[bool | None]

    author: Mapped[PersonRow] = relationship(foreign_keys=[author_id])
    disposed_by: Mapped[PersonRow | None] = relationship(foreign_keys=[disposed_by_id])
    organisation: Mapped[OrganisationRow | None] = relationship()
    document: Mapped[DocumentRow] = relationship()


class BallotRow(Base):
    """A ballot sealed to the digest of a text. `terms` is the BallotDef's source; `verdict` is written at the close."""

    __tablename__ = "r2pflow_ballot"
    __table_args__ = (
        Index(
            "uq_r2pflow_ballot_open",
            "document_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_r2pflow_ballot_deadline",
            "closes_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint("length(digest) = 64", name="sealed"),
        CheckConstraint("outcome IN ('open', 'carried', 'lost', 'cancelled')", name="outcome"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_revision.id"))
    state: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    terms: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(10), default="open")
    verdict: Mapped[dict[str, Any] | None]

    document: Mapped[DocumentRow] = relationship()
    voters: Mapped[list["BallotVoterRow"]] = relationship(order_by="BallotVoterRow.organisation_id")


class BallotVoterRow(Base):
    """An organisation in the electorate, with its attributes as they were when the ballot opened."""

    __tablename__ = "r2pflow_ballot_voter"
    ballot_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_ballot.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_organisation.id"), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(300))
    attributes: Mapped[dict[str, Any]]


class PositionRow(Base):
    """A position of an organisation; a later one supersedes it and both stay. At most one is current."""

    __tablename__ = "r2pflow_position"
    __table_args__ = (
        ForeignKeyConstraint(
            ["ballot_id", "organisation_id"],
            ["r2pflow_ballot_voter.ballot_id", "r2pflow_ballot_voter.organisation_id"],
            name="fk_r2pflow_position_voter",
            ondelete="CASCADE",
        ),
        Index(
            "uq_r2pflow_position_current",
            "ballot_id",
            "organisation_id",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    ballot_id: Mapped[int]
    organisation_id: Mapped[int]
    position: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_person.id"))
    recorded_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]

    person: Mapped[PersonRow] = relationship()


class TranslationRow(Base):
    """A document in another language; `status` is computed from its blocks whenever they or the source change."""

    __tablename__ = "r2pflow_translation"
    __table_args__ = (
        UniqueConstraint("document_id", "language"),
        CheckConstraint("status IN ('missing', 'in_progress', 'translated', 'verified', 'stale')", name="status"),
        CheckConstraint("status <> 'verified' OR verified_digest IS NOT NULL", name="verified"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(20), default="missing")
    translated_count: Mapped[int] = mapped_column(default=0)  # blocks that are there and not stale
    stale_count: Mapped[int] = mapped_column(default=0)
    translator_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    verified_by_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    verified_at: Mapped[datetime | None]
    verified_digest: Mapped[str | None] = mapped_column(String(64))  # of the source text that was verified against
    changed_at: Mapped[datetime]

    translator: Mapped[PersonRow | None] = relationship(foreign_keys=[translator_id])
    verified_by: Mapped[PersonRow | None] = relationship(foreign_keys=[verified_by_id])
    blocks: Mapped[list["TranslationBlockRow"]] = relationship(cascade="all, delete-orphan")


class TranslationBlockRow(Base):
    """One translated block and the digest of the source block that it translates."""

    __tablename__ = "r2pflow_translation_block"
    translation_id: Mapped[int] = mapped_column(
        ForeignKey("r2pflow_translation.id", ondelete="CASCADE"), primary_key=True
    )
    block_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    html: Mapped[str] = mapped_column(Text)
    source_digest: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    changed_at: Mapped[datetime]
