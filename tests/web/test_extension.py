"""r2pflow in somebody else's application, which stays as it is."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from flask_babel import Babel, get_locale
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import inspect

from r2pflow import R2PFlow
from r2pflow.domain.errors import SetupError
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.persistence.base import Base
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import people


class User(UserMixin):
    """A user of the host: its own class, its own ids, an address in common."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.email = f"{id}@example.org"


def make_host(folder: Path, prefix: str = "/statements", **config: object) -> Flask:
    app = Flask("host", template_folder=str(folder))
    app.config.update(
        TESTING=True,
        SECRET_KEY="for tests only",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / (prefix.strip('/') + '.sqlite')}",
        R2PFLOW_URL_PREFIX=prefix,
        R2PFLOW_COALITION=f"Coalition at {prefix}",
        **config,
    )
    db = SQLAlchemy(app)

    class Invoice(db.Model):
        id = db.Column(db.Integer, primary_key=True)

    manager = LoginManager(app)
    manager.login_view = "enter"
    manager.user_loader(User)

    @app.get("/")
    def index() -> str:
        return f"host in {get_locale() if 'babel' in app.extensions else 'no language'}"

    @app.route("/enter", methods=["GET", "POST"])
    def enter() -> str:
        login_user(User(request.args["id"]))
        return "in"

    @app.errorhandler(404)
    def not_found(error: Exception) -> tuple[str, int]:
        return "the host's own page", 404

    R2PFlow(app, db)
    with app.app_context():
        db.create_all()
        Base.metadata.create_all(db.engine)
        mount = app.extensions["r2pflow"]
        work = UnitOfWork(db.session(), mount.catalogue, mount.settings, mount.queue)
        values = {"name": "Ana", "email": "ana@example.org", "language": "es", "roles": ["secretariat"]}
        people.save_person(work, THE_SYSTEM, values)
        work.commit()
    return app


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Flask]:
    app = make_host(tmp_path)
    yield app
    close(app)


def close(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_the_hosts_user_is_known_by_its_address(host: Flask):
    browser = host.test_client()
    assert browser.get("/statements/desk").status_code == 403
    browser.get("/enter?id=ana")
    page = browser.get("/statements/desk")
    assert page.status_code == 200 and "Ana" in page.text and '<html lang="es"' in page.text
    stranger = host.test_client()
    stranger.get("/enter?id=nobody")
    assert stranger.get("/statements/desk").status_code == 403


def test_signing_in_leads_to_the_hosts_own_page(host: Flask):
    page = host.test_client().get("/statements/desk").text
    assert "/enter?next=/statements/desk" in page or "/enter?next=%2Fstatements%2Fdesk" in page


def test_everything_lies_under_the_prefix_and_the_host_keeps_the_rest(host: Flask):
    browser = host.test_client()
    assert browser.get("/").text == "host in no language"
    assert browser.get("/nowhere").text == "the host's own page"
    assert "Coalition at" in browser.get("/statements/register").text
    rules = [rule.rule for rule in host.url_map.iter_rules() if rule.endpoint.startswith("r2pflow.")]
    assert rules and all(rule.startswith("/statements/") for rule in rules)
    assert "the host's own page" not in browser.get("/statements/register/NO/SUCH/1").text


def test_the_hosts_tables_and_metadata_stay_its_own(host: Flask):
    db = host.extensions["sqlalchemy"]
    assert set(db.metadata.tables) == {"invoice"}
    with host.app_context():
        found = set(inspect(db.engine).get_table_names())
    assert found - {"invoice"} == set(Base.metadata.tables)
    assert all(name.startswith("r2pflow_") for name in Base.metadata.tables)


def test_a_host_with_templates_of_the_same_names_changes_none_of_ours(tmp_path: Path):
    for name in ("base.html", "register.html", "problem.html"):
        (tmp_path / name).write_text("the host's template")
    app = make_host(tmp_path)
    page = app.test_client().get("/statements/register")
    assert page.status_code == 200 and "the host's template" not in page.text
    assert app.jinja_env.get_template("base.html").render() == "the host's template"
    assert "word" not in app.jinja_env.globals
    close(app)


def test_the_hosts_babel_chooses_where_nobody_else_has(tmp_path: Path):
    app = make_host(tmp_path)
    Babel(app, locale_selector=lambda: "ru")
    browser = app.test_client()
    assert browser.get("/").text == "host in ru"
    assert '<html lang="ru"' in browser.get("/statements/register").text
    assert '<html lang="fr"' in browser.get("/statements/register?hl=fr").text
    assert '<html lang="fr"' in browser.get("/statements/register").text
    assert browser.get("/").text == "host in ru"
    close(app)


@pytest.mark.parametrize("has_protection", [True, False])
def test_forms_are_protected_with_the_hosts_csrf_or_without_any(tmp_path: Path, has_protection: bool):
    app = make_host(tmp_path)
    if has_protection:
        protect = CSRFProtect(app)
        protect.exempt(app.view_functions["enter"])
    browser = app.test_client()
    browser.get("/enter?id=ana")
    form = {"language": "fr", "timezone": "UTC"}
    assert browser.post("/statements/account", data=form).status_code in (400, 403)
    page = browser.get("/statements/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    assert browser.post("/statements/account", data={**form, "csrf_token": token.group(1)}).status_code == 302
    close(app)


def test_two_applications_in_one_process_do_not_see_each_other(tmp_path: Path):
    first, second = make_host(tmp_path, "/first"), make_host(tmp_path, "/second")
    assert first.extensions["r2pflow"] is not second.extensions["r2pflow"]
    assert first.extensions["r2pflow"].catalogue is not second.extensions["r2pflow"].catalogue
    assert "Coalition at /first" in first.test_client().get("/first/register").text
    assert "Coalition at /second" in second.test_client().get("/second/register").text
    assert first.test_client().get("/second/register").status_code == 404
    close(first)
    close(second)


def test_the_extension_refuses_an_application_without_a_database():
    with pytest.raises(SetupError, match="no_database"):
        R2PFlow(Flask("empty"))


def test_the_extension_refuses_to_be_mounted_twice(host: Flask):
    with pytest.raises(SetupError, match="mounted_twice"):
        R2PFlow(host)


def test_a_wrong_setting_is_named(tmp_path: Path):
    with pytest.raises(SetupError, match="R2PFLOW_UPLOAD_LIMIT"):
        make_host(tmp_path, R2PFLOW_UPLOAD_LIMIT="much")


def test_starting_the_web_process_loads_nothing_that_sets_pdfs():
    code = (
        "import sys, r2pflow.standalone;"
        "print([name for name in ('weasyprint', 'numpy', 'alembic', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
