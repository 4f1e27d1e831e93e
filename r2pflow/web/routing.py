"""What a line of the table of routes is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Route:
    """One address. GET never changes state; a view returns what a Flask view returns."""

    rule: str
    endpoint: str
    view: Callable[..., Any]
    methods: tuple[str, ...] = ("GET",)


GET = ("GET",)
POST = ("POST",)
FORM = ("GET", "POST")
