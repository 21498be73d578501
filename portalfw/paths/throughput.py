"""How much two nodes carry between them: one serves for a moment, the other measures, when somebody asks for it."""

from __future__ import annotations

import contextlib
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from portalfw import progress
from portalfw.controller import output
from portalfw.controller.documents import Job, Node
from portalfw.dal.job import JobHandle
from portalfw.errors import ConflictError, InvalidError, UnavailableError
from portalfw.paths.addresses import FIELDS, between
from portalfw.paths.documents import jobs_of, remember

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SERVE: Final = "network/servethroughput"
MEASURE: Final = "network/measurethroughput"
RUN: Final = "throughput"
KEPT: Final = 50
"""Measurements that are listed, as long as their jobs are kept."""

LONGEST: Final = 10.0
"""Seconds that one direction may take."""

EXPIRES: Final = 15.0
SLACK: Final = 20.0
"""Seconds beyond both directions that the whole may take: agents ask, connections are made."""

LOOK: Final = 0.1
"""Seconds between looks for the port."""

_PORT: Final = re.compile(r"port (\d+)")
Row = dict[str, Any]


def measure(runtime: Runtime, source_id: int, target_id: int, seconds: float, user: str) -> int:
    """Measure between two nodes, there and back, for so many seconds each; return the job that knows the result.

    :raises InvalidError: if it is one node, or the time makes no sense.
    :raises ConflictError: if one is not connected, no address is known, or one could not serve.
    :raises JobFailedError: if it could not be measured.
    """
    if source_id == target_id:
        raise InvalidError("Choose two nodes: a node has no path to itself.")
    if not 1 <= seconds <= LONGEST:
        raise InvalidError(f"{seconds:g} s is not between 1 and {LONGEST:g} s.")
    source, target = _node(source_id), _node(target_id)
    address = between(source, target)
    if not address:
        raise ConflictError(f"No address of {target['name']} is known that {source['name']} could reach.")
    key = secrets.token_hex(16)

    def submit(node_id: int, script: str, **args: Any) -> JobHandle:
        node = runtime.dal.node(node_id)
        return node.submit(script, expires=EXPIRES, submitted_by=user, key=key, seconds=seconds, **args)

    progress.report(f"{target['name']} begins to serve", 0, 2)
    serving = submit(target_id, SERVE, address=address)
    try:
        peer = {"node": target_id, "name": target["name"], "address": address, "port": _port(serving, target["name"])}
        progress.report(f"{source['name']} measures", 1, 2)
        job = submit(source_id, MEASURE, peer=peer)
        remember(RUN, [job.id], keep=KEPT)
        job.result(2 * seconds + SLACK)
        serving.wait(SLACK)
    finally:
        with contextlib.suppress(ConflictError):  # it has ended, as it should
            serving.cancel("the measurement is over")
    return job.id


def last(job_ids: list[int] | None = None) -> list[Row]:
    """Return the jobs of measurements, the newest first: the last ones, or those that are named."""
    fields = ["node_id", "args", "result", "status", "reason", "ended", "created", "submitted_by"]
    wanted = jobs_of(RUN) if job_ids is None else job_ids
    return Job.rows({"_id": {"$in": wanted}}, fields=fields, sort="-_id")


def _node(node_id: int) -> Row:
    Node.get(node_id)
    (row,) = Node.rows({"_id": node_id}, fields=[*FIELDS, "connected"], limit=1)
    if not row.get("connected"):
        raise ConflictError(f"Node {row['name']} is not connected.")
    return row


def _port(serving: JobHandle, name: str) -> int:
    """Return the port at which a node serves, as soon as it says so."""
    ended = False
    while not ended:
        ended = serving.wait(LOOK).ended  # looked at first: what it said before its end is read below
        for line in output.read(serving.id):
            found = _PORT.fullmatch(line["text"])
            if found:
                return int(found[1])
    raise UnavailableError(f"Node {name} does not serve: {serving.info().reason}")
