"""`r2pflow workflow prove`: what can never happen in a workflow, proved by search over its definition."""

import json
from pathlib import Path

import click

from r2pflow.commands.language import find_language
from r2pflow.domain.proving import ALWAYS, NEVER, POSSIBLE, prove
from r2pflow.domain.reading import read_file, read_workflow
from r2pflow.plugins.loading import load_plugins


@click.command("prove")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--never", multiple=True, metavar="QUESTION", help="Prove that this can never happen.")
@click.option("--possible", multiple=True, metavar="QUESTION", help="Prove that nothing rules this out, by a way.")
@click.option("--always", multiple=True, metavar="QUESTION", help="Prove that this stays possible, wherever it stands.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def prove_claims(
    file: Path, never: tuple[str, ...], possible: tuple[str, ...], always: tuple[str, ...], as_json: bool
) -> None:
    """Prove claims about a workflow, or show the shortest way that disproves them.

    \b
    --never 'reach published without adopt'
    --never 'reach published without role secretariat'
    --never 'reach published without ballot steering_silence'
    --never 'reach withdrawn without a comment'
    --never 'fire adopt in drafting by member or author'
    --never 'reach any state from translation where member may edit'
    --always 'reach published or withdrawn'

    \b
    reach STATE [or STATE...] | reach any state | fire TRANSITION [or ...] [in STATE [or ...]]
    then any of:  from STATE
                  without STATE | TRANSITION | role R | group G | ballot B | trigger user|timer|automatic | a comment
                          [or ...]
                  by ROLE [or ROLE...]
                  where ROLE|anyone|nobody may [not] PERMISSION

    Exit status: 0 all proved, 1 not all, 2 a question that cannot be read.
    """
    claims = [
        (kind, text) for kind, given in ((NEVER, never), (POSSIBLE, possible), (ALWAYS, always)) for text in given
    ]
    if not claims:
        raise click.UsageError("Ask at least one question: --never, --possible or --always.")
    registry = load_plugins()
    workflow = read_workflow(read_file(file), str(file), conditions=registry.conditions, effects=registry.effects)
    answers = [prove(workflow, kind, text) for kind, text in claims]
    if as_json:
        told = {"workflow": workflow.name, "version": workflow.version, "answers": [one.as_dict() for one in answers]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        from r2pflow.outputs.proofs import tell_answer  # with all of Babel
        from r2pflow.outputs.translations import translator

        speak = translator(find_language())
        for one in answers:
            click.echo("\n".join(tell_answer(one, workflow, speak)), err=not one.holds)
    if not all(one.holds for one in answers):
        raise SystemExit(1)
