"""The stand-alone application on a fresh database, with a statement published in six languages, not yet rendered."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from r2pflow.commands.application import get_engine, prepare_database
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.text import Block, as_json, canonical, digest
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.publishing import EditionLanguageRow, EditionRow, PublicationRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people
from r2pflow.services.access import get_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.windows import get_revision_id
from r2pflow.standalone import create_app

ROOT = Path(__file__).resolve().parent.parent.parent
POSTGRESQL = os.environ.get("R2PFLOW_TEST_POSTGRESQL_URL", "")
TEXTS = {
    "ar": ("احموا المدنيين", "على الدول أن تتحرك مبكرا."),
    "en": ("Protect civilians", "States must act early."),
    "es": ("Proteger a los civiles", "Los Estados deben actuar pronto."),
    "fr": ("Protéger les civils", "Les États doivent agir tôt."),
    "ru": ("Защитить гражданское население", "Государства должны действовать заблаговременно."),
    "zh": ("保护平民", "各国必须及早行动。"),
}


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database: SQLite, or PostgreSQL where the run gives its address."""
    if not POSTGRESQL:
        yield f"sqlite:///{tmp_path / 'r2pflow.sqlite'}"
        return
    schema = f"jobs_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    admin = create_engine(POSTGRESQL)
    with admin.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    sign = "&" if "?" in POSTGRESQL else "?"
    yield f"{POSTGRESQL}{sign}options=-csearch_path%3D{schema}"
    with admin.begin() as connection:
        connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
    admin.dispose()


@pytest.fixture
def config(tmp_path: Path, database: str) -> dict[str, Any]:
    return {
        "R2PFLOW_INSTANCE": str(tmp_path),
        "R2PFLOW_DATABASE_URL": database,
        "R2PFLOW_WORKFLOW_FOLDERS": str(ROOT / "tests" / "services" / "workflows"),
        "R2PFLOW_JOB_LEASE": 3,
        "R2PFLOW_WORKER_PROCESSES": 2,
    }


@pytest.fixture
def app(config: dict[str, Any]) -> Iterator[Flask]:
    app = create_app(config)
    prepare_database(app)
    yield app
    get_engine(app).dispose()


@pytest.fixture
def engine(app: Flask) -> Engine:
    return get_engine(app)


@pytest.fixture
def begin(app: Flask, engine: Engine) -> Callable[[Session], UnitOfWork]:
    mount = app.extensions["r2pflow"]
    return lambda session: UnitOfWork(session, mount.catalogue, mount.settings, EmbeddedQueue())


@pytest.fixture
def edition(begin: Callable[[Session], UnitOfWork], engine: Engine) -> int:
    """The id of an edition in six languages, each with its rendering job queued."""
    with Session(engine) as session:
        work = begin(session)
        person = {"name": "Awa Diop", "email": "awa@example.org", "roles": ["secretariat"]}
        actor = people.load_actor(work, people.save_person(work, THE_SYSTEM, person))
        assert actor is not None
        texts = {code: make_blocks(*told) for code, told in TEXTS.items()}
        subject = get_subject(work, actor, create_document(work, actor, "statement", texts["en"]))
        publication = PublicationRow(document_id=subject.id, symbol="TEST/2027/ST/1")
        session.add(publication)
        session.flush()
        row = EditionRow(
            publication_id=publication.id,
            number=1,
            revision_id=get_revision_id(work, subject),
            digest=digest(texts["en"]),
            fields={},
            published_at=work.now(),
        )
        session.add(row)
        session.flush()
        for code, blocks in texts.items():
            language = EditionLanguageRow(
                edition_id=row.id,
                language=code,
                title=TEXTS[code][0],
                blocks=as_json(blocks),
                search_text="",
                added_at=work.now(),
            )
            session.add(language)
            session.flush()
            work.enqueue("render", f"render:{language.id}", edition_language_id=language.id)
        work.commit()
        return row.id


def make_blocks(title: str, sentence: str) -> tuple[Block, ...]:
    """Return a text that takes some tenths of a second to set, and has a paragraph to look for."""
    paragraphs = "".join(f"<p data-block='p{n}'>{sentence} {n}.</p>" for n in range(1, 60))
    return canonical(f"<h1 data-block='title'>{title}</h1>{paragraphs}")


@pytest.fixture
def start_worker(config: dict[str, Any], tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the worker as the operator does: a process of its own, ended at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, **{name: str(value) for name, value in config.items()}}
        process = subprocess.Popen(
            [sys.executable, "-m", "r2pflow.cli", "worker", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(holds: Callable[[], object], seconds: float = 60) -> Any:
    """Return the first true answer; fail when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {holds}")


def read_now() -> datetime:
    return datetime.now(UTC)
