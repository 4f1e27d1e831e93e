"""Find accounts for Flask-Security: by the address of a person in the directory, never by an address alone."""

from datetime import UTC, datetime
from typing import Any, cast

from flask_security import SQLAlchemySessionUserDatastore
from sqlalchemy import select
from sqlalchemy.orm import Session

from r2pflow.accounts.models import Account, NoRole
from r2pflow.persistence.people import PersonRow


class AccountStore(SQLAlchemySessionUserDatastore):
    """Accounts of persons. Nobody registers: who is in the directory gets one when first needed."""

    def __init__(self, session: Any) -> None:
        super().__init__(session, Account, NoRole)

    def find_user(self, case_insensitive: bool = False, **named: Any) -> Account | None:
        """Return the account with this `email`, `fs_uniquifier` or other column; a person's first one is made here."""
        if "email" in named:
            return find_account(self.db.session(), str(named["email"]))
        return cast("Account | None", super().find_user(case_insensitive, **named))


def find_account(session: Session, email: str) -> Account | None:
    """Return the account of the active person with this address; it is new and uncommitted the first time."""
    person = session.scalars(
        select(PersonRow).where(PersonRow.email == email.strip().lower(), PersonRow.is_active)
    ).first()
    return make_account(session, person) if person is not None else None


def make_account(session: Session, person: PersonRow) -> Account:
    """Return the person's account, made where there was none."""
    found = session.scalars(select(Account).where(Account.person_id == person.id)).first()
    if found is None:
        found = Account(person=person, created_at=datetime.now(UTC))
        session.add(found)
        session.flush()
    return found
