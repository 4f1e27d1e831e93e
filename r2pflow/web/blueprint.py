"""The blueprint, and the one table of routes."""

from flask import Blueprint, Response, request

from r2pflow.domain.people import LANGUAGES
from r2pflow.folders import get_assets
from r2pflow.web import api, auth, confirming, errors, headers, i18n
from r2pflow.web.mounting import NAME, get_mount
from r2pflow.web.pages import (
    account,
    administration,
    batches,
    check,
    comments,
    decisions,
    desk,
    directory,
    document_place,
    document_way,
    documents,
    dossier_rules,
    dossier_sharing,
    dossiers,
    drafting,
    explaining,
    languages,
    migrating,
    plans,
    public,
    scheduling,
    sharing,
    workflow_versions,
    workflows,
    worklists,
)
from r2pflow.web.routing import Route

ROUTES: tuple[Route, ...] = (
    *public.ROUTES,
    *check.ROUTES,
    *desk.ROUTES,
    *worklists.ROUTES,
    *account.ROUTES,
    *documents.ROUTES,
    *document_way.ROUTES,
    *batches.ROUTES,
    *scheduling.ROUTES,
    *drafting.ROUTES,
    *comments.ROUTES,
    *decisions.ROUTES,
    *languages.ROUTES,
    *sharing.ROUTES,
    *explaining.ROUTES,
    *plans.ROUTES,
    *document_place.ROUTES,
    *dossiers.ROUTES,
    *dossier_sharing.ROUTES,
    *dossier_rules.ROUTES,
    *directory.ROUTES,
    *workflows.ROUTES,
    *workflow_versions.ROUTES,
    *migrating.ROUTES,
    *administration.ROUTES,
    *api.ROUTES,
)


def make_blueprint() -> Blueprint:
    """Return a blueprint of its own for each application: all routes, error pages, and what every request needs."""
    blueprint = Blueprint(NAME, __name__, static_folder=str(get_assets()), static_url_path="/assets")
    for route in ROUTES:
        blueprint.add_url_rule(route.rule, route.endpoint, route.view, methods=route.methods)
    blueprint.before_request(_limit_upload)
    blueprint.before_request(auth.check_csrf)
    blueprint.before_request(confirming.ask_first)
    blueprint.after_request(_finish)
    errors.register_error_pages(blueprint)
    return blueprint


def _limit_upload() -> None:
    limit = get_mount().settings.upload_limit
    request.max_content_length = request.max_form_memory_size = limit


def _finish(response: Response) -> Response:
    headers.secure(response, get_mount().settings)
    if request.endpoint == f"{NAME}.static":
        if "v" in request.args:
            response.cache_control.public = True
            response.cache_control.max_age = 365 * 24 * 3600
            response.cache_control.immutable = True
        return response
    if response.cache_control.public:
        return response
    response.vary.update(("Cookie", "Accept-Language"))
    if "Cache-Control" not in response.headers:
        response.cache_control.no_cache = True
        response.cache_control.private = True
    asked = request.args.get(i18n.QUERY)
    if asked in LANGUAGES:
        response.set_cookie(
            i18n.COOKIE,
            asked,
            max_age=365 * 24 * 3600,
            httponly=True,
            samesite="Lax",
            secure=get_mount().settings.secure_cookies,
        )
    return response
