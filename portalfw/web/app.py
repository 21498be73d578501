"""The Flask application: every route of the portal, and what all answers carry."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

import flask
from flask import Flask, Request, Response
from flask.ctx import _AppCtxGlobals
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portalfw import errorconditions
from portalfw.console import http as console_http
from portalfw.controller.http import short_ways
from portalfw.errors import PortalError, TooManyError
from portalfw.rest import http as rest_http
from portalfw.rest import openapi_http
from portalfw.rest.dispatch import InternalError
from portalfw.rest.limits import Limited
from portalfw.rest.tasks import Tasks
from portalfw.runtime import Runtime
from portalfw.web import (
    assets,
    editor,
    editor_history,
    events_http,
    file_pages,
    files,
    health,
    logo,
    metrics,
    oauth,
    pages,
    sign_in,
    space_files,
)
from portalfw.web.beats import Beats
from portalfw.web.compression import compressed
from portalfw.web.proxy import Proxied
from portalfw.web.screens import Screens
from portalfw.web.short import Short
from portalfw.web.traffic import Traffic

log = logging.getLogger(__name__)

LARGEST_REQUEST = 16 * 2**20  # bytes
SECURITY = (
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
FOR_PROGRAMS = ("/restmachine/", "/agent/", "/console/", "/events", "/healthz", "/readyz", "/metrics", "/v1/")
REQUEST_ID = "portalfw.request_id"  # where the WSGI environment holds it
NO_STORE = (("Cache-Control", "no-store"),)
HSTS = "max-age=31536000"  # a year


def create_app(runtime: Runtime) -> Portal:
    """Return the application over a started ``runtime``."""
    if runtime.identify is None:
        raise RuntimeError("The runtime must be started before the application is made.")
    identify = Limited(runtime.identify, runtime.settings.rate_per_user, runtime.settings.rate_per_address)
    app = Portal(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST  # one text of a multipart form may be as large as the whole
    app.register_error_handler(PortalError, _portal_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.register_blueprint(rest_http.blueprint(runtime.dispatcher, identify, runtime.service(Tasks)))
    app.register_blueprint(openapi_http.blueprint(runtime.registry, identify))
    beats = Beats(runtime.bus, runtime.audiences)
    screens = Screens(runtime.wiki.view)
    app.register_blueprint(events_http.blueprint(beats, screens, identify, runtime.service(Tasks)))
    app.register_blueprint(runtime.controller.blueprint())
    app.register_blueprint(console_http.blueprint(runtime, identify))
    app.register_blueprint(sign_in.blueprint(runtime))
    app.register_blueprint(oauth.blueprint(runtime))
    app.register_blueprint(health.blueprint(runtime))
    traffic = Traffic(app.wsgi_app)
    app.short = Short(short_ways(runtime.controller), traffic)
    app.register_blueprint(metrics.blueprint(runtime, identify, traffic))
    app.register_blueprint(assets.blueprint())
    app.register_blueprint(logo.blueprint(runtime, identify))
    app.register_blueprint(files.blueprint(runtime, identify))
    app.register_blueprint(space_files.blueprint(runtime, identify))
    app.register_blueprint(file_pages.blueprint(runtime, identify))
    app.register_blueprint(editor.blueprint(runtime, identify))
    app.register_blueprint(editor_history.blueprint(runtime, identify))
    app.register_blueprint(pages.blueprint(runtime, identify, screens))
    settings = runtime.settings
    inner = _Envelope(traffic, hsts_subdomains=settings.hsts_subdomains)
    app.wsgi_app = Proxied(inner, settings.trusted_proxies, settings.public_url)  # type: ignore[method-assign]  # Flask documents this way to wrap it
    return app


class _Globals(_AppCtxGlobals):
    """What Flask calls ``g``, with the id that the request got before Flask saw it."""

    @property
    def request_id(self) -> str:
        return str(flask.request.environ.get(REQUEST_ID, ""))

    def get(self, name: str, default: Any = None) -> Any:
        return self.request_id if name == "request_id" else super().get(name, default)


class Portal(Flask):
    """Flask without what the portal does not use: coroutines, hooks before and after requests, its own sessions."""

    app_ctx_globals_class = _Globals
    short: Short
    """Answers agents' many small requests past WSGI."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return func

    def preprocess_request(self) -> None:
        """Do nothing before a request."""

    def process_response(self, response: Response) -> Response:
        """Compress an answer."""
        return compressed(request_ctx.request, response)


class _Envelope:
    """What surrounds every request and answer, outside Flask since that costs next to nothing.

    Repeated slashes at the beginning of an address are collapsed, since clients whose configured address ends in one
    ask for ``//restmachine/…`` and must not be redirected; each request gets its id, and every answer carries it, the
    security headers, and the word not to store it unless it has another. Who came by https is told to keep to it.
    """

    def __init__(self, application: Any, *, hsts_subdomains: bool) -> None:
        self._application = application
        hsts = HSTS + ("; includeSubDomains" if hsts_subdomains else "")
        self._headers = {"http": SECURITY, "https": (*SECURITY, ("Strict-Transport-Security", hsts))}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path.startswith("//"):
            environ["PATH_INFO"] = "/" + path.lstrip("/")

        request_id = environ[REQUEST_ID] = uuid.uuid4().hex
        security = self._headers[environ["wsgi.url_scheme"]]
        if environ["PATH_INFO"] == assets.DIAGRAM:
            security = security[1:]  # the page that diagrams are drawn in has a policy of its own

        def begin(status: str, headers: list[tuple[str, str]], failure: Any = None) -> Any:
            stored = () if any(name == "Cache-Control" for name, _ in headers) else NO_STORE
            return start_response(status, [*headers, *stored, *security, ("X-Request-Id", request_id)], failure)

        return self._application(environ, begin)


def _portal_error(error: PortalError) -> Response:
    said = rest_http.failure(error, flask.g.request_id)
    if _is_for_programs(flask.request):
        return said
    title = "Too many requests" if isinstance(error, TooManyError) else "This cannot be done"
    page = pages.error_page(said.status_code, title, error.message)
    if "Retry-After" in said.headers:
        page.headers["Retry-After"] = said.headers["Retry-After"]
    return page


def _is_for_programs(request: Request) -> bool:
    """Tell whether a program asks, to whom a failure is JSON; to people it is a page."""
    return request.path.startswith(FOR_PROGRAMS) or request.path.endswith(".json") or request.is_json


def _http_error(error: HTTPException) -> Response:
    if _is_for_programs(flask.request):
        code = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.code or 500, "invalid")
        too_large = f"The request is larger than {LARGEST_REQUEST} bytes."
        message = too_large if isinstance(error, RequestEntityTooLarge) else error.description
        body = {"error": code, "message": message, "detail": None, "id": flask.g.request_id}
        return rest_http.answer(body, error.code or 500)
    return pages.error_page(error.code or 500, error.name, error.description or "")


def _unexpected(error: Exception) -> Response:
    log.error("%s failed", flask.g.request_id, exc_info=error)
    errorconditions.record("page", flask.request.path[:200], error, flask.g.request_id)
    if _is_for_programs(flask.request):
        failure = InternalError(f"This failed unexpectedly; the log has it under {flask.g.request_id}.")
        return rest_http.failure(failure, flask.g.request_id)
    return pages.error_page(500, "Something failed here", f"The log has it under {flask.g.request_id}.")
