from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from r2pflow.domain.people import Actor
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import JobRow
from r2pflow.outputs.translations import translator
from r2pflow.persistence.documents import GrantRow, LocalRoleRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services.access import get_subject
from r2pflow.services.administration import list_settings
from r2pflow.services.drafting import create_document
from r2pflow.settings import Settings

from .conftest import Browser

Open = Callable[[str], Browser]


@pytest.fixture
def failed_job(work: UnitOfWork) -> int:
    work.enqueue("mail", "mail:1", to="a@example.org", subject="A comment was answered", text="Secret words", html="")
    work.enqueue("render", "render:7")
    work.session.flush()
    given_up = update(JobRow).where(JobRow.key == "mail:1").values(failed_at=work.now(), error="refused <b>550</b>")
    work.session.execute(given_up)
    work.commit()
    return work.session.query(JobRow).filter_by(key="mail:1").one().id


@pytest.mark.parametrize("name", ["secretary", "manager"])
def test_the_office_sees_jobs_with_their_errors_and_mails_without_their_texts(
    browse: Open, failed_job: int, name: str, count_queries: list[str]
):
    browser = browse(name)
    del count_queries[:]
    page = browser.get("/administration").get_data(as_text=True)
    assert len(count_queries) <= 25
    assert "refused &lt;b&gt;550&lt;/b&gt;" in page and "Set a PDF" in page
    assert "A comment was answered" in page and "Secret words" not in page
    assert "for tests only" not in page


def test_a_mail_is_told_by_its_subject_and_receiver_but_no_hidden_title(
    browse: Open, persons: dict[str, Actor], work: UnitOfWork
):
    blocks = canonical("<h1>Protect civilians</h1><p>Act early.</p>")
    reference = create_document(work, persons["secretary"], "joint_statement", blocks)
    subject = get_subject(work, persons["secretary"], reference)
    person_id = persons["member"].person_id
    work.enqueue("mail", "mail:2", event="ballot_opened", document_id=subject.id, person_id=person_id)
    work.commit()
    page = browse("secretary").get("/administration?hl=fr").get_data(as_text=True)
    assert "Protect civilians" in page and "member@example.org" in page and "ballot_opened" not in page
    assert translator("fr").gettext("Please decide: %(title)s", title="Protect civilians") in page
    work.session.execute(delete(GrantRow).where(GrantRow.permission == "view", GrantRow.role == "secretariat"))
    work.session.execute(delete(LocalRoleRow))
    work.commit()
    assert "Protect civilians" not in browse("secretary").get("/administration").get_data(as_text=True)


def test_a_job_that_was_given_up_is_tried_again_once(browse: Open, failed_job: int, work: UnitOfWork):
    browser = browse("secretary")
    assert browser.post(f"/administration/jobs/{failed_job}/retry").status_code == 302
    work.session.expire_all()
    row = work.session.get(JobRow, failed_job)
    assert row is not None and row.failed_at is None and row.attempts == 0
    assert browser.post(f"/administration/jobs/{failed_job}/retry").status_code == 404


@pytest.mark.parametrize("name", ["member", "steerer", "translator", "outsider", ""])
def test_nobody_else_sees_or_does_anything(browse: Open, failed_job: int, name: str):
    browser = browse(name)
    assert browser.get("/administration").status_code == 403
    assert browser.post(f"/administration/jobs/{failed_job}/retry").status_code == 403


def test_settings_are_shown_without_secrets():
    settings = Settings(
        secret_key="hush",
        mail_password="hush",
        database_url="postgresql://ada:hush@db/r2p",
        mail_sender="Office <office@example.org>",
    )
    shown = dict(list_settings(settings))
    assert "hush" not in str(shown)
    assert shown["R2PFLOW_DATABASE_URL"] == "postgresql://ada:***@db/r2p"
    assert shown["R2PFLOW_MAIL_SENDER"] == "Office <office@example.org>"
