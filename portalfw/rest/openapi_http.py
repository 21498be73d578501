"""``/openapi.json``: the document, made once, with an ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import flask
import orjson
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.rest.declaration import Method
from portalfw.rest.openapi import JSON, document, is_open


def blueprint(methods: Iterable[Method], identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the route ``/openapi.json``: all methods for those who are signed in, the open ones for guests."""
    routes = flask.Blueprint("openapi", __name__)
    found = list(methods)
    for_users = _encoded(found)
    for_guests = _encoded([method for method in found if is_open(method)])

    @routes.get("/openapi.json")
    def openapi() -> Response:
        body, tag = for_guests if identify(flask.request).guest else for_users
        response = Response(body, content_type=JSON)
        response.set_etag(tag)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization, Cookie"
        response.make_conditional(flask.request)
        return response

    return routes


def _encoded(methods: list[Method]) -> tuple[bytes, str]:
    body = orjson.dumps(document(methods))
    return body, hashlib.sha256(body).hexdigest()[:32]
