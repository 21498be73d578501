"""A little portal with made-up data: pages from the real templates, a REST method, and a stream of changes.

It serves what the browser tests look at, with the same Content-Security-Policy as the product.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import flask
from markupsafe import Markup

from portalfw.web import assets, frame

from .sample_pages import LAYOUT, STATES, TEXT, TITLES, view

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NOT_A_NAME = {"error": "invalid", "message": "Use lower case letters, digits and dashes.", "id": "r1"}
RUNS_ALREADY = {"error": "conflict", "message": "Machine 3 is RUNNING, only a HALTED one can be started.", "id": "r2"}
HEARTBEAT = 0.2  # seconds


class Portal:
    """State of the sample: what was posted, and who listens to changes."""

    def __init__(self) -> None:
        """Start with all machines as ``STATES`` says, and nobody listening."""
        self.posted: list[tuple[str, Any]] = []
        self.listeners: list[queue.Queue[list[str]]] = []
        self.topics: list[str] = []
        self.states = dict(STATES)
        self.broken = False
        self.rendered = threading.Event()
        self.slow = threading.Lock()  # while held, rendered macros do not leave the server

    def change(self, *topics: str) -> None:
        """Tell every open page that ``topics`` have changed."""
        for listener in self.listeners:
            listener.put(list(topics))

    def stream(self) -> Iterator[str]:
        """Yield server-sent events until the connection breaks."""
        mine: queue.Queue[list[str]] = queue.Queue()
        self.listeners.append(mine)
        yield ": open\n\n"
        while not self.broken:
            try:
                yield f"event: change\ndata: {json.dumps({'topics': mine.get(timeout=HEARTBEAT)})}\n\n"
            except queue.Empty:
                yield ": alive\n\n"

    def call(self, address: str, arguments: dict[str, Any]) -> tuple[Any, int]:
        """Answer a REST call: two are refused, all others give 7."""
        self.posted.append((address, arguments))
        if arguments.get("name") == "Web 1":
            return NOT_A_NAME | {"detail": {"argument": "name"}}, 400
        if address == "cloudapi/machines/start":
            return RUNS_ALREADY | {"detail": None}, 409
        return 7, 200


def create_app(portal: Portal) -> flask.Flask:
    """Return the sample's application."""
    app = flask.Flask(__name__, static_folder=None)
    app.register_blueprint(assets.blueprint())
    app.register_blueprint(_pages(portal))
    app.register_blueprint(_interfaces(portal))
    app.after_request(_secure)
    return app


def _secure(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _pages(portal: Portal) -> flask.Blueprint:
    routes = flask.Blueprint("pages", __name__)

    @routes.get("/<name>")
    def page(name: str) -> str:
        build, layout = LAYOUT[name]
        macros = build(portal.states)
        if "_macro" in flask.request.args:
            portal.rendered.set()
            with portal.slow:
                return macros[flask.request.args["_macro"]]
        return frame.render_frame(view(name, Markup(layout).format(**macros), TITLES[name]))  # noqa: S704 - constant text

    @routes.get("/text")
    def text() -> str:
        return frame.render_frame(view("text", Markup(TEXT), "Drain a node"))  # noqa: S704 - constant text

    @routes.get("/missing")
    def missing() -> tuple[str, int]:
        fault = frame.Fault(404, "This page does not exist", "Space cbgrid has no page “machine room”.")
        return frame.render_error(view("missing", Markup(), "Not found"), fault), 404

    @routes.get("/login")
    def login() -> str:
        error = "The user name or the password is wrong." if "wrong" in flask.request.args else None
        theme: Any = flask.request.cookies.get("theme", "auto")
        hint = "First start? The administrator is “admin”; the password lies in the state folder, file admin-password."
        return frame.render_login(frame.SignIn("Cloud Broker", error=error, theme=theme, hint=hint))

    return routes


def _interfaces(portal: Portal) -> flask.Blueprint:
    routes = flask.Blueprint("interfaces", __name__)

    @routes.post("/restmachine/<path:address>")
    def rest(address: str) -> tuple[flask.Response, int]:
        answer, status = portal.call(address, flask.request.get_json())
        return flask.jsonify(answer), status

    @routes.get("/events")
    def events() -> flask.Response:
        if portal.broken:
            flask.abort(503)
        portal.topics = flask.request.args["topics"].split(",")
        return flask.Response(portal.stream(), content_type="text/event-stream")

    return routes
