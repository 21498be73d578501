"""Signing in and out with a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import flask
from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.cookies import cookie, cookie_values, drop_cookie, set_cookie
from portalfw.auth.identify import COOKIE, check_same_site
from portalfw.auth.lockout import Lockout
from portalfw.auth.pending import LIFE, begin_pending, end_pending, pending_user
from portalfw.auth.second_factor import has_second_factor, take_code
from portalfw.auth.sessions import create_session, end_session
from portalfw.auth.users import User, authenticate
from portalfw.errors import ForbiddenError, PortalError, TooManyError, UnauthenticatedError
from portalfw.rest.errors import status_of
from portalfw.web import credential_pages, oidc, passkey_sign_in
from portalfw.web.frame import SecondStep, SignIn, render_login, render_second_step
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

TITLE = "portalfw"
PENDING = "portalfw_pending"  # cookie between password and second factor; nothing else takes it
HTML = "text/html; charset=utf-8"


def blueprint(runtime: Runtime) -> flask.Blueprint:
    """Return ``/login``, its second step ``/login/code``, ``/logout``, and the pages about one's own credentials."""
    routes = flask.Blueprint("sign_in", __name__)
    lockout = Lockout(runtime.settings)
    _add_password_step(routes, runtime, lockout)
    _add_code_step(routes, runtime, lockout)
    credential_pages.add_routes(routes, runtime)

    @routes.post("/logout")
    def sign_out() -> AnyResponse:
        check_same_site(flask.request)
        farewell = None
        for value in cookie_values(flask.request, COOKIE):
            farewell = farewell or oidc.farewell(runtime, value)
            end_session(value)
        response = Response(farewell, content_type=HTML) if farewell else flask.redirect("/login", 303)
        drop_cookie(response, flask.request, COOKIE)
        return response

    return routes


def _add_password_step(routes: flask.Blueprint, runtime: Runtime, lockout: Lockout) -> None:
    def form_html(target: str, name: str = "", error: str | None = None) -> str:
        theme = theme_of(flask.request)
        hint, passkey = _hint(runtime), passkey_sign_in.offer(flask.request)
        ways = oidc.ways(runtime, local_target(target))
        form = SignIn(TITLE, local_target(target), name, error, hint, theme=theme, passkey=passkey, ways=ways)
        return render_login(form)

    def target_of_form() -> str:
        return local_target(flask.request.form.get("next", "/"))

    passkey_sign_in.add_routes(
        routes,
        runtime,
        lockout,
        refuse=lambda error: refused(error, form_html(target_of_form(), error=error.message)),
        welcome=lambda user: _signed_in(user, target_of_form(), runtime.settings.session_hours),
    )

    oidc.add_routes(
        routes,
        runtime,
        local_target,
        refuse=lambda target, error: refused(error, form_html(target, error=error.message)),
        welcome=lambda user, target, began: _from_provider(user, target, runtime.settings.session_hours, began),
    )

    @routes.get("/login")
    def form() -> str:
        return form_html(flask.request.args.get("next", "/"))

    @routes.post("/login")
    def sign_in() -> AnyResponse:
        name, password = flask.request.form.get("name", ""), flask.request.form.get("password", "")
        target, address = local_target(flask.request.form.get("next", "/")), flask.request.remote_addr or ""
        try:
            check_same_site(flask.request)
            lockout.begin(name, address)
            user = authenticate(name, password)
        except (UnauthenticatedError, ForbiddenError, TooManyError) as error:
            return refused(error, form_html(target, name, error.message))
        if has_second_factor(user.name):
            lockout.pass_step(name, address)
            return _ask_for_code(user, target)
        lockout.succeed(name, address)
        return _signed_in(user, target, runtime.settings.session_hours)


def _add_code_step(routes: flask.Blueprint, runtime: Runtime, lockout: Lockout) -> None:
    @routes.get("/login/code")
    def code_form() -> AnyResponse:
        target = local_target(flask.request.args.get("next", "/"))
        user = pending_user(cookie(flask.request, PENDING))
        if user is None:
            return _begin_again(target)
        return Response(_code_html(user.name, target, recovery="recovery" in flask.request.args), content_type=HTML)

    @routes.post("/login/code")
    def second_step() -> AnyResponse:
        target, address = local_target(flask.request.form.get("next", "/")), flask.request.remote_addr or ""
        secret = cookie(flask.request, PENDING)
        user = pending_user(secret)
        if user is None:
            return _begin_again(target)
        try:
            check_same_site(flask.request)
            lockout.begin(user.name, address)
            take_code(user.name, flask.request.form.get("code", ""))
        except (UnauthenticatedError, ForbiddenError, TooManyError) as error:
            recovery = "recovery" in flask.request.form
            return refused(error, _code_html(user.name, target, recovery=recovery, error=error.message))
        if not end_pending(secret):
            return _begin_again(target)
        lockout.succeed(user.name, address)
        response = _signed_in(user, target, runtime.settings.session_hours)
        drop_cookie(response, flask.request, PENDING, path="/login")
        return response


def refused(error: PortalError, html: str) -> Response:
    """Return the page that says why a sign-in failed; programs find the wait in Retry-After."""
    response = Response(html, status_of(error), content_type=HTML)
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def local_target(target: str) -> str:
    """Return ``target`` if it leads to a page of ours, else ``/``: no link to the login page sends people elsewhere."""
    parts = urlsplit(target.replace("\\", "/"))
    inside = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if inside and not any(ord(letter) < ord(" ") for letter in target) else "/"


def _ask_for_code(user: User, target: str) -> AnyResponse:
    return _with_pending(flask.redirect(f"/login/code?next={quote(target, safe='')}", 303), user)


def _with_pending(response: AnyResponse, user: User) -> AnyResponse:
    secret = begin_pending(user)
    set_cookie(response, flask.request, PENDING, secret, max_age=LIFE, path="/login", samesite="Strict")
    return response


def _begin_again(target: str) -> AnyResponse:
    return flask.redirect(f"/login?next={quote(target, safe='')}", 303)


def _from_provider(user: User, target: str, hours: float, began: Callable[[str], None]) -> AnyResponse:
    """Let in whom a provider has recognised; who has a second factor here is asked for it as well.

    By a page, since a redirect would not carry the strict cookie: the browser comes from the provider's site.
    """
    if not has_second_factor(user.name):
        return _signed_in(user, target, hours, began)
    return _with_pending(Response(_code_html(user.name, target, recovery=False), content_type=HTML), user)


def _signed_in(user: User, target: str, hours: float, began: Callable[[str], None] | None = None) -> AnyResponse:
    """Give the browser a new session; the one that it came with ends, so that none outlives a sign-in.

    :param began: is told the session's secret.
    """
    for previous in cookie_values(flask.request, COOKIE):
        end_session(previous)
    value = create_session(user, flask.request.remote_addr or "", hours, flask.request.user_agent.string)
    if began is not None:
        began(value)
    response = flask.redirect(target, 303)
    set_cookie(response, flask.request, COOKIE, value, max_age=int(hours * 3600))
    return response


def _code_html(name: str, target: str, *, recovery: bool, error: str | None = None) -> str:
    theme = theme_of(flask.request)
    return render_second_step(SecondStep(TITLE, name, target, recovery=recovery, error=error, theme=theme))


def _hint(runtime: Runtime) -> str | None:
    """Tell people at this very machine where the first password lies; nobody else needs to know the folder."""
    file = runtime.settings.state_folder / "admin-password"
    request = flask.request  # a proxy on this machine that is not among trusted_proxies does not make its clients local
    here = request.remote_addr in {"127.0.0.1", "::1"} and "X-Forwarded-For" not in request.headers
    return f"The first administrator is admin; the password lies in {file}" if here and file.exists() else None
