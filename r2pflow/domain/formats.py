"""The YAML formats, declared once: `reading` checks files against them, `tables.schema` prints them."""

from dataclasses import dataclass

from r2pflow.domain.conditions import COMBINATIONS, FIELD_OPERATORS
from r2pflow.domain.naming import Report
from r2pflow.domain.schedule import CALENDARS
from r2pflow.domain.shape import (
    Anything,
    ByKind,
    Duration,
    Flag,
    JsonSchema,
    Key,
    Later,
    Many,
    OneOf,
    Record,
    Table,
    Text,
    TitlesKind,
    Whole,
)
from r2pflow.domain.yamlnodes import Node

MAX_STATES, MAX_TRANSITIONS, MAX_ROLES = 1_000, 2_000, 500
COMMENT_KINDS = ("editorial", "substantive", "objection")
FIELD_KINDS = (
    "text",
    "longtext",
    "choice",
    "choices",
    "date",
    "datetime",
    "time",
    "number",
    "money",
    "boolean",
    "email",
    "url",
    "organisation",
    "person",
    "timezone",
    "titles",
    "rows",
)

# A name starts with a letter or digit: so it is neither `*` nor `=`, which `transitions` reads in its own way,
# nor the attribute with an underscore that holds its state.
NAME = Text(r"[^\W_][\w.-]*", "a name of letters, digits, _ . and -", longest=60)
WORD = Text(longest=100)
NAMES = Many(NAME)
WORDS = Many(WORD)
SOMEONE = Many(WORD, told_empty="at least one, or no key, which asks nothing")
TITLES = TitlesKind()


@dataclass(frozen=True)
class TestKind:
    """One entry of `require`: a condition's name, `{name: argument}`, a field test, or a combination."""

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind != "mapping":
            WORD.check(node, where, report)
        elif "field" in node.entries:
            self._check_field(node, where, report)
        elif len(node.entries) != 1:
            found = "a mapping of " + (", ".join(list(node.entries)[:5])[:100] or "nothing")
            accepted = "a condition, {condition: argument}, {any: [...]}, {not: ...}, a field test"
            report.add("wrong_kind", node, where, found, accepted)
        else:
            (name, value), *_ = node.entries.items()
            if name in ("any", "all"):
                Many(self, told_empty="at least one test").check(value, f"{where}.{name}", report)
            elif name == "not":
                self.check(value, f"{where}.not", report)

    def _check_field(self, node: Node, where: str, report: Report) -> None:
        WORD.check(node.entries["field"], f"{where}.field", report)
        operators = [name for name in node.entries if name != "field"]
        for name in operators:
            if name not in FIELD_OPERATORS:
                report.add_name("unknown_key", node.keys[name], where, "comparison", FIELD_OPERATORS)
                return
        if len(operators) != 1:
            told = "exactly one of " + ", ".join(FIELD_OPERATORS)
            report.add("not_one_of", node, where, " and ".join(operators) or "no comparison", told)
            return
        value = node.entries[operators[0]]
        if value.kind == "mapping" or (value.kind == "empty"):
            report.add("wrong_kind", value, f"{where}.{operators[0]}", value, "a value, or a list of values")
        elif operators[0] == "filled":
            Flag().check(value, f"{where}.filled", report)
        elif operators[0] == "in" and value.kind != "list":
            report.add("wrong_kind", value, f"{where}.in", value, "a list of values")

    def schema(self) -> JsonSchema:
        field_tests = [
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["field", operator],
                "properties": {"field": {"type": "string"}, operator: {}},
            }
            for operator in FIELD_OPERATORS
        ]
        combinations = [
            Record("a combination", {name: Key(TEST if name == "not" else TESTS, required=True)}).schema()
            for name in COMBINATIONS
        ]
        named = [{"$ref": "#/$defs/condition"}, {"$ref": "#/$defs/condition_with"}]
        return {"anyOf": [*named, *combinations, *field_tests]}


TEST = Later(TestKind, "test")
TESTS = Many(TEST)


@dataclass(frozen=True)
class EffectKind:
    """One entry of `effects`: a name, or `{name: argument}`."""

    def check(self, node: Node, where: str, report: Report) -> None:
        if node.kind != "mapping":
            WORD.check(node, where, report)
        elif len(node.entries) != 1:
            report.add("wrong_kind", node, where, node, "an effect, or {effect: argument}")

    def schema(self) -> JsonSchema:
        return {"anyOf": [{"$ref": "#/$defs/effect"}, {"$ref": "#/$defs/effect_with"}]}


GUARD = Record(
    "a guard",
    {
        "permission": Key(SOMEONE, "Any of these permissions, in the present state"),
        "role": Key(SOMEONE, "Any of these roles"),
        "group": Key(SOMEONE, "Any of these groups"),
        "require": Key(TESTS, "All of these conditions"),
    },
)
ELECTORATE = ByKind(
    OneOf(("members",)),
    Record(
        "an electorate",
        {
            "role": Key(WORD),
            "group": Key(WORD),
            "organisations": Key(Many(WORD, "at least one organisation")),
        },
        one_of=("role", "group", "organisations"),
    ),
)
GRANTS = Table(WORDS, WORD, "a mapping of permissions to lists of roles")

STATE = Record(
    "a state",
    {
        "title": Key(TITLES),
        "description": Key(TITLES),
        "grants": Key(GRANTS, "Who holds which permission here; an empty list is nobody"),
        "inherit": Key(WORDS, "Permissions also held by whoever holds them in the dossier above"),
        "text": Key(OneOf(("open", "frozen")), "open: revisions may be added"),
        "comments": Key(
            Record(
                "a comment round",
                {
                    "round": Key(WORD, "The role that is asked to comment", required=True),
                    "kinds": Key(Many(OneOf(COMMENT_KINDS), "at least one kind of comment")),
                },
            ),
            "A comment round opens on entry",
        ),
        "timer": Key(
            Record(
                "a timer",
                {
                    "after": Key(Duration(), "How long after entry", required=True),
                    "fire": Key(NAME, "The transition to fire", required=True),
                    "calendar": Key(OneOf(CALENDARS), "Whether days are working days"),
                    "remind": Key(Many(Duration()), "How long before"),
                },
            )
        ),
        "ballot": Key(NAME, "A ballot of `ballots` opens on entry, sealed to the digest of the text"),
        "final": Key(Flag(), "Nothing more need happen"),
    },
    may_be_empty=True,
)

TRANSITION = Record(
    "a transition",
    {
        "title": Key(TITLES),
        "description": Key(TITLES),
        "from": Key(NAMES, "The states that it leaves", required=True),
        "to": Key(NAME, "The state that it leads to, or `stay`", required=True),
        "trigger": Key(Many(OneOf(("user", "timer", "automatic")), "at least one trigger")),
        "guard": Key(GUARD),
        "comment": Key(OneOf(("required", "optional", "none")), "What the person firing it may or must say"),
        "effects": Key(Many(EffectKind())),
    },
)

WORKLIST = Record(
    "a worklist",
    {
        "title": Key(TITLES),
        "states": Key(Many(NAME, "at least one state"), required=True),
        "guard": Key(GUARD, "For whom the documents wait"),
        "where": Key(TESTS, "Only documents for which all of these hold"),
    },
)

FAST_TRACK = Record(
    "a fast track",
    {
        "electorate": Key(ELECTORATE, "The smaller body that decides", required=True),
        "open_for": Key(Duration(), required=True),
        "report_to": Key(ELECTORATE, "Who is told, and may call the decision in"),
    },
)

BALLOT = Record(
    "a ballot",
    {
        "title": Key(TITLES),
        "description": Key(TITLES),
        "electorate": Key(ELECTORATE, "One voter per organisation", required=True),
        "positions": Key(Anything("positions"), required=True),
        "reason_required": Key(WORDS, "Positions that need a reason"),
        "open_for": Key(Duration(), "Until the close; without it, the ballot is closed by hand"),
        "calendar": Key(OneOf(CALENDARS)),
        "silence": Key(WORD, "What an eligible voter without a position counts as, at the close"),
        "close_early": Key(OneOf(("never", "when_decided"))),
        "secrecy": Key(OneOf(("named", "secret"))),
        "fast_track": Key(FAST_TRACK),
        "rule": Key(Anything("clause"), required=True),
    },
)

ROLE = ByKind(
    WORD,
    Record("a role", {"id": Key(WORD, required=True), "is": Key(WORD, "The built-in role that it is")}),
)

WORKFLOW = Record(
    "a workflow",
    {
        "workflow": Key(NAME, "The name of the workflow", required=True),
        "version": Key(Whole(1)),
        "title": Key(TITLES),
        "description": Key(TITLES),
        "initial": Key(NAME, "The state of a new document", required=True),
        "roles": Key(Many(ROLE, most=MAX_ROLES), "Roles beside the built-in ones"),
        "means": Key(
            Table(WORD, WORD, "a mapping of permission names to built-in permissions"),
            "Names of this workflow for built-in permissions; one that means itself is its own",
        ),
        "bypass": Key(WORDS, "Roles of whom guards ask nothing; every use is in the history"),
        "permissions": Key(GRANTS, "Who holds a permission where a state says nothing"),
        "states": Key(Table(STATE, NAME, "a mapping of names to states", least=1, most=MAX_STATES), required=True),
        "transitions": Key(Table(TRANSITION, NAME, "a mapping of names to transitions", most=MAX_TRANSITIONS)),
        "worklists": Key(Table(WORKLIST, NAME, "a mapping of names to worklists")),
        "ballots": Key(Table(BALLOT, NAME, "a mapping of names to ballots")),
    },
)

_FIELD_KEYS = {
    "kind": Key(OneOf(FIELD_KINDS), required=True),
    "title": Key(TITLES, required=True),
    "help": Key(TITLES),
    "required": Key(Flag()),
    "choices": Key(Table(TITLES, NAME, "a mapping of choices to titles", least=1)),
}
FIELD = Record(
    "a field",
    {
        **_FIELD_KEYS,
        "columns": Key(
            Table(Record("a column", _FIELD_KEYS), NAME, "a mapping of names to columns", least=1),
            "The columns of `rows`",
        ),
    },
)
LANGUAGE = Text(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language code such as fr", longest=20)
DOCUMENT_TYPE = Record(
    "a document type",
    {
        "title": Key(TITLES, required=True),
        "plural": Key(TITLES),
        "description": Key(TITLES),
        "code": Key(Text(r"[A-Z][A-Z0-9]{0,9}", "up to ten capitals and digits"), required=True),
        "workflow": Key(NAMES, "The workflow, or a chain of them that run beside each other", required=True),
        "languages": Key(
            Record(
                "languages",
                {
                    "authoritative": Key(LANGUAGE, "The language that is approved", required=True),
                    "required": Key(Many(LANGUAGE), "Without these nothing is published"),
                    "optional": Key(Many(LANGUAGE)),
                },
            ),
            required=True,
        ),
        "symbol": Key(Text(longest=100), "Pattern of the reference number, with {year} {code} {number}"),
        "template": Key(NAME, "The PDF template", required=True),
        "accent": Key(NAME, "The name of the accent colour"),
        "exports": Key(NAMES, "Formats to take a document away in"),
        "fields": Key(Table(FIELD, NAME, "a mapping of names to fields")),
    },
)
DOCUMENT_TYPES = Record(
    "a file of document types",
    {"types": Key(Table(DOCUMENT_TYPE, NAME, "a mapping of names to document types"), required=True)},
)
