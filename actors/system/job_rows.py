"""How jobs are shown: as rows of lists, and one with everything that may be shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from agent.protocol import JobState
from portalfw.controller.documents import Job, Node, Script
from portalfw.controller.orders import Orders
from portalfw.masking import masked
from portalfw.rest import Columns, NameOf

JOB_FIELDS = [
    "script",
    "status",
    "reason",
    "node_id",
    "parent",
    "priority",
    "attempt",
    "submitted_by",
    "queue",
    "created",
    "started",
    "ended",
    "seconds",
]
FAILED = [JobState.ERROR, JobState.TIMEOUT, JobState.LOST, JobState.EXPIRED]  # ends that nobody wished
JOBS = Columns(
    Job,
    "id",
    *JOB_FIELDS,
    times=("created", "started", "ended"),
    search=("script", "submittedBy", "reason", "node", "id"),
    sort="-id",
    limit=50,
    most=500,
    node=NameOf(Node, "node_id"),
)
FAN_FIELDS = ["fan.total", "fan.counts"]
RESULT_FIELDS = ["node_id", "status", "reason", "seconds", "result", "sha256"]
RESULTS = Columns(
    Job,
    *("id", "node_id", "status", "reason", "seconds"),
    search=("reason", "node"),
    sort="nodeId",
    limit=50,
    most=500,
    node=NameOf(Node, "node_id"),
)


class JobRow(TypedDict):
    """One job as lists show it."""

    id: int
    script: str
    status: str
    reason: str
    node_id: int | None  # none of the parent of a fan-out, and while no node is there for a job that any may do
    node: str
    parent: int | None  # the fan-out that it belongs to
    nodes: int | None  # how many children it is to have, if it is a fan-out
    counts: dict[str, int]  # its children by state
    priority: int
    attempt: int
    submitted_by: str
    queue: str
    created: float
    seconds: float | None


class AttemptRow(TypedDict):
    """One time that a job's script began; times in epoch seconds."""

    attempt: int
    status: str  # RUNNING, how the job ended, or LOST where it was to be done again
    reason: str
    started: float
    ended: float | None
    seconds: float | None


class ResultRow(TypedDict):
    """What one child of a fan-out came to."""

    id: int
    node_id: int
    node: str
    status: str
    reason: str
    seconds: float | None
    result: Any


def job_rows(rows: Iterable[Mapping[str, Any]]) -> list[JobRow]:
    """Return jobs as lists show them; names of nodes are looked up at once."""
    found = list(rows)
    names = node_names(found)
    return [_job(row, names) for row in found]


def result_rows(rows: Iterable[Mapping[str, Any]]) -> list[ResultRow]:
    """Return what children came to, without secrets."""
    found = list(rows)
    names = node_names(found)
    return [
        {
            "id": row["id"],
            "node_id": row["node_id"],
            "node": _name(row, names),
            "status": row["status"],
            "reason": row.get("reason") or "",
            "seconds": row.get("seconds"),
            "result": masked(row.get("result")),
        }
        for row in found
    ]


def job_detail(row: dict[str, Any], orders: Orders) -> dict[str, Any]:
    """Return everything of one job that may be shown: secrets in its arguments and its result are masked."""
    scripts = Script.rows({"sha256": row["sha256"]}, fields=["header"], limit=1)
    script: dict[str, Any] = scripts[0]["header"] if scripts else {}
    (shown,) = job_rows([row])
    failed = JobState(row["status"]).ended and row["status"] != JobState.OK
    return {
        **shown,
        "descr": script.get("descr", ""),
        "args": masked(row.get("args") or {}, script.get("secrets") or ()),
        "result": masked(row.get("result")),
        "traceback": row.get("traceback") or "",
        "progress": row.get("progress") or {},
        "queue": row.get("queue"),
        "timeout": row.get("timeout"),
        "expires": row.get("expires"),
        "idempotent": row.get("idempotent"),
        "sha256": row["sha256"],
        "started": row.get("started"),
        "ended": row.get("ended"),
        "history": [_step(step, row["created"]) for step in row.get("history") or []],
        "attempts": attempts(row.get("history") or []),
        "lines": row.get("lines") or 0,
        "target": row.get("target") or {},
        "retry_of": row.get("retry_of"),
        "retries": [one["id"] for one in Job.rows({"retry_of": row["id"]}, fields=["_id"])],
        "schedule": row.get("schedule"),
        "open": not JobState(row["status"]).ended,
        "fan_out": _fan(row),
        "can_retry": failed,
        "retry_needs_confirmation": failed and orders.wants_confirmation(row),
    }


def _step(step: Mapping[str, Any], created: float) -> dict[str, Any]:
    """Return one step of a job's history with its name, and how many seconds after the job was made it came."""
    names = {JobState.LEASED: "Handed to the node", JobState.RUNNING: "Began"}
    return {**step, "step": names.get(step["status"]) or step["status"].capitalize(), "after": step["at"] - created}


def attempts(history: Iterable[Mapping[str, Any]]) -> list[AttemptRow]:
    """Return the attempts that a job's history tells of, the newest first."""
    found: list[AttemptRow] = []
    for step in history:
        if step["status"] == JobState.RUNNING:
            number, at = step.get("attempt") or len(found) + 1, step["at"]
            found.append(AttemptRow(attempt=number, status="RUNNING", reason="", started=at, ended=None, seconds=None))
        elif found and found[-1]["ended"] is None:
            last = found[-1]
            last["status"] = JobState.LOST.value if step["status"] == JobState.QUEUED else step["status"]
            last["reason"], last["ended"] = step["reason"], step["at"]
            last["seconds"] = step["at"] - last["started"]
    return found[::-1]


def _fan(row: Mapping[str, Any]) -> dict[str, Any] | None:
    fan = row.get("fan")
    if not fan:
        return None
    names = node_names(fan["errors"])
    kept = {name: fan[name] for name in ("total", "batch", "stop_on_failure", "stopped", "counts")}
    begun = sum(fan["counts"].values())
    return {**kept, "begun": begun, "errors": [{**one, "node": _name(one, names)} for one in fan["errors"]]}


def _job(row: Mapping[str, Any], nodes: Mapping[int, str]) -> JobRow:
    fan = row.get("fan") or {}
    return {
        "id": row["id"],
        "script": row["script"],
        "status": row["status"],
        "reason": row.get("reason") or "",
        "node_id": row.get("node_id"),
        "node": _name(row, nodes),
        "parent": row.get("parent"),
        "nodes": fan.get("total"),
        "counts": fan.get("counts") or {},
        "priority": row.get("priority") or 0,
        "attempt": row.get("attempt") or 0,
        "submitted_by": row.get("submitted_by") or "",
        "queue": row.get("queue") or "",
        "created": row["created"],
        "seconds": row.get("seconds"),
    }


def node_names(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of the nodes that rows tell of as ``node_id``, by their ids."""
    wanted = {row["node_id"] for row in rows if row.get("node_id") is not None}
    return {row["id"]: row["name"] for row in Node.rows({"_id": {"$in": list(wanted)}}, fields=["name"])}


def _name(row: Mapping[str, Any], nodes: Mapping[int, str]) -> str:
    node = row.get("node_id")
    if node is not None:
        return nodes.get(node, f"node {node}")
    total = row["fan"]["total"] if row.get("fan") else 0
    return f"{total} node{'' if total == 1 else 's'}" if total else ""
