"""`r2pflow person add|link`, `organisation add` and `group set`: so that an operator can begin."""

import click

from r2pflow.accounts.links import make_sign_in_link
from r2pflow.commands.application import find_actor, load_app, open_work
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.services import people


@click.group()
def person() -> None:
    """Add persons, and give them links to sign in."""


@person.command("add")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--organisation", metavar="SLUG", help="The short name of the organisation that the person speaks for.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="secretariat, translator, manager...; repeatable.")
@click.option("--language", default="en", show_default=True)
@click.option("--timezone", default="UTC", show_default=True, help="IANA name, such as Africa/Dakar.")
def add_person(
    name: str, email: str, organisation: str | None, roles: tuple[str, ...], language: str, timezone: str
) -> None:
    """Add a person, and print the id."""
    values = {
        "name": name,
        "email": email,
        "organisation": organisation,
        "roles": list(roles),
        "language": language,
        "timezone": timezone,
    }
    with open_work(load_app()) as work:
        person_id = people.save_person(work, THE_SYSTEM, values)
        work.commit()
    click.echo(person_id)


@person.command("link")
@click.argument("who", metavar="PERSON")
def link(who: str) -> None:
    """Print a link that signs a person in once, within the hour."""
    app = load_app()
    with open_work(app) as work:
        person_id = find_actor(work, who).person_id
    assert person_id is not None
    click.echo(make_sign_in_link(app, person_id, is_demo=False))


@click.group()
def organisation() -> None:
    """Add organisations."""


@organisation.command("add")
@click.option("--slug", required=True, help="Short name: a to z, digits and hyphens.")
@click.option("--name", required=True)
@click.option("--short-name", default="")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="member, steering, secretariat...; repeatable.")
@click.option("--region", default="")
@click.option("--sector", default="")
@click.option("--scope", default="")
@click.option("--country", default="", help="ISO code of two letters.")
@click.option("--language", default="en", show_default=True)
def add_organisation(
    slug: str,
    name: str,
    short_name: str,
    roles: tuple[str, ...],
    region: str,
    sector: str,
    scope: str,
    country: str,
    language: str,
) -> None:
    """Add an organisation, and print its short name."""
    values = {
        "slug": slug,
        "names": {language: name},
        "short_name": short_name,
        "roles": list(roles),
        "region": region,
        "sector": sector,
        "scope": scope,
        "country": country,
        "language": language,
    }
    with open_work(load_app()) as work:
        click.echo(people.save_organisation(work, THE_SYSTEM, values))
        work.commit()


@click.group()
def group() -> None:
    """Name groups of organisations, such as a bureau."""


@group.command("set")
@click.argument("name")
@click.option("--title", help="What people read; the name where it is left out.")
@click.option("--organisation", "organisations", multiple=True, metavar="SLUG", help="Who is in it; repeatable.")
@click.option("--language", default="en", show_default=True, help="The language of the title.")
def set_group(name: str, title: str | None, organisations: tuple[str, ...], language: str) -> None:
    """Make a group, or say anew which organisations are in it."""
    with open_work(load_app()) as work:
        people.save_group(work, THE_SYSTEM, name, {language: title or name.replace("_", " ")}, organisations)
        work.commit()
    click.echo(name)
