"""A host application on a scratch SQLite file with the pragmas of the stand-alone, and who asks in it."""

from pathlib import Path
from typing import Any

from flask import Flask, session
from flask_sqlalchemy import SQLAlchemy

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.extension import R2PFlow
from r2pflow.persistence.base import Base
from r2pflow.persistence.sqlite import tune_sqlite
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people
from r2pflow.web.auth import current_work

WORKFLOWS = Path(__file__).parent / "workflows"


def make_host(folder: Path) -> Flask:
    """Return an application with r2pflow and the workflow of the benchmarks, its tables made."""
    folder.mkdir(parents=True, exist_ok=True)
    app = Flask("bench")
    app.config.update(
        SECRET_KEY="of benchmarks only",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'bench.sqlite'}",
        R2PFLOW_INSTANCE=str(folder),
        R2PFLOW_WORKFLOW_FOLDERS=str(WORKFLOWS),
    )
    db = SQLAlchemy(app)
    with app.app_context():
        tune_sqlite(db.engine)
    R2PFlow(app, db, actor_loader=_load_actor)
    with app.app_context():
        Base.metadata.create_all(db.engine)
    return app


def begin_work(app: Flask) -> UnitOfWork:
    """Return a unit of work on the session of the present application context."""
    mount = app.extensions["r2pflow"]
    return UnitOfWork(mount.db.session(), mount.catalogue, mount.settings, mount.queue)


def add_person(work: UnitOfWork, name: str, organisation: str | None, roles: list[str], language: str = "en") -> Actor:
    """Create a person with its organisation where that is missing, and return them as an actor."""
    values: dict[str, Any] = {
        "name": name.title(),
        "email": f"{name}@example.org",
        "organisation": organisation,
        "roles": roles,
        "language": language,
    }
    actor = people.load_actor(work, people.save_person(work, THE_SYSTEM, values))
    assert actor is not None
    return actor


def _load_actor() -> Actor | None:
    person_id = session.get("person_id")
    return people.load_actor(current_work(), person_id) if person_id else None
