"""Who sends a request: the bearer token or the session cookie, remembered until something about users changes."""

from __future__ import annotations

import time

import gevent
from flask import Request
from gevent.event import Event

from portalfw.auth.cookies import cookie
from portalfw.auth.credentials import bearer, note_use
from portalfw.auth.issuer import JwtIssuer
from portalfw.auth.jwt_check import JwtCheck
from portalfw.auth.origin import is_own_origin
from portalfw.auth.principal import GUEST, Principal
from portalfw.auth.sessions import session_principal
from portalfw.auth.tokens import token_principal
from portalfw.errors import ForbiddenError, UnauthenticatedError
from portalfw.events import EventBus

COOKIE = "portalfw_session"
REMEMBER = 30.0  # seconds; changes of users, sessions and tokens are heard at once, this bounds a missed one
MOST = 10_000
JWT_DOTS = 2  # header.claims.signature; API tokens have no dots
SAFE = {"GET", "HEAD", "OPTIONS"}


class Identifier:
    """Finds the principal of each request."""

    def __init__(self, bus: EventBus, issuers: list[JwtIssuer]) -> None:
        """Listen on ``bus`` for what makes a remembered answer wrong; take JWTs of ``issuers`` beside our own.

        :raises StartError: naming the issuer whose keys cannot be read.
        """
        self._check_jwt = JwtCheck(issuers)
        self._known: dict[str, tuple[float, Principal]] = {}
        self._looking: dict[str, Event] = {}
        self._bus = bus
        gevent.spawn(self._forget_on_change)

    def __call__(self, request: Request) -> Principal:
        """Return who sends ``request``; a guest if it carries no credential.

        :raises UnauthenticatedError: if its token or JWT is not good; whose session has ended is a guest.
        :raises ForbiddenError: if a cookie-borne request that may change something comes from another site.
        """
        token = bearer(request.headers.get("Authorization", ""))
        if token:
            kind = "jwt" if token.count(".") == JWT_DOTS else "token"
            principal = self._remember(f"{kind}:{token}")
            if principal is None:
                raise UnauthenticatedError("The API token is unknown, expired or revoked.")
            return principal
        secret = cookie(request, COOKIE)
        if not secret:
            return GUEST
        principal = self._remember("cookie:" + secret)
        if principal is not None and request.method not in SAFE:
            check_same_site(request)
        return principal or GUEST

    def _remember(self, key: str) -> Principal | None:
        now = time.monotonic()
        principal = self._recall(key, now)
        if principal is None and key in self._looking:  # many open pages of one browser ask at the same moment
            self._looking[key].wait()
            principal = self._recall(key, now)
        if principal is not None:
            return principal
        looking = self._looking[key] = Event()
        try:
            return self._find(key, now)
        finally:
            if self._looking.get(key) is looking:
                del self._looking[key]
            looking.set()

    def _recall(self, key: str, now: float) -> Principal | None:
        known = self._known.get(key)
        return known[1] if known is not None and known[0] > now else None

    def _find(self, key: str, now: float) -> Principal | None:
        found = self._look_up(key)
        if found is None:
            return None
        principal, ends = found
        if principal.credential:
            note_use(principal.credential)
        if len(self._known) >= MOST:
            self._known.clear()
        remaining = REMEMBER if ends is None else min(REMEMBER, ends - time.time())
        self._known[key] = (now + remaining, principal)
        return principal

    def _look_up(self, key: str) -> tuple[Principal, float | None] | None:
        kind, _, secret = key.partition(":")
        if kind == "jwt":
            return self._check_jwt(secret)
        if kind == "token":
            return token_principal(secret)
        principal = session_principal(secret)
        return None if principal is None else (principal, None)

    def _forget_on_change(self) -> None:
        with self._bus.subscribe("user", "session", "api_token") as changes:
            while True:
                change = changes.get()
                if change is not None and change.operation != "insert":
                    self._known.clear()


def check_same_site(request: Request) -> None:
    """Refuse a cookie-borne write that another site's page has made the browser send.

    :raises ForbiddenError: unless ``Sec-Fetch-Site`` or ``Origin`` says that the page is ours.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site in {"same-origin", "none"} or (site is None and is_own_origin(request, origin)):
        return
    raise ForbiddenError("This request comes from another site. Programs send an API token as Authorization: Bearer.")
