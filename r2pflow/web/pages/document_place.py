"""Where a document lies: move it to another dossier, or keep what is shared above from it; first what would follow."""

from typing import Any

from flask import redirect

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.persistence.documents import DossierRow
from r2pflow.services import dossiers, sharing
from r2pflow.services.access import get_subject
from r2pflow.services.foreseeing import foresee_document
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.following import tell_following
from r2pflow.web.forms import read_form
from r2pflow.web.i18n import gettext
from r2pflow.web.pages.document_shell import document_context
from r2pflow.web.pages.dossiers import NOWHERE, list_places
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, POST, Route


def move_document(reference: str) -> Any:
    """Ask where to, tell what would follow, and move the document once that was seen."""
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference, "share")
    place = work.session.get(DossierRow, subject.dossier_id) if subject.dossier_id else None
    form = read_form(dossier=place.slug if place else NOWHERE)
    following = None
    if form.is_posted:
        wanted = None if form.text("dossier") in ("", NOWHERE) else form.text("dossier")
        try:
            if form.text("confirmed") == (wanted or NOWHERE):
                dossiers.move_document(work, actor, reference, wanted)
                work.commit()
                tell(gettext("The document was moved."))
                return redirect(_after(reference))
            following = foresee_document(
                work, reference, lambda: dossiers.move_document(work, actor, reference, wanted)
            )
        except (InvalidInput, Forbidden) as error:
            form.refuse(error)
    subject = get_subject(work, actor, reference, "share")
    return form.render(
        "documents/move.html",
        **document_context(subject, "sharing"),
        place_choices=[(NOWHERE, gettext("In no dossier")), *list_places()],
        following=tell_following(following) if following else None,
        confirmed=form.text("dossier") or NOWHERE,
    )


def block_sharing(reference: str) -> Any:
    """Tell what would follow, then keep what is shared above from the document, or let it reach it again."""
    actor, work, form = require_signed_in(), current_work(), read_form()
    subject = get_subject(work, actor, reference, "share")
    blocks = form.is_checked("blocks")
    if form.is_checked("confirmed"):
        sharing.block(work, actor, reference, blocks=blocks)
        work.commit()
        tell(gettext("Only what is shared here holds now.") if blocks else gettext("What is shared above holds again."))
        return redirect(_after(reference))
    following = foresee_document(work, reference, lambda: sharing.block(work, actor, reference, blocks=blocks))
    subject = get_subject(work, actor, reference, "share")
    return form.render(
        "documents/block.html",
        **document_context(subject, "sharing"),
        blocks=blocks,
        following=tell_following(following),
    )


def _after(reference: str) -> str:
    """Return the page to show then: one may have moved a document out of one's own reach."""
    try:
        get_subject(current_work(), require_signed_in(), reference, "share")
    except (Forbidden, NotFound):
        return url("documents")
    return url("sharing", reference=reference)


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/move", "move_document", move_document, FORM),
    Route("/documents/<reference>/sharing/block", "block_sharing", block_sharing, POST),
)
