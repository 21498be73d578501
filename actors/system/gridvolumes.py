"""The volumes in the storage pools of nodes, beside the disks, images and machines that they should belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, TypedDict

from actors.cloud.models import Disk, Image, Machine, Stack
from actors.cloud.names import Names
from actors.system.gridfound import OPERATORS, POOLS, last_answer
from portalfw.controller.documents import Node, site_prefix
from portalfw.rest import Actor, Columns, Listing, method

THERE: Final = ("RUNNING", "PAUSED", "HALTED")
"""States of machines whose disks lie on their node."""

Row = Mapping[str, Any]


class VolumeRow(TypedDict):
    """One volume that is in a pool of a node, or ought to be there; sizes in bytes."""

    id: str
    node_id: int
    node: str
    pool: str  # empty if it is in none
    name: str
    capacity: int
    allocation: int
    kind: str  # disk, image, machine (its seed), or empty: nothing of this cloud
    owner_id: int | None  # of the disk, image or machine
    owner: str
    machine_id: int | None  # whose it is, if a machine's
    verdict: str  # OK, ORPHAN (its owner is gone), ABSENT (a machine should have it), or FOREIGN
    seen: float  # when the node was asked


VOLUMES = Columns(
    VolumeRow,
    *("node", "pool", "name", "capacity", "allocation", "kind", "owner", "verdict", "seen"),
    times=("seen",),
    search=("name", "owner", "node", "pool"),
    sort="node,pool,name",
    limit=50,
    most=1000,
)


class GridVolumes(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=(f"job:{POOLS}", "disk", "machine", "image"))
    def get_volumes(self, node_id: int | None = None, *, listing: Annotated[Listing, VOLUMES]) -> list[VolumeRow]:
        """Return what lay in the storage pools of nodes when libvirt/listpools last ran there, and whose it is."""
        query: dict[str, Any] = {"status": {"$ne": "DECOMMISSIONED"}} | ({} if node_id is None else {"_id": node_id})
        names = Names(site_prefix())
        nodes = Node.rows(query, fields=["name"], sort="name")
        return listing.of_rows(row for node in nodes for row in _of_node(node, names))


def _of_node(node: Row, names: Names) -> Iterator[VolumeRow]:
    """Yield the volumes of a node's pools and the disks that are missing; nothing if it was not asked."""
    last = last_answer(node["id"], POOLS)
    if last is None:
        return
    found = [(pool["name"], one) for pool in last["result"] or () for one in pool.get("contents") or ()]
    found = [(pool, one) for pool, one in found if not one["name"].startswith(names.trial)]
    owners = _owners([owner for _, one in found if (owner := names.owner(one["name"]))])
    for pool, one in found:
        yield _row(node, pool, one, names.owner(one["name"]), owners, last["ended"])
    there = {one["name"] for _, one in found}
    for disk in _expected(node["id"]):
        name = names.disk(disk["id"])
        if name not in there:
            missing = {"name": name, "capacity": disk["size_max"] << 30, "allocation": 0}
            row = _row(node, "", missing, ("disk", disk["id"]), {("disk", disk["id"]): disk}, last["ended"])
            yield {**row, "verdict": "ABSENT"}


def _owners(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Row]:
    """Return the disks, images and machines that there are, by kind and id."""
    ids = {kind: [number for one, number in wanted if one == kind] for kind in ("disk", "image", "machine")}
    kinds = {"disk": Disk, "image": Image, "machine": Machine}
    fields = ["name", "machine_id"]
    alive = {"status": {"$ne": "DESTROYED"}}
    return {
        (kind, row["id"]): row
        for kind, document in kinds.items()
        if ids[kind]
        for row in document.rows({"_id": {"$in": ids[kind]}, **alive}, fields=fields)
    }


def _expected(node_id: int) -> list[dict[str, Any]]:
    """Return the disks of the machines that are on a node."""
    stacks = [row["id"] for row in Stack.rows({"reference_id": node_id}, fields=["_id"])]
    machines = Machine.rows({"stack_id": {"$in": stacks}, "status": {"$in": THERE}}, fields=["_id"])
    wanted = {"machine_id": {"$in": [row["id"] for row in machines]}, "status": {"$ne": "DESTROYED"}}
    return Disk.rows(wanted, fields=["name", "machine_id", "size_max"])


def _row(
    node: Row,
    pool: str,
    volume: Row,
    owner: tuple[str, int] | None,
    owners: Mapping[tuple[str, int], Row],
    seen: float,
) -> VolumeRow:
    kind, number = owner or ("", None)
    known = owners.get(owner) if owner else None
    machine = number if kind == "machine" else known.get("machine_id") if known else None
    return {
        "id": f"{node['id']}:{pool}:{volume['name']}",
        "node_id": node["id"],
        "node": node["name"],
        "pool": pool,
        "name": volume["name"],
        "capacity": volume["capacity"],
        "allocation": volume["allocation"],
        "kind": kind,
        "owner_id": number,
        "owner": known["name"] if known else "",
        "machine_id": machine if known else None,
        "verdict": "OK" if known else "ORPHAN" if owner else "FOREIGN",
        "seen": seen,
    }
