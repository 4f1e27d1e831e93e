"""The check page: is this text, or this file, what was published?"""

import hashlib
from typing import Any

from flask import redirect, request

from r2pflow.domain.errors import InvalidInput
from r2pflow.services import publishing
from r2pflow.web.auth import current_work
from r2pflow.web.forms import read_form
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import FORM, Route


def ask_check() -> Any:
    """Take a digest (`?digest=`) or a file (POST; its digest is taken, nothing of it is kept), and show its answer."""
    form = read_form(digest=request.args.get("digest", ""))
    try:
        if form.is_posted:
            # Where the browser can, it sends the digest alone, and the file stays with its reader.
            digest = form.text("digest") or _read_digest(form.file("file"))
            publishing.check_digest(current_work(), digest)
            return redirect(url("checked", digest=digest), 303)
        if "digest" in request.args:
            publishing.check_digest(current_work(), form.text("digest"))
            return redirect(url("checked", digest="".join(form.text("digest").split()).lower()), 303)
    except InvalidInput as error:
        form.refuse(error)
    return form.render("check.html")


def _read_digest(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.stream.read(1 << 16):
        digest.update(chunk)
    return digest.hexdigest()


def show_checked(digest: str) -> Any:
    work = current_work()
    found = publishing.check_digest(work, digest)
    return render("checked.html", 200 if found else 404, digest=digest, found=found, types=work.catalogue.types)


ROUTES = (
    Route("/check", "check", ask_check, FORM),
    Route("/check/<digest>", "checked", show_checked),
)
