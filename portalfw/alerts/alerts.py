"""Raising alerts and working on them; each change is one compare-and-set on one document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.errors import DuplicateKeyError

from portalfw.alerts.documents import FROM, LEVELS, REMEMBERED, Alert, Severity, State
from portalfw.errors import ConflictError
from portalfw.webhooks.documents import Event
from portalfw.webhooks.events import tell

SYSTEM = "system"


@dataclass(frozen=True)
class Cause:
    """What an alert is raised for; the same ``key`` is the same alert until that is closed.

    ``last`` is when it last happened and ``count`` how often so far, None for once more; what is not newer than the
    alert changes nothing, so telling of the same thing twice does no harm.
    """

    key: str
    category: str
    severity: Severity
    description: str
    last: float
    count: int | None = None
    page: str = ""


def raise_alert(cause: Cause) -> None:
    """Raise an alert, count it if it is open already, or open it again if it was thought to be resolved."""
    if _count(cause) or Alert.rows({"key": cause.key, "last": {"$gte": cause.last}}, fields=["_id"], limit=1):
        return
    now = time.time()
    values = {
        "key": cause.key,
        "open_key": cause.key,
        "category": cause.category,
        "severity": cause.severity,
        "description": cause.description,
        "page": cause.page,
        "status": "ALERT",
        "level": LEVELS[0],
        "assigned_user": "",
        "count": cause.count or 1,
        "first": now,
        "last": cause.last,
        "closed": None,
        "since": now,
        "mailed": 0,
        "history": [_entry(SYSTEM, "ALERT", "Raised", now)],
    }
    row = {"_id": Alert.next_id(), **values}
    try:
        Alert.collection().insert_one(row)
    except DuplicateKeyError:  # another process has just raised it
        _count(cause)
    else:
        _tell("alert.raised", {**row, "id": row["_id"]})


def settle(key: str, comment: str) -> None:
    """Note that the cause of an open alert is gone by itself: the alert is RESOLVED, for somebody to close."""
    query = {"open_key": key, "status": {"$in": list(FROM["RESOLVED"])}}
    changes = {"status": "RESOLVED", "since": time.time()}
    row = Alert.take(query, {"$set": changes, **_told(SYSTEM, "RESOLVED", comment)})
    if row is not None:
        _tell("alert.changed", row)


def unsettled(prefix: str) -> list[str]:
    """Return the keys, of those that begin with ``prefix``, of the alerts that are neither resolved nor closed."""
    query = {"open_key": {"$gte": prefix, "$lt": f"{prefix}\uffff"}, "status": {"$in": list(FROM["RESOLVED"])}}
    return [row["open_key"] for row in Alert.rows(query, fields=["open_key"])]


def update(alert: int, user: str, *, state: State | None, assigned: str | None, comment: str) -> dict[str, Any]:
    """Change the state of an alert, or whose it is, or just remark something; return the alert.

    :raises NotFoundError: if there is none with this id.
    :raises ConflictError: if it is in a state from which this does not lead.
    """
    row = Alert.get(alert)
    before = FROM[state] if state else tuple(one for one in FROM if one != "CLOSED" or assigned is None)
    changes: dict[str, Any] = {name: value for name, value in (("status", state), ("assigned_user", assigned)) if value}
    if state:
        changes["since"] = time.time()
    if state == "CLOSED":
        changes |= {"closed": time.time()}
    if state == "ALERT":
        changes |= {"closed": None, "open_key": row.key}
    told = comment or (f"Assigned to {assigned}" if assigned else "")
    change = {**({"$set": changes} if changes else {}), **_told(user, state, told)}
    if state == "CLOSED":
        change["$unset"] = {"open_key": ""}
    try:
        found = Alert.take({"_id": alert, "status": {"$in": list(before)}}, change)
    except DuplicateKeyError as error:
        raise ConflictError(f"Alert {alert} was raised anew after it was closed; work on that one.") from error
    row_now = _decided(alert, found, before)
    _tell("alert.changed", row_now)
    return row_now


def overdue(before: float) -> list[int]:
    """Return the alerts that nobody has accepted and that have been at their level since before then."""
    query = {"status": "ALERT", "since": {"$lt": before}, "level": {"$lt": LEVELS[-1]}}
    return [row["id"] for row in Alert.rows(query, fields=["_id"], limit=100)]


def escalate(alert: int, user: str, comment: str) -> dict[str, Any]:
    """Hand an alert to the next level and return it; it is nobody's until somebody there takes it.

    :raises NotFoundError: if there is none with this id.
    :raises ConflictError: if it is closed or at the highest level already.
    """
    row = Alert.get(alert)
    if row.status != "CLOSED" and row.level >= LEVELS[-1]:
        raise ConflictError(f"Alert {alert} is at level {row.level} already, the highest.", detail={"level": row.level})
    query = {"_id": alert, "level": row.level, "status": {"$ne": "CLOSED"}}
    told = f"Escalated to level {row.level + 1}{f': {comment}' if comment else ''}"
    changes = {"level": row.level + 1, "assigned_user": "", "since": time.time()}
    change = {"$set": changes, **_told(user, None, told)}
    found = _decided(alert, Alert.take(query, change), tuple(one for one in FROM if one != "CLOSED"))
    _tell("alert.escalated", found)
    return found


def _tell(event: Event, row: Mapping[str, Any]) -> None:
    """Tell webhooks what became of an alert, and the last step of its history."""
    names = ("id", "category", "severity", "description", "page", "status", "level", "assigned_user", "count", "last")
    tell(event, {"alert": {name: row[name] for name in names}, "step": row["history"][-1]})


def _decided(alert: int, row: dict[str, Any] | None, needed: tuple[State, ...]) -> dict[str, Any]:
    if row is None:
        status = Alert.get(alert).status
        raise ConflictError(
            f"Alert {alert} is {status}, or somebody has just changed it; this needs {' or '.join(sorted(needed))}.",
            detail={"status": status, "needs": sorted(needed)},
        )
    return row


def _count(cause: Cause) -> bool:
    """Note on the open alert that it happened again; tell whether there is one."""
    values: dict[str, Any] = {"last": cause.last, "description": cause.description}
    counted = {"$inc": {"count": 1}} if cause.count is None else {"$max": {"count": cause.count}}
    newer = {"open_key": cause.key, "last": {"$lt": cause.last}}
    anew = {**values, "status": "ALERT", "since": time.time(), "mailed": 0}
    again = {"$set": anew, **counted, **_told(SYSTEM, "ALERT", "It happened again")}
    raised = Alert.take({**newer, "status": "RESOLVED"}, again)
    if raised is not None:
        _tell("alert.changed", raised)
        return True
    if Alert.take(newer, {"$set": values, **counted}):
        return True
    return bool(Alert.rows({"open_key": cause.key}, fields=["_id"], limit=1))


def _told(user: str, state: State | None, comment: str) -> dict[str, Any]:
    entry = _entry(user, state, comment, time.time())
    return {"$push": {"history": {"$each": [entry], "$slice": -REMEMBERED}}}


def _entry(user: str, state: State | None, comment: str, epoch: float) -> Mapping[str, Any]:
    return {"user": user, "state": state, "comment": comment, "epoch": epoch}
