"""The application: blueprints, errors, headers, the description of it all."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Response, request
from flask_openapi3 import Info, OpenAPI
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from chasqui import __version__
from chasqui.cache import open_cache
from chasqui.errors import BadConfig, ChasquiError
from chasqui.run.parts import Parts, parts_of
from chasqui.web import problems
from chasqui.web.describe import Described
from chasqui.web.limits import Counters
from chasqui.web.problems import Problem

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.run.service import Service
    from chasqui.store import Stores

#: What can be served apart (`chasqui serve --only media,health`).
BLUEPRINTS = (
    "health",
    "accounts",
    "uploads",
    "imports",
    "lessons",
    "units",
    "channels",
    "jobs",
    "feedback",
    "media",
    "webhooks",
    "service",
    "pages",
)
API = "/api/v1"
#: Routes that take files as they arrive; a form with one file, which is kept aside until it is whole; and all others.
WHOLE_FILES, FORM = ("uploads.piece",), "uploads.form"
FORM_BYTES, BODY_BYTES = 128 << 20, 256 << 10


def make_app(service: Service, catalog: Catalog, stores: Stores, only: Iterable[str] = BLUEPRINTS) -> OpenAPI:
    """The application.

    Raises:
        BadConfig: a blueprint that does not exist.
    """
    app = Described(
        "chasqui",
        static_folder=None,
        info=Info(title="Chasqui", version=__version__),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        validation_error_status=422,
        validation_error_model=Problem,
        validation_error_callback=problems.of_validation,
    )
    app.config.update(SECRET_KEY=service.secret(), MAX_CONTENT_LENGTH=service.upload_bytes, MAX_FORM_PARTS=50)
    if service.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=service.proxies, x_proto=service.proxies, x_host=0)
    app.extensions.update(catalog=catalog, stores=stores, service=service, counters=Counters(service.cache_url))
    app.extensions["cache"] = open_cache(service.cache_url)
    app.extensions["parts"] = Parts(parts_of(service, catalog, stores.root))
    for name in only:
        if name not in BLUEPRINTS:
            raise BadConfig(why=f"there is no part {name!r} to serve; known: {', '.join(BLUEPRINTS)}")
        if name == "pages":  # no part of the API, so not of its description
            app.register_blueprint(import_module("chasqui.web.pages").pages)
        else:
            app.register_api(import_module(f"chasqui.web.api.{name}").api)
    app.register_error_handler(ChasquiError, problems.answer)
    app.register_error_handler(HTTPException, problems.of_http)
    app.register_error_handler(Exception, problems.of_defect)
    app.register_error_handler(RecursionError, lambda _: problems.of_http(BadRequest()))  # JSON, a thousand lists deep
    app.before_request(_bounds)
    app.after_request(_headers)
    return app


def _bounds() -> None:
    """Nobody sends more than a route can want: most are read whole before it is asked who sends."""
    if request.endpoint not in WHOLE_FILES:
        request.max_content_length = FORM_BYTES if request.endpoint == FORM else BODY_BYTES


def _headers(response: Response) -> Response:
    """What every answer carries against being framed, guessed at, or kept where it should not be."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; object-src 'none'")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Vary", "Accept-Language, Authorization, Cookie")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.path.startswith(API):
        headers.setdefault("Cache-Control", "private, no-cache")
    return response
