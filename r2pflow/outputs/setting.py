"""The HTML of an edition for print: templates, words, numbers and style sheets put together."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from r2pflow.domain.printable import ClauseLine, Printable
from r2pflow.domain.verdicts import Phrase
from r2pflow.domain.verdicts import say as say_phrase
from r2pflow.outputs import assets
from r2pflow.outputs.body import Body, PrintedBlock, set_body
from r2pflow.outputs.translations import Translator, translator
from r2pflow.outputs.words import WORDS

ACCENT_COLOURS = {
    "blue": "#1d4f80",
    "green": "#1f6244",
    "red": "#94272f",
    "violet": "#5a3a86",
    "amber": "#875406",
    "teal": "#0f6066",
    "slate": "#414c5a",
}
"""One per document family; each has a contrast of at least 6 : 1 on white."""

SHEETS = {
    "ar": ("rtl",),
    "en": ("ltr",),
    "es": ("ltr", "romance"),
    "fr": ("ltr", "romance"),
    "ru": ("ltr", "ru"),
    "zh": ("ltr", "zh"),
}
PLAN_FIELDS = frozenset("venue city country timezone starts_on ends_on sessions milestones budget invitees".split())
"""Fields of a conference that its programme shows in its own way, or keeps for the organisers."""

COMMAS = {"ar": "، ", "zh": "、"}
"""Between names; no `and`, which Arabic would glue to a name in Latin letters."""

HEAD_LENGTH = {"ar": 74, "ru": 62, "zh": 40}
"""As many characters of a title as fit into the running head."""

MAX_ENTRIES = 20
"""A table of contents longer than that leaves the sections within chapters out, so that it fits the first page."""

LONG_NAME = 45
"""Names of more characters may be broken across lines."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def sheet_names(language: str) -> tuple[str, ...]:
    return ("base", *SHEETS.get(language, ("rtl",) if language in ("fa", "he", "ur") else ("ltr",)))


@cache
def read_sheet(name: str) -> str:
    return (assets.get_pdf_templates() / f"{name}.css").read_text(encoding="utf-8")


def render_html(
    printable: Printable,
    *,
    template: Path | None = None,
    with_styles: bool = True,
) -> str:
    """Fill the template of the edition's document type, or a plugin's file, which may extend `base.html`.

    Without styles, the caller hands the sheets over itself.
    """
    say = translator(printable.language, printable.timezone)
    body = set_body(printable)
    return fill(
        template or f"{printable.template}.html",
        printable,
        say,
        body,
        wants_contents=body.wants_contents(printable.language),
        entries=list_entries(body),
        head_length=HEAD_LENGTH.get(printable.language, 82),
        page_of_pages=Markup(page_of_pages(say.gettext("Page %(page)s of %(pages)s"))),
        sheets=[read_sheet(name) for name in sheet_names(printable.language)] if with_styles else (),
    )


def list_entries(body: Body) -> list[PrintedBlock]:
    """Return the headings that the table of contents names."""
    chapters = [heading for heading in body.headings if heading.level == 2]
    return list(body.headings) if len(body.headings) <= MAX_ENTRIES or not chapters else chapters


def fill(template: str | Path, printable: Printable, say: Translator, body: Body, **more: Any) -> str:
    """Fill a template with what all of them may use: the edition, its words, the text that stands behind it."""
    hidden = PLAN_FIELDS if printable.plan else ()
    fields = [field for field in printable.shown_fields() if field.name not in hidden]
    decision, plan = printable.decision, printable.plan
    if isinstance(template, Path):
        page = environment(template.parent).get_template(template.name)
    else:
        page = environment().get_template(template)
    return page.render(
        p=printable,
        t=say,
        body=body,
        plan=plan,
        days=plan.sessions_by_day() if plan else (),
        zone=_zone_name(printable),
        facts=[field for field in fields if field.kind != "rows"],
        tables=[field for field in fields if field.kind == "rows"],
        others=[say.language_name(code) for code in printable.languages if code != printable.language],
        stale_count=len(printable.stale_blocks),
        named=bool(decision and decision.is_named and any(count.voters for count in decision.counts)),
        accent=accent_colour(printable.accent),
        qr=qr_code(printable.check_url) if printable.check_url else "",
        value=lambda kind, value: format_value(kind, value, say),
        clauses=list_clauses(decision.clauses, say) if decision else (),
        position_title=lambda position: capitalise(say_word(position, say)),
        names=lambda names: Markup(COMMAS.get(printable.language, ", ")).join(
            isolate(name, printable.direction) for name in names
        ),
        gettext=markup_gettext(say),
        ngettext=markup_ngettext(say),
        **more,
    )


@cache
def environment(folder: Path | None = None) -> Environment:
    """Return the environment of the PDF templates, those of a plugin's folder first.

    The words of a language are handed to each rendering.
    """
    made = Environment(
        loader=FileSystemLoader([*([folder] if folder else []), assets.get_pdf_templates()]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        anchored=add_anchor,
        breakable=let_break,
        grouped=group_digits,
        inner=strip_element,
        isolate=_isolate,
        language_name=lambda code, say: say.language_name(code),
        utc=write_utc,
    )
    return made


def accent_colour(accent: str) -> str:
    return accent if _COLOUR.fullmatch(accent) else ACCENT_COLOURS.get(accent, ACCENT_COLOURS["blue"])


def add_anchor(html: str, id: str) -> str:
    """Give the block's element its id, so that contents and links find it."""
    return re.sub(r"^<([a-z0-9]+)", rf'<\1 id="{id}"', html, count=1)


def strip_element(html: str) -> str:
    return re.sub(r"^<[^>]*>|</[a-z0-9]+>$", "", html)


def group_digits(digest: str) -> str:
    """Write hex digits in groups of eight."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def let_break(address: str) -> Markup:
    """Let a long address break after the slashes of its path."""
    scheme, slashes, path = address.rpartition("://")
    return escape(scheme + slashes) + Markup("/<wbr>").join(escape(part) for part in path.split("/"))


def isolate(text: str, direction: str, *, may_break: bool = False) -> Markup:
    """Keep together a name that may be of another script.

    It runs in the direction of the document when it has any letter that does, else in the other. In a list of
    names, none is broken across lines unless it is long.
    """
    classes = {unicodedata.bidirectional(character) for character in text}
    own, other = ({"R", "AL"}, {"L"}) if direction == "rtl" else ({"L"}, {"R", "AL"})
    is_foreign = not classes & own and bool(classes & other)
    turned = {"ltr": "rtl", "rtl": "ltr"}[direction]
    width = "long" if may_break or len(text) > LONG_NAME else "short"
    return Markup('<bdi class="{}" dir="{}">{}</bdi>').format(width, turned if is_foreign else direction, text)


@pass_context
def _isolate(context: Context, text: str) -> Markup:
    return isolate(text, context["p"].direction, may_break=True)


def write_utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page_of_pages(sentence: str) -> str:
    """Turn `Page %(page)s of %(pages)s` into the value of the CSS property `content`."""
    counters = {"%(page)s": "counter(page)", "%(pages)s": "counter(pages)"}
    parts = re.split(r"(%\(pages?\)s)", sentence)
    return " ".join(counters.get(part) or css_string(part) for part in parts if part)


def css_string(text: str) -> str:
    """Quote a text for CSS within a `style` element."""
    return '"' + "".join(f"\\{ord(c):x} " if c in '"\\<>&\n' else c for c in text) + '"'


@cache
def qr_code(address: str) -> str:
    """Return the QR code of an address as a `data:` URI of an SVG without text."""
    return str(segno.make(address, error="m", micro=False).svg_data_uri(border=0, dark="#16181d", scale=4))


def format_value(kind: str, value: Any, say: Translator) -> str:
    """Write the value of a structured field; what does not fit its kind is written as it is."""
    if value is None or value == "":
        return ""
    if isinstance(value, list | tuple):
        return COMMAS.get(say.language, ", ").join(format_value(kind, one, say) for one in value)
    if isinstance(value, bool):
        return say.gettext("yes") if value else say.gettext("no")
    try:
        if kind == "date":
            return say.date(value)
        if kind == "time":
            return say.time(value)
        if kind == "datetime":
            return say.datetime(datetime.fromisoformat(value) if isinstance(value, str) else value)
        if kind == "money":
            return say.money(value) if not isinstance(value, dict) else say.money(value["amount"], value["currency"])
    except (ValueError, ArithmeticError, TypeError, KeyError):
        return str(value)
    return say.number(value) if kind == "number" else str(value)


def clause_text(line: ClauseLine, say: Translator) -> str:
    """Say a clause in the language; known positions, regions and the like by their names there."""
    if line.line is None:
        return say.gettext(line.sentence, **line.params)
    phrase = Phrase(line.line.code, line.line.params)
    return capitalise(say_phrase(phrase, say.gettext, lambda _, word: say_word(word, say)))


def list_clauses(lines: Sequence[ClauseLine], say: Translator) -> list[tuple[int, str, bool | None]]:
    """Return depth, sentence and whether it holds of each clause; a group takes up the one clause asked of it."""
    told: list[tuple[int, str, bool | None]] = []
    is_taken = False
    for place, line in enumerate(lines):
        if is_taken:
            is_taken = False
            continue
        text = clause_text(line, say)
        inner = [later.depth for later in lines[place + 1 : place + 3]]
        if line.line is not None and line.line.code == "group" and inner[:1] == [line.depth + 1]:
            is_taken = len(inner) == 1 or inner[1] <= line.depth
            if is_taken:
                text = f"{text} – {clause_text(lines[place + 1], say)}"
        told.append((line.depth, text, line.holds))
    return told


def say_word(word: str, say: Translator) -> str:
    """Name a fixed name of the domain in the language; any other word stays."""
    return say.gettext(WORDS[word]) if word in WORDS else word


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def markup_gettext(say: Translator) -> Callable[..., Markup]:
    """Return a `gettext` for templates: params are escaped, the catalogue is trusted."""

    def gettext(message: str, **params: Any) -> Markup:
        told = Markup(say.catalogue.gettext(message))
        return told % params if params else told

    return gettext


def markup_ngettext(say: Translator) -> Callable[..., Markup]:
    def ngettext(one: str, many: str, number: int, **params: Any) -> Markup:
        return Markup(say.catalogue.ngettext(one, many, number)) % {"num": say.number(number), **params}

    return ngettext


def _zone_name(printable: Printable) -> str:
    """Name the venue's zone by its city, which is what a traveller sets a watch by."""
    zone = printable.plan.timezone if printable.plan else printable.timezone
    return zone.rpartition("/")[2].replace("_", " ") if zone != "UTC" else zone
