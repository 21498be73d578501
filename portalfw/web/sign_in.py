"""Signing in and out with a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import flask
from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.credentials import create_session, end_session
from portalfw.auth.identify import COOKIE, check_same_site
from portalfw.auth.users import authenticate
from portalfw.errors import ForbiddenError, UnauthenticatedError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def blueprint(runtime: Runtime) -> flask.Blueprint:
    """Return ``/login`` and ``/logout``."""
    routes = flask.Blueprint("sign_in", __name__)

    @routes.get("/login")
    def form() -> str:
        return _form(flask.request.args.get("next", "/"), "", "")

    @routes.post("/login")
    def sign_in() -> AnyResponse:
        name, password = flask.request.form.get("name", ""), flask.request.form.get("password", "")
        target = local_target(flask.request.form.get("next", "/"))
        try:
            check_same_site(flask.request)
            user = authenticate(name, password)
        except (UnauthenticatedError, ForbiddenError) as error:
            status = 401 if isinstance(error, UnauthenticatedError) else 403
            return Response(_form(target, name, error.message), status, content_type="text/html; charset=utf-8")
        response = flask.redirect(target, 303)
        value = create_session(user, flask.request.remote_addr or "", runtime.settings.session_hours)
        seconds = int(runtime.settings.session_hours * 3600)
        response.set_cookie(
            COOKIE, value, max_age=seconds, httponly=True, samesite="Lax", secure=flask.request.is_secure
        )
        return response

    @routes.post("/logout")
    def sign_out() -> AnyResponse:
        check_same_site(flask.request)
        value = flask.request.cookies.get(COOKIE)
        if value:
            end_session(value)
        response = flask.redirect("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    return routes


def local_target(target: str) -> str:
    """Return ``target`` if it leads to a page of ours, else ``/``: nobody is sent elsewhere by a link to the login page."""
    parts = urlsplit(target.replace("\\", "/"))
    inside = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if inside and not any(ord(letter) < ord(" ") for letter in target) else "/"


def _form(target: str, name: str, error: str) -> str:
    theme = flask.request.cookies.get("theme", "auto")
    return flask.render_template("login.html", next=local_target(target), name=name, error=error, theme=theme)
