"""Mutes: findings that somebody knows of, for a reason and a time; they raise no alert and do not count."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any, ClassVar, Final

import mongoengine

from portalfw.errors import InvalidError, NotFoundError
from portalfw.store import Document

LONGEST: Final = 90 * 86400.0
"""Seconds; who wants to know no more of something for longer should switch its check off."""

LONGEST_ID: Final = 500


class HealthMute(Document):
    """One finding that does not count until ``until``; its id is the finding's."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "health_mute",
        "indexes": [{"fields": ["date"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)
    reason = mongoengine.StringField()
    user = mongoengine.StringField()
    since = mongoengine.FloatField()
    until = mongoengine.FloatField()
    date = mongoengine.DateTimeField()  # the same as until, for MongoDB's expiry


def mute(finding: str, user: str, reason: str, seconds: float) -> None:
    """Let a finding not count for some time, whatever it was muted for before.

    :raises InvalidError: without reason, or for too long.
    """
    if not reason.strip():
        raise InvalidError("Say why: others will ask.", detail={"argument": "reason"})
    if not 0 < seconds <= LONGEST:
        raise InvalidError(f"A mute ends within {LONGEST / 86400:.0f} days.", detail={"argument": "hours"})
    now = time.time()
    row = {"reason": reason.strip(), "user": user, "since": now, "until": now + seconds}
    row["date"] = dt.datetime.fromtimestamp(now + seconds, dt.UTC)
    HealthMute.collection().replace_one({"_id": finding}, row, upsert=True)


def unmute(finding: str) -> None:
    """Let a finding count again.

    :raises NotFoundError: if it is not muted.
    """
    if not HealthMute.collection().delete_one({"_id": finding, "until": {"$gt": time.time()}}).deleted_count:
        raise NotFoundError(f"{finding} is not muted.")


def muted(now: float | None = None) -> dict[str, dict[str, Any]]:
    """Return what is muted now, by id of the finding."""
    return {row["id"]: row for row in HealthMute.rows({"until": {"$gt": now or time.time()}})}
