"""A worker that is killed in the middle of rendering loses nothing and leaves nothing half done."""

import os
import signal
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from r2pflow.jobs.embedded import JobRow
from r2pflow.persistence.publishing import EditionLanguageRow

from .conftest import TEXTS, wait_until


def list_children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the rendering processes by /proc")
def test_a_worker_killed_in_the_middle_of_rendering_leaves_each_pdf_once_and_whole(
    engine, edition, start_worker, tmp_path
):
    def read_rows():
        with Session(engine) as session:
            return session.scalars(select(EditionLanguageRow).where(EditionLanguageRow.edition_id == edition)).all()

    def is_in_the_middle():
        with Session(engine) as session:
            leased = session.scalars(select(JobRow.id).where(JobRow.leased_until.is_not(None))).all()
        return leased and any(row.pdf_path for row in read_rows())

    killed = start_worker()
    wait_until(is_in_the_middle)
    children = list_children(killed.pid)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done_before = {row.language: row.pdf_sha256 for row in read_rows() if row.pdf_path}
    assert 0 < len(done_before) < len(TEXTS)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 20)  # none is left behind

    second = start_worker("--until-idle")
    output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output

    rows = read_rows()
    assert {row.language for row in rows if row.pdf_path} == set(TEXTS)
    for row in rows:
        content = (tmp_path / row.pdf_path).read_bytes()
        assert content.startswith(b"%PDF-1.7") and content.rstrip().endswith(b"%%EOF")
        assert sha256(content).hexdigest() == row.pdf_sha256
    assert {row.language: row.pdf_sha256 for row in rows if row.language in done_before} == done_before
    assert {path.name for path in (tmp_path / "published").iterdir()} == {Path(row.pdf_path).name for row in rows}
    with Session(engine) as session:
        jobs = session.scalars(select(JobRow).where(JobRow.kind == "render")).all()
    assert all(job.done_at is not None and job.error == "" for job in jobs)
