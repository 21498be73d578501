"""What the checks last found, in MongoDB, so that every process can tell."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import mongoengine

from portalfw.health import changes
from portalfw.health.changes import Changed
from portalfw.health.findings import Finding, HealthCheck, State
from portalfw.store import Document

KEEP: Final = 5 * 86400  # seconds after the last run, as in the originals (agents.md, section 4.1)
LATE: Final = 1.5  # intervals after which a check counts as missed, likewise
SLACK: Final = 15.0  # seconds that a check may be later than that: a process that takes over waits for a lease
LONGEST: Final = 1000  # characters of a message
FINE: Final[list[State]] = ["OK", "SKIPPED"]


class HealthResult(Document):
    """The last run of one check."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "health",
        "indexes": [{"fields": ["date"], "expireAfterSeconds": KEEP}],
    }

    id = mongoengine.StringField(primary_key=True)  # the check's name
    category = mongoengine.StringField()
    interval = mongoengine.FloatField()  # seconds
    checked = mongoengine.FloatField()
    date = mongoengine.DateTimeField()  # the same, for MongoDB's expiry
    seconds = mongoengine.FloatField()  # that the run took
    messages = mongoengine.ListField(mongoengine.DictField())  # uid, state, message, node_id, changed


@dataclass(frozen=True)
class Message:
    """One finding as it stands now; ``changed`` is since when its state has been this one."""

    id: str  # tells it from all others: check:uid, of a node's check check@node:uid
    check: str
    category: str
    uid: str
    state: State
    message: str
    node_id: int | None
    changed: float
    checked: float
    interval: float


def store(check: HealthCheck, findings: Sequence[Finding], seconds: float) -> None:
    """Keep what a run found, with the time since when each has been so."""
    now = time.time()
    before = {one["uid"]: one for row in HealthResult.rows({"_id": check.name}) for one in row["messages"]}
    row = {
        "category": check.category,
        "interval": check.every,
        "checked": now,
        "date": dt.datetime.fromtimestamp(now, dt.UTC),
        "seconds": seconds,
        "messages": [_message(one, before.get(one.uid), now) for one in findings],
    }
    HealthResult.collection().replace_one({"_id": check.name}, row, upsert=True)
    changes.record(
        _changed(check, one, was)
        for one in findings
        if (was := before.get(one.uid)) is None or was["state"] != one.state
    )


def _changed(check: HealthCheck, one: Finding, before: Mapping[str, Any] | None) -> Changed:
    was = before["state"] if before is not None else None
    return Changed(f"{check.name}:{one.uid}", check.name, check.category, one.node_id, was, one.state, one.message)


def _message(finding: Finding, before: Mapping[str, Any] | None, now: float) -> dict[str, Any]:
    same = before is not None and before["state"] == finding.state
    return {
        "uid": finding.uid,
        "state": finding.state,
        "message": finding.message[:LONGEST],
        "node_id": finding.node_id,
        "changed": before["changed"] if before is not None and same else now,
    }


def messages(checks: Sequence[str], now: float | None = None) -> list[Message]:
    """Return what the named checks last found, by category; what is overdue is MISSED."""
    moment = time.time() if now is None else now
    rows = HealthResult.rows({"_id": {"$in": list(checks)}}, sort="category")
    return [_current(row, one, moment) for row in rows for one in row["messages"]]


def unwell(checks: Sequence[str]) -> tuple[list[Message], Counter[State]]:
    """Return what the named checks last found that is not well, and count the rest, which stays in the database.

    There is a finding for each of maybe ten thousand nodes, and this is asked every few seconds.
    """
    now = time.time()
    fine = {"$in": ["$$one.state", FINE]}
    kept = {"$filter": {"input": "$messages", "as": "one", "cond": {"$not": fine}}}
    counts = {state: {"$size": _of_state(state)} for state in FINE}
    project = {"category": 1, "interval": 1, "checked": 1, "messages": kept, "counts": counts}
    rows = HealthResult.collection().aggregate([{"$match": {"_id": {"$in": list(checks)}}}, {"$project": project}])
    found: list[Message] = []
    rest: Counter[State] = Counter()
    for row in rows:
        if now > _due(row):
            found += messages([row["_id"]], now)
        else:
            found += [_current({"id": row["_id"], **row}, one, now) for one in row["messages"]]
            rest.update(row["counts"])
    return found, rest


def _of_state(state: str) -> Any:
    return {"$filter": {"input": "$messages", "as": "one", "cond": {"$eq": ["$$one.state", state]}}}


def _due(row: Mapping[str, Any]) -> float:
    return float(row["checked"] + LATE * row["interval"] + SLACK)


def _current(row: Mapping[str, Any], one: Mapping[str, Any], now: float) -> Message:
    due = _due(row)
    missed = now > due
    return Message(
        id=f"{row['id']}:{one['uid']}",
        check=row["id"],
        category=row["category"],
        uid=one["uid"],
        state="MISSED" if missed else one["state"],
        message=f"Not checked any more; last: {one['message']}" if missed else one["message"],
        node_id=one["node_id"],
        changed=due if missed else one["changed"],
        checked=row["checked"],
        interval=row["interval"],
    )
