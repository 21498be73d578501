"""Browser sessions and API tokens: random secrets of which only hashes are stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import time
from typing import Any, ClassVar

import mongoengine

from portalfw.auth.users import User, find_user
from portalfw.store import Document

TOKEN_PREFIX = "pfw_"  # noqa: S105 - lets people and scanners recognise a leaked token


class Session(Document):
    """A signed-in browser."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "session",
        "indexes": ["user", {"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # SHA-256 of the cookie's value
    user = mongoengine.StringField()
    address = mongoengine.StringField()
    created = mongoengine.FloatField()
    expires = mongoengine.DateTimeField()


class ApiToken(Document):
    """A program's credential, sent as ``Authorization: Bearer``."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "api_token",
        "indexes": [{"fields": ["hash"], "unique": True}, "user"],
    }

    hash = mongoengine.StringField(required=True)
    user = mongoengine.StringField(required=True)
    name = mongoengine.StringField(default="")
    created = mongoengine.FloatField()


def digest(secret: str) -> str:
    """Return the hash under which a random secret is stored; it has 256 bits of its own, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_session(user: User, address: str, hours: float) -> str:
    """Start a session and return the value of its cookie."""
    secret = secrets.token_urlsafe(32)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    Session.collection().insert_one(
        {"_id": digest(secret), "user": user.name, "address": address, "created": time.time(), "expires": expires}
    )
    return secret


def end_session(secret: str) -> None:
    """End the session of a cookie's value, if there is one."""
    Session.collection().delete_one({"_id": digest(secret)})


def session_user(secret: str) -> User | None:
    """Return the active user of a session's cookie, None if it has ended."""
    row = Session.collection().find_one({"_id": digest(secret)})
    if row is None or row["expires"].replace(tzinfo=dt.UTC) < dt.datetime.now(dt.UTC):
        return None
    return _active(row["user"])


def create_token(user_name: str, name: str) -> str:
    """Create an API token of a user and return it; it cannot be shown again.

    :raises NotFoundError: if there is no such user.
    """
    user = find_user(user_name)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.create(hash=digest(secret), user=user.name, name=name, created=time.time())
    return secret


def token_user(secret: str) -> User | None:
    """Return the active user of an API token, None if it is unknown."""
    row = ApiToken.collection().find_one({"hash": digest(secret)})
    return None if row is None else _active(row["user"])


def _active(name: str) -> User | None:
    row = User.collection().find_one({"name": name, "active": True})
    return None if row is None else User._from_son(row)  # noqa: SLF001 - mongoengine's way from a row to a document
