"""Mount r2pflow in a Flask application.

db = SQLAlchemy()
app = Flask(__name__)
app.config["R2PFLOW_URL_PREFIX"] = "/statements"
db.init_app(app)
R2PFlow(app, db)
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from r2pflow.domain.errors import SetupError
from r2pflow.folders import get_folder
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.plugins.catalogue import Catalogue, FindStored, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.plugins.registry import Registry
from r2pflow.services.calendars import check_places
from r2pflow.services.definitions import find_newest_stored
from r2pflow.settings import Settings
from r2pflow.web.auth import load_flask_login_actor
from r2pflow.web.blueprint import make_blueprint
from r2pflow.web.mounting import NAME, ActorLoader, Mount
from r2pflow.web.rendering import make_environment

Plugin = Callable[[Registry], None]


class R2PFlow:
    """Carry documents through workflows inside a Flask application; holds nothing of any one application itself."""

    def __init__(
        self,
        app: Flask | None = None,
        db: Any = None,
        *,
        actor_loader: ActorLoader | None = None,
        settings: Settings | None = None,
        plugins: Iterable[Plugin] = (),
    ) -> None:
        self.db = db
        self.actor_loader = actor_loader
        self.settings = settings
        self.plugins = tuple(plugins)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Flask,
        db: Any = None,
        *,
        actor_loader: ActorLoader | None = None,
        sign_in: str = "",
        sign_out: str = "",
        password: str = "",
    ) -> Mount:
        """Mount everything under R2PFLOW_URL_PREFIX; return what the application now knows of r2pflow.

        `db` is the application's Flask-SQLAlchemy; without it, the one that is registered. `actor_loader()` returns
        who asks (`services.people.load_actor` makes it), or None; without it, Flask-Login's current user counts.
        `sign_in`, `sign_out` and `password` are endpoints of the host. Refuses with SetupError or DefinitionErrors.
        """
        if NAME in app.extensions:
            raise SetupError("mounted_twice", app=app.name, remedy="call init_app once for each application")
        db = db or self.db or app.extensions.get("sqlalchemy")
        if db is None:
            raise SetupError("no_database", app=app.name, remedy="pass db=SQLAlchemy() to R2PFlow or to init_app")
        settings = self.settings or Settings.read(app.config)
        check_places(settings)
        mount = Mount(
            settings=settings,
            catalogue=load_everything(settings, self.plugins, lambda name: _find_stored(app, db, name)),
            queue=EmbeddedQueue(),
            db=db,
            actor_loader=actor_loader or self.actor_loader or load_flask_login_actor,
            templates=make_environment(),
            sign_in=sign_in,
            sign_out=sign_out,
            password=password,
        )
        app.extensions[NAME] = mount
        app.register_blueprint(make_blueprint(), url_prefix=settings.url_prefix or None)
        return mount


def load_everything(
    settings: Settings, plugins: Iterable[Plugin] = (), find_stored: FindStored | None = None
) -> Catalogue:
    """Return the catalogue of an installation: its plugins, the shipped workflows, and the folders of the settings.

    A workflow that a type names and whose file is gone is taken from where it is stored.
    """
    folders = (get_folder("workflows"), *settings.extra_workflow_folders)
    return load_catalogue(load_plugins(plugins), folders, find_stored)


def _find_stored(app: Flask, db: Any, name: str) -> tuple[str, str] | None:
    try:
        with app.app_context():
            engine = db.engine
    except (RuntimeError, KeyError):  # the host makes its database ready later
        return None
    return find_newest_stored(engine, name)
