"""Attachments of pages over HTTP, under the rights of their space and page, as what cannot do harm in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import flask
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.history import Pages
from portalfw.history.attachments import Attachments

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

#: An SVG may hold script: shown on its own it runs in a sandbox without scripts and of no origin.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; sandbox"


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the route ``/<space>/.files/<path>``."""
    routes = flask.Blueprint("files", __name__)
    attachments = Attachments(Pages(runtime.history))

    @routes.get("/<space>/.files/<path:path>")
    def file(space: str, path: str) -> Response:
        found = attachments.read(identify(flask.request), space, path)
        response = Response(found.data, content_type=found.media_type)
        response.headers["Content-Security-Policy"] = SANDBOX
        response.headers["Cache-Control"] = "private, no-cache"
        if not found.shown:
            response.headers["Content-Disposition"] = "attachment"
        response.add_etag()
        response.make_conditional(flask.request)
        return response

    return routes
