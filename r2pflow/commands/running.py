"""`r2pflow demo|serve|worker|doctor|db`."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from r2pflow import doctor as checks
from r2pflow.accounts.links import DEMO_KEY, make_sign_in_link
from r2pflow.commands import serving
from r2pflow.commands.application import drop_tables, get_engine, load_app, open_work, prepare_database, upgrade
from r2pflow.demo import make_demo_clock, run_demo, write_demo_settings
from r2pflow.domain.errors import SetupError
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.documents import DocumentRow
from r2pflow.persistence.people import PersonRow
from r2pflow.services.people import load_actor
from r2pflow.worker import run_worker

KINDS = (
    ("secretariat", "secretariat", frozenset[str]()),
    ("member", "member", frozenset(("steering", "secretariat", "translator"))),
    ("steering", "steering", frozenset(("secretariat",))),
    ("translator", "translator", frozenset(("secretariat",))),
)
"""The kinds of person that a demonstration signs in: a role that they have, and those that they lack."""

MARK = "demo-unfinished"
"""A file in the instance folder while the demonstration is loaded into it: what is there then is nobody's work."""


@click.command()
def demo() -> None:
    """Carry the shipped sample documents through their whole workflow, and name every PDF that was published."""
    _log(logging.WARNING)
    _load_demo(load_app(is_prepared=False), click.echo)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--demo", "is_demo", is_flag=True, help="Load the demonstration into an empty instance; print links.")
@click.option("--no-worker", is_flag=True, help="Serve pages only; `r2pflow worker` runs elsewhere.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 200))
def serve(host: str, port: int, is_demo: bool, no_worker: bool, threads: int) -> None:
    """Serve pages and work off jobs, until Ctrl-C."""
    _log(logging.WARNING)
    site = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"
    os.environ.setdefault("R2PFLOW_BASE_URL", site)
    serving.check_port(host, port)
    app = load_app({DEMO_KEY: True} if is_demo else None, is_prepared=False)
    links: list[tuple[str, str, str]] = []
    if not _is_unfinished(app):
        prepare_database(app)
    if is_demo:
        if _is_unfinished(app) or _is_without_documents(app):
            _load_demo(app, click.echo)
            os.execv(sys.executable, [sys.executable, "-m", "r2pflow.cli", *sys.argv[1:]])  # a small process again
        links = _make_links(app)
    get_engine(app).dispose()

    def greet() -> None:
        click.echo(f"r2pflow is at {site}")
        for kind, name, address in links:
            click.echo(f"    as {kind} ({name}): {address}")
        click.echo("Ctrl-C ends it.")

    serving.Site(app, host, port, threads=threads, with_worker=not no_worker, greet=greet).run()


@click.command()
@click.option("--once", is_flag=True, help="Do one timer or job, and end.")
@click.option("--until-idle", is_flag=True, help="Do what is due, and end.")
@click.option("--processes", type=click.IntRange(0, 256), default=0, help="Render so many PDFs side by side.")
@click.option("--with-parent", "parent", type=int, hidden=True, help="End when the parent, of that id, does.")
def worker(once: bool, until_idle: bool, processes: int, parent: int | None) -> None:
    """Work off jobs and timers, until Ctrl-C. Several workers may run, on several machines."""
    _log(logging.INFO)
    stop = serving.stop_with_parent(parent) if parent else None
    run_worker(load_app(), once=once, until_idle=until_idle, processes=processes or None, stop=stop)


@click.command()
def doctor() -> None:
    """Say what is wrong with this installation, and what to do. Exit code 1 when something fails."""
    logging.disable(logging.CRITICAL)
    fails = False
    for found in checks.examine(lambda: load_app(is_prepared=False)):
        fails |= found.status == checks.FAIL
        click.echo(f"{found.status:5} {found.what}: {found.told}")
        if found.remedy:
            click.echo(f"      {found.remedy}")
    if fails:
        raise SystemExit(1)


@click.group()
def db() -> None:
    """Bring the database to the present schema."""


@db.command("upgrade")
def upgrade_database() -> None:
    """Run the migrations that the database lacks; make its tables where it is empty."""
    before, after = upgrade(load_app(is_prepared=False))
    click.echo(f"version {after}, as it was" if before == after else f"from {before or 'nothing'} to version {after}")


@db.command("retry")
@click.argument("job_id", type=int, metavar="JOB")
def retry_job(job_id: int) -> None:
    """Let a job that was given up be tried again; `r2pflow doctor` names it."""
    with open_work(load_app()) as work:
        is_there = EmbeddedQueue().retry(work.session, job_id, now=work.now())
        work.commit()
    if not is_there:
        raise click.ClickException(f"there is no job {job_id} that was given up")


def _load_demo(app: Any, echo: Callable[[str], object]) -> None:
    mark = _mark(app)
    if _is_unfinished(app):
        echo("the demonstration was interrupted while it was loaded; beginning again")
        _empty(app)
    prepare_database(app)
    if not _is_without_documents(app):
        raise SetupError("instance_not_empty", path=str(mark.parent))
    mark.touch()
    write_demo_settings(mark.parent)
    app = load_app(is_prepared=False)  # once more: it has the coalition's name now
    clock = make_demo_clock()
    with open_work(app, clock) as work:
        run_demo(work, clock, echo, lambda: run_worker(app, until_idle=True))
        work.commit()
    mark.unlink()


def _mark(app: Any) -> Path:
    folder: Path = app.extensions["r2pflow"].settings.instance
    return folder / MARK


def _is_unfinished(app: Any) -> bool:
    return _mark(app).exists()


def _empty(app: Any) -> None:
    """Take away what an unfinished demonstration left: all of it was made by the program."""
    settings = app.extensions["r2pflow"].settings
    drop_tables(app)
    for folder in (settings.published_folder, settings.outbox_folder):
        shutil.rmtree(folder, ignore_errors=True)


def _is_without_documents(app: Any) -> bool:
    with open_work(app) as work:
        return work.session.scalar(select(DocumentRow.id).limit(1)) is None


def _make_links(app: Any) -> list[tuple[str, str, str]]:
    """Return (kind, name, address) for a person of each kind."""
    with open_work(app) as work:
        ids = work.session.scalars(select(PersonRow.id).where(PersonRow.is_active).order_by(PersonRow.id)).all()
        actors = [actor for person_id in ids if (actor := load_actor(work, person_id)) is not None]
    links = []
    for kind, has, lacks in KINDS:
        actor = next((one for one in actors if has in one.roles and not lacks & one.roles), None)
        if actor is not None and actor.person_id is not None:
            links.append((kind, actor.name, make_sign_in_link(app, actor.person_id)))
    return links


def _log(level: int) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("r2pflow").setLevel(level)
