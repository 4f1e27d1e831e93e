"""The `r2pflow` command. Exit codes: 0 done, 1 refused or invalid, 2 wrong usage."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from r2pflow import __version__
from r2pflow.commands.language import find_language
from r2pflow.domain.errors import BadQuestion, DefinitionError, DefinitionErrors, R2PFlowError

COMMANDS: Mapping[str, tuple[str, str]] = {  # name: where it is, and one line of help
    "demo": ("r2pflow.commands.running:demo", "Carry the sample documents through, in an empty instance folder."),
    "serve": ("r2pflow.commands.running:serve", "Serve pages and work off jobs, until Ctrl-C."),
    "worker": ("r2pflow.commands.running:worker", "Work off jobs and timers."),
    "doctor": ("r2pflow.commands.running:doctor", "Say what is wrong with this installation, and what to do."),
    "db": ("r2pflow.commands.running:db", "Bring the database to the present schema."),
    "workflow": ("r2pflow.commands.workflow:workflow", "Check workflow files, and show them as tables."),
    "ballot": ("r2pflow.commands.ballot:ballot", "Tally a ballot from files."),
    "document": ("r2pflow.commands.document:document", "Import, show, fire and export documents."),
    "import-plone-site": ("r2pflow.commands.plone_site:import_plone_site", "Take a Plone site over from its export."),
    "dossier": ("r2pflow.commands.dossier:dossier", "Make and move dossiers."),
    "person": ("r2pflow.commands.directory:person", "Add persons, and give them links to sign in."),
    "organisation": ("r2pflow.commands.directory:organisation", "Add organisations."),
    "group": ("r2pflow.commands.directory:group", "Name groups of organisations."),
}


class Told(click.ClickException):
    """An error of ours as the command line says it: its sentence alone, on standard error."""

    def __init__(self, error: R2PFlowError) -> None:
        super().__init__(tell(error))

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file, err=True)


class ToldUsage(Told):
    """An error in how a command was called."""

    exit_code = 2


class Commands(click.Group):
    """A group that imports a command when it is called: `workflow table` needs neither Flask nor a database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadQuestion as error:
            raise ToldUsage(error) from error
        except R2PFlowError as error:
            raise Told(error) from error


def tell(error: R2PFlowError) -> str:
    """Return the sentences of an error in the language of LANG, where r2pflow speaks it, with what is accepted."""
    if isinstance(error, DefinitionError | DefinitionErrors):
        return str(error)
    from r2pflow.outputs.sentences import sentence  # with all of Babel: only when there is something to say
    from r2pflow.outputs.translations import translator

    told = sentence(error, translator(find_language()))
    accepted = error.params.get("accepted") or error.params.get("allowed")
    return f"{told} ({', '.join(map(str, accepted))})" if accepted else told


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="r2pflow")
def cli() -> None:
    """Carry a coalition's documents through drafting, comment, approval, translation and publishing.

    R2PFLOW_INSTANCE names the folder for database, outbox and published files (default: instance/),
    R2PFLOW_DATABASE_URL the database (default: SQLite in that folder).
    """


def main() -> None:
    """Run the command line."""
    cli(prog_name="r2pflow")


if __name__ == "__main__":
    main()
