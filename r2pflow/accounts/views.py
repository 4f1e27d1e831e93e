"""Ask for a sign-in link, and use it."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, request, url_for
from flask_security import login_user
from sqlalchemy.orm import Session

from r2pflow.accounts import links
from r2pflow.accounts.edge import get_edge
from r2pflow.accounts.mailing import send_account_mail
from r2pflow.accounts.store import find_account


def make_blueprint() -> Blueprint:
    """Return the blueprint of the sign-in links."""
    blueprint = Blueprint("accounts", __name__)
    blueprint.before_request(lambda: get_edge().check_csrf())
    blueprint.add_url_rule("/account/link", "ask_link", ask_link, methods=("POST",))
    blueprint.add_url_rule("/account/link/<token>", "open_link", open_link, methods=("GET", "POST"))
    return blueprint


def ask_link() -> Any:
    """Send a link to the address if it is a person's; the answer is the same if it is not."""
    edge, session = get_edge(), _session()
    email = request.form.get("email", "").strip()
    if not email:
        edge.tell(edge.gettext("Please write your e-mail address."), "error")
        return redirect(_sign_in(), 303)
    account = find_account(session, email)
    if account is not None and account.active:
        path = _local(request.form.get("next", ""))
        send_account_mail(account, "sign_in_link", token=links.make_token(account), next=path)
        session.commit()
    return edge.render("accounts/link_sent.html", 200, email=email)


def open_link(token: str) -> Any:
    """Show a button (GET), so that programs which follow links in mails use nothing up; sign in by it (POST)."""
    edge, session = get_edge(), _session()
    if request.method == "GET":
        opened = links.open_token(session, token)
        return edge.render("accounts/open_link.html", 200 if opened.account else 410, opened=opened)
    opened = links.use_token(session, token)
    if opened.account is None:
        session.rollback()
        return edge.render("accounts/open_link.html", 410, opened=opened)
    login_user(opened.account, remember=False, authn_via=["link"])
    session.commit()
    return redirect(_local(request.args.get("next", "")) or edge.home(), 303)


def _local(path: str) -> str:
    """Return the path if it stays on this site, and otherwise nothing."""
    parts = urlsplit(path.replace("\\", "/"))
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return path if is_local and path.isprintable() else ""


def _session() -> Session:
    session: Session = current_app.extensions["r2pflow"].db.session()
    return session


def _sign_in() -> str:
    return url_for("security.login")
