"""How often one user, or one address without a user, may ask: token buckets in this process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from flask import Request

from portalfw.auth.principal import Principal
from portalfw.errors import TooManyError, UnauthenticatedError

MOST: Final = 10_000
"""Buckets that are remembered; beyond, the longest unused are forgotten, which only ever allows more."""


@dataclass(frozen=True)
class Rate:
    """Requests a second that are always fine, and how many may come at once after a pause."""

    per_second: float
    burst: float

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a setting: ``500/2000``, ``500`` (with a burst of twice that), or ``0`` for no limit: None."""
        per_second, _, burst = text.partition("/")
        rate = float(per_second)
        return cls(rate, float(burst) if burst else max(1.0, 2 * rate)) if rate else None


class Buckets:
    """One bucket for each key; a request takes one token, and ``rate`` fills them again."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with every bucket full."""
        self._rate = rate
        self._now = now
        self._known: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, key: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._now()
        tokens, counted = self._known.pop(key, (self._rate.burst, now))
        tokens = min(self._rate.burst, tokens + (now - counted) * self._rate.per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate.per_second
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]  # the first is the longest unused: each use moves a key to the end
        self._known[key] = (tokens if wait else tokens - 1, now)
        return wait


class Limited:
    """Tells who sends a request, as ``identify`` does, and refuses those who send too many."""

    def __init__(self, identify: Callable[[Request], Principal], per_user: str, per_address: str) -> None:
        """Limit ``identify`` by two rates in the form that :meth:`Rate.parse` reads."""
        self._identify = identify
        user, address = Rate.parse(per_user), Rate.parse(per_address)
        self._users = Buckets(user) if user else None
        self._addresses = Buckets(address) if address else None

    def __call__(self, request: Request) -> Principal:
        """Return who sends ``request``.

        :raises TooManyError: if the user, or the address of a guest or of a wrong credential, has sent too many.
        """
        try:
            principal = self._identify(request)
        except UnauthenticatedError:
            self._check(self._addresses, request.remote_addr or "")
            raise
        if principal.guest:
            self._check(self._addresses, request.remote_addr or "")
        else:
            self._check(self._users, principal.name)
        return principal

    @staticmethod
    def _check(buckets: Buckets | None, key: str) -> None:
        wait = buckets.take(key) if buckets is not None else 0.0
        if wait:
            seconds = math.ceil(wait)
            raise TooManyError(f"Too many requests from {key}; try again in {seconds} s.", retry_after=seconds)
