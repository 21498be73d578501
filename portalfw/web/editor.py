"""The page on which wiki pages are edited; its script does the rest by ``system/pages`` and ``system/editor``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import flask
from flask import Request, Response

from portalfw.auth.principal import Principal
from portalfw.errors import PortalError, UnauthenticatedError
from portalfw.history import Pages
from portalfw.history.names import page_name
from portalfw.web import frame
from portalfw.web.editor_frame import HTML, around, refused, see, to_login
from portalfw.wiki.address import address_of, page_id, page_topic

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


@dataclass(frozen=True)
class Desk:
    """What the page tells its script: which page is edited, where it is shown, which template a new one begins as."""

    space: str
    name: str
    address: str
    template: str
    topics: str  # on which changes of the page and of its lock are told


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal]) -> flask.Blueprint:
    """Return ``/edit/<space>/<page>``, and ``/edit/<space>?page=…`` for a name that was typed."""
    routes = flask.Blueprint("editor", __name__)
    pages = Pages(runtime.history)

    def show(principal: Principal, space: str, name: str) -> Response:
        pages.check_now(principal, space, name, "W")
        shown = around(runtime, principal, space, name, "Edit")
        desk = Desk(
            space=space.lower(),
            name=name,
            address=address_of(f"/{space.lower()}/{name}", _arguments()),
            template=flask.request.args.get("template", ""),
            topics=f"page_lock:{page_id(space, name)} {page_topic(space, name)}",
        )
        return Response(frame.render_in("edit.html", shown, desk=desk), content_type=HTML)

    @routes.get("/edit/<space>/<name>")
    def edit(space: str, name: str) -> Response:
        principal = identify(flask.request)
        try:
            return show(principal, space, name)
        except UnauthenticatedError:
            return to_login()
        except PortalError as error:
            return refused(runtime, principal, space, name, error)

    @routes.get("/edit/<space>")
    def begin(space: str) -> Response:
        template = flask.request.args.get("template", "")
        query = f"?{urlencode({'template': template})}" if template else ""
        try:
            name = page_name(flask.request.args.get("page", ""))
        except PortalError as error:
            return refused(runtime, identify(flask.request), space, "Home", error)
        return see(f"/edit/{quote(space)}/{quote(name)}{query}")

    return routes


def _arguments() -> dict[str, str]:
    """Return the arguments of the page that is edited, which it is previewed with and shown with afterwards."""
    return {name: value for name, value in flask.request.args.items() if name != "template"}
