"""What the checks on nodes last found, one document for each check and node."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

import mongoengine
from pymongo.errors import DuplicateKeyError

from agent.protocol import JobState
from portalfw.controller.documents import ENABLED, Node
from portalfw.health import changes
from portalfw.health.changes import Changed
from portalfw.health.clocks import judge_clock
from portalfw.health.findings import Finding, State
from portalfw.health.results import KEEP, LATE, LONGEST, SLACK, Message
from portalfw.store import Document

FAILED: Final = frozenset({JobState.ERROR.value, JobState.TIMEOUT.value, JobState.LOST.value})
MOST_FINDINGS: Final = 500
"""Of one run; what a node tells is not to be trusted."""

LONGEST_UID: Final = 200
STATES: Final = frozenset({"OK", "WARNING", "ERROR", "SKIPPED"})
WELL: Final = frozenset({"OK", "SKIPPED"})
NODE_STATES: Final = {
    "MAINTENANCE": "its node is in maintenance",
    "DISABLED": "its node is disabled",
    "PENDING": "its node waits to be accepted",
    "ACCEPTED": "its node waits to be enabled",
}
Row = dict[str, Any]


class NodeHealth(Document):
    """The last run of one check on one node."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "health_node",
        "indexes": ["node_id", "due", ("bad", "due"), "check", {"fields": ["date"], "expireAfterSeconds": KEEP}],
    }

    id = mongoengine.StringField(primary_key=True)  # check@node
    check = mongoengine.StringField()  # the JumpScript
    node_id = mongoengine.IntField()
    job = mongoengine.IntField()  # 0 before the first run
    interval = mongoengine.FloatField()  # seconds
    checked = mongoengine.FloatField()
    due = mongoengine.FloatField()  # when it is missed
    date = mongoengine.DateTimeField()  # as checked, for MongoDB's expiry
    seconds = mongoengine.FloatField()
    bad = mongoengine.BooleanField()  # something is neither OK nor SKIPPED
    missed = mongoengine.BooleanField()  # that it is overdue stands in the history
    states = mongoengine.DictField()  # how many findings are in each
    messages = mongoengine.ListField(mongoengine.DictField())  # uid, category, state, message, changed


def identity(check: str, node_id: int) -> str:
    """Return the id of a check on a node."""
    return f"{check}@{node_id}"


def take_in(job: Mapping[str, Any], interval: float) -> bool:
    """Keep what a job of a check found. Each job counts once, whoever tells of it; none after a later one."""
    found = findings(job)
    if found is None:
        return False
    name = identity(job["script"], job["node_id"])
    before = next(iter(NodeHealth.rows({"_id": name})), None)
    if before is not None and before["job"] >= job["_id"]:
        return False
    known = {one["uid"]: one for one in before["messages"]} if before else {}
    if before is not None and before["missed"]:
        known = {uid: {**one, "state": "MISSED"} for uid, one in known.items()}
    row = {**_row(job, interval), **_told(found, known, job["ended"])}
    if not _put(name, row, before):
        return False
    changes.record([_changed(name, row, one, known.get(one["uid"])) for one in row["messages"]])
    return True


def _row(job: Mapping[str, Any], interval: float) -> Row:
    checked = job["ended"]
    return {
        "check": job["script"],
        "node_id": job["node_id"],
        "job": job["_id"],
        "interval": interval,
        "checked": checked,
        "due": checked + LATE * interval + SLACK,
        "date": dt.datetime.fromtimestamp(checked, dt.UTC),
        "seconds": job.get("seconds") or 0.0,
        "missed": False,
    }


def _told(found: Sequence[tuple[str, Finding]], known: Mapping[str, Row], at: float) -> Row:
    messages = []
    for category, one in found:
        before = known.get(one.uid)
        same = before is not None and before["state"] == one.state
        messages.append(
            {
                "uid": one.uid,
                "category": category,
                "state": one.state,
                "message": one.message[:LONGEST],
                "changed": before["changed"] if before is not None and same else at,
            }
        )
    states = Counter(one.state for _, one in found)
    return {"messages": messages, "states": dict(states), "bad": bool(set(states) - WELL)}


def _put(name: str, row: Row, before: Row | None) -> bool:
    """Write what a run found in the place of what was found before, unless somebody else was quicker."""
    if before is not None:
        return bool(NodeHealth.collection().replace_one({"_id": name, "job": before["job"]}, row).matched_count)
    try:
        NodeHealth.collection().insert_one({"_id": name, **row})
    except DuplicateKeyError:
        return False
    return True


def _changed(name: str, row: Row, one: Row, before: Row | None) -> Changed:
    was = before["state"] if before else None
    return Changed(
        f"{name}:{one['uid']}", row["check"], one["category"], row["node_id"], was, one["state"], one["message"]
    )


def findings(job: Mapping[str, Any]) -> list[tuple[str, Finding]] | None:
    """Return what a job of a check found, with categories: an ERROR if it failed, None if it says nothing.

    The originals lost all changes of a check of which one message had no uid; here such a result is an ERROR itself.
    """
    if job["status"] in FAILED:
        text = f"The check failed (job {job['_id']}): {job.get('reason') or job['status']}"
        return [("Checks", Finding("execution_failed", "ERROR", text))]
    if job["status"] != JobState.OK.value:
        return None
    told = job.get("result")
    if not isinstance(told, list) or not told or len(told) > MOST_FINDINGS or not all(map(_is_finding, told)):
        text = f"Job {job['_id']} does not tell findings with category, uid, state and message"
        return [("Checks", Finding("malformed", "ERROR", text))]
    once = {str(one["uid"])[:LONGEST_UID]: one for one in told}
    return [(str(one["category"])[:100], _judged(job, uid, one)) for uid, one in once.items()]


def _judged(job: Mapping[str, Any], uid: str, one: Row) -> Finding:
    """Return what a job says of one thing; what it says of its clock (``at``) is judged here."""
    at, text = one.get("at"), str(one["message"])
    return judge_clock(job, uid, at, text) if isinstance(at, float) else Finding(uid, one["state"], text)


def _is_finding(one: object) -> bool:
    return (
        isinstance(one, dict)
        and bool(one.get("uid"))
        and one.get("state") in STATES
        and {"category", "message"} <= one.keys()
    )


def expect(check: str, nodes: Collection[int], interval: float) -> None:
    """See to it that a check that never reports from one of these nodes is MISSED in time."""
    have = {row["node_id"] for row in NodeHealth.rows({"check": check}, fields=["node_id"])}
    now = time.time()
    message = {"uid": "first", "category": "Checks", "state": "SKIPPED", "message": "Not run yet", "changed": now}
    for node in sorted(set(nodes) - have):
        job = {"script": check, "node_id": node, "_id": 0, "ended": now}
        row = {**_row(job, interval), "messages": [message], "states": {"SKIPPED": 1}, "bad": False}
        _put(identity(check, node), row, None)


def note_missed(scheduled: Collection[str]) -> None:
    """Write into the history what has become overdue; for one process."""
    for row in NodeHealth.rows({"due": {"$lt": time.time()}, "missed": False}):
        for one in messages([row], scheduled):
            if one.state == "MISSED" and NodeHealth.take(
                {"_id": row["id"], "missed": False}, {"$set": {"missed": True}}
            ):
                told = [{**each, "state": "MISSED"} for each in row["messages"]]
                before = {each["uid"]: each for each in row["messages"]}
                changes.record([_changed(row["id"], row, each, before[each["uid"]]) for each in told])
                break


def drop_gone(checks: Collection[str]) -> None:
    """Forget checks that there are no more, and nodes that are gone."""
    gone = set(NodeHealth.collection().distinct("node_id")) - {
        row["id"] for row in Node.rows({"status": {"$ne": "DECOMMISSIONED"}}, fields=["_id"])
    }
    NodeHealth.collection().delete_many({"$or": [{"node_id": {"$in": list(gone)}}, {"check": {"$nin": list(checks)}}]})


def messages(rows: Sequence[Row], scheduled: Collection[str], now: float | None = None) -> list[Message]:
    """Return what rows of :class:`NodeHealth` say now: what is overdue is MISSED, unless nobody wants it to run."""
    moment = time.time() if now is None else now
    late = {row["node_id"] for row in rows if row["due"] < moment}
    status = (
        {row["id"]: row["status"] for row in Node.rows({"_id": {"$in": list(late)}}, fields=["status"])} if late else {}
    )
    return [
        one
        for row in rows
        for one in _current(row, moment, status.get(row["node_id"], ENABLED), row["check"] in scheduled)
    ]


def _current(row: Row, now: float, status: str, wanted: bool) -> list[Message]:
    if row["due"] >= now:
        return [_message(row, one) for one in row["messages"]]
    set_aside = NODE_STATES.get(status) or ("" if wanted else "its schedule is off")
    why = f"Not checked now, {set_aside}" if set_aside else "Not checked any more"
    return [_message(row, one, why, "SKIPPED" if set_aside else "MISSED") for one in row["messages"]]


def _message(row: Row, one: Row, why: str = "", state: State | None = None) -> Message:
    return Message(
        id=f"{row['id']}:{one['uid']}",
        check=row["check"],
        category=one["category"],
        uid=one["uid"],
        state=state or one["state"],
        message=f"{why}; last: {one['message']}" if why else one["message"],
        node_id=row["node_id"],
        changed=row["due"] if why else one["changed"],
        checked=row["checked"],
        interval=row["interval"],
    )
