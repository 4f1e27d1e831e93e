"""YAML -> document types; all errors of a file at once, each with line and column."""

from string import Formatter

from r2pflow.domain import formats
from r2pflow.domain.definition import DocumentType, FieldDef
from r2pflow.domain.naming import Report
from r2pflow.domain.reading import titles_of
from r2pflow.domain.yamlnodes import Node, read_nodes


def read_document_types(text: str, path: str) -> tuple[DocumentType, ...]:
    """Read a file of document types; refuse with DefinitionErrors. `plugins.catalogue` looks names up."""
    root = read_nodes(text, path)
    report = Report(path)
    formats.DOCUMENT_TYPES.check(root, "", report)
    report.refuse_if_any()
    types = tuple(_read_document_type(name, key, node, path, report) for name, key, node in root.each("types"))
    report.refuse_if_any()
    return types


def _read_document_type(name: str, key: Node, node: Node, path: str, report: Report) -> DocumentType:
    where = f"types.{name}"
    languages = node.entries["languages"]
    authoritative = languages.string("authoritative")
    required = tuple(dict.fromkeys(languages.texts("required"))) or (authoritative,)
    for part in languages.many("optional"):
        if part.text in required or part.text == authoritative:
            accepted = "each language once, the authoritative one among the required"
            report.add("language_twice", part, f"{where}.languages", f"the language {part}", accepted)
    if authoritative not in required:
        required = (authoritative, *required)
    symbol = node.get("symbol")
    if symbol is not None:
        _check_symbol(symbol, f"{where}.symbol", report)
    title = titles_of(node, "title")
    chain = node.texts("workflow")
    if not chain or len(set(chain)) < len(chain):
        accepted = "a workflow, or a list of them with each once"
        report.add("bad_chain", node.entries["workflow"], f"{where}.workflow", node.entries["workflow"], accepted)
    return DocumentType(
        name=name,
        title=title,
        plural=titles_of(node, "plural") or title,
        code=node.string("code"),
        workflow=next(iter(chain), ""),
        further=chain[1:],
        authoritative=authoritative,
        required_languages=required,
        optional_languages=tuple(dict.fromkeys(languages.texts("optional"))),
        symbol=node.string("symbol", "{code}/{year}/{number}"),
        template=node.string("template"),
        fields=tuple(_read_field(*field, f"{where}.fields", report) for field in node.each("fields")),
        accent=node.string("accent", "blue"),
        description=titles_of(node, "description"),
        exports=node.texts("exports"),
        path=path,
        line=key.line,
        column=key.column,
    )


def _check_symbol(node: Node, where: str, report: Report) -> None:
    accepted = "text with {number}, and {year} or {code} where wanted"
    try:
        parts = list(Formatter().parse(node.text))
    except ValueError:
        parts = []
    names = [name for _, name, _, _ in parts if name is not None]
    is_plain = all(not spec and not conversion for _, _, spec, conversion in parts)
    if "number" not in names or not is_plain or set(names) - {"number", "year", "code"}:
        report.add("bad_symbol", node, where, node, accepted)


def _read_field(name: str, key: Node, node: Node, where: str, report: Report) -> FieldDef:
    kind = node.string("kind")
    where = f"{where}.{name}"
    for needed, kinds in (("choices", ("choice", "choices")), ("columns", ("rows",))):
        if (node.get(needed) is not None) != (kind in kinds):
            told = f"a field of kind {kind}"
            has = f"{needed} with it" if kind in kinds else f"no {needed}"
            report.add("field_parts", key, where, told, has)
    required = node.get("required")
    return FieldDef(
        name=name,
        kind=kind,
        title=titles_of(node, "title"),
        help=titles_of(node, "help"),
        required=required is not None and required.plain() is True,
        choices={choice: titles_of(node.entries["choices"], choice) for choice, _, _ in node.each("choices")},
        columns=tuple(_read_field(*column, where, report) for column in node.each("columns")),
    )
