"""Health for load balancers and supervisors: alive, and ready to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import mongoengine
from flask import Response
from pymongo.errors import PyMongoError

from portalfw.rest.http import answer

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def blueprint(runtime: Runtime) -> flask.Blueprint:
    """Return ``/healthz`` (the process answers) and ``/readyz`` (its database does too)."""
    routes = flask.Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return answer({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        try:
            mongoengine.get_db().command("ping")
        except PyMongoError as error:
            return answer({"status": "unavailable", "database": type(error).__name__}, 503)
        return answer({"status": "ok", "database": "ok", "nodes": runtime.controller.connected_nodes()})

    return routes
