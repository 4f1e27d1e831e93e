"""Definitions, dossiers, documents, revisions, sharing, and what each person saw last."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from r2pflow.persistence.base import Base
from r2pflow.persistence.people import PersonRow


class DefinitionRow(Base):
    """One version of a workflow, stored by content: a document keeps the version that it entered with.

    Where dossiers grant something of their own, a variant of the version is there for them: `above` is what they grant
    (permission -> roles), and the digest is of both; `digest` of a version itself is the SHA-256 of its source.
    """

    __tablename__ = "r2pflow_definition"
    id: Mapped[int] = mapped_column(primary_key=True)
    workflow: Mapped[str] = mapped_column(String(80), index=True)
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str] = mapped_column(Text)
    above: Mapped[dict[str, Any]] = mapped_column(default=dict)
    variant_of_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_definition.id"))
    created_at: Mapped[datetime]


class GrantRow(Base):
    """Who holds which permission in which state of a definition: the table behind every list of visible documents."""

    __tablename__ = "r2pflow_grant"
    definition_id: Mapped[int] = mapped_column(
        ForeignKey("r2pflow_definition.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str] = mapped_column(String(80), primary_key=True)
    permission: Mapped[str] = mapped_column(String(80), primary_key=True)
    role: Mapped[str] = mapped_column(String(60), primary_key=True)


class DossierRow(Base):
    """A container; `path` is `/ancestor/.../own id/`, so that what is inherited is found without recursion.

    `shared_path` is its end from the nearest dossier that blocks sharing from above: the sharing of these reaches
    the documents. `grants` are its own: permission -> {"roles": [...], "adds": whether those above hold it too}.
    """

    __tablename__ = "r2pflow_dossier"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    titles: Mapped[dict[str, Any]]
    kind: Mapped[str] = mapped_column(String(40))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_dossier.id"), index=True)
    path: Mapped[str] = mapped_column(String(400), default="", index=True)
    shared_path: Mapped[str] = mapped_column(String(400), default="")
    blocks_sharing: Mapped[bool] = mapped_column(default=False)
    grants: Mapped[dict[str, Any]] = mapped_column(default=dict)
    policies: Mapped[dict[str, Any]] = mapped_column(default=dict)  # document type -> the workflows of its chain
    created_at: Mapped[datetime]


QUEUE = ("state", "state_entered_at", "id", "definition_id", "dossier_id", "blocks_sharing", "track_count")
"""What a worklist and the filter of visible documents read, so that a count needs no more than the index."""


class DocumentRow(Base):
    """A document. `title`, `text_digest` and `revision_number` repeat the newest revision, for lists."""

    __tablename__ = "r2pflow_document"
    __table_args__ = (
        Index("ix_r2pflow_document_definition_state", "definition_id", "state", "changed_at"),
        Index("ix_r2pflow_document_changed", "changed_at", "id"),
        Index("ix_r2pflow_document_queue", *QUEUE),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    type: Mapped[str] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(500))
    language: Mapped[str] = mapped_column(String(12))
    dossier_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_dossier.id"), index=True)
    dossier_path: Mapped[str] = mapped_column(String(400), default="")
    blocks_sharing: Mapped[bool] = mapped_column(default=False)  # from the dossiers above
    track_count: Mapped[int] = mapped_column(default=0)  # further workflows of its chain, each a TrackRow
    definition_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_definition.id"))
    state: Mapped[str] = mapped_column(String(80))
    state_entered_at: Mapped[datetime]
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text_digest: Mapped[str] = mapped_column(String(64), default="")
    revision_number: Mapped[int] = mapped_column(default=0)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    change_number: Mapped[int] = mapped_column(default=0)  # grows with every write; a stale writer gets a Conflict

    definition: Mapped[DefinitionRow] = relationship()
    dossier: Mapped[DossierRow | None] = relationship()
    author: Mapped[PersonRow | None] = relationship()


class TrackRow(Base):
    """Where a document stands in one of the further workflows of its chain; `position` counts from 1.

    `rules` are the permissions of which this workflow says something, between commas: `,comment,translate,`.
    """

    __tablename__ = "r2pflow_track"
    __table_args__ = (
        UniqueConstraint("document_id", "workflow"),
        Index("ix_r2pflow_track_definition_state", "definition_id", "state"),
    )
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    workflow: Mapped[str] = mapped_column(String(80))
    definition_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_definition.id"))
    state: Mapped[str] = mapped_column(String(80))
    state_entered_at: Mapped[datetime]
    rules: Mapped[str] = mapped_column(String(400), default="")


class RevisionRow(Base):
    """One text of a document in its authoritative language; never changed once written."""

    __tablename__ = "r2pflow_revision"
    __table_args__ = (UniqueConstraint("document_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"))
    number: Mapped[int]
    blocks: Mapped[list[Any]]
    digest: Mapped[str] = mapped_column(String(64))
    parent_number: Mapped[int | None]
    summary: Mapped[str] = mapped_column(String(500), default="")
    origin: Mapped[str] = mapped_column(String(20), default="edit")  # edit | import | merge | suggestion
    author_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    created_at: Mapped[datetime]

    author: Mapped[PersonRow | None] = relationship()


HOLDERS = ("person", "organisation", "group")


class LocalRoleRow(Base):
    """A role on one document, or on a dossier and all below it, for a person, an organisation or a group."""

    __tablename__ = "r2pflow_local_role"
    __table_args__ = (
        Index("ix_r2pflow_local_role_document_person", "document_id", "person_id"),
        *(Index(f"ix_r2pflow_local_role_{one}_dossier", f"{one}_id", "dossier_id") for one in HOLDERS),
        CheckConstraint("(document_id IS NULL) <> (dossier_id IS NULL)", name="one_place"),
        CheckConstraint(
            "(CASE WHEN person_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN group_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_holder",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"))
    dossier_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_dossier.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_organisation.id", ondelete="CASCADE"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_group.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(60))
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id"))
    created_at: Mapped[datetime]


class SeenRow(Base):
    """The revision of a document that a person looked at last: what the next redline starts from."""

    __tablename__ = "r2pflow_seen"
    person_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_person.id", ondelete="CASCADE"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_document.id", ondelete="CASCADE"), primary_key=True)
    revision_number: Mapped[int]
    seen_at: Mapped[datetime]


class ImportedRow(Base):
    """What an import from elsewhere made of what: importing the same again finds it here and changes nothing."""

    __tablename__ = "r2pflow_imported"
    source: Mapped[str] = mapped_column(String(200), primary_key=True)  # the site it came from
    external_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)  # dossier | document | translation | comment | ...
    local_id: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), default="")  # of what was read
    imported_at: Mapped[datetime]


class CounterRow(Base):
    """A running number, e.g. of references by type and of symbols by year."""

    __tablename__ = "r2pflow_counter"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[int]
