"""What stands around the pages of the editor, and the tools that lead to it from every page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import flask
from flask import Response
from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, NotFoundError, PortalError
from portalfw.logo import LogoMark
from portalfw.rest.errors import status_of
from portalfw.web import frame
from portalfw.web.theme import theme_of
from portalfw.wiki import menus
from portalfw.wiki.address import page_key
from portalfw.wiki.rights import letters_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime
    from portalfw.wiki.space import Space

HTML = "text/html; charset=utf-8"
TITLES = {400: "This cannot be a page", 403: "You may not edit this page", 404: "Not found"}


def around(runtime: Runtime, principal: Principal, space: str, name: str | None, doing: str) -> frame.Frame:
    """Return the frame of a page about the wiki page ``name``, or about the space; ``doing`` ends the way to it.

    :raises NotFoundError: if there is no such space.
    """
    found = runtime.wiki.spaces.get(space.lower())
    if found is None:
        raise NotFoundError(f"There is no space {space!r}.")
    way = [(found.config.title, f"/{found.name}")]
    if name is not None:
        way.append((name, f"/{quote(found.name)}/{quote(name)}"))
    title = f"{doing} {name or found.config.title}"
    view = frame.PageView(title, Markup(), flask.request.path, [*way, (doing, flask.request.path)])
    return _frame(runtime, principal, found, view, name or "")


def to_login() -> Response:
    """Return an answer that leads a guest to the sign-in form, and back here afterwards."""
    return see(f"/login?{urlencode({'next': flask.request.full_path.rstrip('?')})}")


def see(address: str) -> Response:
    """Return an answer that sends the browser on."""
    answer = Response(status=303)
    answer.headers["Location"] = address
    return answer


def refused(runtime: Runtime, principal: Principal, space: str, name: str, error: PortalError) -> Response:
    """Return the page that says why something cannot be edited, and leads back to what can be read."""
    status = status_of(error)
    found = None if isinstance(error, NotFoundError) else runtime.wiki.spaces.get(space.lower())
    title = TITLES.get(status, "This is not possible now")
    view = frame.PageView(title, Markup(), flask.request.path, [(title, flask.request.path)])
    seen = found if found and "R" in letters_of(principal, found.config.rights) else None
    back = frame.Back(f"Go to {name}", f"/{quote(seen.name)}/{quote(name)}") if seen else frame.Back()
    if isinstance(error, ForbiddenError) and not seen:
        title = "You may not see this page"
    fault = frame.Fault(status, title, error.message, back=back)
    html = frame.render_error(_frame(runtime, principal, seen, view, name), fault)
    return Response(html, status, content_type=HTML)


def _frame(runtime: Runtime, principal: Principal, space: Space | None, view: frame.PageView, name: str) -> frame.Frame:
    nav = menus.navigation(space, principal, {page_key(name)}) if space else []
    return frame.Frame(
        page=view,
        nav=[frame.NavGroup(group.title, [frame.NavItem(**vars(item)) for item in group.items]) for group in nav],
        portals=[frame.PortalLink(**vars(one)) for one in menus.portals(runtime.wiki.spaces, principal, space)],
        user=None if principal.guest else frame.Viewer(principal.name, frame.initials(principal.name)),
        theme=theme_of(flask.request),
        since=runtime.bus.position,
        logo=runtime.service(LogoMark).address(),
    )
