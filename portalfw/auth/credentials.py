"""What sessions and API tokens share: random secrets of which only hashes are stored, and when each was last used."""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import suppress
from typing import Any, ClassVar

import mongoengine
from pymongo.errors import DuplicateKeyError

from portalfw.store import Document

USE_STEP = 60.0  # seconds; a use is written at most this often
USE_KEPT = 400 * 86400  # seconds after the last one


class CredentialUse(Document):
    """When a credential was last used; apart from it, since who follows changes of credentials need not hear of it."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "credential_use",
        "indexes": [{"fields": ["seen"], "expireAfterSeconds": USE_KEPT}],
    }

    id = mongoengine.StringField(primary_key=True)  # session:ID or token:ID
    seen = mongoengine.DateTimeField()


def digest(secret: str) -> str:
    """Return the hash under which a random secret is stored; it has 256 bits of its own, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(authorization: str) -> str:
    """Return the credential in an ``Authorization`` header of the scheme Bearer; empty if there is none."""
    scheme, _, credential = authorization.partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def note_use(credential: str) -> None:
    """Note a use of ``session:ID`` or ``token:ID``, unless any process has noted one within the last minute."""
    now = dt.datetime.now(dt.UTC)
    old = {"_id": credential, "seen": {"$lt": now - dt.timedelta(seconds=USE_STEP)}}
    with suppress(DuplicateKeyError):  # it is there and not old
        CredentialUse.collection().update_one(old, {"$set": {"seen": now}}, upsert=True)


def last_uses(credentials: list[str]) -> dict[str, float]:
    """Return when each credential was last used, in epoch seconds, a minute more or less."""
    rows = CredentialUse.rows({"_id": {"$in": credentials}})
    return {row["id"]: row["seen"].replace(tzinfo=dt.UTC).timestamp() for row in rows}


def epoch(moment: dt.datetime | None) -> float | None:
    """Return a stored moment in epoch seconds."""
    return None if moment is None else moment.replace(tzinfo=dt.UTC).timestamp()
