"""Ask once before a step that is hard to take back, also where no script runs."""

from flask import Response, request

from r2pflow.web.rendering import render, url

OWN = ("csrf_token", "asks", "asks-label", "asks-back")
"""The fields with which a form says what to ask; the script of the pages asks by itself and leaves them out."""


def ask_first() -> Response | None:
    """Return a page with the question that the posted form carries, or None where it carries none.

    The page posts all other fields again. What it says is what our own form said: the token is checked before this.
    """
    question = request.form.get("asks", "") if request.method == "POST" else ""
    if not question:
        return None
    back = request.form.get("asks-back", "")
    return render(
        "confirm.html",
        question=question,
        label=request.form.get("asks-label", ""),
        back=back if back.startswith("/") and not back.startswith(("//", "/\\")) else url("home"),
        kept=[(name, value) for name, value in request.form.items(multi=True) if name not in OWN],
    )
