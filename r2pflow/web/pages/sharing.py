"""Sharing: who holds which role on a document, and from where."""

from typing import Any

from flask import Response, redirect, request

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import BUILT_IN_PERMISSIONS
from r2pflow.persistence.documents import HOLDERS
from r2pflow.services import directory_search, queries, sharing
from r2pflow.services.access import Subject, get_subject
from r2pflow.web.auth import current_work, require_signed_in, undo_work
from r2pflow.web.errors import status_of
from r2pflow.web.flashing import tell
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.pages.explaining import explain_context
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import POST, Route
from r2pflow.web.sentences import join, sentence
from r2pflow.web.words import word


def show_sharing(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference, "share")
    return _show(subject, read_form(role="editor"))


def _show(subject: Subject, form: Form) -> Response:
    work = current_work()
    sought = (form.text("q") or request.args.get("q", "")).strip()[:100]
    matches = directory_search.find_holders(work, sought) if sought else []
    may_give = sharing.list_givable(work, require_signed_in(), subject)
    state = subject.state_name
    return render(
        "documents/sharing.html",
        form.status,
        **document_context(subject, "sharing"),
        **explain_context(subject),
        form=form,
        shares=queries.list_local_roles(work, subject),
        is_blocked=sharing.is_blocked(work, subject),
        sought=sought,
        matches=matches,
        role_choices=[(role, _role_label(subject, role)) for role in may_give],
        everyone={
            permission: join(map(word, sorted(subject.workflow.holders(state, permission))))
            for permission in BUILT_IN_PERMISSIONS
        },
    )


def _role_label(subject: Subject, role: str) -> str:
    """Return the role with what it allows in the present state."""
    permissions = [
        permission
        for permission in ("view", "edit", "comment", "decide", "translate", "share")
        if role in subject.workflow.holders(subject.state_name, permission)
    ]
    allowed = join(map(word, permissions))
    return gettext("%(role)s (may now: %(allowed)s)", role=word(role), allowed=allowed) if allowed else word(role)


def give_role(reference: str) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    subject = get_subject(work, actor, reference, "share")
    try:
        role = form.text("role")
        sharing.share(work, actor, reference, role, **read_holder(form))
        work.commit()
    except (InvalidInput, NotFound) as error:
        form.refuse(error)
        return _show(subject, form)
    except Forbidden as error:
        undo_work()
        form.status, form.errors["role"] = status_of(error), sentence(error, subject)
        return _show(subject, form)
    tell(gettext("Shared: %(role)s.", role=word(role)))
    return redirect(url("sharing", reference=reference))


def read_holder(form: Form) -> dict[str, int]:
    """Return who was chosen, as `share` takes it; raise InvalidInput where nobody was."""
    kind, _, number = form.text("holder").partition("-")
    if kind not in HOLDERS or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidInput("choose_holder", field="holder")
    return {f"{kind}_id": int(number)}


def take_role(reference: str, share: int) -> Any:
    actor, work = require_signed_in(), current_work()
    sharing.unshare(work, actor, reference, share)
    work.commit()
    tell(gettext("The role was taken away."))
    subject = get_subject(work, actor, reference, "view") if _may_still_share(reference) else None
    return redirect(url("sharing", reference=reference) if subject else url("documents"))


def _may_still_share(reference: str) -> bool:
    """Tell whether the page can be shown again: one can take one's own role away."""
    try:
        get_subject(current_work(), require_signed_in(), reference, "share")
    except (Forbidden, NotFound):
        return False
    return True


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/sharing", "sharing", show_sharing),
    Route("/documents/<reference>/sharing", "share", give_role, POST),
    Route("/documents/<reference>/sharing/<int:share>/take", "unshare", take_role, POST),
)
