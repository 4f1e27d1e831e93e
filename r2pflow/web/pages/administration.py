"""Administration: jobs and mails, and the settings without their secrets."""

from typing import Any

from flask import redirect

from r2pflow.jobs.embedded import JobRow
from r2pflow.outputs.words import SUBJECTS
from r2pflow.services import administration
from r2pflow.services.people import ADMINISTRATORS
from r2pflow.web.auth import current_work, require_role
from r2pflow.web.flashing import tell
from r2pflow.web.i18n import N_, gettext
from r2pflow.web.rendering import render, url
from r2pflow.web.routing import POST, Route
from r2pflow.web.words import word

KINDS = {
    "render": N_("Set a PDF"),
    "notify": N_("Tell those whom it concerns"),
    "mail": N_("Send a mail"),
    "batch": N_("Fire a step on many documents"),
}


def show_administration() -> Any:
    actor = require_role(*ADMINISTRATORS)
    work = current_work()
    machinery = administration.read_machinery(work, actor)

    def subject_of(job: JobRow) -> str:
        event = str(job.payload.get("event"))
        if event not in SUBJECTS:
            return str(job.payload.get("subject") or "")
        return gettext(SUBJECTS[event], title=machinery.titles.get(job.payload["document_id"], "–"))

    return render(
        "administration.html",
        machinery=machinery,
        subject_of=subject_of,
        address_of=lambda job: job.payload.get("to") or machinery.addresses.get(job.payload.get("person_id"), ""),
        now=work.now(),
        settings_shown=administration.list_settings(work.settings),
        kind_of=lambda kind: gettext(KINDS[kind]) if kind in KINDS else word(kind),
    )


def retry_job(job: int) -> Any:
    actor, work = require_role(*ADMINISTRATORS), current_work()
    administration.retry_job(work, actor, job)
    work.commit()
    tell(gettext("The job will be tried again at once."))
    return redirect(url("administration"))


ROUTES: tuple[Route, ...] = (
    Route("/administration", "administration", show_administration),
    Route("/administration/jobs/<int:job>/retry", "retry_job", retry_job, POST),
)
