"""Who asks, and the unit of work of this request."""

from collections.abc import Collection
from typing import Any

from flask import current_app, g, request, url_for
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from r2pflow.domain.errors import Forbidden
from r2pflow.domain.people import NOBODY, Actor
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people
from r2pflow.web.mounting import get_mount

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
TOKEN_SECONDS = 7 * 24 * 3600
"""How long a form may stay open: as long as somebody may take to write a comment."""


def current_work() -> UnitOfWork:
    """Return the unit of work of this request; a view calls its `commit()` once, as the last thing it does."""
    if "r2pflow_work" not in g:
        mount = get_mount()
        g.r2pflow_work = UnitOfWork(mount.db.session(), mount.catalogue, mount.settings, mount.queue)
    work: UnitOfWork = g.r2pflow_work
    return work


def undo_work() -> None:
    """Roll back what this request wrote and did not commit, if it wrote."""
    if "r2pflow_work" in g:
        g.r2pflow_work.rollback()


def current_actor() -> Actor:
    """Return who asks; NOBODY when nobody is signed in."""
    if "r2pflow_actor" not in g:
        g.r2pflow_actor = get_mount().actor_loader() or NOBODY
    actor: Actor = g.r2pflow_actor
    return actor


def require_signed_in() -> Actor:
    """Return who asks; raise Forbidden when nobody is signed in."""
    actor = current_actor()
    if actor.is_anonymous:
        raise Forbidden("sign_in_first")
    return actor


def require_role(*roles: str) -> Actor:
    """Return who asks; raise Forbidden unless it holds one of the global roles."""
    actor = require_signed_in()
    if not has_role(actor, roles):
        raise Forbidden("no_role", roles=list(roles))
    return actor


def has_role(actor: Actor, roles: Collection[str]) -> bool:
    """Tell whether the actor holds one of the global roles."""
    return not actor.roles.isdisjoint(roles)


def load_flask_login_actor() -> Actor | None:
    """Return the host's `flask_login.current_user` as an actor: by `person_id` where it has one, else by `email`."""
    if not hasattr(current_app, "login_manager"):
        return None
    from flask_login import current_user  # only a host that uses it pays for it

    if not current_user or not current_user.is_authenticated:
        return None
    person_id: Any = getattr(current_user, "person_id", None)
    if person_id is not None:
        return people.load_actor(current_work(), int(person_id))
    email: Any = getattr(current_user, "email", None)
    return people.find_actor_by_email(current_work(), str(email)) if email else None


def csrf_token() -> str:
    """Return the token of this session for the hidden field `csrf_token` of a form."""
    token: str = generate_csrf()
    return token


def check_csrf() -> None:
    """Raise Forbidden for an unsafe request without this session's token; a host's CSRFProtect may have checked it."""
    if request.method not in UNSAFE or g.get("csrf_valid") or not current_app.config.get("WTF_CSRF_ENABLED", True):
        return
    token = request.form.get("csrf_token") or request.headers.get("X-CSRFToken")
    try:
        validate_csrf(token, time_limit=TOKEN_SECONDS, token_key="csrf_token")
    except ValidationError as error:
        raise Forbidden("form_expired") from error
    g.csrf_valid = True


def sign_in_url() -> str:
    """Return where to sign in and come back from; empty where the host has no such page."""
    endpoint = get_mount().sign_in or _login_view()
    if not endpoint:
        return ""
    back = request.full_path.rstrip("?") if request.method == "GET" and request.endpoint else ""
    if endpoint.startswith(("/", "http")):
        return endpoint
    return url_for(endpoint, next=back) if back else url_for(endpoint)


def _login_view() -> str:
    return getattr(getattr(current_app, "login_manager", None), "login_view", None) or ""
