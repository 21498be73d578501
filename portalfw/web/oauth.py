"""The token endpoints that existing cloud clients know, and our public keys.

They count no failures: a secret of 256 bits is not guessed, and a program with a revoked token must not lock out people
who share its address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
from flask import Response

from portalfw.auth.credentials import bearer
from portalfw.auth.jwt_issue import JwtIssue
from portalfw.auth.jwt_keys import jwks
from portalfw.errors import InvalidError, PortalError
from portalfw.rest import http as rest_http
from portalfw.rest.errors import status_of

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


def blueprint(runtime: Runtime) -> flask.Blueprint:
    """Return ``/v1/oauth/access_token``, ``/v1/oauth/jwt/refresh`` and ``/.well-known/jwks.json``."""
    routes = flask.Blueprint("oauth", __name__)

    @routes.post("/v1/oauth/access_token")
    def access_token() -> Response:
        given = flask.request.values  # clients send a form or the query string
        try:
            if given.get("grant_type") != "client_credentials":
                raise InvalidError("grant_type must be client_credentials.")
            return _text(
                runtime.service(_issue).access(
                    given.get("client_id", ""),
                    given.get("client_secret", ""),
                    validity=_validity(),
                    refreshable="offline_access" in given.get("scope", "").replace(",", " ").split(),
                )
            )
        except PortalError as error:
            return _text(error.message, status_of(error))

    @routes.route("/v1/oauth/jwt/refresh", methods=["GET", "POST"])
    def refresh() -> Response:
        given = bearer(flask.request.headers.get("Authorization", ""))
        try:
            return _text(runtime.service(_issue).refresh(given, validity=_validity()))
        except PortalError as error:
            return _text(error.message, status_of(error))

    @routes.get("/.well-known/jwks.json")
    def keys() -> Response:
        runtime.service(_issue)  # so that there is a key
        return rest_http.answer(jwks())

    return routes


def _issue(runtime: Runtime) -> JwtIssue:
    return JwtIssue(runtime.settings)


def _validity() -> int | None:
    text = flask.request.values.get("validity", "")
    if text and not (text.isdecimal() and len(text) < 10):  # noqa: PLR2004 - digits of a sensible number of seconds
        raise InvalidError("validity must be a number of seconds.")
    return int(text) if text else None


def _text(body: str, status: int = 200) -> Response:
    """Answer with bare text: that is how clients take a JWT, and what they show as the reason of a failure."""
    return Response(body, status, content_type="text/plain; charset=utf-8")
