"""One sentence about what was just done, shown once on the next page."""

from flask import session

KEY = "r2pflow_notices"


def tell(text: str, kind: str = "done") -> None:
    """Keep a notice for the next page; kinds: done, warning, error, note. A host's flashes stay apart."""
    session[KEY] = [*session.get(KEY, ()), [kind, text]][-5:]


def take_notices() -> list[list[str]]:
    """Return the notices and forget them."""
    if KEY not in session:
        return []
    notices: list[list[str]] = session.pop(KEY)
    return notices
