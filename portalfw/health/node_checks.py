"""Health checks on nodes: JumpScripts of the category ``monitor.healthcheck``, run by their schedules or by hand."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from agent.protocol import JobState
from portalfw.controller.controller import NODE_CHECKS
from portalfw.controller.documents import ENABLED, Job, Node, Schedule, Script
from portalfw.controller.submission import Terms
from portalfw.controller.timing import following
from portalfw.errors import NotFoundError
from portalfw.health import node_results
from portalfw.health.findings import Judge, State
from portalfw.health.node_results import NodeHealth
from portalfw.health.results import Message
from portalfw.paths.addresses import FIELDS, between

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

FRESH: Final = 5.0
"""Seconds for which it is remembered which checks there are, and when they run."""

MOST_LISTED: Final = 3000
"""Checks of nodes whose findings are all listed; of more only those that are not well are, unless a node is named."""

EXPIRES: Final = 60.0

STABILITY: Final = "healthcheck/network_stability"
"""The check that the controller begins itself: each node is told other neighbours."""

NEIGHBOURS: Final = 5
"""Nodes that each node pings, those after it in a ring: every node is pinged, and work grows with the nodes only."""

SOUGHT: Final = 50
"""Nodes after each among which its neighbours are looked for: of some no address may be known."""

Row = dict[str, Any]


class NodeChecks:
    """The checks on nodes as one process knows them."""

    def __init__(self, runtime: Runtime, judges: Mapping[str, Judge]) -> None:
        """Bind to the way to nodes; what a check with a judge tells is what that makes of it."""
        self._runtime = runtime
        self._judges = judges
        self._known: tuple[float, dict[str, Row]] = (-FRESH, {})

    def known(self) -> dict[str, Row]:
        """Return the checks by name: their ``header``, ``interval`` in seconds, and whether a schedule is on."""
        if time.monotonic() - self._known[0] > FRESH:
            self._known = time.monotonic(), _known([STABILITY] if self._runtime.settings.node_checks else [])
        return self._known[1]

    def watch(self) -> None:
        """Keep what each job of a check finds; runs for ever, in each process."""
        with self._runtime.bus.subscribe("job") as changed:
            while True:
                change = changed.get()
                row = change.row if change is not None else None
                if row is not None and row.get("ended") and row.get("node_id") and row["script"] in self.known():
                    self.take_in(row)

    def take_in(self, job: Row) -> bool:
        """Keep what a job of a check found."""
        return node_results.take_in(self._judged(job), self.known()[job["script"]]["interval"])

    def _judged(self, job: Row) -> Row:
        judge = self._judges.get(job["script"])
        if judge is None or job["status"] != JobState.OK.value:
            return job
        try:
            return {**job, "result": judge(job["node_id"], job.get("result"))}
        except Exception as error:  # the edge: of what a node tells nothing is certain
            log.exception("What job %s told could not be judged", job["_id"])
            reason = f"what it told could not be judged: {type(error).__name__}: {error}"
            return {**job, "status": JobState.ERROR.value, "reason": reason}

    def tend(self) -> None:
        """Note what should have been told and was not; a duty of one process."""
        known = self.known()
        nodes = Node.rows({"status": ENABLED, "connected": True}, fields=["roles"])
        for name, check in known.items():
            if check["scheduled"]:
                needed = set(check["header"].get("roles") or ())
                fitting = [node["id"] for node in nodes if needed <= set(node.get("roles") or ())]
                node_results.expect(name, fitting, check["interval"])
        node_results.note_missed(self._scheduled())
        if STABILITY in self._scheduled():
            self._lead(known[STABILITY]["interval"])
        node_results.drop_gone(known)

    def _lead(self, interval: float) -> None:
        """Have each node ping its neighbours, which only the controller knows; once in an interval."""
        last = Job.rows({"script": STABILITY, "created": {"$gt": time.time() - interval}}, fields=["_id"], limit=1)
        if last:
            return
        nodes = Node.rows({"status": ENABLED, "connected": True}, fields=FIELDS)
        terms = Terms(expires=EXPIRES, submitted_by="health")
        for place, node in enumerate(nodes):
            args = {"peers": list(islice(_around(nodes, place), NEIGHBOURS))}
            self._runtime.controller.orders.on_node(STABILITY, node["id"], args, terms)

    def run(self, name: str, node_id: int, user: str) -> list[Message]:
        """Run one check on one node now and return what it found there.

        :raises NotFoundError: if there is no such check or node.
        """
        check = self.known().get(name)
        if check is None:
            raise NotFoundError(
                f"There is no health check {name} of nodes; there are {', '.join(sorted(self.known()))}."
            )
        Node.get(node_id)
        job = self._runtime.dal.node(node_id).submit(name, expires=EXPIRES, submitted_by=user)
        job.wait(EXPIRES + check["header"]["timeout"])
        row = job.row()
        if row.get("ended"):
            self.take_in({**row, "_id": row["id"]})
        return self.messages({"_id": node_results.identity(name, node_id)})

    def messages(self, query: Row | None = None, *, everything: bool = False) -> list[Message]:
        """Return what the checks last found: all of it where that is not too much, else what is not well."""
        if not (everything or query) and NodeHealth.collection().estimated_document_count() > MOST_LISTED:
            return self.troubled()
        return node_results.messages(NodeHealth.rows(query or {}), self._scheduled())

    def troubled(self) -> list[Message]:
        """Return what the checks of which something is not well, or which are overdue, last found."""
        query = {"$or": [{"bad": True}, {"due": {"$lt": time.time()}}]}
        return node_results.messages(NodeHealth.rows(query), self._scheduled())

    def well(self) -> Counter[State]:
        """Count what the other checks found."""
        match = {"bad": False, "due": {"$gte": time.time()}}
        sums = {state: {"$sum": f"$states.{state}"} for state in ("OK", "SKIPPED")}
        pipeline: list[Row] = [{"$match": match}, {"$group": {"_id": None, **sums}}]
        row = next(iter(NodeHealth.collection().aggregate(pipeline)), {})
        found: dict[State, int] = {"OK": row.get("OK", 0), "SKIPPED": row.get("SKIPPED", 0)}
        return Counter(found)

    def _scheduled(self) -> frozenset[str]:
        return frozenset(name for name, check in self.known().items() if check["scheduled"])


def _known(led: Collection[str]) -> dict[str, Row]:
    """Return the checks; ``led`` are those that the controller begins, since each node is told something else."""
    scripts = Script.rows({"current": True, "broken": "", "header.category": NODE_CHECKS}, fields=["name", "header"])
    schedules = Schedule.rows({"enabled": True, "script": {"$in": [row["name"] for row in scripts]}})
    whens: dict[str, list[float]] = {}
    for row in schedules:
        if row.get("when") is not None:
            whens.setdefault(row["script"], []).append(_interval(row["when"]))
    found = {}
    for row in scripts:
        period = row["header"].get("period")
        usual = _interval(period) if period else 3600.0
        interval = min(whens.get(row["name"], [usual]))
        scheduled = row["name"] in whens or row["name"] in led
        found[row["name"]] = {"header": row["header"], "interval": interval, "scheduled": scheduled}
    return found


def _around(nodes: Sequence[Row], place: int) -> Iterator[Row]:
    """Yield those after a node in the ring that it can reach, among the next few: with many nodes none looks at all."""
    for step in range(1, min(len(nodes), SOUGHT + 1)):
        one = nodes[(place + step) % len(nodes)]
        address = between(nodes[place], one)
        if address:
            yield {"name": one["name"], "address": address}


def _interval(when: float | str) -> float:
    """Return the seconds between two occurrences."""
    if not isinstance(when, str):
        return float(when)
    first = following(when, time.time())
    return following(when, first) - first
