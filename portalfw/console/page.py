"""The page that an issued address leads to: one screen, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import flask
import orjson
from flask import Response
from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.console.consoles import PAGE, Consoles
from portalfw.errors import NotFoundError
from portalfw.logo import LogoMark
from portalfw.web import frame
from portalfw.web.theme import theme_of
from portalfw.wiki import menus
from portalfw.wiki.calling import topics

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def console_page(runtime: Runtime, principal: Principal, secret: str) -> Response:
    """Return the page of a ticket; one that is used up opens the same screen with another, if the user still may.

    :raises NotFoundError: if this user has no such ticket.
    """
    if principal.guest:
        target = flask.request.full_path.rstrip("?")
        return Response(status=303, headers={"Location": f"/login?{urlencode({'next': target})}"})
    ticket = runtime.service(Consoles).look(secret, principal)
    if ticket is None:
        raise NotFoundError("This link to a console is unknown, too old, or another user's. Open the console anew.")
    screen = ticket["screen"]
    good = ticket.get("used") is None and ticket["expires"] > time.time()
    title = f"Console of {screen['title']}"
    view = frame.PageView(title, Markup(), PAGE, [(title, PAGE)], layout="wide")
    around = frame.Frame(
        page=view,
        portals=[frame.PortalLink(**vars(one)) for one in menus.portals(runtime.wiki.spaces, principal, None)],
        user=frame.Viewer(principal.name, frame.initials(principal.name)),
        theme=theme_of(flask.request),
        since=runtime.bus.position,
        logo=runtime.service(LogoMark).address(),
    )
    html = frame.render_in(
        "console.html",
        around,
        screen=screen,
        given=orjson.dumps(screen["given"]).decode(),
        news=topics(runtime.dispatcher.describe(screen["address"]), screen["given"]),
        ticket=secret if good else "",
    )
    return Response(html, content_type="text/html; charset=utf-8")
