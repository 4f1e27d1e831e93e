"""What changed between two versions of a workflow, as a picture and as a list."""

from typing import Any

from flask import request

from r2pflow.domain.definition import Workflow
from r2pflow.outputs import comparing
from r2pflow.services import lineage
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.i18n import gettext, language, title_of
from r2pflow.web.pages.workflows import find_accent
from r2pflow.web.picturing import show_changes
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route
from r2pflow.web.words import word

OFFERED = 100
"""So many versions are offered for comparison."""


def show_version_changes(name: str) -> Any:
    """Compare the versions `from` and `to` (digests); without them, the one before with that of today."""
    require_signed_in()
    work = current_work()
    present = lineage.get_newest(work, name)
    new_digest = request.args.get("to") or present.digest
    old_digest = request.args.get("from") or lineage.find_version_before(work, name, new_digest) or new_digest
    old, new = (lineage.get_version(work, name, digest) for digest in (old_digest, new_digest))
    is_shown = old_digest != new_digest
    return render(
        "workflows/changes.html",
        workflow=present,
        accent=find_accent(work.catalogue.types.values(), name),
        title=title_of(present.title, word(name)),
        old=old,
        new=new,
        old_digest=old_digest,
        new_digest=new_digest,
        is_shown=is_shown,
        choices=_list_choices(name, present),
        changes=comparing.tell_changes(old, new, language(), work.catalogue.registry) if is_shown else [],
        picture=show_changes(old, new) if is_shown else None,
    )


def _list_choices(name: str, present: Workflow) -> list[tuple[str, str]]:
    """Return digest and label of each version that can be compared, newest first."""
    stored = lineage.list_digests(current_work(), name, OFFERED)
    known = [(present.digest, present.version)] if present.digest not in {digest for digest, _ in stored} else []
    return [
        (digest, gettext("version %(number)s (%(digest)s)", number=number, digest=digest[:8]))
        for digest, number in (*known, *stored)
    ]


ROUTES: tuple[Route, ...] = (Route("/workflows/<name>/changes", "workflow_changes", show_version_changes),)
