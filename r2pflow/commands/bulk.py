"""`r2pflow document fire-many`."""

import click

from r2pflow.commands.application import find_actor, load_app, open_work
from r2pflow.commands.language import find_language
from r2pflow.domain.moments import read_moment
from r2pflow.domain.people import Actor
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.translations import translator
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import batches, bulk
from r2pflow.services.queries import Filters, list_references


@click.command("fire-many")
@click.argument("transition", metavar="TRANSITION")
@click.option("--as", "person", metavar="PERSON", required=True, help="E-mail address or id of who does it.")
@click.option("--reference", "references", metavar="REF", multiple=True, help="A document; may be given many times.")
@click.option("--dossier", default="", metavar="D", help="All documents of the dossier with this short name.")
@click.option("--state", default="", metavar="S", help="All documents in this state.")
@click.option("--type", "type_name", default="", metavar="T", help="All documents of this type.")
@click.option("--comment", default="", help="What the person says about it, in the history of each document.")
@click.option("--at", default="", metavar="WHEN", help="Leave it to the worker, at 2027-03-31T14:30.")
@click.option("--timezone", default="", metavar="ZONE", help="The zone of --at; by default the coalition's.")
def fire_many(
    transition: str,
    person: str,
    references: tuple[str, ...],
    dossier: str,
    state: str,
    type_name: str,
    comment: str,
    at: str,
    timezone: str,
) -> None:
    """Fire a transition on many documents, each by itself; print what became of each, and end with 1 if any is refused.

    With --at, print the number of the batch instead; a worker does it then.
    """
    app = load_app()
    with open_work(app) as work:
        actor = find_actor(work, person)
        if dossier or state or type_name:
            if references:
                raise click.UsageError("name documents by --reference, or all by --dossier, --state and --type")
            filters = Filters(type=type_name, state=state, dossier=dossier)
            references = tuple(list_references(work, actor, filters, bulk.MOST + 1))
        moment = read_moment(at, timezone or work.settings.timezone, work.now()) if at else None
        zone = moment.timezone if moment else ""
        due_at = moment.instant if moment else None
        batch_id = bulk.start_batch(work, actor, transition, references, comment, due_at, zone)
        work.commit()
        if moment is not None:
            click.echo(batch_id)
            return
        is_refused = _run(work, actor, batch_id)
    if is_refused:
        raise SystemExit(1)


def _run(work: UnitOfWork, actor: Actor, batch_id: int) -> bool:
    """Do the batch here, whatever workers do beside; tell whether something was refused."""
    part = 1
    while batches.get_batch(work, actor, batch_id).progress.waiting:
        bulk.run_batch(work, batch_id, part)
        work.commit()
        part += 1
    found = batches.get_batch(work, actor, batch_id)
    speak = translator(find_language())
    for entry in batches.list_all_entries(work, actor, found):
        reasons = " ".join(sentence(refusal, speak) for refusal in entry.reasons)
        click.echo("\t".join(filter(None, (entry.reference or "-", entry.outcome, reasons))))
    click.echo(f"{found.progress.done} done, {found.progress.refused} refused", err=True)
    return bool(found.progress.refused)
