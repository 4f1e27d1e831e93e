"""What the stand-alone application keeps about signing in; a host that mounts r2pflow has none of it."""

import secrets
from datetime import datetime
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import ForeignKey, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from r2pflow.persistence.base import NAMING, UTCDateTime
from r2pflow.persistence.people import PersonRow


class AccountBase(DeclarativeBase):
    """Own metadata: the tables of accounts come and go without the others."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UTCDateTime}


def make_uniquifier() -> str:
    """Return what a session names an account by; a new one ends all its sessions."""
    return secrets.token_hex(32)


class Account(AccountBase, UserMixin):
    """The way in of one person. The address is the person's; `link_serial` makes a sign-in link work once."""

    __tablename__ = "r2pflow_account"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey(PersonRow.__table__.c.id, ondelete="CASCADE"), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=make_uniquifier)
    link_serial: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    person: Mapped[PersonRow] = relationship(PersonRow, lazy="joined")

    @property
    def email(self) -> str:  # type: ignore[override]  # read where Flask-Security expects a column
        return self.person.email

    @property
    def active(self) -> bool:  # type: ignore[override]  # as above
        return self.is_enabled and self.person.is_active

    @property
    def roles(self) -> list[Any]:  # type: ignore[override]  # as above
        """Return none: roles are r2pflow's own, on persons and organisations."""
        return []


class NoRole(RoleMixin):
    """What Flask-Security asks for and r2pflow does not use."""

    name = ""
