"""The logo over HTTP: the picture itself, and the page on which an administrator chooses another."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import flask
from flask import Request, Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.principal import Principal
from portalfw.errors import NotFoundError, PortalError
from portalfw.logo import ONE, Logo
from portalfw.rest.errors import status_of
from portalfw.web.calling import call_method
from portalfw.web.frame import Back, Card, Field, render_card
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

PATH: Final = "/logo/change"
HARMLESS: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # an SVG may hold script: it never runs
FOR_EVER: Final = "public, max-age=31536000, immutable"
FILE: Final = Field("image", "Picture", type="file", required=True, help="PNG, JPEG or SVG, 256 KiB at most.")


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return ``/logo``, and ``/logo/change``, which calls the method that anybody could."""
    routes = flask.Blueprint("logo", __name__)

    @routes.get("/logo")
    def picture() -> Response:
        rows = Logo.rows({"_id": ONE}, limit=1)
        if not rows:
            raise NotFoundError("This installation has no logo of its own.")
        response = Response(rows[0]["data"], content_type=rows[0]["media_type"])
        response.headers["Content-Security-Policy"] = HARMLESS
        same = flask.request.args.get("v") == rows[0]["hash"]
        response.headers["Cache-Control"] = FOR_EVER if same else "no-cache"
        return response

    @routes.route(PATH, methods=["GET", "POST"])
    def change() -> AnyResponse:
        principal = identify(flask.request)
        if principal.guest:
            return flask.redirect(f"/login?next={PATH}", 303)
        if flask.request.method == "GET":
            return _form()
        try:
            _store(runtime, principal)
        except PortalError as error:
            return _form(error)
        return flask.redirect("/system/Logo", 303)

    return routes


def _store(runtime: Runtime, principal: Principal) -> None:
    file = flask.request.files.get("image")
    image = base64.b64encode(file.read() if file else b"").decode()
    call_method(runtime, principal, "system/logo/set", {"image": image})


def _form(error: PortalError | None = None) -> Response:
    card = Card(
        "Change the logo",
        "It stands at the top of every page, 24 pixels high.",
        PATH,
        "Use it",
        [FILE],
        error=error.message if error else None,
        back=Back("Logo", "/system/Logo"),
        theme=theme_of(flask.request),
    )
    return Response(render_card(card), status_of(error) if error else 200, content_type="text/html; charset=utf-8")
