"""Telling of alerts: letters to the people of their level, the next level when nobody comes, the state of the whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import mongoengine
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from portalfw.alerts.alerts import SYSTEM, escalate, overdue
from portalfw.alerts.documents import Alert
from portalfw.auth.users import User
from portalfw.errors import ConflictError
from portalfw.mail.deliveries import MOST_RECEIVERS, Deliveries
from portalfw.mail.message import LONGEST_SUBJECT, Letter
from portalfw.webhooks.events import tell

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

ON_CALL: Final = "alert"
"""The group of those who get letters of alerts, as in the originals, if they also have the alert's level."""

LATE: Final = "Took too long to be accepted"
"""What the history says of an escalation by time, in the originals' words."""

BATCH: Final = 50


def escalate_overdue(seconds: float) -> None:
    """Hand to the next level what nobody has accepted for so long."""
    for alert in overdue(time.time() - seconds):
        try:
            escalate(alert, SYSTEM, LATE)
        except ConflictError:  # somebody has just taken it
            continue


def write_to_people(runtime: Runtime) -> None:
    """Write to those on call of each alert's level, once for each level, if there is a relay."""
    if not runtime.settings.smtp_host:
        return
    fresh = {"status": "ALERT", "$expr": {"$lt": [{"$ifNull": ["$mailed", 0]}, "$level"]}}
    for row in Alert.rows(fresh, sort="last", limit=BATCH):
        mine = {"_id": row["id"], "status": "ALERT", "level": row["level"], "mailed": row.get("mailed") or 0}
        if Alert.take(mine, {"$set": {"mailed": row["level"]}}) is not None:
            _write(runtime, row)


def _write(runtime: Runtime, row: dict[str, Any]) -> None:
    wanted = {"groups": {"$all": [f"level{row['level']}", ON_CALL]}, "active": True}
    addresses = [user["emails"][0] for user in User.rows(wanted, fields=["emails"]) if user.get("emails")]
    if addresses:
        letter = Letter(_subject(row), _body(row, runtime.settings.public_url))
        runtime.service(Deliveries).queue(SYSTEM, addresses[:MOST_RECEIVERS], letter)


def _subject(row: dict[str, Any]) -> str:
    words = " ".join("".join(one if one.isprintable() else " " for one in row["description"]).split())
    return f"Alert {row['id']} ({row['severity']}): {words}"[:LONGEST_SUBJECT]


def _body(row: dict[str, Any], portal: str | None) -> str:
    lines = [
        row["description"],
        "",
        f"Severity: {row['severity']}",
        f"Category: {row['category']}",
        f"Level: {row['level']}",
        f"Times: {row['count']}",
    ]
    if portal:
        lines += ["", f"{portal.rstrip('/')}/grid/Alert?id={row['id']}"]
    return "\n".join(lines)


def tell_overall(state: str) -> None:
    """Tell webhooks when the state of the whole has become another one."""
    collection = mongoengine.get_db()["health_overall"]
    try:
        before = collection.find_one_and_update(
            {"_id": 1, "state": {"$ne": state}},
            {"$set": {"state": state, "since": time.time()}},
            upsert=True,
            return_document=ReturnDocument.BEFORE,
        )
    except DuplicateKeyError:  # it is what it was
        return
    if before is not None:
        tell("health.overall", {"before": before["state"], "state": state})
