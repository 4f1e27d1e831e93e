"""Sharing of a dossier: who holds which role on all in it, and from which dossier above."""

from typing import Any

from flask import Response, redirect, request

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.persistence.documents import DossierRow
from r2pflow.services import directory_search, sharing
from r2pflow.services.foreseeing import foresee_dossier
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.following import tell_following
from r2pflow.web.forms import Form, read_form
from r2pflow.web.i18n import gettext
from r2pflow.web.pages.dossiers import dossier_context
from r2pflow.web.pages.sharing import read_holder
from r2pflow.web.rendering import url
from r2pflow.web.routing import POST, Route
from r2pflow.web.words import word


def show_sharing(slug: str) -> Any:
    row = sharing.get_kept_dossier(current_work(), require_signed_in(), slug)
    return _show(row, read_form(role="editor"))


def _show(row: DossierRow, form: Form) -> Response:
    actor, work = require_signed_in(), current_work()
    sought = (form.text("q") or request.args.get("q", "")).strip()[:100]
    return form.render(
        "dossiers/sharing.html",
        **dossier_context(row, "sharing"),
        shares=sharing.list_dossier_shares(work, row),
        sought=sought,
        matches=directory_search.find_holders(work, sought) if sought else [],
        role_choices=[(role, word(role)) for role in sharing.list_givable(work, actor, row)],
    )


def give_role(slug: str) -> Any:
    actor, work, form = require_signed_in(), current_work(), read_form()
    row = sharing.get_kept_dossier(work, actor, slug)
    try:
        role = form.text("role")
        sharing.share_dossier(work, actor, slug, role, **read_holder(form))
        work.commit()
    except (InvalidInput, NotFound, Forbidden) as error:
        form.refuse(error)
        return _show(row, form)
    tell(gettext("Shared: %(role)s.", role=word(role)))
    return redirect(url("dossier_sharing", slug=slug))


def take_role(slug: str, share: int) -> Any:
    actor, work = require_signed_in(), current_work()
    sharing.unshare_dossier(work, actor, slug, share)
    work.commit()
    tell(gettext("The role was taken away."))
    return redirect(_after(slug))


def block(slug: str) -> Any:
    """Tell what would follow, then keep what is shared above from the dossier, or let it reach it again."""
    actor, work, form = require_signed_in(), current_work(), read_form()
    sharing.get_kept_dossier(work, actor, slug)
    blocks = form.is_checked("blocks")
    if form.is_checked("confirmed"):
        sharing.block_dossier(work, actor, slug, blocks=blocks)
        work.commit()
        tell(gettext("Only what is shared here holds now.") if blocks else gettext("What is shared above holds again."))
        return redirect(_after(slug))
    following = foresee_dossier(work, slug, lambda: sharing.block_dossier(work, actor, slug, blocks=blocks))
    row = sharing.get_kept_dossier(work, actor, slug)
    return form.render(
        "dossiers/block.html",
        **dossier_context(row, "sharing"),
        blocks=blocks,
        following=tell_following(following),
    )


def _after(slug: str) -> str:
    """Return the page to show then: one can take one's own role away."""
    try:
        sharing.get_kept_dossier(current_work(), require_signed_in(), slug)
    except Forbidden:
        return url("dossier", slug=slug)
    return url("dossier_sharing", slug=slug)


ROUTES: tuple[Route, ...] = (
    Route("/dossiers/<slug>/sharing", "dossier_sharing", show_sharing),
    Route("/dossiers/<slug>/sharing", "share_dossier", give_role, POST),
    Route("/dossiers/<slug>/sharing/<int:share>/take", "unshare_dossier", take_role, POST),
    Route("/dossiers/<slug>/sharing/block", "block_dossier", block, POST),
)
