"""The form by which somebody comments: beside the text, and on a page of its own."""

from typing import Any

from r2pflow.domain.people import LANGUAGES
from r2pflow.persistence.deliberation import CommentRoundRow
from r2pflow.services import comments
from r2pflow.services.access import Subject
from r2pflow.web.auth import current_work
from r2pflow.web.forms import Form
from r2pflow.web.i18n import NATIVE_NAMES, language
from r2pflow.web.words import word


def comment_context(subject: Subject, may_comment: bool, form: Form | None = None) -> dict[str, Any]:
    """Return what `comments/form.html` needs; `may_comment` as `services.comments.may_comment` says."""
    if not may_comment:
        return {"may_comment": False}
    window = comments.find_open_round(current_work(), subject.id)
    kinds = window.kinds if window else ()
    return {
        "may_comment": True,
        "comment_form": form or Form({"kind": _first_kind(window), "language": language()}, is_posted=False),
        "kind_choices": [(kind, word(kind)) for kind in kinds],
        "language_choices": [(code, NATIVE_NAMES[code]) for code in LANGUAGES],
        "window": window,
    }


def _first_kind(window: CommentRoundRow | None) -> str:
    kinds = window.kinds if window else ()
    return "substantive" if "substantive" in kinds else next(iter(kinds), "")
