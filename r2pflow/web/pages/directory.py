"""The directory: organisations, persons and their roles."""

from typing import Any

from r2pflow.web.auth import require_signed_in
from r2pflow.web.rendering import render
from r2pflow.web.routing import Route


def show_directory() -> Any:
    require_signed_in()
    return render("directory.html")


ROUTES = (Route("/directory", "directory", show_directory),)
