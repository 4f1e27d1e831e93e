"""Publications, their editions, and each edition's languages: what was published, byte for byte."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from r2pflow.persistence.base import Base
from r2pflow.persistence.documents import DocumentRow


class PublicationRow(Base):
    """A published document under its symbol; the symbol never changes and is never used again."""

    __tablename__ = "r2pflow_publication"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id"), unique=True)
    symbol: Mapped[str] = mapped_column(String(80), unique=True)
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str] = mapped_column(Text, default="")

    document: Mapped[DocumentRow] = relationship()
    editions: Mapped[list["EditionRow"]] = relationship(
        back_populates="publication", order_by="EditionRow.number.desc()"
    )


class EditionRow(Base):
    """One frozen edition: the approved text's digest, the decision on it, and the fields as they were."""

    __tablename__ = "r2pflow_edition"
    __table_args__ = (
        UniqueConstraint("publication_id", "number"),
        CheckConstraint("length(digest) = 64", name="sealed"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_publication.id"))
    number: Mapped[int]
    revision_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_revision.id"))
    ballot_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_ballot.id"))
    digest: Mapped[str] = mapped_column(String(64), index=True)
    fields: Mapped[dict[str, Any]]
    decision: Mapped[dict[str, Any] | None]
    published_at: Mapped[datetime]

    publication: Mapped[PublicationRow] = relationship(back_populates="editions")
    languages: Mapped[list["EditionLanguageRow"]] = relationship(
        back_populates="edition", order_by="EditionLanguageRow.language"
    )


class EditionLanguageRow(Base):
    """An edition in one language; `pdf_*` are empty until the worker rendered it. `pdf_path` is below the instance."""

    __tablename__ = "r2pflow_edition_language"
    __table_args__ = (UniqueConstraint("edition_id", "language"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_edition.id"))
    language: Mapped[str] = mapped_column(String(12), index=True)
    title: Mapped[str] = mapped_column(String(500))
    blocks: Mapped[list[Any]]
    stale_blocks: Mapped[list[str]] = mapped_column(default=list)
    search_text: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
    pdf_path: Mapped[str] = mapped_column(String(300), default="")
    pdf_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    pdf_size: Mapped[int | None]
    rendered_at: Mapped[datetime | None]

    edition: Mapped[EditionRow] = relationship(back_populates="languages")
