"""Many people press a button at once, on both databases."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

from r2pflow.domain.text import canonical
from r2pflow.persistence.base import Base
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.services.drafting import create_document

from .conftest import make_host

POSTGRESQL = os.environ.get("R2PFLOW_TEST_POSTGRESQL_URL", "")
WRITERS, EACH = 8, 25
FIELDS = {"scope": "normative", "crimes": ["genocide"]}
TEXT = "<h1>Protect civilians</h1><p>States must act early.</p>"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    schema, config = f"web_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}", {}
    if request.param == "postgresql":
        if not POSTGRESQL:
            pytest.skip("R2PFLOW_TEST_POSTGRESQL_URL is not set")
        admin = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        options = {"connect_args": {"options": f"-csearch_path={schema}"}}
        config = {"url": POSTGRESQL, "SQLALCHEMY_ENGINE_OPTIONS": options}
    app = make_host(tmp_path, **config)
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        Base.metadata.create_all(engine)
    yield app
    with app.app_context():
        engine.dispose()
    if request.param == "postgresql":
        with admin.connect() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        admin.dispose()


@pytest.fixture
def papers(work: Any, persons: Any) -> list[str]:
    found = [
        create_document(work, persons["secretary"], "joint_statement", canonical(TEXT), fields=FIELDS)
        for _ in range(WRITERS * EACH)
    ]
    work.commit()
    return found


def press(browse: Any, shares: list[list[str]], **form: Any) -> list[Any]:
    """Post the step `open_comment` for each share of documents from a browser of its own, all beginning at once."""
    barrier = Barrier(len(shares))
    browsers = [browse("secretary") for _ in shares]
    tokens = [browser.token() for browser in browsers]

    def run(number: int) -> list[Any]:
        barrier.wait(30)
        client, sent = browsers[number].client, {"csrf_token": tokens[number], **form}
        return [client.post(f"/documents/{reference}/fire/open_comment", data=sent) for reference in shares[number]]

    with ThreadPoolExecutor(len(shares)) as pool:
        return [answer for answers in pool.map(run, range(len(shares))) for answer in answers]


def test_on_different_documents_every_post_succeeds(browse: Any, papers: list[str], work: Any) -> None:
    answers = press(browse, [papers[number::WRITERS] for number in range(WRITERS)])
    assert [answer.status_code for answer in answers] == [302] * (WRITERS * EACH)
    moved = select(func.count()).select_from(DocumentRow).where(DocumentRow.state == "member_comment")
    assert work.session.scalar(moved) == WRITERS * EACH


def test_on_the_same_document_one_wins_and_the_others_read_what_happened(
    browse: Any, papers: list[str], work: Any
) -> None:
    seen = work.session.scalar(select(DocumentRow.change_number).where(DocumentRow.reference == papers[0]))
    work.session.rollback()
    answers = press(browse, [[papers[0]]] * 4, change_number=seen, comment="go on then")
    assert sorted(answer.status_code for answer in answers) == [302, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            page = answer.get_data(as_text=True)
            assert "Meanwhile:" in page and "<bdi>Secretary</bdi>: chose “Open for comment”." in page
            assert "go on then" in page and "locked" not in page and "deadlock" not in page
    fired = select(func.count()).select_from(HistoryEntryRow).join(DocumentRow)
    fired = fired.where(DocumentRow.reference == papers[0], HistoryEntryRow.kind == "transition")
    assert work.session.scalar(fired) == 1
