"""`r2pflow document explain`."""

import json
from typing import Any

import click

from r2pflow.commands.application import load_app, open_work
from r2pflow.commands.language import find_language
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.outputs import reasons
from r2pflow.outputs.translations import Translator, translator
from r2pflow.outputs.words import N_
from r2pflow.services.access import Subject
from r2pflow.services.explaining import Explanation, explain, explain_permissions, meet


@click.command("explain")
@click.argument("reference", metavar="REF")
@click.option("--as", "person", metavar="PERSON", required=True, help="E-mail address or id of whom it is about.")
@click.option("--transition", metavar="T", help="This one only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain_document(reference: str, person: str, transition: str | None, as_json: bool) -> None:
    """Say of each transition whether the person could fire it, all that is missing, and who could."""
    app = load_app()
    speak = translator(find_language())
    with open_work(app) as work:
        subject = meet(work, THE_SYSTEM, reference, person)
        explanations = explain(work, subject, transition)
        held = explain_permissions(work, subject)
    if as_json:
        told: dict[str, Any] = {
            "reference": subject.reference,
            "person": {"id": subject.actor.person_id, "name": subject.actor.name},
            "states": subject.standing,
            "transitions": [reasons.describe(one, subject, speak) for one in explanations],
            "permissions": reasons.describe_permissions(held, speak),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    states = (reasons.tell_state(lane.workflow, lane.state_name, speak) for lane in subject.lanes)
    click.echo(f"{subject.reference}  {subject.title}")
    click.echo(f"{subject.actor.name} · {speak.enumeration(states)}")
    for one in explanations:
        _print(one, subject, speak)
    if transition is None:
        click.echo()
        for permission, why in held.items():
            told_why = speak.parts(reasons.tell_reason(reason, speak) for reason in why) or speak.gettext(N_("no"))
            click.echo(f"{reasons.word(permission, speak)}: {told_why}")


def _print(one: Explanation, subject: Subject, speak: Translator) -> None:
    verdict = N_("possible now") if one.is_fireable else N_("not possible now")
    click.echo(f"\n{one.transition.name}  {reasons.tell_title(one, speak)}: {speak.gettext(verdict)}")
    for told in (*reasons.tell_refusals(one, subject, speak), *reasons.tell_notes(one, speak)):
        click.echo(f"    {told}")
    if not one.is_fireable and (who := reasons.tell_could(one, speak)):
        click.echo(f"    {who}")
