"""Challenges: random numbers that an authenticator signs once, and that only the browser may bring which got them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any, ClassVar, Literal

import mongoengine

from portalfw.store import Document

LIFE = 300  # seconds to answer
BYTES = 32  # WebAuthn level 2, section 13.4.3, asks for at least 16

Purpose = Literal["enrol", "sign-in"]


class PasskeyChallenge(Document):
    """A challenge that nobody has answered yet; in the database, so that any process may take the answer."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "passkey_challenge",
        "indexes": [{"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)  # SHA-256 of the challenge
    purpose = mongoengine.StringField()
    holder = mongoengine.StringField()  # who alone may answer: a user's credential, or the hash of a browser's cookie
    handle = mongoengine.StringField()  # what a new passkey's authenticator is told to know the user by
    expires = mongoengine.DateTimeField()


def begin_challenge(purpose: Purpose, holder: str, handle: str = "") -> bytes:
    """Draw a challenge that ``holder`` may answer for ``purpose``, once and within :data:`LIFE` seconds."""
    challenge = secrets.token_bytes(BYTES)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=LIFE)
    row = {"_id": _identity(challenge), "purpose": purpose, "holder": holder, "handle": handle, "expires": expires}
    PasskeyChallenge.collection().insert_one(row)
    return challenge


def take_challenge(purpose: Purpose, holder: str, challenge: bytes) -> str | None:
    """Use a challenge up and return its handle.

    None if it was not drawn for this, is another's, was answered before, or is too old.
    """
    waiting = {
        "_id": _identity(challenge),
        "purpose": purpose,
        "holder": holder,
        "expires": {"$gt": dt.datetime.now(dt.UTC)},
    }
    row = PasskeyChallenge.collection().find_one_and_delete(waiting)
    return None if row is None else str(row["handle"])


def _identity(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
