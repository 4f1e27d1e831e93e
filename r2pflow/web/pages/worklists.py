"""A worklist, a page at a time: what waits for the person under one name, the longest waiting first."""

from typing import Any

from r2pflow.services.worklists import list_worklist
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.i18n import title_of
from r2pflow.web.pages.desk import make_row
from r2pflow.web.pagination import read_page_number
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route
from r2pflow.web.words import word


def show_worklist(name: str) -> Any:
    actor = require_signed_in()
    title, page = list_worklist(current_work(), actor, name, read_page_number())
    return render(
        "worklist.html", title=title_of(title, word(name)), page=page, rows=[make_row(row) for row in page.rows]
    )


ROUTES = (Route("/worklists/<name>", "worklist", show_worklist),)
