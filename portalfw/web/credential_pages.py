"""Pages that show a secret once: a new API token, and the setting up of a second factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import flask
from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from portalfw.auth.principal import GUEST
from portalfw.errors import PortalError, TooManyError
from portalfw.rest.errors import status_of
from portalfw.web import passkey_pages
from portalfw.web.calling import call_method
from portalfw.web.frame import Back, Card, Field, render_card
from portalfw.web.theme import theme_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

BACK = Back("My account", "/system/Account")
TOKEN_FIELDS = (
    Field("name", "Name", required=True, help="What it is for."),
    Field("expires", "Lives for", value="30d", help="Such as 30d, 12h or 90m; for ever if empty."),
    Field("apps", "Apps", help="It may only call methods of these, such as cloudapi; of all if empty."),
    Field("readonly", "It may only call methods that change nothing", type="checkbox"),
)
PASSWORD = Field("current", "Password", type="password", required=True, autocomplete="current-password")
CODE = Field(
    "code", "The 6 digits that the app shows", required=True, autocomplete="one-time-code", inputmode="numeric"
)


def add_routes(routes: flask.Blueprint, runtime: Runtime) -> None:
    """Add ``/login/token``, ``/login/second-factor`` and ``/login/new-passkey``: all call methods as anybody could."""
    pages = (("/login/token", _token), ("/login/second-factor", _second_factor), (passkey_pages.PATH, _passkey))
    for path, show in pages:
        routes.add_url_rule(path, view_func=_View(runtime, path, show), endpoint=show.__name__, methods=["GET", "POST"])


class _View:
    """One page: asks for a sign-in first, and calls methods for who has signed in."""

    def __init__(self, runtime: Runtime, path: str, show: Callable[[_View], AnyResponse]) -> None:
        self._runtime = runtime
        self.path = path
        self._show = show
        self.principal = GUEST

    def __call__(self) -> AnyResponse:
        identify = self._runtime.identify
        view = copy(self)
        view.principal = GUEST if identify is None else identify(flask.request)
        return flask.redirect(f"/login?next={self.path}", 303) if view.principal.guest else self._show(view)

    def call(self, name: str, given: Mapping[str, Any]) -> Any:
        return call_method(self._runtime, self.principal, name, given)


def _token(view: _View) -> AnyResponse:
    form = _card("Create a token", view.path, "Create token", TOKEN_FIELDS, "Programs send it with each call.")
    if flask.request.method == "GET":
        return _shown(form)
    given: dict[str, Any] = flask.request.form.to_dict()
    try:
        apps = given.get("apps", "").replace(",", " ").split()
        secret = view.call("system/tokens/create", {**given, "apps": apps or None})
    except PortalError as error:
        return _failed(form, error, given)
    text = "Copy the token now; it cannot be shown again. Programs send it as Authorization: Bearer."
    return _shown(Card("Your new token", text, secrets=[secret], back=BACK, theme=theme_of(flask.request)))


def _second_factor(view: _View) -> AnyResponse:
    text = "From then on, signing in asks for a code of an authenticator app as well."
    form = _card("Set up a second factor", view.path, "Continue", [PASSWORD], text)
    if flask.request.method == "GET":
        return _shown(form)
    given = flask.request.form.to_dict()
    if "code" in given:
        return _confirm(view, given)
    try:
        enrolment = view.call("system/secondfactor/enrol", given)
    except PortalError as error:
        return _failed(form, error, {})
    return _shown(_scan(enrolment["qr"], [enrolment["secret"], enrolment["uri"]]))


def _confirm(view: _View, given: Mapping[str, Any]) -> AnyResponse:
    try:
        codes = view.call("system/secondfactor/confirm", given)
    except PortalError as error:
        return _failed(_scan(None, []), error, {})
    text = "The second factor is on. Keep these recovery codes in a safe place; each works once, if the app is lost."
    return _shown(Card("Recovery codes", text, secrets=codes, back=BACK, theme=theme_of(flask.request)))


def _scan(qr: str | None, secrets: list[str]) -> Card:
    return Card(
        "Scan this code",
        "Scan it with an authenticator app, or type the letters in; then type the digits that the app shows."
        if qr
        else "Type the digits that the app shows now.",
        "/login/second-factor",
        "Turn on",
        [CODE],
        secrets,
        qr,
        back=BACK,
        theme=theme_of(flask.request),
    )


def _passkey(view: _View) -> AnyResponse:
    return passkey_pages.new_passkey(view.principal)


def _card(title: str, action: str, submit: str, fields: Any, text: str) -> Card:
    return Card(title, text, action, submit, fields, back=BACK, theme=theme_of(flask.request))


def _shown(card: Card, status: int = 200) -> Response:
    return Response(render_card(card), status, content_type="text/html; charset=utf-8")


def _failed(card: Card, error: PortalError, given: Mapping[str, Any]) -> Response:
    """Show the form again with what was typed, but for secrets, and what was wrong."""
    typed = [
        Field(**{**vars(field), "value": str(given.get(field.name) or "")}) if field.type != "password" else field
        for field in card.fields
    ]
    response = _shown(Card(**{**vars(card), "fields": typed, "error": error.message}), status_of(error))
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response
