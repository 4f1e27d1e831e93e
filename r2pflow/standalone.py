"""The application for those who have none: accounts, mail, security headers, its own database."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response, url_for
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_sqlalchemy import SQLAlchemy
from werkzeug.exceptions import HTTPException

from r2pflow.accounts.edge import Edge
from r2pflow.accounts.links import make_sign_in_link
from r2pflow.accounts.setup import LIMITED, init_accounts
from r2pflow.domain.errors import NotFound, R2PFlowError, SetupError
from r2pflow.extension import Plugin, R2PFlow
from r2pflow.persistence.postgresql import tune_postgresql
from r2pflow.persistence.sqlite import tune_sqlite
from r2pflow.settings import Settings
from r2pflow.web import auth, flashing, headers, i18n, rendering
from r2pflow.web.errors import sentence, show_error, show_problem

__all__ = ["create_app", "make_sign_in_link"]


def create_app(config: Mapping[str, Any] | None = None, plugins: tuple[Plugin, ...] = ()) -> Flask:
    """Return the stand-alone application; settings come from `config`, then from the environment, which wins.

    The database is neither made nor upgraded here: `r2pflow db upgrade` does it. Refuses with SetupError where a
    setting, a plugin or the instance folder is at fault.
    """
    given = dict(config or {})
    settings = Settings.read(given, os.environ)
    make_instance(settings.instance)
    app = Flask("r2pflow", instance_path=str(settings.instance.resolve()), static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key or read_secret_key(settings.instance),
        SQLALCHEMY_DATABASE_URI=settings.resolved_database_url,
        SESSION_COOKIE_NAME="r2pflow_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        REMEMBER_COOKIE_NAME="r2pflow_remember",
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=settings.upload_limit,
        WTF_CSRF_TIME_LIMIT=auth.TOKEN_SECONDS,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.config.update(given)
    db = SQLAlchemy(app)
    with app.app_context():
        tune_sqlite(db.engine)
        tune_postgresql(db.engine)
    Babel(app, locale_selector=i18n.language)
    flow = R2PFlow(settings=settings, plugins=plugins)
    flow.init_app(app, db, sign_in="security.login", sign_out="security.logout", password="security.change_password")
    init_accounts(app, db, _make_edge())
    _limit_sign_in(app, settings)
    app.after_request(lambda response: headers.secure(response, settings))
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(R2PFlowError, show_error)  # of the pages that are not the blueprint's: accounts
    return app


def make_instance(folder: Path) -> None:
    """Make the instance folder where it is missing; refuse with SetupError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError("instance_not_writable", path=str(folder), found=str(error)) from error


def read_secret_key(folder: Path) -> str:
    """Return the key of the instance folder; the first to ask makes it, readable by its owner alone."""
    path = folder / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SetupError("instance_not_writable", path=str(folder), found=str(error)) from error
    else:
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
    key = path.read_text().strip()
    if len(key) < 32:
        raise SetupError("bad_setting", key=str(path), value="(too short)", remedy="delete the file; a new one is made")
    return key


def _make_edge() -> Edge:
    return Edge(
        render=rendering.render,
        render_text=rendering.render_text,
        gettext=i18n.gettext,
        speak_in=i18n.speak_in,
        tell=flashing.tell,
        queue_mail=_queue_mail,
        home=lambda: url_for("r2pflow.home"),
        check_csrf=auth.check_csrf,
    )


def _queue_mail(*, to: str, subject: str, text: str, html: str) -> None:
    work = auth.current_work()
    work.enqueue("mail", f"mail:{uuid.uuid4().hex}", to=to, subject=subject, text=text, html=html)


def _limit_sign_in(app: Flask, settings: Settings) -> None:
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window")
    shared = limiter.shared_limit(settings.sign_in_limit, scope="sign-in", methods=["POST"])
    views: dict[str, Any] = app.view_functions
    for endpoint in LIMITED:
        views[endpoint] = shared(views[endpoint])


def _show_http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, RateLimitExceeded):
        text = i18n.gettext("There were too many attempts from your address. Wait a few minutes, then try again.")
    else:
        text = sentence(NotFound("page_not_found")) if error.code == 404 else ""
    response: Response = show_problem(error.code, text)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response
