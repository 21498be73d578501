"""Signing in with a passkey: the browser asks for a challenge and posts what the authenticator has signed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flask
import orjson
from flask import Request, Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.cookies import cookie, drop_cookie, set_cookie
from portalfw.auth.credentials import digest
from portalfw.auth.identify import check_same_site
from portalfw.auth.lockout import Lockout
from portalfw.auth.origin import public_url
from portalfw.auth.passkeys_challenge import LIFE
from portalfw.auth.passkeys_sign_in import PasskeyRefusedError, begin_sign_in, take_answer
from portalfw.auth.passkeys_site import Site, site_at
from portalfw.auth.principal import GUEST
from portalfw.auth.users import User
from portalfw.errors import ForbiddenError, InvalidError, PortalError, TooManyError
from portalfw.rest.http import answer, failure
from portalfw.rest.limits import Limited
from portalfw.web.frame import PasskeyOffer
from portalfw.web.sign_in_record import record_sign_in

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

BROWSER = "portalfw_passkey"  # cookie that binds a challenge to the browser that got it; it opens nothing by itself
CALL = "login/passkey"
RATE = "10/200"  # challenges a second of one address, and burst: each is a document, and a person needs one
LARGEST = 64 * 1024  # characters of an answer


def add_routes(
    routes: flask.Blueprint,
    runtime: Runtime,
    lockout: Lockout,
    refuse: Callable[[PortalError], AnyResponse],
    welcome: Callable[[User], AnyResponse],
) -> None:
    """Add ``/login/passkey/options`` (JSON) and ``/login/passkey`` (a form).

    :param refuse: makes the page that says why nobody is signed in.
    :param welcome: gives the browser a session and sends it on.
    """
    limited = Limited(lambda _: GUEST, "0", RATE)

    @routes.post("/login/passkey/options")
    def passkey_options() -> Response:
        request = flask.request
        browser = cookie(request, BROWSER) or secrets.token_urlsafe(32)
        try:
            check_same_site(request)
            limited(request)
            response = answer(begin_sign_in(here(request), digest(browser)))
        except PortalError as error:
            return failure(error, flask.g.request_id)
        set_cookie(response, request, BROWSER, browser, max_age=LIFE, path="/login", samesite="Strict")
        return response

    @routes.get("/login/passkey")
    def passkey_form() -> AnyResponse:
        return flask.redirect("/login", 303)

    @routes.post("/login/passkey")
    def passkey_sign_in() -> AnyResponse:
        request, began = flask.request, time.perf_counter()
        try:
            check_same_site(request)
            browser, address = digest(cookie(request, BROWSER)), request.remote_addr or ""
            user, passkey_id = take_answer(here(request), browser, _credential(request), lockout, address)
        except PasskeyRefusedError as error:
            tags = [] if error.passkey_id is None else [_tag(error.passkey_id)]
            record_sign_in(runtime, CALL, began, user=error.user, refusal=error, reason=error.reason, tags=tags)
            return refuse(error)
        except (ForbiddenError, InvalidError, TooManyError) as error:
            return refuse(error)
        record_sign_in(runtime, CALL, began, user=user.name, tags=[_tag(passkey_id)])
        response = welcome(user)
        drop_cookie(response, request, BROWSER, path="/login")
        return response


def here(request: Request) -> Site:
    """Return the site that the browser is at."""
    return site_at(public_url(request))


def offer(request: Request) -> PasskeyOffer:
    """Return what a page tells its script about passkeys."""
    site = here(request)
    return PasskeyOffer(site.origin, site.problem, site.better)


def _credential(request: Request) -> dict[str, Any]:
    text = request.form.get("credential", "")
    try:
        found = orjson.loads(text) if len(text) <= LARGEST else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidError("The browser has sent no passkey. Try again.", detail={"argument": "credential"})
    return found


def _tag(passkey_id: int) -> str:
    return f"passkeyId:{passkey_id}"
