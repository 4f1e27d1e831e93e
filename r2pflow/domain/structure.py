"""Bring a tree of sanitised HTML into the shape of the text format: blocks, and what each may hold."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from r2pflow.domain import markup
from r2pflow.domain.folding import fold, fold_flow, make_inline
from r2pflow.domain.markup import BLOCKS, HEADINGS, LISTS, Content, Node


@dataclass(slots=True)
class Draft:
    """A block whose text is not yet folded and whose id is as it was written."""

    node: Node
    id: str


class _Cutting:
    """Cut a tree into drafts of blocks."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.run: list[Content] = []
        self.hint = ""
        self.strays: list[Node] = []

    def take(self, content: Iterable[Content]) -> None:
        for child in content:
            if isinstance(child, Node) and (child.tag in BLOCKS or markup.has_blocks(child.children)):
                self.flush()
                self.take_block(child)
                self.flush()
            else:
                self.run.append(child)

    def flush(self) -> None:
        if markup.has_content(self.run):
            self.add(Node("p", {}, self.run))
        self.run = []

    def add(self, node: Node, written_id: str = "") -> None:
        if written_id:
            self.drafts.append(Draft(node, written_id))
        else:
            self.drafts.append(Draft(node, self.hint))
            self.hint = ""

    def take_block(self, node: Node) -> None:
        name = node.attrs.get("data-block", "")
        if node.tag in HEADINGS:
            self.add(Node(node.tag, {}, node.children), name)
        elif node.tag in LISTS | {"table", "blockquote"} or "data-kind" in node.attrs:
            attrs = {key: value for key, value in node.attrs.items() if key != "data-block"}
            self.add(Node(node.tag, attrs, node.children), name)
        elif node.tag == "li":
            self.take_entry(node)
        elif node.tag in ("p", "pre") and not markup.has_blocks(node.children):
            self.add(Node("p", {}, [node] if node.tag == "pre" else node.children), name)
        else:
            self.hint = name
            self.take(node.children)
            self.flush()
            self.hint = ""

    def take_entry(self, entry: Node) -> None:
        """Gather list entries that have lost their list."""
        if self.strays and self.drafts[-1].node is self.strays[-1]:
            self.strays[-1].children.append(entry)
        else:
            self.strays.append(Node("ul", {}, [entry]))
            self.add(self.strays[-1])


def cut(content: Iterable[Content]) -> list[Draft]:
    """Cut a tree into drafts of blocks, in their order."""
    cutting = _Cutting()
    cutting.take(content)
    cutting.flush()
    return cutting.drafts


def tidy(node: Node, notes: Mapping[str, str]) -> list[Content]:
    if node.tag in LISTS:
        return _tidy_list(node, notes)
    if node.tag == "table":
        return _tidy_table(node, notes)
    if node.tag == "blockquote":
        return _tidy_quotation(node, notes)
    return fold(make_inline(node.children, notes))


def _tidy_flow(content: Iterable[Content], notes: Mapping[str, str]) -> list[Content]:
    """Tidy a list entry or a cell: inline text and lists."""
    made: list[Content] = []
    for child in _open_wrappers(content, LISTS):
        if isinstance(child, Node) and child.tag in LISTS:
            inner = _tidy_list(child, notes)
            made += [Node(child.tag, _own_attrs(child), inner)] if inner else []
        else:
            made += make_inline([child], notes)
    return fold_flow(made)


def _open_wrappers(content: Iterable[Content], sought: Collection[str]) -> Iterable[Content]:
    """Open every element that holds one of the sought, so that these come to the top."""
    for child in content:
        if isinstance(child, Node) and child.tag not in sought and _holds(child.children, sought):
            yield from _open_wrappers(child.children, sought)
        else:
            yield child


def _holds(content: Iterable[Content], sought: Collection[str]) -> bool:
    return any(isinstance(c, Node) and (c.tag in sought or _holds(c.children, sought)) for c in content)


def _own_attrs(node: Node) -> dict[str, str]:
    return {name: value for name, value in node.attrs.items() if name != "data-block"}


def _tidy_list(node: Node, notes: Mapping[str, str]) -> list[Content]:
    entries: list[Node] = []
    for child in node.children:
        if isinstance(child, Node) and child.tag == "li":
            entries.append(Node("li", {}, child.children))
        elif isinstance(child, Node) and child.tag in LISTS and entries:
            entries[-1].children.append(child)
        elif not isinstance(child, str) or child.strip():
            entries.append(Node("li", {}, [child]))
    for entry in entries:
        entry.children = _tidy_flow(entry.children, notes)
    return [entry for entry in entries if markup.has_content(entry.children)]


def _tidy_quotation(node: Node, notes: Mapping[str, str]) -> list[Content]:
    is_source = [isinstance(child, Node) and child.tag == "footer" for child in node.children]
    sources = [child for child, found in zip(node.children, is_source, strict=True) if found]
    made: list[Content] = []
    for draft in cut(child for child, found in zip(node.children, is_source, strict=True) if not found):
        part = draft.node
        if part.tag == "blockquote":
            made += _tidy_quotation(part, notes)
        elif part.tag in LISTS:
            made.append(Node(part.tag, _own_attrs(part), _tidy_list(part, notes)))
        else:
            made.append(Node("p", {}, fold(make_inline(part.children, notes))))
    source = fold(make_inline(sources, notes))
    made = [part for part in made if isinstance(part, Node) and markup.has_content(part.children)]
    if markup.has_content(source):
        made.append(Node("footer", {}, source))
    return made


def _tidy_table(node: Node, notes: Mapping[str, str]) -> list[Content]:
    """Give a table one caption, one head and one body; a first row of header cells is its head."""
    captions = [child for child in node.children if isinstance(child, Node) and child.tag == "caption"]
    heads, bodies = _find_rows(node.children)
    head, body = ([row for found in rows if (row := _tidy_row(found, notes))] for rows in (heads, bodies))
    if not head and len(body) > 1 and all(isinstance(c, Node) and c.tag == "th" for c in body[0].children):
        head, body = body[:1], body[1:]
    caption = fold(make_inline(captions, notes))
    made = [Node("caption", {}, caption)] if markup.has_content(caption) else []
    made += [Node("thead", {}, [*head])] if head else []
    made += [Node("tbody", {}, [*body])] if body else []
    return [*made]


def _find_rows(content: Iterable[Content]) -> tuple[list[Node], list[Node]]:
    heads: list[Node] = []
    bodies: list[Node] = []
    feet: list[Node] = []
    loose: list[Content] = []
    for child in content:
        if isinstance(child, str) or child.tag in ("caption"):
            continue
        if child.tag in ("thead", "tbody", "tfoot"):
            into = {"thead": heads, "tbody": bodies, "tfoot": feet}[child.tag]
            into += [row for row in child.children if isinstance(row, Node)]
        elif child.tag == "tr":
            bodies.append(child)
        else:
            loose.append(child)
    return heads, bodies + feet + ([Node("tr", {}, loose)] if loose else [])


def _tidy_row(row: Node, notes: Mapping[str, str]) -> Node | None:
    cells: list[Content] = []
    for child in row.children if row.tag == "tr" else [row]:
        if isinstance(child, Node) and child.tag in ("td", "th"):
            cells.append(Node(child.tag, _own_attrs(child), _tidy_flow(child.children, notes)))
        elif not isinstance(child, str) or child.strip():
            cells.append(Node("td", {}, _tidy_flow([child], notes)))
    return Node("tr", {}, cells) if cells else None
