"""Errors as pages: the one table of statuses, and the page that says what, where, and what to do."""

import logging
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from r2pflow.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    R2PFlowError,
    Refused,
    SetupError,
)
from r2pflow.domain.people import NOBODY
from r2pflow.services.access import Subject
from r2pflow.web.auth import current_actor, undo_work
from r2pflow.web.i18n import N_, format_size, gettext
from r2pflow.web.mounting import get_mount
from r2pflow.web.problems import describe_error, is_api, show_json_problem
from r2pflow.web.rendering import is_htmx, render
from r2pflow.web.sentences import sentence

__all__ = ["STATUSES", "register_error_pages", "sentence", "show_error", "show_problem", "status_of"]

logger = logging.getLogger(__name__)

STATUSES: dict[type[R2PFlowError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    Forbidden: 403,
    Refused: 409,
    Conflict: 409,
    SetupError: 503,
    R2PFlowError: 500,
}

HEADINGS = {
    400: N_("This could not be understood"),
    403: N_("This is not open to you"),
    404: N_("Not found"),
    405: N_("This address takes no such request"),
    409: N_("Not possible now"),
    413: N_("Too large"),
    422: N_("Something does not fit"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong here"),
    503: N_("Something is missing"),
}

PERSONAL = frozenset({"no_permission", "no_role", "no_group"})


def status_of(error: R2PFlowError) -> int:
    """Return the HTTP status of an error; a guard that refuses the person, not the moment, is 403."""
    if isinstance(error, Refused) and any(refusal.code in PERSONAL for refusal in error.refusals):
        return 403
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def register_error_pages(blueprint: Blueprint) -> None:
    """Answer errors of the blueprint's own views, and of no others."""
    blueprint.register_error_handler(R2PFlowError, show_error)
    blueprint.register_error_handler(RequestEntityTooLarge, _show_too_large)
    blueprint.register_error_handler(HTTPException, _show_http_error)
    blueprint.register_error_handler(OperationalError, _show_database_error)
    blueprint.register_error_handler(ProgrammingError, _show_database_error)
    blueprint.register_error_handler(Exception, _show_failure)


def show_error(error: R2PFlowError, subject: Subject | None = None) -> Response:
    """Return the page of one of our errors, with its status; nothing that the request wrote is kept.

    With the document at hand its fields are called by their titles.
    """
    undo_work()
    status = status_of(error)
    if isinstance(error, SetupError):
        logger.error("%s", error)
    if is_api():
        more = describe_error(error, subject)
        return show_json_problem(status, _heading(status), sentence(error, subject), error.code, **more)
    reasons = [sentence(refusal, subject) for refusal in error.refusals] if isinstance(error, Refused) else []
    return show_problem(status, sentence(error) if not reasons else "", reasons=reasons, code=error.code)


def _show_too_large(error: RequestEntityTooLarge) -> Response:
    limit = format_size(get_mount().settings.upload_limit)
    return show_problem(413, sentence(InvalidInput("upload_too_large", limit=limit)), code="upload_too_large")


def _show_http_error(error: HTTPException) -> Any:
    undo_work()
    if error.code is None or error.code < 400:
        return error  # a redirect
    text = sentence(NotFound("page_not_found")) if error.code == 404 else ""
    response = show_problem(error.code, text)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _show_database_error(error: Exception) -> Response:
    undo_work()
    logger.exception("the database did not answer at %s", request.path)
    return show_problem(
        503, gettext("The database is busy or not there. Try again in a moment; `r2pflow doctor` says more.")
    )


def _show_failure(error: Exception) -> Response:
    undo_work()
    if current_app.config.get("PROPAGATE_EXCEPTIONS") or current_app.testing or current_app.debug:
        raise error
    logger.exception("a view failed at %s", request.path)
    return show_problem(500, gettext("The fault is ours and has been written down. Nothing was half done."))


def show_problem(status: int, text: str, *, reasons: list[str] | None = None, code: str = "") -> Response:
    """Return the error page, or a notice alone where htmx asks for a part of a page."""
    heading = _heading(status)
    if is_api():
        return show_json_problem(status, heading, text or heading, code or f"http_{status}")
    if code == "sign_in_first":
        heading = gettext("Sign in first")
    template = "problem_part.html" if is_htmx() else "problem.html"
    wants_sign_in = _is_nobody() and status in (403, 404)
    return render(
        template,
        status,
        heading=heading,
        text=text,
        reasons=reasons or [],
        code=code,
        wants_sign_in=wants_sign_in,
        posted=_posted() if request.method == "POST" else {},
    )


def _heading(status: int) -> str:
    return gettext(HEADINGS.get(status) or HEADINGS[400 if status < 500 else 500])


def _is_nobody() -> bool:
    try:
        return current_actor().is_anonymous
    except Exception:  # the page must appear all the same
        logger.exception("cannot tell who asks")
        g.r2pflow_actor = NOBODY
        return False


def _posted() -> dict[str, str]:
    """Return the texts that were sent, so that nobody's words are lost on an error page."""
    try:
        form = request.form
    except HTTPException:  # too large, or broken: there is nothing to give back
        return {}
    hidden = ("csrf_token", "password", "new_password", "new_password_confirm")
    return {name: value for name, value in form.items() if len(value) > 40 and name not in hidden}
