"""One small coalition in a host application, and a browser without JavaScript for each of its people."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.extension import R2PFlow
from r2pflow.persistence.base import Base
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people as directory
from r2pflow.web.auth import current_work
from r2pflow.web.mounting import Mount

PEOPLE = {  # name: organisation, roles of the person
    "secretary": ("office", ["secretariat"]),
    "manager": ("office", ["manager"]),
    "steerer": ("alpha", []),
    "member": ("delta", []),
    "translator": ("delta", ["translator"]),
    "outsider": (None, []),
}
ORGANISATIONS = {
    "office": ([], "europe"),
    "alpha": (["member", "steering"], "africa"),
    "beta": (["member", "steering"], "europe"),
    "delta": (["member"], "latin_america"),
}


class Browser:
    """Ask pages as one person; forms get this session's token by themselves."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **options)

    def token(self) -> str:
        page = self.client.get("/account").get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        return found.group(1) if found else ""


@pytest.fixture
def plugins() -> list[Any]:
    """What is registered beside the built-ins; a module may override it."""
    return []


@pytest.fixture
def app(tmp_path: Path, plugins: list[Any]) -> Iterator[Flask]:
    app = make_host(tmp_path, plugins)
    with app.app_context():
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def make_host(folder: Path, plugins: Sequence[Any] = (), url: str = "", **config: Any) -> Flask:
    """Return an application whose signed-in person is the one in its session."""
    app = Flask("host")
    app.config.update(
        TESTING=True,
        SECRET_KEY="for tests only",
        SQLALCHEMY_DATABASE_URI=url or f"sqlite:///{folder / 'host.sqlite'}",
        R2PFLOW_INSTANCE=str(folder),
        R2PFLOW_COALITION="Test Coalition",
        **config,
    )
    db = SQLAlchemy(app)
    with app.app_context():
        if not url:
            event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))

    def load_actor() -> Actor | None:
        person_id = session.get("person_id")
        return directory.load_actor(current_work(), person_id) if person_id else None

    R2PFlow(app, db, actor_loader=load_actor, plugins=plugins)
    return app


@pytest.fixture
def mount(app: Flask) -> Mount:
    return app.extensions["r2pflow"]


@pytest.fixture
def work(app: Flask, mount: Mount) -> Iterator[UnitOfWork]:
    """A unit of work beside those of the requests.

    No application context stays open around it: a test client would take that one, and with it who asked before.
    """
    with app.app_context():
        engine = mount.db.engine
    with Session(engine) as session:
        yield UnitOfWork(session, mount.catalogue, mount.settings, mount.queue)


@pytest.fixture
def persons(app: Flask, mount: Mount) -> dict[str, Actor]:
    """Everybody in PEOPLE, as actors."""
    with app.app_context():
        work = UnitOfWork(mount.db.session(), mount.catalogue, mount.settings, mount.queue)
        for slug, (roles, region) in ORGANISATIONS.items():
            values = {"slug": slug, "names": {"en": f"{slug.title()} Network"}, "region": region, "roles": roles}
            directory.save_organisation(work, THE_SYSTEM, {**values, "short_name": slug.title(), "language": "en"})
        found = {}
        for name, (organisation, roles) in PEOPLE.items():
            values = {"name": name.title(), "email": f"{name}@example.org", "organisation": organisation}
            person_id = directory.save_person(work, THE_SYSTEM, {**values, "roles": roles})
            work.session.flush()
            actor = directory.load_actor(work, person_id)
            assert actor is not None
            found[name] = actor
        work.commit()
        return found


@pytest.fixture
def browse(app: Flask, persons: dict[str, Actor]) -> Callable[[str], Browser]:
    """Return a browser in which the named person is signed in; '' for nobody."""

    def open_browser(name: str = "") -> Browser:
        client = app.test_client()
        if name:
            with client.session_transaction() as kept:
                kept["person_id"] = persons[name].person_id
        return Browser(client)

    return open_browser


@pytest.fixture
def count_queries(app: Flask) -> Iterator[list[str]]:
    """Collect the SQL statements sent to the application's database."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine: Engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)
