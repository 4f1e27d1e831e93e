"""Sign-in links: signed, short-lived, good for one use. A GET shows a button; only its POST signs in."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, url_for
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from r2pflow.accounts.models import Account
from r2pflow.accounts.store import make_account
from r2pflow.persistence.people import PersonRow

LIFE = 3600
"""Seconds that a link by mail is good for."""
DEMO_LIFE = 30 * 24 * 3600
DEMO_KEY = "R2PFLOW_DEMO"
"""The configuration key under which links may be used again and again: never on a site with real people."""


@dataclass(frozen=True)
class Opened:
    """What a link leads to; `fault` is `expired`, `used` or `broken` where it leads nowhere."""

    account: Account | None
    fault: str = ""
    serial: int = 0
    is_demo: bool = False


def make_token(account: Account, *, is_demo: bool = False) -> str:
    """Return the token of a link for the account."""
    content = [account.fs_uniquifier, account.link_serial, "demo" if is_demo else "once"]
    token: str | bytes = _serializer().dumps(content)
    return token.decode() if isinstance(token, bytes) else token


def open_token(session: Session, token: str) -> Opened:
    """Tell what a token leads to, and change nothing."""
    is_open_house = bool(current_app.config.get(DEMO_KEY))
    try:
        uniquifier, serial, kind = _serializer().loads(token, max_age=DEMO_LIFE if is_open_house else LIFE)
    except SignatureExpired:
        return Opened(None, "expired")
    except (BadData, ValueError, TypeError):
        return Opened(None, "broken")
    account = session.scalars(select(Account).where(Account.fs_uniquifier == uniquifier)).first()
    if account is None or not account.active:
        return Opened(None, "broken")
    is_demo = kind == "demo" and is_open_house
    if not is_demo and (kind != "once" or account.link_serial != serial):
        return Opened(None, "used")
    return Opened(account, serial=serial, is_demo=is_demo)


def use_token(session: Session, token: str) -> Opened:
    """Use the link up, in the running transaction; of two who use it at once, one gets in."""
    opened = open_token(session, token)
    if opened.account is None or opened.is_demo:
        return opened
    taken: Any = session.execute(
        update(Account)
        .where(Account.id == opened.account.id, Account.link_serial == opened.serial)
        .values(link_serial=opened.serial + 1)
    )
    return opened if taken.rowcount == 1 else Opened(None, "used")


def make_sign_in_link(app: Flask, person: PersonRow | int, *, is_demo: bool = True) -> str:
    """Return the whole address of a sign-in link for a person, by row or id; the account is made and committed.

    A demonstration link works for 30 days and more than once, where R2PFLOW_DEMO is set; any other once in an hour.
    """
    mount = app.extensions["r2pflow"]
    with app.test_request_context(base_url=mount.settings.base_url):
        session: Session = mount.db.session()
        row = session.get(PersonRow, person) if isinstance(person, int) else session.merge(person, load=True)
        if row is None:
            raise LookupError(f"no person {person}")
        account = make_account(session, row)
        token = make_token(account, is_demo=is_demo)
        session.commit()
        return absolute(url_for("accounts.open_link", token=token))


def absolute(path: str) -> str:
    """Return the address for a mail: by the setting R2PFLOW_BASE_URL, never by what a request calls this host."""
    base: str = current_app.extensions["r2pflow"].settings.base_url
    return base.rstrip("/") + path


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="r2pflow-sign-in-link")
