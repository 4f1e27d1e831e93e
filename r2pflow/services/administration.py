"""What the secretariat sees of the machinery: jobs, mails, and the settings without their secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from r2pflow.domain.errors import NotFound
from r2pflow.domain.people import Actor
from r2pflow.jobs.embedded import EmbeddedQueue, JobRow
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.people import PersonRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import visible_to
from r2pflow.services.people import require_administrator
from r2pflow.settings import Settings

SECRET = frozenset({"secret_key", "mail_password"})
HIDDEN = "•••"


@dataclass(frozen=True)
class Machinery:
    """The queue as it stands: how many jobs are open, the next of them, those in trouble, and the newest mails.

    `addresses` are those of the persons in the jobs, `titles` of the documents that the reader may view, by id.
    """

    open_count: int
    waiting: Sequence[JobRow]
    troubled: Sequence[JobRow]
    mails: Sequence[JobRow]
    addresses: Mapping[int, str]
    titles: Mapping[int, str]


def read_machinery(work: UnitOfWork, actor: Actor, limit: int = 15) -> Machinery:
    """Return how the queue stands; raise Forbidden for whoever does not keep the office."""
    require_administrator(actor)
    queue = EmbeddedQueue()
    is_open = (JobRow.done_at.is_(None), JobRow.failed_at.is_(None))
    waiting = select(JobRow).where(*is_open).order_by(JobRow.due_at, JobRow.id).limit(limit)
    mails = select(JobRow).where(JobRow.kind == "mail").order_by(JobRow.id.desc()).limit(limit)
    lists = (
        work.session.scalars(waiting).all(),
        queue.list_failed(work.session, limit),
        work.session.scalars(mails).all(),
    )
    payloads = [job.payload for jobs in lists for job in jobs]
    persons = {payload["person_id"] for payload in payloads if "person_id" in payload}
    documents = {payload["document_id"] for payload in payloads if "document_id" in payload}
    addresses = work.session.execute(select(PersonRow.id, PersonRow.email).where(PersonRow.id.in_(persons)))
    titles = work.session.execute(
        select(DocumentRow.id, DocumentRow.title).where(DocumentRow.id.in_(documents), visible_to(actor))
    )
    return Machinery(
        queue.count_open(work.session),
        *lists,
        addresses={number: email for number, email in addresses},
        titles={number: title for number, title in titles},
    )


def retry_job(work: UnitOfWork, actor: Actor, job_id: int) -> None:
    """Let a job that was given up be tried again; raise NotFound where it is not given up any more."""
    require_administrator(actor)
    if not EmbeddedQueue().retry(work.session, job_id, now=work.now()):
        raise NotFound("job_not_found", job=job_id)


def list_settings(settings: Settings) -> list[tuple[str, Any]]:
    """Return each setting by the name of its key; of secrets only whether they are set."""
    shown: list[tuple[str, Any]] = []
    for one in fields(Settings):
        value = getattr(settings, one.name)
        if one.name in SECRET:
            value = HIDDEN if value else ""
        elif one.name == "database_url" and value:
            value = _hide_password(str(value))
        shown.append((f"R2PFLOW_{one.name.upper()}", value))
    return shown


def _hide_password(address: str) -> str:
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return HIDDEN
