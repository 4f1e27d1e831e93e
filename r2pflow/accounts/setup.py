"""Put sign-in into the stand-alone application: Flask-Security for passwords, own links by mail."""

from datetime import timedelta
from typing import Any

from flask import Flask
from flask_security import Security

from r2pflow.accounts.edge import KEY, Edge, get_edge
from r2pflow.accounts.mailing import QueuedMail
from r2pflow.accounts.messages import MESSAGES
from r2pflow.accounts.store import AccountStore
from r2pflow.accounts.views import make_blueprint
from r2pflow.folders import get_folder

PASSWORD_LENGTH = 12
LIMITED = (
    "security.login",
    "security.forgot_password",
    "security.reset_password",
    "security.change_password",
    "security.verify",
    "accounts.ask_link",
    "accounts.open_link",
)
"""The endpoints that guess passwords, addresses or links: their POST is rate-limited."""


def init_accounts(app: Flask, db: Any, edge: Edge) -> None:
    """Add sign-in, sign-out, password and reset pages to the application. Nobody can register."""
    app.extensions[KEY] = edge
    defaults = {
        "SECURITY_URL_PREFIX": "/account",
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_RESET_URL": "/reset",
        "SECURITY_CHANGE_URL": "/password",
        "SECURITY_VERIFY_URL": "/verify",
        "SECURITY_RECOVERABLE": True,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_REGISTERABLE": False,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        # OWASP's smaller profile: 19 MiB and two passes keep the web process small.
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__time_cost": 2,
            "argon2__memory_cost": 19 * 1024,
            "argon2__parallelism": 1,
        },
        "SECURITY_PASSWORD_LENGTH_MIN": PASSWORD_LENGTH,
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"test_environment": True},  # the demonstration's addresses end in .example
        "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": True,
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_POST_CHANGE_VIEW": "r2pflow.account",
        "SECURITY_POST_LOGIN_VIEW": "r2pflow.desk",
        "SECURITY_POST_LOGOUT_VIEW": "r2pflow.home",
        "SECURITY_I18N_DOMAIN": "r2pflow",
        "SECURITY_I18N_DIRNAME": str(get_folder("translations")),
        **{f"SECURITY_MSG_{name}": message for name, message in MESSAGES.items()},
    }
    for name, value in defaults.items():
        app.config.setdefault(name, value)
    Security(
        app,
        AccountStore(db.session),
        mail_util_cls=QueuedMail,
        render_template=_render,
    )
    app.register_blueprint(make_blueprint())


def _render(template: str, **context: Any) -> str:
    """Render a page of Flask-Security; its mails are written in `mailing`, where their reader's language is known."""
    return "" if template.startswith("security/email/") else get_edge().render_text(template, **context)
