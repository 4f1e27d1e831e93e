"""Pages from templates: an own Jinja environment, so that a host's templates, filters and globals stay apart."""

import hashlib
from functools import lru_cache
from typing import Any

from flask import Response, current_app, make_response, request, url_for
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from r2pflow.domain.people import LANGUAGES
from r2pflow.folders import get_assets, get_folder
from r2pflow.web import auth, flashing, i18n, pagination, words
from r2pflow.web.mounting import NAME, get_mount


def make_environment() -> Environment:
    """Return the Jinja environment of templates/pages; undefined names are errors."""
    found = Environment(
        loader=FileSystemLoader(get_folder("templates") / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    found.install_gettext_callables(i18n.look_up, i18n.look_up_plural, newstyle=True)  # type: ignore[attr-defined]
    found.globals.update(
        url=url,
        url_for=url_for,
        here=here,
        has_endpoint=has_endpoint,
        request_path=lambda: request.path,
        asset=asset,
        csrf_token=auth.csrf_token,
        current_actor=auth.current_actor,
        has_role=auth.has_role,
        sign_in_url=auth.sign_in_url,
        get_mount=get_mount,
        page_language=i18n.language,
        direction_of=i18n.direction,
        LANGUAGES=LANGUAGES,
        NATIVE_NAMES=i18n.NATIVE_NAMES,
        word=words.word,
        flashes=flashing.take_notices,
        near_pages=pagination.near_pages,
        coalition=i18n.coalition,
    )
    found.filters.update(
        title_of=i18n.title_of,
        language_name=i18n.language_name,
        territory_name=i18n.territory_name,
        instant=i18n.format_instant,
        day=i18n.format_day,
        until=i18n.format_until,
        due=i18n.tell_due,
        number=i18n.format_number,
        size=i18n.format_size,
        join_parts=i18n.join_parts,
    )
    return found


def render(template: str, status: int = 200, **context: Any) -> Response:
    """Return a page. Templates have `_`, `ngettext`, `url(endpoint)`, `asset(path)`, `locale`, `direction`, `actor`."""
    response = make_response(render_text(template, **context), status)
    response.headers["Content-Language"] = i18n.language()
    return response


def render_text(template: str, **context: Any) -> str:
    """Return what a template says, without a response around it."""
    mount = get_mount()
    known = {
        "locale": i18n.language(),
        "direction": i18n.direction(),
        "languages": LANGUAGES,
        "settings": mount.settings,
        "actor": auth.current_actor(),
    }
    return mount.templates.get_template(template).render(known | context)


def url(endpoint: str, **values: Any) -> str:
    """Return the address of one of our own endpoints, named without the blueprint."""
    return url_for(f"{NAME}.{endpoint}", **values)


def has_endpoint(endpoint: str) -> bool:
    """Tell whether we have an address of that name."""
    return f"{NAME}.{endpoint}" in current_app.view_functions


def here(**changes: Any) -> str:
    """Return the address of this page with some of its query changed; None drops a key."""
    values: dict[str, Any] = {**request.args.to_dict(flat=False), **(request.view_args or {}), **changes}
    if not request.endpoint or request.url_rule is None or "GET" not in (request.url_rule.methods or ()):
        return url("home", **{name: value for name, value in changes.items() if value is not None})
    return url_for(request.endpoint, **{name: value for name, value in values.items() if value is not None})


def is_htmx() -> bool:
    """Tell whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def asset(path: str) -> str:
    """Return the address of a static file; it changes with the file, so that browsers may keep it for a year."""
    return url("static", filename=path, v=_fingerprint(path))


@lru_cache(maxsize=256)
def _fingerprint(path: str) -> str:
    try:
        return hashlib.sha256((get_assets() / path).read_bytes()).hexdigest()[:10]
    except OSError:
        return "0"
