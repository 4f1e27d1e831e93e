"""Errors of the API as `application/problem+json` (RFC 9457), with the code and the sentences that pages show."""

import json
from typing import Any

from flask import Response, make_response, request

from r2pflow.domain.errors import Conflict, R2PFlowError, Refused
from r2pflow.services.access import Subject
from r2pflow.web.i18n import language
from r2pflow.web.mounting import NAME
from r2pflow.web.sentences import sentence

API = "api_"
"""How the endpoints begin that answer in JSON."""


def is_api() -> bool:
    """Tell whether the request is for an address that answers in JSON."""
    return (request.endpoint or "").startswith(f"{NAME}.{API}")


def as_json(told: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """Return plain values as a JSON response in the language of the reader."""
    response = make_response(json.dumps(told, ensure_ascii=False, default=str), status)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Language"] = language()
    return response


def show_json_problem(status: int, title: str, message: str, code: str, **more: Any) -> Response:
    """Return a problem: title, status, code, message, and what else there is to say."""
    told = {"type": "about:blank", "title": title, "status": status, "code": code, "message": message, **more}
    return as_json(told, status, "application/problem+json")


def describe_error(error: R2PFlowError, subject: Subject | None = None) -> dict[str, Any]:
    """Return what belongs to an error beside its sentence: refusals, the field, what happened meanwhile."""
    if isinstance(error, Refused):
        return {
            "transition": error.transition,
            "refusals": [
                {"code": one.code, "params": dict(one.params), "message": sentence(one, subject)}
                for one in error.refusals
            ],
        }
    if isinstance(error, Conflict):
        return {"meanwhile": error.params.get("meanwhile") or []}
    return {"field": error.params["field"]} if error.params.get("field") else {}
