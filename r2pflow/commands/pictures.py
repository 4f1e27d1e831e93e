"""`r2pflow workflow diagram|diff`: workflows as pictures; needs no database and no web."""

from pathlib import Path

import click

from r2pflow.domain.definition import Workflow
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.people import LANGUAGES
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.plugins.loading import load_plugins

FILE = click.Path(path_type=Path)
CODES = click.Choice(LANGUAGES)


@click.command("diagram")
@click.argument("file", type=FILE, metavar="FILE")
@click.option("--language", type=CODES, default="en", show_default=True, help="Language of all words.")
@click.option("-o", "--output", type=FILE, metavar="FILE.svg", help="Write there instead of to standard output.")
def draw_diagram(file: Path, language: str, output: Path | None) -> None:
    """Draw a workflow as an SVG that can be read by eye and by ear."""
    from r2pflow.outputs import diagrams  # with all of Babel: only for those who draw

    write(diagrams.draw_workflow(_read(file), language, is_file=True), output)


@click.command("diff")
@click.argument("old", type=FILE, metavar="OLD")
@click.argument("new", type=FILE, metavar="NEW")
@click.option("--language", type=CODES, default="en", show_default=True, help="Language of all words.")
@click.option("-o", "--output", type=FILE, metavar="FILE.svg", help="Draw both versions in one picture too.")
def show_difference(old: Path, new: Path, language: str, output: Path | None) -> None:
    """List what changed from one version of a workflow to another, and draw it."""
    from r2pflow.outputs import comparing

    before, after = _read(old), _read(new)
    picture = comparing.draw_changes(before, after, language, is_file=True) if output else ""
    told = comparing.tell_changes(before, after, language, load_plugins())
    click.echo(comparing.write_changes(told, language), nl=False)
    if output:
        write(picture, output)


def _read(path: Path) -> Workflow:
    known = load_plugins()
    conditions, effects = Lenient(known.conditions), Lenient(known.effects)  # a picture runs none of them
    return read_workflow(read_file(path), str(path), conditions=conditions, effects=effects)


def write(text: str, output: Path | None) -> None:
    """Write to a file, or to standard output; always in UTF-8."""
    if output is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from error
    click.echo(f"{output}: written", err=True)
