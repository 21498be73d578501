"""Signed-in browsers."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypedDict

import mongoengine

from portalfw.auth.credentials import digest, epoch, last_uses
from portalfw.auth.principal import Principal
from portalfw.auth.users import User, active_user
from portalfw.store import Document


class Session(Document):
    """A signed-in browser."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "session",
        "indexes": ["user", {"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # SHA-256 of the cookie's value
    user = mongoengine.StringField()
    address = mongoengine.StringField()
    agent = mongoengine.StringField()
    created = mongoengine.FloatField()
    expires = mongoengine.DateTimeField()


class SessionRow(TypedDict):
    """One session as lists show it; times in epoch seconds, ``seen`` a minute more or less."""

    id: str
    user: str
    address: str
    agent: str
    created: float
    seen: float
    expires: float | None
    current: bool


def create_session(user: User, address: str, hours: float, agent: str = "") -> str:
    """Start a session of a browser that calls itself ``agent``, and return the value of its cookie."""
    secret = secrets.token_urlsafe(32)
    identity = digest(secret)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    Session.collection().insert_one(
        {
            "_id": identity,
            "user": user.name,
            "address": address,
            "agent": agent[:300],
            "created": time.time(),
            "expires": expires,
        }
    )
    return secret


def session_principal(secret: str) -> Principal | None:
    """Return who speaks by a session's cookie, None if it has ended or its user may not sign in."""
    row = Session.collection().find_one({"_id": digest(secret)})
    if row is None or row["expires"].replace(tzinfo=dt.UTC) < dt.datetime.now(dt.UTC):
        return None
    user = active_user(row["user"])
    return None if user is None else replace(user.principal(), credential=f"session:{row['_id']}")


def living_sessions(user: str | None) -> dict[str, Any]:
    """Return the query for the sessions of a user, or all."""
    return {"expires": {"$gt": dt.datetime.now(dt.UTC)}} | ({} if user is None else {"user": user})


def session_rows(rows: Sequence[Mapping[str, Any]], current: str) -> list[SessionRow]:
    """Return sessions as lists show them; ``current`` names the credential of who asks."""
    seen = last_uses([f"session:{row['id']}" for row in rows])
    return [
        {
            "id": row["id"],
            "user": row["user"],
            "address": row["address"],
            "agent": row.get("agent") or "",
            "created": row["created"],
            "seen": seen.get(f"session:{row['id']}", row["created"]),
            "expires": epoch(row["expires"]),
            "current": current == f"session:{row['id']}",
        }
        for row in rows
    ]


def session_owner(identity: str) -> str | None:
    """Return whose session it is."""
    row = Session.collection().find_one({"_id": identity}, {"user": 1})
    return None if row is None else str(row["user"])


def session_began(credential: str) -> float | None:
    """Return when the session of the credential ``session:ID`` began, in epoch seconds; None if it is none, or no more.

    API tokens are no sessions.
    """
    kind, _, identity = credential.partition(":")
    row = Session.collection().find_one({"_id": identity}, {"created": 1}) if kind == "session" else None
    return None if row is None else float(row["created"])


def end_session(secret: str) -> None:
    """End the session of a cookie's value, if there is one."""
    Session.collection().delete_one({"_id": digest(secret)})


def end_session_by_id(identity: str) -> bool:
    """End one session; False if it has ended already."""
    return Session.collection().delete_one({"_id": identity}).deleted_count > 0


def end_sessions(user: str, *, but: str = "") -> int:
    """End all sessions of a user except that of the credential ``but``, and return how many."""
    query = {"user": user, "_id": {"$ne": but.removeprefix("session:")}}
    return Session.collection().delete_many(query).deleted_count
