"""The grid at a glance: the map of nodes, how jobs fare over time, queues, roles."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypedDict

from actors.cloud.models import Location
from actors.system.job_counts import JobCounts
from actors.system.job_rows import FAILED
from agent.protocol import ENDED, HELD, JobState
from portalfw.controller import node_life
from portalfw.controller.documents import Job, Node
from portalfw.health import mutes
from portalfw.health.findings import State
from portalfw.health.results import Message
from portalfw.rest import Actor, Arg, Columns, Listing, method
from portalfw.statistics.answer import SeriesRow, Statistics
from portalfw.statistics.series import current, span

OPERATORS: Final = "group:level1,level2,level3"
STEPS: Final = ((3 * 3600, 60), (25 * 3600, 300), (0, 3600))
"""Up to so many seconds of time, jobs are counted in steps of so many."""

LATELY: Final = 300.0
"""Seconds over which the rate of a queue is counted."""

LEAST: Final = 10.0
"""Seconds of a step that has just begun, which tells no rate yet."""

GRAVITY: Final[Mapping[State, int]] = {"ERROR": 4, "MISSED": 3, "WARNING": 2, "OK": 1, "SKIPPED": 0}
ENDS: Final = {"Ended well": [JobState.OK], "Failed": FAILED, "Cancelled": [JobState.CANCELLED]}
NODE_FIELDS: Final = ("name", "gid", "status", "connected", "last_seen", "created", "roles")


class TileRow(TypedDict):
    """One node as the map shows it."""

    id: int
    name: str
    gid: int
    place: str
    state: str  # ENABLED …, AWAY or LOST
    health: str  # the worst that a check found about it: OK, WARNING, MISSED or ERROR; what is muted does not count
    message: str  # what that check said, unless all is well
    cpu: float | None  # percent, over the last minute


class QueueRow(TypedDict):
    """One queue of a node; times in epoch seconds."""

    id: str
    node_id: int | None  # none of what waits for any node to be there
    node: str
    queue: str
    waiting: int
    running: int
    oldest: float | None  # since when the first one waits
    rate: float  # jobs ended a minute, over the last five


class RoleRow(TypedDict):
    """One role, with how many nodes have it."""

    id: str
    name: str
    nodes: int
    connected: int


QUEUES = Columns(
    QueueRow,
    *("node", "queue", "waiting", "running", "oldest", "rate"),
    times=("oldest",),
    search=("node", "queue"),
    sort="-waiting,node,queue",
    limit=100,
    most=1000,
)


class GridOverview(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node", "health", "health_node", "health_mute"))
    def get_map(self) -> list[TileRow]:
        """Return every node that is not decommissioned with its place, its health and how busy it is."""
        rows = Node.rows({"status": {"$ne": "DECOMMISSIONED"}}, fields=NODE_FIELDS, sort="name")
        places = {row["gid"]: row["name"] for row in Location.rows(fields=["gid", "name"])}
        worst, busy = _worst(self.runtime.health.troubled()), current("cpu")
        return [_tile(row, places, worst.get(row["id"]), busy) for row in rows]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True)
    def get_job_rates(
        self,
        from_: Annotated[float | None, Arg("From", help="Epoch seconds; an hour before the end if not given.")] = None,
        to: Annotated[float | None, Arg("To", help="Epoch seconds; now if not given.")] = None,
        script: Annotated[str | None, Arg("JumpScript", help="Only jobs of this one.")] = None,
    ) -> Statistics:
        """Return how many jobs ended a minute, and how, over time; jobs are kept for five days."""
        over = span(from_, to)
        step = next(seconds for most, seconds in STEPS if over.end - over.begin <= most or not most)
        begin = over.begin // step * step
        counted = self.runtime.service(JobCounts).ended(begin, over.end, step, script)
        times = [begin + number * step for number in range(max(1, -int((begin - over.end) // step)))]
        spans = {at: max(LEAST, min(step, over.end - at)) for at in times}
        series: list[SeriesRow] = [_rate(label, states, counted, spans) for label, states in ENDS.items()]
        return {"start": over.begin, "end": over.end, "step": step, "series": series}

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job",))
    def get_queues(self, node_id: int | None = None, *, listing: Annotated[Listing, QUEUES]) -> list[QueueRow]:
        """Return what waits and runs in each queue of each node, or of one, and how fast it goes."""
        of_node = {} if node_id is None else {"node_id": node_id}
        rows = [*_standing(of_node), *_moving(of_node)]
        found: dict[tuple[int | None, str], dict[str, Any]] = {}
        for row in rows:
            found.setdefault((row["_id"].get("node"), row["_id"].get("queue") or ""), {}).update(row)
        names = {row["id"]: row["name"] for row in Node.rows(fields=["name"])}
        return listing.of_rows(_queue(node, queue, row, names) for (node, queue), row in found.items())

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",))
    def get_roles(
        self, *, every: Annotated[bool, Arg("Every", help="Begin with *, which is every node.")] = False
    ) -> list[RoleRow]:
        """Return the roles that nodes have."""
        nodes = Node.rows({"status": {"$ne": "DECOMMISSIONED"}}, fields=["roles", "connected"])
        total = Counter(role for row in nodes for role in row.get("roles") or ())
        there = Counter(role for row in nodes if row.get("connected") for role in row.get("roles") or ())
        rows: list[RoleRow] = [
            {"id": role, "name": role, "nodes": total[role], "connected": there[role]} for role in sorted(total)
        ]
        connected = sum(bool(row.get("connected")) for row in nodes)
        anything: RoleRow = {"id": "*", "name": "* (every node)", "nodes": len(nodes), "connected": connected}
        return [anything, *rows] if every else rows


def _worst(messages: Iterable[Message]) -> dict[int, Message]:
    """Return the worst finding about each node, of those that count."""
    muted = mutes.muted()
    found: dict[int, Message] = {}
    for message in messages:
        if message.node_id is not None and message.id not in muted:
            known = found.get(message.node_id)
            if known is None or GRAVITY[message.state] > GRAVITY[known.state]:
                found[message.node_id] = message
    return found


def _tile(
    row: Mapping[str, Any], places: Mapping[int, str], worst: Message | None, busy: Mapping[int, float]
) -> TileRow:
    gid, state = row.get("gid") or 1, node_life.state_of(row)
    cpu = busy.get(row["id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "gid": gid,
        "place": places.get(gid) or f"grid {gid}",
        "state": state,
        "health": worst.state if worst else "OK",
        "message": worst.message if worst else "",
        "cpu": None if cpu is None else round(cpu, 1),
    }


def _rate(
    label: str, states: Iterable[str], counted: Mapping[tuple[float, str], int], spans: Mapping[float, float]
) -> SeriesRow:
    """Return how many jobs ended in these states a minute; ``spans`` tells how long each step has gone on."""
    wanted = list(states)
    points: list[list[float | None]] = [
        [at, round(60 * sum(counted[at, state] for state in wanted) / seconds, 3)] for at, seconds in spans.items()
    ]
    return {"figure": label.lower().replace(" ", "_"), "label": label, "unit": "/min", "points": points}


def _standing(of_node: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield of each node and queue how many jobs wait and run; the parents of fan-outs stand in no queue."""
    match = {**of_node, "status": {"$in": [JobState.QUEUED, *HELD]}, "fan": {"$exists": False}}
    waits = {"$eq": ["$status", JobState.QUEUED]}
    group = {
        "_id": {"node": "$node_id", "queue": "$queue"},
        "waiting": {"$sum": {"$cond": [waits, 1, 0]}},
        "running": {"$sum": {"$cond": [waits, 0, 1]}},
        "oldest": {"$min": {"$cond": [waits, "$created", None]}},
    }
    return Job.collection().aggregate([{"$match": match}, {"$group": group}])


def _moving(of_node: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield of each node and queue how many jobs ended lately."""
    recent = {"$gte": time.time() - LATELY}
    match = {**of_node, "status": {"$in": list(ENDED)}, "ended": recent, "fan": {"$exists": False}}
    group = {"_id": {"node": "$node_id", "queue": "$queue"}, "ended": {"$sum": 1}}
    return Job.collection().aggregate([{"$match": match}, {"$group": group}])


def _queue(node: int | None, queue: str, row: Mapping[str, Any], names: Mapping[int, str]) -> QueueRow:
    return {
        "id": f"{node or ''}:{queue}",
        "node_id": node,
        "node": "any node" if node is None else names.get(node, f"node {node}"),
        "queue": queue,
        "waiting": row.get("waiting", 0),
        "running": row.get("running", 0),
        "oldest": row.get("oldest"),
        "rate": round(60 * row.get("ended", 0) / LATELY, 1),
    }
