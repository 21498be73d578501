"""``/openapi.json``: the document, made once as long as no method changes, with an ETag."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable

import flask
import orjson
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.rest.declaration import Method
from portalfw.rest.openapi import JSON, document, is_open
from portalfw.rest.registry import Registry


def blueprint(registry: Registry, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the route ``/openapi.json``: all methods for those who are signed in, the open ones for guests."""
    routes = flask.Blueprint("openapi", __name__)
    made = functools.lru_cache(maxsize=1)(lambda _: _documents(list(registry)))
    made(registry.version)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        for_users, for_guests = made(registry.version)
        body, tag = for_guests if identify(flask.request).guest else for_users
        response = Response(body, content_type=JSON)
        response.set_etag(tag)
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization, Cookie"
        response.make_conditional(flask.request)
        return response

    return routes


def _documents(methods: list[Method]) -> tuple[tuple[bytes, str], tuple[bytes, str]]:
    return _encoded(methods), _encoded([method for method in methods if is_open(method)])


def _encoded(methods: list[Method]) -> tuple[bytes, str]:
    body = orjson.dumps(document(methods))
    return body, hashlib.sha256(body).hexdigest()[:32]
