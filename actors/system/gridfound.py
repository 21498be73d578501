"""What was found on nodes when last asked: machines beside what the cloud knows of them, processes, storage pools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypedDict

from actors.cloud.drift import MEANING
from actors.cloud.models import Machine, Stack
from actors.cloud.names import Names
from agent.protocol import JobState
from portalfw.controller.documents import Job, Node, site_prefix
from portalfw.rest import Actor, Columns, Listing, method

OPERATORS: Final = "group:level1,level2,level3"
LOOKING: Final = "libvirt/listmachines"
PROCESSES: Final = "node/processes"
POOLS: Final = "libvirt/listpools"
UP: Final = ("RUNNING", "PAUSED")


class FoundRow(TypedDict):
    """One machine that is on a node, or ought to be there."""

    id: str
    name: str  # of its domain
    node_id: int
    node: str
    state: str  # as found: RUNNING, PAUSED or HALTED; empty if it is not there
    machine_id: int | None
    machine: str  # what it is called in the cloud
    known: str  # its state in the cloud
    verdict: str  # OK, DIFFERS, ORPHAN (nobody's any more), or ABSENT
    seen: float  # when the node was last asked


FOUND = Columns(
    FoundRow,
    *("name", "node", "state", "machine", "known", "verdict", "seen"),
    times=("seen",),
    search=("name", "node", "machine"),
    sort="node,name",
    limit=100,
    most=1000,
)


class ProcessRow(TypedDict):
    """One process of a node; times in epoch seconds."""

    id: str
    node_id: int
    pid: int
    parent: int
    name: str
    user: str
    state: str
    command: str
    started: float
    memory: int  # bytes, resident
    threads: int
    seen: float  # when the node was asked


PROCESS = Columns(
    ProcessRow,
    *("pid", "parent", "name", "user", "state", "command", "started", "memory", "threads", "seen"),
    times=("started", "seen"),
    search=("name", "user", "command", "pid"),
    sort="-memory,pid",
    limit=50,
    most=1000,
)


class PoolRow(TypedDict):
    """One storage pool of a node; sizes in bytes, times in epoch seconds."""

    id: str
    node_id: int
    node: str
    name: str
    type: str
    path: str
    state: str  # RUNNING, INACTIVE, BUILDING, DEGRADED or INACCESSIBLE
    capacity: int
    allocation: int
    available: int
    percent: float  # how full it is
    autostart: bool
    volumes: int
    seen: float  # when the node was asked


POOL = Columns(
    PoolRow,
    *("node", "name", "type", "path", "state", "capacity", "allocation", "available", "percent", "autostart"),
    *("volumes", "seen"),
    times=("seen",),
    search=("name", "node", "path"),
    sort="node,name",
    limit=100,
    most=1000,
)


class GridFound(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node", "machine"))
    def get_found_machines(self, node_id: int | None = None, *, listing: Annotated[Listing, FOUND]) -> list[FoundRow]:
        """Return what machines nodes had when they were last asked, a minute ago at most, and which they ought to."""
        query: dict[str, Any] = {"status": {"$ne": "DECOMMISSIONED"}} | ({} if node_id is None else {"_id": node_id})
        names = Names(site_prefix())
        nodes = Node.rows(query, fields=["name"], sort="name")
        return listing.of_rows(row for node in nodes for row in _rows(node, names))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=(f"job:{PROCESSES}",))
    def get_processes(self, node_id: int, *, listing: Annotated[Listing, PROCESS]) -> list[ProcessRow]:
        """Return the processes that a node told of when node/processes last ran there; none if it has not."""
        return listing.of_rows(_told(node_id, PROCESSES, "pid"))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=(f"job:{POOLS}",), title="Get storage pools")
    def get_pools(self, node_id: int | None = None, *, listing: Annotated[Listing, POOL]) -> list[PoolRow]:
        """Return the storage pools that nodes told of when libvirt/listpools last ran there."""
        query: dict[str, Any] = {"status": {"$ne": "DECOMMISSIONED"}} | ({} if node_id is None else {"_id": node_id})
        return listing.of_rows(
            {name: one[name] for name in one.keys() - {"contents"}}
            | {"node": node["name"], "percent": 100.0 * one["allocation"] / (one["capacity"] or 1)}
            for node in Node.rows(query, fields=["name"], sort="name")
            for one in _told(node["id"], POOLS, "name")
        )


def _told(node_id: int, script: str, key: str) -> Iterator[dict[str, Any]]:
    """Yield the rows that a script last answered on a node, named by their ``key``; none if it has not run there."""
    last = last_answer(node_id, script)
    if last is None:
        return
    for one in last["result"] or ():
        yield {"id": f"{node_id}:{one[key]}", "node_id": node_id, "seen": last["ended"], **one}


def last_answer(node_id: int, script: str) -> dict[str, Any] | None:
    """Return what a script last answered on a node, and when."""
    ran = {"node_id": node_id, "status": JobState.OK.value, "script": script}
    return next(iter(Job.rows(ran, fields=["result", "ended"], sort="-_id", limit=1)), None)


def _rows(node: Mapping[str, Any], names: Names) -> Iterator[FoundRow]:
    """Yield what a node last said of its machines; nothing if it was not asked as long as jobs are kept."""
    last = last_answer(node["id"], LOOKING)
    if last is None:
        return
    there = {one["name"]: MEANING.get(one["state"], "HALTED") for one in last["result"] or ()}
    there.pop(names.trial, None)
    known = _known(node["id"], [number for number in map(names.machine_id, there) if number is not None])
    for name in sorted({*there, *map(names.machine, known)}):
        machine = known.get(names.machine_id(name) or 0)
        yield _row(node, name, there.get(name, ""), machine, last["ended"])


def _known(node_id: int, found: list[int]) -> dict[int, dict[str, Any]]:
    """Return the machines that were found, or whose domain should be there, by id."""
    stacks = [row["id"] for row in Stack.rows({"reference_id": node_id}, fields=["_id"])]
    here = {"stack_id": {"$in": stacks}, "status": {"$in": UP}}
    rows = Machine.rows({"$or": [{"_id": {"$in": found}}, here]}, fields=["name", "status", "live"])
    return {row["id"]: row for row in rows}


def _row(node: Mapping[str, Any], name: str, state: str, machine: Mapping[str, Any] | None, seen: float) -> FoundRow:
    living = machine is not None and machine.get("live", True)
    status = machine["status"] if machine else ""
    verdict = "ORPHAN" if not living else "ABSENT" if not state else "OK" if state == status else "DIFFERS"
    return {
        "id": f"{node['id']}:{name}",
        "name": name,
        "node_id": node["id"],
        "node": node["name"],
        "state": state,
        "machine_id": machine["id"] if machine else None,
        "machine": machine["name"] if machine else "",
        "known": status,
        "verdict": verdict,
        "seen": seen,
    }
