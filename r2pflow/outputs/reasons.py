"""Explanations in any language: why a step can or cannot be fired, who could, and why somebody holds a permission."""

from collections.abc import Iterable, Mapping
from typing import Any

from r2pflow.domain.definition import AUTOMATIC, TIMER, USER, State, Workflow
from r2pflow.domain.errors import Refusal, Refused
from r2pflow.domain.people import Titles
from r2pflow.domain.reasons import Reason, Source
from r2pflow.outputs.sentences import sentence
from r2pflow.outputs.sentences import word as word
from r2pflow.outputs.translations import Translator
from r2pflow.outputs.words import N_
from r2pflow.services.access import Subject
from r2pflow.services.explaining import Explanation
from r2pflow.services.parties import EVERYBODY, GROUP, ORGANISATION, OWN, SIGNED_IN, Party
from r2pflow.services.windows import SCHEDULED

_SOURCES: Mapping[tuple[str, str], str] = {  # by who has the role, and where
    (OWN, ""): N_("%(role)s: own role"),
    (OWN, "document"): N_("%(role)s: given on this document"),
    (OWN, "dossier"): N_("%(role)s: given on the dossier “%(dossier)s”"),
    (ORGANISATION, ""): N_("%(role)s: role of %(called)s"),
    (ORGANISATION, "document"): N_("%(role)s: given to %(called)s on this document"),
    (ORGANISATION, "dossier"): N_("%(role)s: given to %(called)s on the dossier “%(dossier)s”"),
    (GROUP, "document"): N_("%(role)s: given to the group %(called)s on this document"),
    (GROUP, "dossier"): N_("%(role)s: given to the group %(called)s on the dossier “%(dossier)s”"),
}


def tell_reason(reason: Reason, speak: Translator) -> str:
    """Return by which role somebody holds a permission, and where that comes from."""
    told = _tell_source(reason.role, reason.source, speak)
    if reason.origin == "above":
        return speak.gettext("%(reason)s (granted by a dossier above)", reason=told)
    if reason.origin == "chain":
        return speak.gettext("%(reason)s (ruled by another workflow of this document)", reason=told)
    return told


def _tell_source(role: str, source: Source, speak: Translator) -> str:
    if source.kind == EVERYBODY:
        return speak.gettext("open to everybody")
    if source.kind == SIGNED_IN:
        return speak.gettext("open to everyone signed in")
    called, dossier = source.called.get(speak.language), source.where.get(speak.language)
    sentence_of = _SOURCES[source.kind, source.place]
    return speak.gettext(sentence_of, role=word(role, speak), called=called, dossier=dossier)


def tell_party(party: Party, speak: Translator) -> str:
    """Return what somebody is called, in the middle of a sentence."""
    if party.kind == EVERYBODY:
        return speak.gettext("everybody")
    if party.kind == SIGNED_IN:
        return speak.gettext("everyone signed in")
    return party.called.get(speak.language)


def tell_refusals(one: Explanation, subject: Subject, speak: Translator) -> list[str]:
    """Return all that is in the way, a sentence each."""
    return [_tell_refusal(one.workflow, refusal, subject, speak) for refusal in one.refusals]


def tell_refused(error: Refused, subject: Subject, speak: Translator) -> list[str]:
    """Return why a transition was refused, in the same sentences."""
    workflow = subject.find_lane(error.transition).workflow
    return [_tell_refusal(workflow, refusal, subject, speak) for refusal in error.refusals]


def _tell_refusal(workflow: Workflow, refusal: Refusal, subject: Subject, speak: Translator) -> str:
    if refusal.code == "wrong_state":
        accepted = [tell_state(workflow, name, speak) for name in refusal.params["accepted"]]
        return speak.gettext(
            "This step leads from: %(states)s. The document is in “%(state)s”.",
            states=speak.enumeration(accepted),
            state=tell_state(workflow, refusal.params["state"], speak),
        )

    def title_field(name: str) -> str:
        field = subject.type.field(name)
        return field.title.get(speak.language) if field is not None else ""

    return sentence(refusal, speak, title_field)


def tell_could(one: Explanation, speak: Translator) -> str:
    """Return who could fire the transition, conditions aside; empty where nobody does it by hand."""
    if USER not in one.transition.triggers:
        return ""
    if not one.could:
        return speak.gettext("Nobody holds now what this step asks for: %(asked)s.", asked=_tell_asked(one, speak))
    names = [tell_party(party, speak) for party in one.could]
    more = one.could_count - len(names)
    if more:
        names.append(speak.ngettext("%(num)s other", "%(num)s others", more))
    return speak.gettext("Who could: %(who)s.", who=speak.enumeration(names))


def _tell_asked(one: Explanation, speak: Translator) -> str:
    asked = []
    if one.who.permissions:
        holders = sorted(one.who.permission_roles) or ["–"]
        asked.append(
            speak.gettext(
                "the permission “%(permission)s” (roles: %(roles)s)",
                permission=_join(one.who.permissions, speak),
                roles=_join(holders, speak),
            )
        )
    if one.who.roles:
        asked.append(speak.gettext("one of the roles: %(roles)s", roles=_join(sorted(one.who.roles), speak)))
    if one.who.groups:
        asked.append(speak.gettext("one of the groups: %(groups)s", groups=_join(sorted(one.who.groups), speak)))
    return speak.parts(asked) or speak.gettext("to see the document there")


def tell_notes(one: Explanation, speak: Translator) -> list[str]:
    """Return what else is to be known of a transition: a comment that it needs, who fires it by itself, and when."""
    notes = []
    if one.needs_comment:
        notes.append(speak.gettext("This step needs a comment that says why."))
    if one.bypasses:
        notes.append(speak.gettext("Guards ask nothing of this person here; that is written into the history."))
    if {AUTOMATIC, USER} <= set(one.transition.triggers):
        notes.append(speak.gettext("It happens by itself as soon as its conditions hold."))
    for due in one.due:
        told = N_("It is scheduled for %(at)s.") if due.kind == SCHEDULED else N_("It happens by itself on %(at)s.")
        notes.append(speak.gettext(told, at=speak.datetime(due.at)))
    if {TIMER, USER} <= set(one.transition.triggers) and not one.due:
        notes.append(speak.gettext("A deadline fires it, in the state that sets one."))
    return notes


def tell_title(one: Explanation, speak: Translator) -> str:
    """Return the title of the transition."""
    return one.transition.title.get(speak.language) or word(one.transition.name, speak)


def tell_state(workflow: Workflow, name: str, speak: Translator) -> str:
    """Return the title of a state."""
    state: State | None = workflow.states.get(name)
    title = state.title if state is not None else Titles()
    return title.get(speak.language) or word(name, speak)


def _join(names: Iterable[str], speak: Translator) -> str:
    return speak.enumeration([word(name, speak) for name in names])


# As plain values, for JSON


def describe(one: Explanation, subject: Subject, speak: Translator) -> dict[str, Any]:
    """Return an explanation as plain values: what a program reads, and the sentences that a person does."""
    messages = tell_refusals(one, subject, speak)
    return {
        "name": one.transition.name,
        "title": tell_title(one, speak),
        "workflow": one.workflow.name,
        "from": list(one.transition.sources),
        "to": one.to,
        "fireable": one.is_fireable,
        "comment": one.transition.comment,
        "triggers": list(one.transition.triggers),
        "bypass": one.bypasses,
        "refusals": [
            {"code": refusal.code, "params": dict(refusal.params), "message": message}
            for refusal, message in zip(one.refusals, messages, strict=True)
        ],
        "who": {
            "permissions": list(one.who.permissions),
            "permission_roles": sorted(one.who.permission_roles),
            "roles": sorted(one.who.roles),
            "groups": sorted(one.who.groups),
            "bypass": sorted(one.who.bypass),
        },
        "could": {
            "count": one.could_count,
            "some": [{"kind": party.kind, "name": tell_party(party, speak)} for party in one.could],
            "message": tell_could(one, speak),
        },
        "due": [{"kind": due.kind, "at": due.at.isoformat(), "timezone": due.timezone} for due in one.due],
        "notes": tell_notes(one, speak),
    }


def describe_permissions(held: Mapping[str, Iterable[Reason]], speak: Translator) -> dict[str, list[dict[str, str]]]:
    """Return by permission every reason why it is held, as plain values; an empty list where it is not."""
    return {
        name: [
            {
                "role": reason.role,
                "from": reason.source.place or "everywhere",
                "by": reason.source.kind,
                "message": tell_reason(reason, speak),
            }
            for reason in reasons
        ]
        for name, reasons in held.items()
    }
