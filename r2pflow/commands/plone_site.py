"""`r2pflow import-plone-site`: take a Plone site over from the JSON of collective.exportimport."""

import json
from pathlib import Path
from typing import Any

import click

from r2pflow.commands.application import load_app, open_work
from r2pflow.commands.language import find_language
from r2pflow.domain.errors import InvalidInput, R2PFlowError
from r2pflow.domain.plone_site import NEIGHBOURS, Fault, read_site
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import Translator, translator
from r2pflow.services.dossiers import DOSSIER_KINDS
from r2pflow.services.site_import import Choices, Report, import_site


@click.command("import-plone-site")
@click.argument("export", type=click.Path(path_type=Path), metavar="EXPORT.json")
@click.option("--type", "types", multiple=True, metavar="PLONE=TYPE", help="The document type of a type of Plone.")
@click.option("--other-types", metavar="TYPE", help="The document type of all others; without it, the first there is.")
@click.option("--state", "states", multiple=True, metavar="PLONE=STATE", help="The state of a review state of Plone.")
@click.option("--kind", type=click.Choice(DOSSIER_KINDS), default="campaign", help="The kind of the dossiers.")
def import_plone_site(
    export: Path, types: tuple[str, ...], other_types: str | None, states: tuple[str, ...], kind: str
) -> None:
    """Take over what EXPORT.json holds, and the exports of translations, local roles, comments and members beside it.

    What was taken over before is left alone. Exit code 1 when something could not be taken over; the rest is.
    """
    chosen = _read_pairs(types, "--type") | ({"*": other_types} if other_types else {})
    beside = {key: export.parent / name for key, name in NEIGHBOURS.items()}
    neighbours = {key: _read_json(path) for key, path in beside.items() if path.is_file() and path != export}
    site = read_site(_read_json(export), neighbours)
    app = load_app()
    with open_work(app) as work:
        report = import_site(work, site, Choices(chosen, _read_pairs(states, "--state"), kind))
    speak = translator(find_language())
    for line in _tell(report, site.left_out, speak):
        click.echo(line)
    for fault in report.faults:
        click.echo(_tell_fault(fault, speak), err=True)
    if report.faults:
        raise SystemExit(1)


def _read_pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for before, equals, after in pairs:
        if not (before and equals and after):
            raise click.UsageError(f"{option} takes PLONE=OURS, found {before}{equals}{after}")
    return {before: after for before, _, after in pairs}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput("file_unreadable", name=str(path), found=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not_json", name=str(path), found=str(error)[:200]) from error


def _tell(report: Report, left_out: Any, speak: Translator) -> list[str]:
    made = [_count(kind, number, speak) for kind, number in report.done.items()]
    lines = [speak.gettext("Taken over: %(list)s.", list=speak.enumeration(made) or "–")]
    if report.known:
        lines.append(
            speak.ngettext("%(num)s thing was there already.", "%(num)s things were there already.", report.known)
        )
    lines += [_tell_fault(note, speak) for note in report.notes]
    lines += [
        speak.gettext("Left out, because it has no text: %(type)s (%(number)s).", type=kind, number=number)
        for kind, number in sorted(left_out.items())
    ]
    return lines


def _count(kind: str, number: int, speak: Translator) -> str:
    match kind:
        case "dossier":
            return speak.ngettext("%(num)s dossier", "%(num)s dossiers", number)
        case "document":
            return speak.ngettext("%(num)s document", "%(num)s documents", number)
        case "translation":
            return speak.ngettext("%(num)s translation", "%(num)s translations", number)
        case "history":
            return speak.ngettext("%(num)s entry of the history", "%(num)s entries of the history", number)
        case "sharing":
            return speak.ngettext("%(num)s shared role", "%(num)s shared roles", number)
        case _:
            return speak.ngettext("%(num)s comment", "%(num)s comments", number)


def _tell_fault(fault: Fault, speak: Translator) -> str:
    return f"{fault.path}: {sentence(R2PFlowError(fault.code, **fault.params), speak)}"
