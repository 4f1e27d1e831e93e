"""Schedule a step of a document for a day and time, and take it back."""

from typing import Any

from flask import redirect, request

from r2pflow.domain.errors import InvalidInput, Refused
from r2pflow.services.access import Subject, get_subject
from r2pflow.services.scheduling import cancel_schedule, list_schedulable, list_schedules, schedule
from r2pflow.web.auth import current_work, require_signed_in
from r2pflow.web.flashing import tell
from r2pflow.web.forms import read_form
from r2pflow.web.i18n import gettext, title_of
from r2pflow.web.pages import moments
from r2pflow.web.pages.document_shell import document_context, transition_title
from r2pflow.web.rendering import url
from r2pflow.web.routing import FORM, POST, Route
from r2pflow.web.sentences import sentence
from r2pflow.web.words import word


def schedule_step(reference: str) -> Any:
    actor, work = require_signed_in(), current_work()
    subject = get_subject(work, actor, reference)
    steps = list_schedulable(subject)
    form = read_form(transition=request.args.get("transition", ""), timezone=work.settings.timezone)
    if form.is_posted:
        transition = form.text("transition")
        try:
            moment = moments.read_fields(form)
            schedule(work, actor, reference, transition, moment, form.text("comment"))
            work.commit()
            title = transition_title(subject, transition)
            tell(gettext("Scheduled: “%(step)s”, %(when)s.", step=title, when=moments.tell_moment(moment)))
            if moved := moments.tell_moved(moment):
                tell(moved, "note")
            return redirect(url("document", reference=reference))
        except InvalidInput as error:
            form.refuse(error)
        except Refused as error:
            form.refuse(error)
            form.errors = {"transition": " ".join(sentence(one, subject) for one in error.refusals)}
        subject = get_subject(work, actor, reference)
    return form.render(
        "documents/schedule.html",
        **document_context(subject),
        step_choices=_list_choices(steps),
        schedules=tell_schedules(subject),
        zones=moments.list_zones(),
    )


def _list_choices(steps: list[tuple[Subject, Any]]) -> list[tuple[str, str]]:
    """Return the steps as choices: those that lead from the present state first."""
    ordered = sorted(steps, key=lambda pair: pair[0].state_name not in pair[1].sources)
    return [(one.name, title_of(one.title, word(one.name))) for _, one in ordered]


def tell_schedules(subject: Subject) -> list[dict[str, Any]]:
    """Return what is scheduled on a document, for the macro `scheduled`."""
    return [
        {
            "id": one.row.id,
            "title": transition_title(subject, one.row.name),
            "person": one.person,
            "due_at": one.row.due_at,
            "timezone": one.row.timezone,
            "comment": one.row.comment,
            "may_cancel": one.may_cancel,
        }
        for one in list_schedules(current_work(), subject)
    ]


def unschedule_step(reference: str, timer: int) -> Any:
    actor, work = require_signed_in(), current_work()
    cancel_schedule(work, actor, reference, timer)
    work.commit()
    tell(gettext("Taken back: it will not be done."))
    return redirect(url("document", reference=reference))


ROUTES: tuple[Route, ...] = (
    Route("/documents/<reference>/schedule", "schedule", schedule_step, FORM),
    Route("/documents/<reference>/schedule/<int:timer>/cancel", "unschedule", unschedule_step, POST),
)
