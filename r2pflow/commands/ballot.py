"""`r2pflow ballot tally`: needs two files and nothing else."""

import json
from pathlib import Path

import click

from r2pflow.domain.tally import tally_files


@click.group()
def ballot() -> None:
    """Tally a ballot from files."""


@ballot.command()
@click.argument("rule", type=click.Path(path_type=Path), metavar="RULE.yaml")
@click.argument("positions", type=click.Path(path_type=Path), metavar="POSITIONS.csv")
@click.option("--closed", is_flag=True, help="Judge as after the close: silence counts, nothing is open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tally(rule: Path, positions: Path, closed: bool, as_json: bool) -> None:
    """Judge the voters of POSITIONS.csv (voter,position,attributes...) by the entry in RULE.yaml."""
    verdict = tally_files(rule, positions, closed)
    if as_json:
        click.echo(json.dumps(verdict.as_dict(), ensure_ascii=False, indent=2))
    else:
        click.echo(verdict.outcome)
        click.echo(verdict.explanation)
