"""Guessing passwords must not pay: attempts are counted by user and by address, and too many of them have to wait."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from typing import Any, ClassVar, TypedDict

import mongoengine
from pymongo.errors import DuplicateKeyError

from portalfw.errors import TooManyError
from portalfw.settings import Settings
from portalfw.store import Document

FIRST_WAIT = 60.0  # seconds after the first failure too many; doubled by each further one
LONGEST_WAIT = 3600.0
IPV6_SITE = 64  # bits that one subscriber has; counting single addresses would give him 2^64 tries


class SignInFailures(Document):
    """How often somebody has failed of late, for one user name or one address."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "sign_in_failures",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # user:NAME or address:NETWORK
    failures = mongoengine.IntField()
    until = mongoengine.DateTimeField()  # no attempt counts before this
    expires = mongoengine.DateTimeField()


class LockedRow(TypedDict):
    """Who has to wait: ``user:NAME`` or ``address:NETWORK``, and until when (epoch seconds)."""

    id: str
    kind: str
    name: str
    failures: int
    until: float


class Lockout:
    """Counts attempts in the database, so that all processes of an installation see them."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits from the settings."""
        self._window = dt.timedelta(minutes=settings.sign_in_window)
        self._limits = {"user": settings.sign_in_failures, "address": settings.sign_in_failures_address}

    def begin(self, user: str, address: str) -> None:
        """Count an attempt as failed before its outcome is known, so that attempts side by side cannot slip through.

        :raises TooManyError: if this user or address has to wait.
        """
        now = dt.datetime.now(dt.UTC)
        for key, limit in self._keys(user, address).items():
            self._count(key, limit, now)

    def succeed(self, user: str, address: str) -> None:
        """Forget the user's failures, and this one attempt of the address.

        Not all of the address: whoever has one account could otherwise guess at others without end.
        """
        address_key, *user_keys = self._keys(user, address)
        SignInFailures.collection().delete_many({"_id": {"$in": user_keys}})
        _take_back(address_key)

    def pass_step(self, user: str, address: str) -> None:
        """Take this one attempt back: a first of several steps was right, which is no reason to forget failures."""
        for key in self._keys(user, address):
            _take_back(key)

    def _keys(self, user: str, address: str) -> dict[str, int]:
        """Return the limit of each count; the address first, so that one that waits cannot lock out users.

        Without a user, as when nobody knows whose credential was shown, only the address counts.
        """
        keys = {f"address:{_network(address)}": self._limits["address"]}
        return keys | ({f"user:{user[:100]}": self._limits["user"]} if user else {})

    def _count(self, key: str, limit: int, now: dt.datetime) -> None:
        """Add one failure, in one step with looking whether it has to wait."""
        while True:
            free = {"_id": key, "$or": [{"until": None}, {"until": {"$lte": now}}]}
            try:
                SignInFailures.collection().update_one(free, self._one_more(limit, now), upsert=True)
            except DuplicateKeyError:  # it exists and is not free, or has just been made beside us
                row = SignInFailures.collection().find_one({"_id": key, "until": {"$gt": now}})
                if row is not None:
                    raise _wait_until(row["until"].replace(tzinfo=dt.UTC), now) from None
            else:
                return

    def _one_more(self, limit: int, now: dt.datetime) -> list[dict[str, Any]]:
        """Return the change of a count; one whose time is over begins anew, though MongoDB has not dropped it yet."""
        old = {"$lt": [{"$ifNull": ["$expires", now]}, now]}
        failures = {"$cond": [old, 1, {"$add": [{"$ifNull": ["$failures", 0]}, 1]}]}
        too_many = {"$subtract": ["$failures", limit]}
        # The failure that reaches the limit begins the wait; min keeps the power of two within a double.
        wait = {"$min": [LONGEST_WAIT, {"$multiply": [FIRST_WAIT, {"$pow": [2, {"$min": [too_many, 20]}]}]}]}
        until = {"$cond": [{"$gte": [too_many, 0]}, {"$add": [now, {"$multiply": [wait, 1000]}]}, None]}
        window = int(self._window.total_seconds() * 1000)
        started = {"$cond": [{"$eq": ["$failures", 1]}, {"$add": [now, window]}, "$expires"]}
        expires = {"$cond": ["$until", {"$add": ["$until", window]}, started]}
        return [{"$set": {"failures": failures}}, {"$set": {"until": until}}, {"$set": {"expires": expires}}]


def waiting() -> list[LockedRow]:
    """Return who has to wait now."""
    now = dt.datetime.now(dt.UTC)
    return [
        {
            "id": row["id"],
            "kind": row["id"].partition(":")[0],
            "name": row["id"].partition(":")[2],
            "failures": row["failures"],
            "until": row["until"].replace(tzinfo=dt.UTC).timestamp(),
        }
        for row in SignInFailures.rows({"until": {"$gt": now}})
    ]


def clear(identity: str) -> bool:
    """Let a user or address (``user:NAME``, ``address:NETWORK``) try again at once; False if it was not counted."""
    return SignInFailures.collection().delete_one({"_id": identity}).deleted_count > 0


def _take_back(key: str) -> None:
    """Uncount one failure, with the wait that it would have begun."""
    counted = {"_id": key, "failures": {"$gt": 0}}
    SignInFailures.collection().update_one(counted, {"$inc": {"failures": -1}, "$set": {"until": None}})


def _wait_until(until: dt.datetime, now: dt.datetime) -> TooManyError:
    seconds = max(1, math.ceil((until - now).total_seconds()))
    return TooManyError(
        f"Too many failed attempts. Try again at {until:%H:%M:%S} UTC, in {seconds} seconds.", retry_after=seconds
    )


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if known.version == 6 and not (known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None):  # noqa: PLR2004
        return str(ipaddress.ip_network((int(known), IPV6_SITE), strict=False))
    return str(known)
