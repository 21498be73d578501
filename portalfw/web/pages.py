"""Wiki pages over HTTP: the wiki's view of an address, put into the frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import flask
from flask import Request, Response
from markupsafe import Markup

from portalfw.auth.principal import Principal
from portalfw.errors import UnauthenticatedError
from portalfw.logo import LogoMark
from portalfw.web import frame, page_tools
from portalfw.web.compression import compressed_once
from portalfw.web.screens import Screens
from portalfw.web.theme import theme_of
from portalfw.wiki import Moved, PageView, Twin
from portalfw.wiki.address import page_topic

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SINCE = "Portal-Since"  # of a request for a macro: the position of the last event that the page has had
VERSION = "Portal-Version"  # idem: the version of the macro that the page shows
SCREEN = "Portal-Page"  # idem: the name that the page has given itself
HEAD_OF_MACRO = 200  # bytes of a macro in which its version stands
HTML = "text/html; charset=utf-8"
HEALTH_PAGE = "/grid/Health"


def blueprint(runtime: Runtime, identify: Callable[[Request], Principal], screens: Screens) -> flask.Blueprint:
    """Return the routes of all pages: every address that nothing else answers."""
    routes = flask.Blueprint("pages", __name__)

    @routes.get("/")
    @routes.get("/<path:path>")
    def page(path: str = "") -> Response:
        began, since = time.perf_counter(), runtime.bus.position
        request = flask.request
        params = request.args.to_dict()
        try:
            principal = identify(request)
            found = runtime.wiki.view(principal, path, params, request.headers.get(SINCE, ""))
        except UnauthenticatedError:
            return _to_login(request)
        if isinstance(found, Moved):
            return Response(status=302, headers={"Location": found.href})
        if isinstance(found, Twin):
            if SCREEN in request.headers:
                screens.note(request.headers[SCREEN], principal, path, params, found)
            return _twin(found, request)
        shown = replace(
            _frame(
                found,
                principal,
                request,
                page_tools.of(runtime, principal, path, found, request.query_string.decode(errors="replace")),
            ),
            render_ms=(time.perf_counter() - began) * 1000,
            since=since,
            health=_health(runtime, principal),
            logo=runtime.service(LogoMark).address(),
        )
        if found.fault is None:
            return Response(frame.render_frame(shown), content_type=HTML)
        return Response(frame.render_error(shown, _fault(found)), found.status, content_type=HTML)

    return routes


def _twin(found: Twin, request: Request) -> Response:
    """Return a twin; nothing for a macro that the browser shows as it is already."""
    shown = request.headers.get(VERSION)
    if not shown or found.status != HTTPStatus.OK:
        return Response(found.body, found.status, content_type=found.media_type)
    if f'data-version="{shown}"'.encode() in found.body[:HEAD_OF_MACRO]:
        return Response(status=HTTPStatus.NO_CONTENT)
    answer = Response(found.body, content_type=found.media_type)
    return compressed_once(request, answer)


def error_page(status: int, title: str, message: str) -> Response:
    """Return a page that says what failed where there is no wiki page to say it."""
    view = frame.PageView(title, Markup(), flask.request.path, breadcrumbs=[(title, flask.request.path)])
    fault = frame.Fault(status, title, message, flask.g.get("request_id"))
    return Response(
        frame.render_error(frame.Frame(view, theme=theme_of(flask.request)), fault), status, content_type=HTML
    )


def _to_login(request: Request) -> Response:
    target = quote(request.path) + (f"?{urlencode(request.args)}" if request.args else "")
    answer = Response(status=303)
    answer.headers["Location"] = f"/login?{urlencode({'next': target})}"
    return answer


def _frame(view: PageView, principal: Principal, request: Request, tools: page_tools.PageTools) -> frame.Frame:
    page = frame.PageView(
        title=view.title,
        html=view.html,
        path=view.path,
        breadcrumbs=view.breadcrumbs,
        revision=view.revision,
        head=frame.PageHead(view.head.title, view.head.sub, view.head.state, view.head.actions) if view.head else None,
        layout=view.layout,
        tools=tools.links,
        menu=tools.menu,
        topic=page_topic(*view.path.strip("/").split("/", 1)) if "/" in view.path.strip("/") else "",
        address=quote(request.path) + (f"?{urlencode(request.args)}" if request.args else ""),
    )
    return frame.Frame(
        page=page,
        nav=[frame.NavGroup(group.title, [frame.NavItem(**vars(item)) for item in group.items]) for group in view.nav],
        portals=[frame.PortalLink(**vars(portal)) for portal in view.portals],
        user=None if principal.guest else frame.Viewer(principal.name, frame.initials(principal.name)),
        theme=theme_of(request),
    )


def _health(runtime: Runtime, principal: Principal) -> frame.HealthMark | None:
    """Return the mark that operators see on every page."""
    if not principal.is_operator:
        return None
    found = runtime.health.overall()
    return frame.HealthMark(found.state, found.troubles, HEALTH_PAGE)


def _fault(view: PageView) -> frame.Fault:
    fault = view.fault
    if fault is None:
        raise ValueError(f"page {view.path} has no fault to show")
    back = frame.Back(fault.back.label, fault.back.href) if fault.back else None
    return frame.Fault(fault.status, fault.title, fault.message, fault.id, back)
