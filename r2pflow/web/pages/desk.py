"""The desk: what waits for me."""

from typing import Any

from r2pflow.web.auth import require_signed_in
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route


def show_desk() -> Any:
    require_signed_in()
    return render("desk.html")


ROUTES = (Route("/desk", "desk", show_desk),)
