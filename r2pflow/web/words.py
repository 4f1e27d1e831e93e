"""Words for the fixed names of the domain, in the language of this page."""

from r2pflow.outputs.words import WORDS
from r2pflow.web.i18n import gettext

__all__ = ["WORDS", "word"]


def word(name: str | None) -> str:
    """Return the word for a fixed name; an unknown one with spaces for underscores."""
    if not name:
        return ""
    return gettext(WORDS[name]) if name in WORDS else name.replace("_", " ")
