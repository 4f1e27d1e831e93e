"""What everybody may read: the register, editions and their files, feeds, and the check page."""

from typing import Any

from flask import redirect

from r2pflow.web.auth import current_actor
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import Route


def show_home() -> Any:
    if not current_actor().is_anonymous:
        return redirect(url("desk"))
    return redirect(url("register"))


def show_register() -> Any:
    return render("register.html")


ROUTES = (
    Route("/", "home", show_home),
    Route("/register", "register", show_register),
)
