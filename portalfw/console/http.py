"""The addresses of consoles: the page, the browser's WebSocket, and the one that a node opens outwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import flask
from flask import Request, Response

from agent.protocol import MISDIRECTED, TUNNELS
from portalfw.auth.credentials import bearer
from portalfw.auth.origin import is_own_origin
from portalfw.auth.principal import Principal
from portalfw.console.consoles import PAGE, Consoles
from portalfw.console.documents import ConsoleTicket
from portalfw.console.page import console_page
from portalfw.console.session import REFUSED, EndedError, Session
from portalfw.errors import ForbiddenError, NotFoundError, PortalError, UnauthenticatedError
from portalfw.web.websocket import Upgrade, WebSocket

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

STREAM: Final = f"{PAGE}/stream"


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return the routes ``/console``, ``/console/stream`` and ``/agent/tunnels/<id>``."""
    routes = flask.Blueprint("console", __name__)
    consoles = runtime.service(Consoles)

    @routes.get(PAGE)
    def page() -> Response:
        return console_page(runtime, identify(flask.request), flask.request.args.get("ticket", ""))

    @routes.get(STREAM, websocket=True)
    def stream() -> Response:
        return _stream(consoles, identify)

    @routes.get(f"{TUNNELS}<tunnel>", websocket=True)
    def bring(tunnel: str) -> Response:
        return _tunnel(runtime, consoles, tunnel)

    return routes


def _stream(consoles: Consoles, identify: Callable[[Request], Principal]) -> Response:
    request = flask.request
    # A page of another site can open a WebSocket to here, and the browser sends our cookie with it.
    if not is_own_origin(request, request.headers.get("Origin")):
        raise ForbiddenError("A console is opened by the portal's own pages only.")
    principal = identify(request)
    if principal.guest:
        raise UnauthenticatedError("Sign in to open a console.")
    secret = request.args.get("ticket", "")
    address = request.remote_addr or ""

    def serve(browser: WebSocket) -> None:
        try:
            ticket = consoles.take(secret, principal)
            ended = _begin(consoles, ticket, browser, lambda: _same(identify, principal), address)
        except PortalError as error:
            ended = EndedError(REFUSED, error.message)
        browser.close(ended.code, ended.reason)

    return Upgrade(request, serve)


def _same(identify: Callable[[Request], Principal], principal: Principal) -> Principal:
    """Return who sits before the browser as he is now, who must be the same as at first."""
    now = identify(flask.request)
    if now.name != principal.name:
        raise UnauthenticatedError("Your session has ended. Sign in again.")
    return now


def _begin(
    consoles: Consoles, ticket: Mapping[str, Any], browser: WebSocket, who: Callable[[], Principal], address: str
) -> EndedError:
    try:
        session = Session(consoles, ticket, browser, lambda: consoles.may_type(ticket, who()))
    except PortalError as error:
        consoles.closed(ticket["id"], error.message)
        raise
    return _show(consoles, ticket, session, address)


def _show(consoles: Consoles, ticket: Mapping[str, Any], session: Session, address: str) -> EndedError:
    consoles.record(ticket, "open", address)
    began = time.monotonic()
    ended = EndedError(REFUSED, "The portal was stopped.")
    try:
        ended = session.run()
    finally:
        consoles.closed(ticket["id"], ended.reason)
        consoles.record(
            ticket,
            "close",
            address,
            reason=ended.reason,
            seconds=round(time.monotonic() - began, 1),
            bytesShown=session.sent,
            bytesTyped=session.received,
        )
    return ended


def _tunnel(runtime: Runtime, consoles: Consoles, tunnel: str) -> Response:
    node = runtime.controller.nodes.authenticate(bearer(flask.request.headers.get("Authorization", "")))
    awaited = consoles.meeting.of(tunnel)
    if awaited is not None and awaited.node_id == node["id"]:
        return Upgrade(flask.request, awaited.bring)
    elsewhere = {"tunnel": tunnel, "screen.node_id": node["id"], "closed": None}
    if awaited is None and ConsoleTicket.rows(elsewhere, fields=["_id"], limit=1):
        return Response("Another process of the portal waits for this tunnel.\n", MISDIRECTED)
    raise NotFoundError("Nobody waits for this tunnel.")
