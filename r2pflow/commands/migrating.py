"""`r2pflow workflow migrate`: move running documents to another version of their workflow; first as a dry run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from r2pflow.domain.errors import R2PFlowError, Refusal
    from r2pflow.services.migrating import Move, Plan

DEADLINES = {
    "none": "",
    "kept": "its deadline stays",
    "ended": "its deadline ends",
    "begun": "its deadline is counted anew",
}


@click.command("migrate")
@click.argument("workflow", metavar="WORKFLOW")
@click.option("--to", default="", metavar="WORKFLOW", help="Move to another workflow, not to today's version.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="The state that takes another's place.")
@click.option("--from", "version", default="", metavar="VERSION", help="Only from this version, or digest.")
@click.option("--document", "references", multiple=True, metavar="REF", help="Only this document; may be repeated.")
@click.option("--as", "person", metavar="PERSON", help="E-mail address or id of who does it.")
@click.option("--apply", "applies", is_flag=True, help="Do it. Without it, only say what would be done.")
def migrate_documents(
    workflow: str,
    to: str,
    pairs: tuple[str, ...],
    version: str,
    references: tuple[str, ...],
    person: str | None,
    applies: bool,
) -> None:
    """Move running documents of WORKFLOW to its version of today, each by itself.

    States of the same name map to themselves. A document with an open comment round or ballot stays where the new
    version has no place for it. Exit code 1 when --apply leaves documents behind.
    """
    from r2pflow.commands.application import find_actor, load_app, open_work  # with Flask: `table` needs none of it
    from r2pflow.domain.errors import R2PFlowError, Refused
    from r2pflow.services.migrating import Wish, migrate_document, plan_migration

    wish = Wish(workflow, to, _read_pairs(pairs), version, references)
    app = load_app()
    with open_work(app) as work:
        actor = find_actor(work, person)
        plan = plan_migration(work, actor, wish)
    click.echo(f"to {plan.target.name} version {plan.target.version} ({plan.target.digest[:12]})")
    moved = 0
    for move in plan.moves:
        reasons = _tell(move.step.refusals)
        if applies and not reasons:
            try:
                with open_work(app) as work:
                    migrate_document(work, actor, plan, move)
                    work.commit()
                moved += 1
            except R2PFlowError as error:
                reasons = _tell(error.refusals if isinstance(error, Refused) else [error])
        click.echo(_tell_move(move, is_refused=bool(reasons)))
        for reason in reasons:
            click.echo(f"        {reason}")
    click.echo(_sum_up(plan, moved if applies else None))
    if applies and moved < len(plan.moves):
        raise SystemExit(1)


def _read_pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new):
            raise click.BadParameter(f"{pair!r}: write OLD=NEW, two states", param_hint="--map")
        if found.setdefault(old, new) != new:
            raise click.BadParameter(f"{old} is mapped twice: to {found[old]} and to {new}", param_hint="--map")
    return found


def _tell_move(move: "Move", *, is_refused: bool) -> str:
    step = move.step
    way = f"{move.old.name} {move.old.version}: {step.source} -> {step.target or '?'}"
    deadline = DEADLINES[step.deadline]
    mark = "stays  " if is_refused else "moves  "
    return f"{mark}{move.reference}  {move.title}  [{way}{'; ' + deadline if deadline else ''}]"


def _tell(reasons: "Iterable[R2PFlowError | Refusal]") -> list[str]:
    from r2pflow.outputs.sentences import sentence
    from r2pflow.outputs.translations import translator

    return [sentence(reason, translator("en")) for reason in reasons]


def _sum_up(plan: "Plan", moved: int | None) -> str:
    total, refused = len(plan.moves), len(plan.refused)
    if not total:
        return "no document is to be moved"
    if moved is not None:
        return f"{moved} of {total} documents moved"
    return f"{total - refused} of {total} documents would move; --apply moves them"
