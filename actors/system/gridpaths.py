"""The network between nodes for operators: latencies and throughput, measured when they ask for it."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypedDict

from agent.protocol import JobState
from portalfw.controller.documents import Node
from portalfw.paths import latency, throughput
from portalfw.rest import Actor, Arg, Columns, Listing, method

OPERATORS: Final = "group:level1,level2,level3"
ENGINEERS: Final = "group:level2,level3"


class LatencyRow(TypedDict):
    """The way from one node to another, as it was measured last; times in epoch seconds."""

    id: str
    from_id: int
    from_name: str
    to_id: int
    to_name: str
    address: str  # by which the one knows the other
    delay: float | None  # milliseconds until the answer, in the mean
    lost: float | None  # percent of pings that were not answered
    state: str  # OK, WARNING, ERROR, or RUNNING while it is measured
    message: str
    seen: float


class ThroughputRow(TypedDict):
    """What two nodes carried between them, once; rates in Mbit/s, times in epoch seconds."""

    id: int  # of the job that measured
    from_id: int
    from_name: str
    to_id: int
    to_name: str
    there: float | None
    back: float | None
    speed: int | None  # of the slower one's card, if one tells it
    state: str  # OK, WARNING below half of that speed, ERROR below a tenth; SKIPPED without a speed; RUNNING
    message: str
    seen: float
    by: str


LATENCIES = Columns(
    LatencyRow,
    *("id", "from_name", "to_name", "address", "delay", "lost", "state", "message", "seen"),
    times=("seen",),
    search=("fromName", "toName", "address"),
    sort="fromName,toName",
    limit=100,
    most=10_000,
)
THROUGHPUTS = Columns(
    ThroughputRow,
    *("id", "from_name", "to_name", "there", "back", "speed", "state", "message", "seen", "by"),
    times=("seen",),
    search=("fromName", "toName", "by"),
    sort="-id",
    limit=50,
    most=500,
)
GridId = Annotated[int | None, Arg("Grid", help="All nodes if empty.", choices="system/gridmanager/getGrids")]
FromId = Annotated[int, Arg("From", choices="system/gridmanager/getNodes")]
ToId = Annotated[int, Arg("To", choices="system/gridmanager/getNodes")]
Seconds = Annotated[float, Arg("For", help="Seconds each way, 1 to 10. The link is as busy as it can be meanwhile.")]


class GridPaths(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, title="Measure latencies")
    def measure_latency(self, gid: GridId = None) -> int:
        """Have each node of a grid ping all others, 100 nodes at most; return how many nodes were asked."""
        return latency.measure(self.runtime, gid, self.call.principal.name)

    @method(
        right=OPERATORS,
        http=("GET", "POST"),
        readonly=True,
        live=("path_run", f"job:{latency.SCRIPT}"),
        title="Get latencies",
    )
    def get_latency(self, gid: GridId = None, *, listing: Annotated[Listing, LATENCIES]) -> list[LatencyRow]:
        """Return how long answers between the nodes of a grid took when that was measured last; none if never."""
        rows = list(latency.last(gid))
        names = _names([row["job"]["node_id"] for row in rows])
        return listing.of_rows([_latency(row, names) for row in rows])

    @method(right=ENGINEERS, title="Measure throughput")
    def measure_throughput(self, from_node: FromId, to_node: ToId, seconds: Seconds = 3.0) -> ThroughputRow:
        """Measure how much two nodes carry between them, there and back, while they load their link with it."""
        job = throughput.measure(self.runtime, from_node, to_node, seconds, self.call.principal.name)
        (row,) = throughput.last([job])
        return _throughput(row, _names([row["node_id"]]))

    @method(
        right=OPERATORS,
        http=("GET", "POST"),
        readonly=True,
        live=("path_run", f"job:{throughput.MEASURE}"),
        title="Get throughputs",
    )
    def get_throughput(self, listing: Annotated[Listing, THROUGHPUTS]) -> list[ThroughputRow]:
        """Return the last fifty measurements of throughput, as long as their jobs are kept."""
        rows = throughput.last()
        names = _names([row["node_id"] for row in rows])
        return listing.of_rows([_throughput(row, names) for row in rows])


def _names(ids: list[int]) -> dict[int, str]:
    return {row["id"]: row["name"] for row in Node.rows({"_id": {"$in": sorted(set(ids))}}, fields=["name"])}


def _latency(row: dict[str, Any], names: dict[int, str]) -> LatencyRow:
    job, peer, found = row["job"], row["peer"], row["found"] or {}
    sent = found.get("sent")
    return {
        "id": f"{job['node_id']}-{peer['node']}",
        "from_id": job["node_id"],
        "from_name": names.get(job["node_id"], ""),
        "to_id": peer["node"],
        "to_name": peer["name"],
        "address": peer["address"],
        "delay": found.get("delay"),
        "lost": 100.0 * (sent - found["answered"]) / sent if sent else None,
        "state": found.get("state", JobState.RUNNING.value),
        "message": found.get("message", ""),
        "seen": job.get("ended") or job["created"],
    }


def _throughput(row: dict[str, Any], names: dict[int, str]) -> ThroughputRow:
    peer, ended = row["args"]["peer"], JobState(row["status"]).ended
    found = row["result"] if row["status"] == JobState.OK else {}
    return {
        "id": row["id"],
        "from_id": row["node_id"],
        "from_name": names.get(row["node_id"], ""),
        "to_id": peer["node"],
        "to_name": peer["name"],
        "there": _rounded(found.get("there")),
        "back": _rounded(found.get("back")),
        "speed": found.get("speed"),
        "state": found.get("state") or ("ERROR" if ended else JobState.RUNNING.value),
        "message": found.get("message") or row.get("reason") or "",
        "seen": row.get("ended") or row["created"],
        "by": row.get("submitted_by") or "",
    }


def _rounded(rate: float | None) -> float | None:
    """Return a rate without digits that no measurement of some seconds can tell."""
    return None if rate is None else round(rate, 0 if rate >= 100 else 1)  # noqa: PLR2004 - three figures
