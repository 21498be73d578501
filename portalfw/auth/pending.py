"""Sign-ins between password and second factor."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, ClassVar

import mongoengine

from portalfw.auth.credentials import digest
from portalfw.auth.users import User, active_user
from portalfw.store import Document

LIFE = 300  # seconds to type the code in


class PendingSignIn(Document):
    """Somebody has given the right password, and not yet the second factor."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "pending_sign_in",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # SHA-256 of the cookie's value
    user = mongoengine.StringField()
    password_hash = mongoengine.StringField()  # of the password that was given; another one since makes this void
    expires = mongoengine.DateTimeField()


def begin_pending(user: User) -> str:
    """Remember that a password was right, and return the value of the cookie that says so."""
    secret = secrets.token_urlsafe(32)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=LIFE)
    row = {"_id": digest(secret), "user": user.name, "password_hash": user.password_hash, "expires": expires}
    PendingSignIn.collection().insert_one(row)
    return secret


def pending_user(secret: str) -> User | None:
    """Return whose second factor is awaited, None if the time is over or the user has changed."""
    alive = {"_id": digest(secret), "expires": {"$gt": dt.datetime.now(dt.UTC)}}
    row = PendingSignIn.collection().find_one(alive)
    user = active_user(row["user"]) if row else None
    return user if row and user and user.password_hash == row["password_hash"] else None


def end_pending(secret: str) -> bool:
    """Use the first step up; False if another request has, or its time is over."""
    alive = {"_id": digest(secret), "expires": {"$gt": dt.datetime.now(dt.UTC)}}
    return PendingSignIn.collection().delete_one(alive).deleted_count > 0
