"""Organisations, persons, groups, and the roles that they hold everywhere."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from r2pflow.persistence.base import Base


class OrganisationRow(Base):
    """A member organisation; `names` by language."""

    __tablename__ = "r2pflow_organisation"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    names: Mapped[dict[str, Any]]
    short_name: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    region: Mapped[str] = mapped_column(String(40), default="")
    sector: Mapped[str] = mapped_column(String(40), default="")
    scope: Mapped[str] = mapped_column(String(40), default="")
    functions: Mapped[list[str]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(12), default="en")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    persons: Mapped[list["PersonRow"]] = relationship(back_populates="organisation", order_by="PersonRow.name")
    roles: Mapped[list["RoleGrantRow"]] = relationship(cascade="all, delete-orphan")


class PersonRow(Base):
    """A person, who speaks for at most one organisation; `timezone` is an IANA name."""

    __tablename__ = "r2pflow_person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_organisation.id"), index=True)
    language: Mapped[str] = mapped_column(String(12), default="en")
    timezone: Mapped[str] = mapped_column(String(60), default="UTC")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    organisation: Mapped[OrganisationRow | None] = relationship(back_populates="persons")
    roles: Mapped[list["RoleGrantRow"]] = relationship(cascade="all, delete-orphan")


class RoleGrantRow(Base):
    """A role that a person, or everybody of an organisation, holds on every document."""

    __tablename__ = "r2pflow_role_grant"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name="one_holder"),
        UniqueConstraint("role", "person_id"),
        UniqueConstraint("role", "organisation_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(60))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id", ondelete="CASCADE"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("r2pflow_organisation.id", ondelete="CASCADE"), index=True
    )


class GroupRow(Base):
    """A named set of persons and organisations, e.g. the bureau."""

    __tablename__ = "r2pflow_group"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    titles: Mapped[dict[str, Any]] = mapped_column(default=dict)


class GroupMemberRow(Base):
    """A person or an organisation in a group."""

    __tablename__ = "r2pflow_group_member"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name="one_member"),
        UniqueConstraint("group_id", "person_id"),
        UniqueConstraint("group_id", "organisation_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("r2pflow_group.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("r2pflow_person.id", ondelete="CASCADE"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("r2pflow_organisation.id", ondelete="CASCADE"), index=True
    )
