"""What accounts need from the application around them: pages, sentences and mails."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from flask import current_app

KEY = "r2pflow_accounts"


class QueueMail(Protocol):
    """Queue a mail in the running transaction."""

    def __call__(self, *, to: str, subject: str, text: str, html: str) -> None: ...


@dataclass(frozen=True)
class Edge:
    """The web layer as accounts see it; `standalone` joins the two."""

    render: Callable[..., Any]  # (template, status, **context) -> Response
    render_text: Callable[..., str]  # (template, **context) -> str
    gettext: Callable[..., str]
    speak_in: Callable[[str], AbstractContextManager[None]]  # the sentences inside are in this language
    tell: Callable[..., None]  # (sentence, kind): shown on the next page
    queue_mail: QueueMail
    home: Callable[[], str]
    check_csrf: Callable[[], None]


def get_edge() -> Edge:
    """Return the edge of the present application."""
    edge: Edge = current_app.extensions[KEY]
    return edge
