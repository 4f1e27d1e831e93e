"""`r2pflow workflow check|table|schema|prove`: needs no database and no web."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from r2pflow.commands import migrating, pictures, plone, proving
from r2pflow.domain import tables
from r2pflow.domain.checking import ERROR, Problem, check
from r2pflow.domain.definition import DocumentType, Workflow
from r2pflow.domain.errors import DefinitionErrors
from r2pflow.domain.lenience import Lenient
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.domain.type_reading import read_document_types
from r2pflow.plugins.catalogue import TYPES_FILE, check_fit
from r2pflow.plugins.loading import load_plugins
from r2pflow.plugins.registry import Registry


@click.group()
def workflow() -> None:
    """Check workflow files, show them as tables, and prove claims about them."""


workflow.add_command(migrating.migrate_documents)
workflow.add_command(pictures.draw_diagram)
workflow.add_command(pictures.show_difference)
workflow.add_command(proving.prove_claims)
workflow.add_command(plone.import_plone)
workflow.add_command(plone.export_plone)


@workflow.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def check_files(files: tuple[Path, ...]) -> None:
    """Say what is wrong with workflow files, or with a documents.yaml, as file:line:column: message.

    Named together, they are also checked against each other: document types with all workflows of their chain.
    """
    registry = load_plugins()
    told: dict[Path, tuple[list[str], bool]] = {}
    workflows: dict[str, Workflow] = {}
    types: list[DocumentType] = []
    for path in files:
        try:
            if path.name == TYPES_FILE:
                types += read_document_types(read_file(path), str(path))
                told[path] = [], False
            else:
                found = _read(path, registry)
                workflows[found.name] = found
                told[path] = _tell_problems(path, check(found))
        except DefinitionErrors as errors:
            told[path] = [str(error) for error in errors.errors], True
    for kind in types:
        if all(name in workflows for name in kind.chain):
            for error in check_fit(kind, [workflows[name] for name in kind.chain]):
                told[Path(error.path)] = [*told[Path(error.path)][0], str(error)], True
    for path, (lines, fails) in told.items():
        for line in lines:
            click.echo(line, err=True)
        if not fails:
            click.echo(f"{path}: ok")
    if any(fails for _, fails in told.values()):
        raise SystemExit(1)


@workflow.command("table")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_table(file: Path, as_json: bool) -> None:
    """Show who may do what in which state, and where each transition leads.

    Conditions and effects that no plugin has supplied yet are named on standard error.
    """
    registry = load_plugins()
    conditions, effects = Lenient(registry.conditions), Lenient(registry.effects)
    found = read_workflow(read_file(file), str(file), conditions=conditions, effects=effects)
    for kind, missed in (("condition", conditions.missed), ("effect", effects.missed)):
        for name in missed:
            click.echo(f"{file}: warning: the {kind} {name} is still to be supplied by a plugin", err=True)
    if as_json:
        click.echo(json.dumps(tables.table(found), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_table_lines(found)))


@workflow.command("schema")
@click.option("--types", is_flag=True, help="The schema of documents.yaml instead.")
def show_schema(types: bool) -> None:
    """Print the JSON Schema of workflow files, for editors."""
    registry = load_plugins()
    found = tables.types_schema() if types else tables.schema(registry.conditions, registry.effects)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _read(path: Path, registry: Registry) -> Workflow:
    return read_workflow(read_file(path), str(path), conditions=registry.conditions, effects=registry.effects)


def _tell_problems(path: Path, problems: Iterable[Problem]) -> tuple[list[str], bool]:
    lines, fails = [], False
    for problem in problems:
        place = ":".join([str(path), *(str(n) for n in (problem.line, problem.column) if n)])
        mark = "" if problem.severity == ERROR else f"{problem.severity}: "
        lines.append(f"{place}: {mark}{problem.message}")
        fails |= problem.severity == ERROR
    return lines, fails


def _table_lines(found: Workflow) -> list[str]:
    told = tables.table(found)
    lines = [f"{told['workflow']} version {found.version}, from {told['initial']}"]
    lines += [f"    guards ask nothing of: {_join(told['bypass'])}"] if told["bypass"] else []
    lines += ["", "where a state says nothing"] if told["permissions"] else []
    lines += [f"    may {permission}: {_join(roles)}" for permission, roles in told["permissions"].items()]
    for name, state in told["states"].items():
        lines += ["", name + (" (final)" if found.states[name].final else "")]
        lines += [f"    may {permission}: {_join(roles)}" for permission, roles in state["grants"].items()]
        lines += [f"    may also, as in the dossier above: {_join(state['inherit'])}"] if state["inherit"] else []
        for transition, way in state["transitions"].items():
            guard = [f"{kind} {_join(way[kind])}" for kind in ("permissions", "roles", "groups") if way[kind]]
            guard += [f"requires {_join(map(_tell_test, way['require']))}"] if way["require"] else []
            comment = found.transitions[transition].comment
            guard += [] if comment == "optional" else [f"comment {comment}"]
            lines.append(f"    {transition} -> {way['to']} [{_join(way['trigger'])}] {'; '.join(guard)}".rstrip())
    return lines


def _join(words: Any) -> str:
    return ", ".join(words) or "nobody"


def _tell_test(test: Any) -> str:
    return test if isinstance(test, str) else json.dumps(test, ensure_ascii=False)
