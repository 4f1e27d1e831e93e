"""The language in which commands speak."""

import os

from r2pflow.domain.people import LANGUAGES


def find_language() -> str:
    """Return the language of the terminal, or English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            code = value.split(".")[0].split("_")[0].lower()
            return code if code in LANGUAGES else "en"
    return "en"
