"""The browser bundle over HTTP."""

from __future__ import annotations

import flask
from flask import Response

from portalfw.web.assets import BUNDLE

FOR_EVER = 365 * 86400  # seconds; a changed file has another name


def blueprint() -> flask.Blueprint:
    """Return the route ``/static/bundle/<name>`` and the icon that browsers ask for by themselves."""
    routes = flask.Blueprint("static_files", __name__)

    @routes.get("/static/bundle/<path:name>")
    def file(name: str) -> Response:
        response = flask.send_from_directory(BUNDLE, name, max_age=FOR_EVER)
        response.headers["Cache-Control"] = f"public, max-age={FOR_EVER}, immutable"
        return response

    return routes
