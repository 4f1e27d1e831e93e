"""The JSON API: documents, what may be done with them and why not, and doing it."""

from typing import Any

from flask import Response, request

from r2pflow.domain.errors import InvalidInput, Refused
from r2pflow.outputs import reasons
from r2pflow.outputs.translations import Translator, translator
from r2pflow.persistence.documents import DocumentRow
from r2pflow.services import queries, transitions
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.explaining import explain, explain_permissions, meet
from r2pflow.services.offers import find_offers_for
from r2pflow.services.queries import Filters
from r2pflow.web.auth import csrf_token, current_work, require_signed_in, undo_work
from r2pflow.web.errors import show_error
from r2pflow.web.i18n import language, reader_zone
from r2pflow.web.pagination import read_page_number
from r2pflow.web.problems import as_json
from r2pflow.web.routing import POST, Route

FILTERS = ("type", "state", "dossier", "text")
MOST_COMMENT = 20_000


def list_documents() -> Response:
    """Give a page of the documents that are open to the reader, each with the transitions that they may fire now."""
    actor, work = require_signed_in(), current_work()
    asked = {name: request.args.get(name, "").strip()[:200] for name in FILTERS}
    page = queries.list_documents(work, actor, Filters(**asked), read_page_number())
    offers = find_offers_for(work, actor, [row.id for row in page.rows])
    told = [_describe_row(row, *offers[row.id]) for row in page.rows if row.id in offers]
    return _answer({"documents": told, "page": page.number, "pages": page.last, "total": page.total})


def _describe_row(row: DocumentRow, subject: Subject, offers: Any) -> dict[str, Any]:
    return {
        **_describe_document(subject),
        "dossier": row.dossier.slug if row.dossier else None,
        "may": [offer.transition.name for offer in offers if offer.is_fireable],
    }


def list_transitions(reference: str) -> Response:
    """Explain every transition of a document to the reader, or for `?as=` of another person, by id or address."""
    actor, work = require_signed_in(), current_work()
    subject = meet(work, actor, reference, request.args.get("as", "").strip()[:254])
    speak = _speak()
    return _answer(
        {
            **_describe_document(subject),
            "person": {"id": subject.actor.person_id, "name": subject.actor.name},
            "transitions": [reasons.describe(one, subject, speak) for one in explain(work, subject)],
            "permissions": reasons.describe_permissions(explain_permissions(work, subject), speak),
        }
    )


def fire_transition(reference: str, transition: str) -> Response:
    """Fire a transition; the body is a JSON object with `comment` and the `change_number` that the caller saw."""
    actor, work = require_signed_in(), current_work()
    comment, seen = _read_body()
    try:
        work.complete(
            lambda: transitions.fire(work, actor, reference, transition, comment=comment, expected_change=seen)
        )
    except Refused as error:
        undo_work()
        return show_error(error, get_subject(work, actor, reference))
    return _answer({"transition": transition, **_describe_document(get_subject(work, actor, reference))})


def _read_body() -> tuple[str, int | None]:
    body = request.get_json(silent=True) if request.get_data(cache=True).strip() else {}
    if not isinstance(body, dict) or not set(body) <= {"comment", "change_number"}:
        raise InvalidInput("bad_body")
    comment, seen = body.get("comment") or "", body.get("change_number")
    if not isinstance(comment, str):
        raise InvalidInput("bad_body", field="comment")
    if len(comment) > MOST_COMMENT:
        raise InvalidInput("too_long", field="comment", count=len(comment), limit=MOST_COMMENT)
    if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int)):
        raise InvalidInput("bad_body", field="change_number")
    return comment, seen


def _describe_document(subject: Subject) -> dict[str, Any]:
    return {
        "reference": subject.reference,
        "title": subject.title,
        "type": subject.type.name,
        "language": subject.language,
        "workflow": subject.workflow.name,
        "state": subject.state_name,
        "states": subject.standing,
        "change_number": subject.change_number,
        "changed_at": subject.changed_at.isoformat(),
    }


def _answer(told: dict[str, Any]) -> Response:
    """Return the answer with the token that a POST of this session has to send back as X-CSRFToken."""
    response = as_json(told)
    response.headers["X-CSRFToken"] = csrf_token()
    return response


def _speak() -> Translator:
    return translator(language(), reader_zone())


ROUTES: tuple[Route, ...] = (
    Route("/api/documents", "api_documents", list_documents),
    Route("/api/documents/<reference>/transitions", "api_transitions", list_transitions),
    Route("/api/documents/<reference>/transitions/<transition>", "api_fire", fire_transition, POST),
)
