"""`r2pflow workflow import-plone|export-plone`: workflows of Plone in and out, without a database and the web."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from r2pflow.domain.dcworkflow_context import Supply
from r2pflow.domain.dcworkflow_reading import read_dcworkflow
from r2pflow.domain.dcworkflow_rolemap import read_rolemap, write_rolemap
from r2pflow.domain.dcworkflow_writing import write_dcworkflow
from r2pflow.domain.dcworkflow_xml import read_bytes
from r2pflow.domain.errors import DefinitionError, DefinitionErrors
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.people import BUILT_IN_ROLES
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.domain.writing import write_workflow
from r2pflow.plugins.loading import load_plugins

_PATH = click.Path(path_type=Path)
_FORMS = {
    "condition": "registry.condition({name!r}, function), function(facts, actor) is None when it is met",
    "effect": "registry.effect({name!r}, function), function(work, subject, outcome) is called on firing",
}


@click.command("import-plone")
@click.argument("file", type=_PATH, metavar="DEFINITION.XML")
@click.option("--rolemap", type=_PATH, metavar="ROLEMAP.XML", help="Who holds what where no state says it.")
@click.option("-o", "output", type=_PATH, metavar="FILE.YAML", help="Write there instead of standard output.")
def import_plone(file: Path, rolemap: Path | None, output: Path | None) -> None:
    """Make a workflow file of a Plone workflow.

    What is not carried is named on standard error, with its place, and so is what a plugin has to supply.
    """
    known = None if rolemap is None else read_rolemap(read_bytes(rolemap), str(rolemap))
    found = read_dcworkflow(read_bytes(file), str(file), known)
    text = write_workflow(found.workflow, found.comments)
    registry = load_plugins()
    conditions, effects = Lenient(registry.conditions), Lenient(registry.effects)
    read_workflow(text, str(output or "the workflow file"), conditions=conditions, effects=effects)
    _write(text, output)
    _tell(map(str, found.remarks))
    missing = {("condition", name) for name in conditions.missed} | {("effect", name) for name in effects.missed}
    _tell(_supply_lines(found.supplies, missing))


@click.command("export-plone")
@click.argument("file", type=_PATH, metavar="FILE.YAML")
@click.option("-o", "output", type=_PATH, metavar="DEFINITION.XML", help="Write there instead of standard output.")
@click.option("--rolemap", type=_PATH, metavar="ROLEMAP.XML", help="Write there who holds what where no state says it.")
def export_plone(file: Path, output: Path | None, rolemap: Path | None) -> None:
    """Make a Plone workflow of a workflow file.

    What Plone has no place for is named on standard error, with its place.
    """
    registry = load_plugins()
    conditions, effects = Lenient(registry.conditions), Lenient(registry.effects)
    workflow = read_workflow(read_file(file), str(file), conditions=conditions, effects=effects)
    found = write_dcworkflow(workflow)
    _write(found.xml, output)
    remarks: Iterable[str] = map(str, found.remarks)
    if rolemap is not None:
        named = dict.fromkeys(role for roles in workflow.permissions.values() for role in roles)
        roles = (*workflow.roles, *(role for role in named if role in BUILT_IN_ROLES))
        _write(write_rolemap(roles, workflow.permissions), rolemap)
        remarks = (line for line in remarks if not line.endswith("use --rolemap"))
    _tell(remarks)


def _supply_lines(supplies: Iterable[Supply], missing: set[tuple[str, str]]) -> list[str]:
    lines = []
    for supply in supplies:
        told = f"the {supply.kind} {supply.name} of {supply.used_by}"
        if (supply.kind, supply.name) in missing:
            form = _FORMS[supply.kind].format(name=supply.name)
            lines.append(f"{supply.place}: to be supplied: {told}, by a plugin: {form}")
        else:
            lines.append(
                f"{supply.place}: warning: {told} is one that r2pflow has already; see whether it does the same"
            )
    return lines


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)


def _write(text: str, output: Path | None) -> None:
    """Write all of the text or nothing; to standard output where no file is named."""
    if output is None:
        click.echo(text, nl=False)
        return
    beside = output.parent / f".{output.name}.{os.getpid()}"
    try:
        if output.exists() and not output.is_file():  # a pipe, say; a folder refuses
            output.write_text(text, encoding="utf-8")
            return
        beside.write_text(text, encoding="utf-8")
        beside.replace(output)
    except OSError as error:
        beside.unlink(missing_ok=True)
        told = f"the file cannot be written: {error.strerror}"
        raise DefinitionErrors([DefinitionError("unwritable_file", path=str(output), message=told)]) from error
