"""What one application knows of r2pflow: made by `extension.R2PFlow`, read by every view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from jinja2 import Environment

from r2pflow.domain.people import Actor
from r2pflow.persistence.unit_of_work import Enqueue
from r2pflow.plugins.catalogue import Catalogue
from r2pflow.settings import Settings

NAME = "r2pflow"
"""The key in `app.extensions`, the name of the blueprint, and the gettext domain."""

ActorLoader = Callable[[], Actor | None]


@dataclass(frozen=True)
class Mount:
    """r2pflow in one application; `sign_in` and `sign_out` are endpoints of the host, empty where it has none."""

    settings: Settings
    catalogue: Catalogue
    queue: Enqueue
    db: Any  # the host's SQLAlchemy()
    actor_loader: ActorLoader
    templates: Environment
    sign_in: str = ""
    sign_out: str = ""
    password: str = ""  # where one changes one's password


def get_mount() -> Mount:
    """Return what the present application knows; KeyError where r2pflow is not mounted."""
    mount: Mount = current_app.extensions[NAME]
    return mount
