"""An edition as a Word document, made by pandoc."""

import tempfile
from html import escape
from pathlib import Path

from r2pflow.domain import markup
from r2pflow.domain.errors import SetupError
from r2pflow.domain.markup import Content, Node
from r2pflow.domain.printable import Printable


def export_docx(printable: Printable) -> bytes:
    """Return the text with real footnotes, headings and tables; right to left where the language is.

    Raise SetupError when pandoc is not there.
    """
    import pypandoc  # seldom needed, and the web process starts without it

    with tempfile.TemporaryDirectory(prefix="r2pflow-") as folder:
        target = Path(folder) / "edition.docx"
        try:
            pypandoc.convert_text(
                write_source(printable),
                "docx",
                format="html+epub_html_exts",
                outputfile=str(target),
                extra_args=[
                    "--sandbox",
                    f"--metadata=lang:{printable.language}",
                    f"--metadata=dir:{printable.direction}",
                ],
            )
        except OSError as error:
            raise SetupError(
                "pandoc_missing", what="pandoc", where=str(error).splitlines()[0], remedy="pip install pypandoc_binary"
            ) from error
        return target.read_bytes()


def write_source(printable: Printable) -> str:
    """Return the HTML that pandoc reads; footnotes are marked as EPUB marks them."""
    head = [
        f"<title>{escape(printable.title)}</title>",
        f'<meta name="author" content="{escape(printable.coalition)}">',
    ]
    if printable.published_at:
        head.append(f'<meta name="date" content="{printable.published_at.date().isoformat()}">')
    numbers = {block.id for block in printable.blocks if block.kind == "footnote"}
    lines: list[str] = []
    for block in printable.blocks:
        if block.level == 1:  # the title is pandoc's own
            continue
        (node,) = markup.parse(block.html)
        assert isinstance(node, Node)
        if block.kind == "footnote":
            inner = markup.serialise(node.children)
            lines.append(f'<aside epub:type="footnote" id="{block.id}"><p>{inner}</p></aside>')
        else:
            lines.append(markup.serialise([_mark_notes(node, numbers)]))
    return (
        f'<html lang="{printable.language}" dir="{printable.direction}"><head>{"".join(head)}</head>'
        f"<body>{''.join(lines)}</body></html>"
    )


def _mark_notes(content: Content, notes: set[str]) -> Content:
    if isinstance(content, str):
        return content
    note = content.attrs.get("data-note")
    if note is not None:
        link = Node("a", {"epub:type": "noteref", "href": f"#{note}"}, ["*"])
        return link if note in notes else ""
    return Node(content.tag, content.attrs, [_mark_notes(child, notes) for child in content.children])
