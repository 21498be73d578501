"""Whole spaces as zip files in a browser: one to save, and the form that takes one."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import flask
from flask import Request, Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.principal import Principal
from portalfw.errors import InvalidError, PortalError
from portalfw.rest.errors import status_of
from portalfw.web.calling import call_method
from portalfw.web.editor_frame import HTML, refused, to_login
from portalfw.web.frame import Back, Card, Field, render_card
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

IMPORT: Final = "/export/import"
LIST: Final = "/system/Spaces"
SPACE: Final = Field(
    "space", "Space", required=True, help="Its name in addresses. A new one is made by administrators."
)
FILE: Final = Field(
    "file", "Zip file", type="file", required=True, help="Pages, space.yaml and .files; 16 MiB at most."
)
WORDS: Final = Field("message", "What changed?", help="Said in the history.")


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return ``/export/<space>.zip`` and ``/export/import``, which call the methods that anybody could."""
    routes = flask.Blueprint("space_files", __name__)

    @routes.get("/export/<space>.zip")
    def export(space: str) -> Response:
        principal = identify(flask.request)
        if principal.guest:
            return to_login()
        try:
            data = base64.b64decode(call_method(runtime, principal, "system/spaces/export", {"space": space}))
        except PortalError as error:
            return refused(runtime, principal, space, "Home", error)
        response = Response(data, content_type="application/zip")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(space.lower())}.zip"
        return response

    @routes.route(IMPORT, methods=["GET", "POST"])
    def import_() -> AnyResponse:
        principal = identify(flask.request)
        if principal.guest:
            return to_login()
        if flask.request.method == "GET":
            return _form(flask.request.args.get("space", ""))
        try:
            space = _take(runtime, principal)
        except PortalError as error:
            return _form(flask.request.form.get("space", ""), error)
        return flask.redirect(f"/{quote(space)}", 303)

    return routes


def _take(runtime: Runtime, principal: Principal) -> str:
    form, file = flask.request.form, flask.request.files.get("file")
    if not file:
        raise InvalidError("Choose a zip file.", detail={"argument": "file"})
    data = base64.b64encode(file.read()).decode()
    space = form.get("space", "").strip().lower()
    given = {"space": space, "data": data, "message": form.get("message", "")}
    call_method(runtime, principal, "system/spaces/import", given)
    return space


def _form(space: str, error: PortalError | None = None) -> Response:
    card = Card(
        "Import a space",
        "The files of the zip file replace those of their names, in one change; others stay.",
        IMPORT,
        "Import",
        [Field(**{**vars(SPACE), "value": space}), FILE, WORDS],
        error=error.message if error else None,
        back=Back("Spaces", LIST),
        theme=theme_of(flask.request),
    )
    return Response(render_card(card), status_of(error) if error else 200, content_type=HTML)
