"""The worker does what is due, once, and says what it could not do."""

import signal
import threading
import time
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from r2pflow.jobs.embedded import LAST_ATTEMPT, EmbeddedQueue, JobRow
from r2pflow.outputs.render_pool import Failure, RenderPool
from r2pflow.persistence.history import HistoryEntryRow, TimerRow
from r2pflow.persistence.publishing import EditionLanguageRow
from r2pflow.services.notices import PAGES
from r2pflow.worker import run_worker

from .conftest import TEXTS, make_blocks, read_now, wait_until


def queue_job(engine, kind, key, **payload):
    with Session(engine) as session:
        EmbeddedQueue().enqueue(session, kind, key, payload, now=read_now())
        session.commit()


def read_job(engine, key):
    with Session(engine) as session:
        return session.scalars(select(JobRow).where(JobRow.key == key)).one()


def letter(**changed):
    return {"to": "awa@example.org", "subject": "Sign in", "text": "Here.", "html": "", **changed}


def test_six_languages_are_rendered_each_once_and_whole(app, engine, edition, tmp_path):
    assert run_worker(app, until_idle=True) == 6
    with Session(engine) as session:
        rows = session.scalars(select(EditionLanguageRow).where(EditionLanguageRow.edition_id == edition)).all()
    assert {row.language for row in rows} == set(TEXTS)
    for row in rows:
        content = (tmp_path / row.pdf_path).read_bytes()
        assert content.startswith(b"%PDF-1.7") and content.rstrip().endswith(b"%%EOF")
        assert (sha256(content).hexdigest(), len(content)) == (row.pdf_sha256, row.pdf_size)
    assert len(list((tmp_path / "published").iterdir())) == 6


def test_a_pdf_that_is_there_is_not_written_again(app, engine, edition, tmp_path):
    run_worker(app, until_idle=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "published").iterdir()}
    with Session(engine) as session:
        session.execute(update(JobRow).values(done_at=None, leased_until=None, leased_by=None))
        session.commit()
    assert run_worker(app, until_idle=True) == 6
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "published").iterdir()} == before


def test_a_letter_goes_to_the_outbox(app, engine, tmp_path):
    queue_job(engine, "mail", "mail:1", **letter())
    assert run_worker(app, until_idle=True) == 1
    [file] = (tmp_path / "outbox").iterdir()
    assert b"To: awa@example.org" in file.read_bytes()


def test_once_does_one_job(app, engine, tmp_path):
    for number in range(3):
        queue_job(engine, "mail", f"mail:{number}", **letter())
    assert run_worker(app, once=True) == 1
    assert len(list((tmp_path / "outbox").iterdir())) == 1


def test_a_failing_job_is_put_off_with_its_reason_and_the_next_one_is_done(app, engine, tmp_path):
    queue_job(engine, "mail", "mail:bad", **letter(to="nobody"))
    queue_job(engine, "no such kind", "x")
    queue_job(engine, "render", "render:0", edition_language_id=0)
    queue_job(engine, "mail", "mail:good", **letter())
    assert run_worker(app, until_idle=True) == 1
    assert "bad_email" in read_job(engine, "mail:bad").error
    assert "unknown_job" in read_job(engine, "x").error
    assert "NoResultFound" in read_job(engine, "render:0").error
    assert read_job(engine, "mail:bad").due_at > read_now()
    assert read_job(engine, "mail:good").done_at is not None


def test_a_job_whose_workers_all_died_is_given_up(app, engine):
    queue_job(engine, "mail", "mail:1", **letter())
    with Session(engine) as session:
        session.execute(update(JobRow).values(attempts=LAST_ATTEMPT))
        session.commit()
    assert run_worker(app, until_idle=True) == 0
    assert read_job(engine, "mail:1").failed_at is not None


def test_a_due_timer_is_run_and_one_that_is_refused_does_not_hold_up_the_rest(app, engine, edition):
    with Session(engine) as session:
        for _ in range(2):
            session.add(
                TimerRow(
                    document_id=1, kind="fire", name="publish", state="drafting", due_at=read_now(), timezone="UTC"
                )
            )
        session.commit()
    run_worker(app, until_idle=True)
    with Session(engine) as session:
        entries = session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "timer")).all()
        assert [entry.params["what"] for entry in entries] == ["refused", "refused"]
        assert session.scalars(select(TimerRow).where(TimerRow.ended_at.is_(None))).all() == []


def test_a_long_job_keeps_its_lease(app, engine, monkeypatch):
    """The lease is three seconds; a job of five is not taken by a second worker."""
    from r2pflow import worker

    ran = []

    def slow(work, job):
        ran.append(threading.current_thread().name)
        time.sleep(5)

    monkeypatch.setattr(worker, "KINDS", {"slow": slow})
    queue_job(engine, "slow", "slow:1")
    other = threading.Thread(target=lambda: run_worker(app, until_idle=True))
    other.start()
    wait_until(lambda: ran)
    run_worker(app, until_idle=True)
    other.join()
    assert len(ran) == 1
    assert read_job(engine, "slow:1").attempts == 1


def test_idle_waits_for_what_another_worker_has_in_hand(app, engine, tmp_path):
    queue_job(engine, "mail", "mail:1", **letter())
    with Session(engine) as session:
        assert EmbeddedQueue().lease(session, "dead", now=read_now(), seconds=1) is not None
    assert run_worker(app, until_idle=True) == 1


def test_a_stop_gives_back_what_is_in_hand(app, engine, edition, start_worker):
    process = start_worker()
    wait_until(lambda: count_done(engine) >= 1)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    with Session(engine) as session:
        rows = session.scalars(select(JobRow)).all()
    assert all(row.done_at is not None or row.leased_until is None for row in rows)
    assert all(row.error == "" for row in rows)


def count_done(engine):
    with Session(engine) as session:
        return len(session.scalars(select(EditionLanguageRow.id).where(EditionLanguageRow.pdf_path != "")).all())


@pytest.fixture
def pool():
    with RenderPool(1) as pool:
        yield pool


def test_a_rendering_process_that_died_is_replaced(pool, app, engine, edition):
    from r2pflow.domain.printable import Printable

    printable = Printable(language="en", title="Protect", blocks=make_blocks(*TEXTS["en"]))
    assert isinstance(pool.submit(printable).result(), bytes)
    [process] = pool._executor._processes.values()
    process.kill()
    process.join()
    wait_until(lambda: pool._executor._broken)
    assert isinstance(pool.submit(printable).result(), bytes)


def test_what_cannot_be_set_is_a_failure_that_says_why(pool):
    from r2pflow.domain.printable import Printable

    result = pool.submit(Printable(language="en", title="x", blocks=(), template="no such template")).result()
    assert isinstance(result, Failure)
    assert "no such template" in result.told


def test_a_timer_of_the_future_is_left_alone(app, engine, edition):
    with Session(engine) as session:
        session.add(
            TimerRow(
                document_id=1,
                kind="fire",
                name="publish",
                state="drafting",
                due_at=read_now() + timedelta(hours=1),
                timezone="UTC",
            )
        )
        session.commit()
    run_worker(app, once=True)
    with Session(engine) as session:
        assert session.scalars(select(TimerRow.ended_at)).one() is None


@pytest.mark.parametrize("page", PAGES)
def test_the_button_of_a_mail_leads_to_a_page(app, page):
    path = PAGES[page].format(reference="ST-1", symbol="TEST/2027/ST/1")
    endpoint, _ = app.url_map.bind("localhost").match(path)
    assert endpoint.startswith("r2pflow.")
