"""Signing in and out with a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import flask
from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.identify import COOKIE, check_same_site
from portalfw.auth.lockout import Lockout
from portalfw.auth.sessions import create_session, end_session
from portalfw.auth.users import authenticate
from portalfw.errors import ForbiddenError, PortalError, TooManyError, UnauthenticatedError
from portalfw.rest.errors import status_of
from portalfw.web.frame import SignIn, render_login
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def blueprint(runtime: Runtime) -> flask.Blueprint:
    """Return ``/login`` and ``/logout``."""
    routes = flask.Blueprint("sign_in", __name__)

    lockout = Lockout(runtime.settings)

    def form_html(target: str, name: str = "", error: str | None = None) -> str:
        theme = theme_of(flask.request)
        form = SignIn("portalfw", next=local_target(target), name=name, error=error, hint=_hint(runtime), theme=theme)
        return render_login(form)

    @routes.get("/login")
    def form() -> str:
        return form_html(flask.request.args.get("next", "/"))

    @routes.post("/login")
    def sign_in() -> AnyResponse:
        name, password = flask.request.form.get("name", ""), flask.request.form.get("password", "")
        target = local_target(flask.request.form.get("next", "/"))
        address = flask.request.remote_addr or ""
        try:
            check_same_site(flask.request)
            lockout.begin(name, address)
            user = authenticate(name, password)
        except (UnauthenticatedError, ForbiddenError, TooManyError) as error:
            return refused(error, form_html(target, name, error.message))
        lockout.succeed(name, address)
        response = flask.redirect(target, 303)
        previous = flask.request.cookies.get(COOKIE)
        if previous:
            end_session(previous)  # a session never outlives the sign-in that replaces it
        value = create_session(user, address, runtime.settings.session_hours, flask.request.user_agent.string)
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


def refused(error: PortalError, html: str) -> Response:
    """Return the page that says why a sign-in failed; programs find the wait in Retry-After."""
    response = Response(html, status_of(error), content_type="text/html; charset=utf-8")
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def local_target(target: str) -> str:
    """Return ``target`` if it leads to a page of ours, else ``/``: no link to the login page sends people elsewhere."""
    parts = urlsplit(target.replace("\\", "/"))
    inside = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if inside and not any(ord(letter) < ord(" ") for letter in target) else "/"


def _hint(runtime: Runtime) -> str | None:
    """Tell people at this very machine where the first password lies; nobody else needs to know the folder."""
    file = runtime.settings.state_folder / "admin-password"
    here = flask.request.remote_addr in {"127.0.0.1", "::1"}
    return f"The first administrator is admin; the password lies in {file}" if here and file.exists() else None
