"""The sentences of errors and refusals, in the language of this page."""

from collections.abc import Iterable
from typing import Any

from babel.lists import format_list

from r2pflow.domain.errors import R2PFlowError, Refusal
from r2pflow.outputs import sentences
from r2pflow.outputs.translations import translator
from r2pflow.services.access import Subject
from r2pflow.web.i18n import get_locale, language


def sentence(found: R2PFlowError | Refusal, subject: Subject | None = None) -> str:
    """Return what the error or refusal means, in the language of this page.

    With the document at hand its fields are called by their titles.
    """

    def title_field(name: str) -> str:
        field = subject.type.field(name) if subject is not None else None
        return field.title.get(language()) if field is not None else ""

    return sentences.sentence(found, translator(language()), title_field)


def join(words: Iterable[Any]) -> str:
    """Join words with commas and the "and" of this page's language."""
    found = [str(one) for one in words]
    return format_list(found, locale=get_locale(language())) if found else ""
