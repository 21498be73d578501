"""Signing in by a provider of OpenID Connect: the way there, the way back, and signing out there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

import flask
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.cookies import cookie, drop_cookie, set_cookie
from portalfw.auth.credentials import digest
from portalfw.auth.oidc_flow import oidc
from portalfw.auth.oidc_pending import LIFE, cookie_name
from portalfw.auth.oidc_sessions import note_provider, sign_out_at
from portalfw.auth.origin import public_url
from portalfw.auth.principal import GUEST
from portalfw.auth.users import User
from portalfw.errors import PortalError
from portalfw.rest.limits import Limited
from portalfw.web.frame import Back, Card, Way, render_card
from portalfw.web.sign_in_record import record_sign_in
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

PATH = "/login/oidc"
CALL = "login/oidc"  # under which sign-ins stand in the audit records
RATE = "10/100"  # steps a second of one address, and burst: each is a document, and a person needs two

Refuse = Callable[[str, PortalError], AnyResponse]
Welcome = Callable[[User, str, Callable[[str], None]], AnyResponse]


def add_routes(
    routes: flask.Blueprint, runtime: Runtime, local: Callable[[str], str], refuse: Refuse, welcome: Welcome
) -> None:
    """Add ``/login/oidc/NAME``, which leads to a provider, and ``…/callback``, to which it leads back.

    :param local: returns an address if it is one of our pages, else that of the first page.
    :param refuse: makes the page that says why nobody is signed in, for the page that was wanted.
    :param welcome: gives the browser a session, tells its secret to the function given last, and leads to the page.
    :raises StartError: if the secret of a provider cannot be read.
    """
    service = runtime.service(oidc)
    limited = Limited(lambda _: GUEST, "0", RATE)
    look(runtime)

    @routes.get(f"{PATH}/<name>")
    def leave(name: str) -> AnyResponse:
        target = local(flask.request.args.get("next", "/"))
        try:
            limited(flask.request)
            provider = service.provider(name)
            started, address = service.begin(provider, f"{public_url(flask.request)}{PATH}/{name}/callback", target)
        except PortalError as error:
            return refuse(target, error)
        response = flask.redirect(address, 303)
        set_cookie(response, flask.request, started.cookie, started.browser, max_age=LIFE, path=PATH)
        return response

    @routes.get(f"{PATH}/<name>/callback")
    def come_back(name: str) -> AnyResponse:
        began, given, target = time.perf_counter(), flask.request.args.to_dict(), "/"
        state, hours = given.get("state", ""), runtime.settings.session_hours
        try:
            limited(flask.request)
            provider = service.provider(name)
            started = service.take(provider, state, lambda one: cookie(flask.request, one))
            target = started.target
            done = service.finish(provider, started, given)
        except PortalError as error:
            record_sign_in(runtime, CALL, began, refusal=error, arguments={"provider": name[:100]})
            response = refuse(target, error)
        else:
            record_sign_in(runtime, CALL, began, user=done.user.name, arguments={"provider": name[:100]})
            response = welcome(
                done.user, target, lambda secret: note_provider(secret, provider.settings.name, done.id_token, hours)
            )
        drop_cookie(response, flask.request, cookie_name(state), path=PATH)
        return response


def ways(runtime: Runtime, target: str) -> list[Way]:
    """Return the providers as the sign-in page shows them, with what is known of their reach."""
    look(runtime)
    return [
        Way(one.settings.label, f"{PATH}/{one.settings.name}?next={quote(target, safe='')}", one.failure)
        for one in runtime.service(oidc)
    ]


def look(runtime: Runtime) -> None:
    """Find out beside the caller which providers can be reached, where nobody knows."""
    for provider in runtime.service(oidc):
        if provider.doubtful:
            runtime.spawn(provider.look)


def farewell(runtime: Runtime, session: str) -> str | None:
    """Return the page that offers to sign out at the provider too, if the session was begun at one that can.

    A page and no redirect: the form that signs out may only lead to pages of ours (Content-Security-Policy), and not
    everybody wants to leave everything else that the provider opens.
    """
    found = sign_out_at(runtime.service(oidc), digest(session), f"{public_url(flask.request)}/login")
    if found is None:
        return None
    title, address = found
    return render_card(
        Card(
            "Signed out",
            f"You have signed out here. This browser may still be signed in at {title}.",
            link=Back(f"Sign out of {title} too", address),
            back=Back("Sign in again", "/login"),
            theme=theme_of(flask.request),
        )
    )
