"""`r2pflow dossier set|move` and `document move`."""

import click

from r2pflow.commands.application import find_actor, load_app, open_work
from r2pflow.services import dossiers

_PERSON = click.option("--as", "person", metavar="PERSON", help="E-mail address or id of who does it.")


@click.group()
def dossier() -> None:
    """Make dossiers, and move them with all that lies in them."""


@dossier.command("set")
@click.argument("slug", metavar="SLUG")
@click.option("--title", required=True)
@click.option("--language", default="en", show_default=True, help="The language of the title.")
@click.option("--kind", required=True, type=click.Choice(dossiers.DOSSIER_KINDS))
@click.option("--parent", metavar="SLUG", help="The dossier that it lies in; one that is there already is moved there.")
@_PERSON
def set_dossier(slug: str, title: str, language: str, kind: str, parent: str | None, person: str | None) -> None:
    """Make a dossier, or change the title in a language, the kind and the place of the one there is."""
    with open_work(load_app()) as work:
        actor = find_actor(work, person)
        row = dossiers.find_dossier(work, slug)
        titles = {**(row.titles if row else {}), language: title}
        dossiers.save_dossier(work, actor, slug, titles, kind, parent)
        if row is not None and parent:
            dossiers.move_dossier(work, actor, slug, parent)
        work.commit()
    click.echo(slug)


@dossier.command("move")
@click.argument("slug", metavar="SLUG")
@click.option("--to", "parent", metavar="SLUG", help="The dossier that it is to lie in.")
@click.option("--top", is_flag=True, help="To the top: in no other dossier.")
@_PERSON
def move_dossier(slug: str, parent: str | None, top: bool, person: str | None) -> None:
    """Move a dossier with all in it; whose sharing reaches it follows at once."""
    if bool(parent) == top:
        raise click.UsageError("Say either --to SLUG or --top.")
    with open_work(load_app()) as work:
        dossiers.move_dossier(work, find_actor(work, person), slug, parent)
        work.commit()
    click.echo(slug)


@click.command("move")
@click.argument("reference", metavar="REF")
@click.option("--dossier", "slug", metavar="D", help="The short name of the dossier that it goes into.")
@click.option("--out", is_flag=True, help="Out of its dossier, into none.")
@_PERSON
def move_document(reference: str, slug: str | None, out: bool, person: str | None) -> None:
    """Move a document to another dossier; it keeps its workflow, and whose sharing reaches it follows at once."""
    if bool(slug) == out:
        raise click.UsageError("Say either --dossier D or --out.")
    with open_work(load_app()) as work:
        dossiers.move_document(work, find_actor(work, person), reference, slug)
        work.commit()
    click.echo(reference)
