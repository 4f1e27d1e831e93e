"""An edition made ready for its page: the text with its notes, and how it was agreed, line by line."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from r2pflow.domain.people import RIGHT_TO_LEFT
from r2pflow.domain.printable import DecisionNote, Printable
from r2pflow.outputs import setting
from r2pflow.outputs.body import Body, set_body
from r2pflow.outputs.translations import Translator, translator
from r2pflow.web.i18n import language
from r2pflow.web.words import word


@dataclass(frozen=True)
class EditionView:
    """What the template writes; HTML in `body` went through `domain.text.canonical` when it came in."""

    body: Body
    facts: list[tuple[str, str]]  # title and value of the simple fields, in the edition's language
    tables: list[Any]  # PrintedField of kind rows
    counts: list[dict[str, Any]]
    clauses: list[dict[str, Any]]
    days: Any  # of a conference: (date, sessions) each
    say: Translator

    def isolate(self, name: str) -> Markup:
        """Keep a name of another script from turning the words around it."""
        return setting.isolate(name, "rtl" if self.say.language in RIGHT_TO_LEFT else "ltr")

    def value(self, kind: str, value: Any) -> str:
        """Write one cell of a table in the edition's language."""
        return setting.format_value(kind, value, self.say)


def make_view(printable: Printable) -> EditionView:
    """Return the view of an edition; positions and clauses are told in the page's language."""
    say = translator(printable.language, printable.timezone)
    page = translator(language(), printable.timezone)
    hidden = setting.PLAN_FIELDS if printable.plan else frozenset()
    fields = [one for one in printable.shown_fields() if one.name not in hidden]
    return EditionView(
        body=set_body(printable, with_pages=False),
        facts=[(one.title, setting.format_value(one.kind, one.value, say)) for one in fields if one.kind != "rows"],
        tables=[one for one in fields if one.kind == "rows"],
        counts=_list_counts(printable.decision),
        clauses=[
            {"depth": min(line.depth, 4), "holds": line.holds, "text": setting.clause_text(line, page)}
            for line in (printable.decision.clauses if printable.decision else ())
        ],
        days=printable.plan.sessions_by_day() if printable.plan else (),
        say=say,
    )


def _list_counts(decision: DecisionNote | None) -> list[dict[str, Any]]:
    if decision is None:
        return []
    return [
        {
            "title": setting.capitalise(one.title or word(one.position)),
            "count": one.count,
            "voters": one.voters if decision.is_named else (),
            "by_silence": one.by_silence,
        }
        for one in decision.counts
    ]
