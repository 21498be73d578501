"""What the platform checks of itself. Thresholds stand here; the originals' are named where they had any."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import mongoengine
from pymongo.errors import OperationFailure

from portalfw.controller.documents import ACCEPTED, DECOMMISSIONED, DISABLED, MAINTENANCE, PENDING, Job, Node
from portalfw.errorconditions import ErrorCondition
from portalfw.extension import health_check
from portalfw.health.findings import Finding, graded
from portalfw.offload import offload

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

HOUR: Final = 3600.0
PINGS: Final = 3  # of which the quickest counts: what holds up one of them may be this process itself
PING: Final = (0.25, 2.0)  # seconds that the database may take to answer: warning, error
ROOM: Final = (0.20, 0.10)  # free part of the state folder's disk, as in the originals (agents.md, section 4.3)
DELAY: Final = (1.0, 5.0)  # seconds from a write to its change: warning, error
GRACE: Final = 90.0  # seconds that a node may be away before it matters: agents ask at least every 55
WAITING: Final = (60.0, 300.0)  # seconds that the oldest job may wait
FAILURES: Final = (5, 10)  # ways of failing within an hour, as in the originals
MOURNED: Final = 900.0  # seconds for which a process that died is spoken of
HEALTHY_MEMBERS: Final = frozenset({"PRIMARY", "SECONDARY", "ARBITER"})
PROBE: Final = "health_probe"
SET_ASIDE: Final = {MAINTENANCE: "is in maintenance", DISABLED: "is disabled"}  # nodes that nobody misses
WAITING_NODES: Final = {PENDING: "waits to be accepted", ACCEPTED: "waits to be enabled"}


@health_check("Database", every=30)
def database(_runtime: Runtime) -> Iterator[Finding]:
    """Whether the database answers, how quickly, and whether its replica set is whole."""
    took = min(_ping() for _ in range(PINGS))
    state = graded(took, warning=PING[0], error=PING[1])
    yield Finding("ping", state, f"MongoDB answers in {took * 1000:.0f} ms")
    try:
        status = mongoengine.get_connection().admin.command("replSetGetStatus")
    except OperationFailure as error:
        yield Finding("members", "SKIPPED", f"The members of the replica set cannot be asked: {error.details or error}")
        return
    for member in status["members"]:
        fine = member["stateStr"] in HEALTHY_MEMBERS
        yield Finding(
            f"member-{member['_id']}", "OK" if fine else "ERROR", f"Member {member['_id']} is {member['stateStr']}"
        )


def _ping() -> float:
    began = time.perf_counter()
    mongoengine.get_db().command("ping")
    return time.perf_counter() - began


@health_check("Disks", every=60)
def state_folder(runtime: Runtime) -> Iterator[Finding]:
    """Whether there is room left for the database, images and logs in the state folder."""
    folder = runtime.settings.state_folder
    usage = offload(shutil.disk_usage, folder)
    free = usage.free / usage.total
    state = graded(-free, warning=-ROOM[0], error=-ROOM[1])
    text = f"{usage.free / 2**30:.1f} GiB ({free:.0%}) free below the state folder of {socket.gethostname()}"
    yield Finding(f"state-{socket.gethostname()}", state, text)


@health_check("Database", every=60)
def change_stream(runtime: Runtime) -> Iterator[Finding]:
    """How long it takes until a change in the database is heard of, on which all waiting depends."""
    collection, key = mongoengine.get_db()[PROBE], runtime.process_id
    with runtime.bus.subscribe(f"{PROBE}:{key}") as changes:
        began = time.monotonic()
        collection.replace_one({"_id": key}, {"at": time.time()}, upsert=True)
        heard = changes.get(DELAY[1])
        delay = time.monotonic() - began
    collection.delete_one({"_id": key})
    if heard is None:
        yield Finding("delay", "ERROR", f"A change in the database was not heard of within {DELAY[1]:.0f} s")
    else:
        state = graded(delay, warning=DELAY[0], error=DELAY[1])
        yield Finding("delay", state, f"Changes in the database are heard of after {delay * 1000:.0f} ms")


@health_check("Processes", every=15)
def processes(runtime: Runtime) -> Iterator[Finding]:
    """Whether every process of the portal that began still lives, and every duty has somebody who does it."""
    now = time.time()
    leases = {row["_id"]: row["expires"] for row in mongoengine.get_db()["lease"].find()}
    alive = [name for name, expires in leases.items() if name.startswith("process:") and expires >= now]
    yield Finding("alive", "OK", f"Processes of the portal alive: {len(alive)}")
    for name, expires in leases.items():
        if name.startswith("process:") and now - MOURNED < expires < now:
            text = f"Process {name.removeprefix('process:')[:8]} ended without a word {now - expires:.0f} s ago"
            yield Finding(name, "WARNING", text)
    orphans = sorted(duty for duty in runtime.duties.names if leases.get(f"duty:{duty}", now) < now)
    for duty in orphans:
        yield Finding(f"duty-{duty}", "ERROR", f"No process does the duty {duty}")
    if not orphans:
        yield Finding("duties", "OK", f"All {len(runtime.duties.names)} duties are taken")


@health_check("Nodes", every=30)
def nodes(runtime: Runtime) -> Iterator[Finding]:
    """Whether every node has been heard of lately."""
    now = time.time()
    rows = Node.rows({"status": {"$ne": DECOMMISSIONED}}, fields=["name", "status", "connected", "last_seen"])
    for row in rows:
        away = now - max(row.get("last_seen") or 0.0, runtime.health.started)
        yield _node(row, away)
    if not rows:
        yield Finding("none", "SKIPPED", "No node has entered yet")


def _node(row: dict[str, Any], away: float) -> Finding:
    uid, name = f"node-{row['id']}", row["name"]
    if row["status"] in SET_ASIDE:
        return Finding(uid, "SKIPPED", f"{name} {SET_ASIDE[row['status']]}", row["id"])
    if row["status"] in WAITING_NODES:
        return Finding(uid, "WARNING", f"{name} {WAITING_NODES[row['status']]}", row["id"])
    if row.get("connected"):
        return Finding(uid, "OK", f"{name} is connected", row["id"])
    if away < GRACE:
        return Finding(uid, "WARNING", f"{name} has not been heard of for {away:.0f} s", row["id"])
    return Finding(uid, "ERROR", f"{name} is away", row["id"])


@health_check("Jobs", every=30)
def waiting_jobs(_runtime: Runtime) -> Iterator[Finding]:
    """Whether jobs wait too long for their node."""
    now = time.time()
    waiting = Job.rows({"status": "QUEUED"}, fields=["created"], sort="created", limit=1000)
    if not waiting:
        yield Finding("waiting", "OK", "No job waits")
        return
    oldest = now - waiting[0]["created"]
    state = graded(oldest, warning=WAITING[0], error=WAITING[1])
    yield Finding("waiting", state, f"Jobs waiting: {len(waiting)}; the oldest, {waiting[0]['id']}, for {oldest:.0f} s")


@health_check("Failures", every=60)
def error_conditions(_runtime: Runtime) -> Iterator[Finding]:
    """How many things failed unexpectedly in the last hour."""
    count = ErrorCondition.collection().count_documents({"last": {"$gt": time.time() - HOUR}})
    state = graded(count, warning=FAILURES[0], error=FAILURES[1])
    yield Finding("hour", state, f"Ways in which something failed unexpectedly within an hour: {count}")
