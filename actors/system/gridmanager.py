"""Nodes with what their agents told of them; `gridjobs` holds their jobs, `gridnodes` their life."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from actors.cloud.models import Disk, Location
from portalfw.controller import node_life
from portalfw.controller.documents import Node, site_prefix
from portalfw.errors import NotFoundError
from portalfw.rest import Actor, Arg, Column, Columns, Listing, method
from portalfw.statistics.answer import Statistics, busiest_nodes, statistics
from portalfw.statistics.documents import StatisticsNode
from portalfw.statistics.series import Thing

OPERATORS = "group:level1,level2,level3"
NODES = Columns(
    Node,
    *("id", "gid", "name", "status", "connected", "reason", "roles", "address", "last_seen"),
    times=("last_seen",),
    search=("name", "address", "roles", "id"),
    sort="name",
    hypervisor="abilities.hypervisor.uri",
    cpus=Column("facts.cpus", "number"),
    memory=Column("facts.memory_mib", "number"),
)
VDISK_FIELDS = ("name", "type", "status", "size_max", "machine_id", "account_id", "gid")
VDISKS = Columns(Disk, "id", *VDISK_FIELDS, limit=50, most=500)


class NodeRow(TypedDict):
    """One node as lists show it."""

    id: int
    gid: int
    name: str
    status: str
    connected: bool
    state: str  # ENABLED …, AWAY when its agent is not there, LOST when that has been so for ten minutes
    reason: str
    roles: list[str]
    address: str
    hypervisor: str
    simulated: bool
    cpus: int | None
    memory: int | None  # MiB
    last_seen: float | None


class DiskRow(TypedDict):
    """One mounted file system of a node, as the agent last told it; sizes in MiB, used in percent."""

    id: str
    node_id: int
    node: str
    mount: str
    size: int
    free: int
    used: float


DISKS = Columns(
    DiskRow, "node", "mount", "size", "free", "used", search=("node", "mount"), sort="node", limit=50, most=500
)


class NicRow(TypedDict):
    """One network link of a node, as its agent last told it: a card, a bond, a bridge, or one of a guest."""

    id: str
    node_id: int
    node: str
    name: str
    mac: str
    up: bool
    mtu: int
    addresses: list[str]


NICS = Columns(
    NicRow, "node", "name", "mac", "up", "mtu", search=("node", "name", "mac"), sort="node,name", limit=50, most=500
)


class VDiskRow(TypedDict):
    """One disk of the cloud; the size in GiB."""

    id: int
    name: str
    type: str
    status: str
    size: int
    machine_id: int | None
    account_id: int
    gid: int


class GridRow(TypedDict):
    """One grid: the nodes at one place."""

    id: int
    name: str
    location: str
    nodes: int
    connected: int


class ThingRow(TypedDict):
    """Something of a node of which there are figures."""

    id: str
    kind: str  # node, disk, filesystem, nic, sensor, guest, guest_disk or guest_nic
    key: str  # its name there, empty for the node itself


class GridManager(Actor, app="system"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",))
    def get_nodes(self, listing: Annotated[Listing, NODES]) -> list[NodeRow]:
        """Return all nodes."""
        rows = listing.of(Node)
        return rows.answered(_node(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node:{node_id}",))
    def get_node(self, node_id: int) -> dict[str, Any]:
        """Return one node with its facts and abilities."""
        rows = Node.rows({"_id": node_id})
        if not rows:
            raise NotFoundError(f"Node {node_id} does not exist.")
        row = rows[0]
        return {
            **_node(row),
            "site": site_prefix(),
            "facts": row.get("facts") or {},
            "abilities": row.get("abilities") or {},
            "version": row.get("version"),
            "boot_id": row.get("boot_id"),
            "created": row.get("created"),
            "history": row.get("history") or [],
            "credential_since": row.get("credential_since"),
            "rotating": bool(row.get("rotate")),
        }

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",))
    def get_disks(self, node_id: int | None = None, *, listing: Annotated[Listing, DISKS]) -> list[DiskRow]:
        """Return the file systems of all nodes, or of one."""
        query = {} if node_id is None else {"_id": node_id}
        rows = Node.rows(query, fields=["name", "facts.disks"], sort="name")
        return listing.of_rows(_disk(row, one) for row in rows for one in (row.get("facts") or {}).get("disks", ()))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("node",), title="Get network links")
    def get_nics(self, node_id: int | None = None, *, listing: Annotated[Listing, NICS]) -> list[NicRow]:
        """Return the network links of all nodes, or of one."""
        query = {} if node_id is None else {"_id": node_id}
        rows = Node.rows(query, fields=["name", "facts.interfaces"], sort="name")
        return listing.of_rows(_nic(row, one) for row in rows for one in (row.get("facts") or {}).get("interfaces", ()))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("disk",), title="Get virtual disks")
    def get_v_disks(self, machine_id: int | None = None, *, listing: Annotated[Listing, VDISKS]) -> list[VDiskRow]:
        """Return the disks of the cloud, or those of one machine."""
        query: dict[str, Any] = {"status": {"$ne": "DESTROYED"}}
        rows = listing.of(
            Disk, query if machine_id is None else query | {"machine_id": machine_id}, fields=VDISK_FIELDS
        )
        return rows.answered(_vdisk(row) for row in rows)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("location", "node"))
    def get_grids(self) -> list[GridRow]:
        """Return the grids, with the numbers of their nodes."""
        nodes = Node.rows({"status": {"$ne": "DECOMMISSIONED"}}, fields=["gid", "connected"])
        places = {row["gid"]: row for row in Location.rows(sort="gid")}
        return [_grid(gid, places, nodes) for gid in sorted(places.keys() | {row.get("gid") or 1 for row in nodes})]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True)
    def get_statistics(
        self,
        node_id: int,
        figures: Annotated[list[str], Arg("Figures", help="For instance cpu, or rx_bytes and tx_bytes.")],
        kind: Annotated[
            str, Arg("Kind", help="node, disk, filesystem, nic, sensor, guest, guest_disk, guest_nic.")
        ] = "node",
        key: Annotated[str, Arg("Key", help="Which disk, link … it is; none for the node itself.")] = "",
        from_: Annotated[float | None, Arg("From", help="Epoch seconds; an hour before the end if not given.")] = None,
        to: Annotated[float | None, Arg("To", help="Epoch seconds; now if not given.")] = None,
        value: Annotated[Literal["mean", "min", "max"], Arg("Value", help="Of each step of time.")] = "mean",
    ) -> Statistics:
        """Return figures of a node, or of something on it, over time; of long spans in longer steps."""
        if not Node.rows({"_id": node_id}, fields=["_id"]):
            raise NotFoundError(f"Node {node_id} does not exist.")
        return statistics(Thing(kind, key, node_id), figures, from_, to, value)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True)
    def get_busiest_nodes(
        self,
        figure: Annotated[str, Arg("Figure", help="For instance cpu, memory or rx_bytes.")] = "cpu",
        count: int = 4,
        from_: Annotated[float | None, Arg("From", help="Epoch seconds; an hour before the end if not given.")] = None,
        to: Annotated[float | None, Arg("To", help="Epoch seconds; now if not given.")] = None,
    ) -> Statistics:
        """Return one figure over time of the nodes that have most of it now."""
        names = {row["id"]: row["name"] for row in Node.rows(fields=["name"])}
        return busiest_nodes(figure, count, names, from_, to)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, title="Get things with statistics")
    def get_things(self, node_id: int, kind: str | None = None) -> list[ThingRow]:
        """Return of what there are figures on a node now: its disks, links, sensors, guests …, of one kind if asked."""
        rows = StatisticsNode.rows({"_id": node_id}, fields=["things"])
        found = rows[0].get("things") or [] if rows else []
        return [
            {"id": f"{one['kind']}:{one['key']}", "kind": one["kind"], "key": one["key"]}
            for one in found
            if kind in {None, one["kind"]}
        ]


def _node(row: dict[str, Any]) -> NodeRow:
    facts, abilities = row.get("facts") or {}, row.get("abilities") or {}
    hypervisor = abilities.get("hypervisor") or {}
    connected = bool(row.get("connected"))
    return {
        "id": row["id"],
        "gid": row.get("gid") or 1,
        "name": row["name"],
        "status": row["status"],
        "connected": connected,
        "state": node_life.state_of(row),
        "reason": row.get("reason") or "",
        "roles": row.get("roles") or [],
        "address": row.get("address") or "",
        "hypervisor": hypervisor.get("uri") or "none",
        "simulated": hypervisor.get("kind") == "test",
        "cpus": facts.get("cpus"),
        "memory": facts.get("memory_mib"),
        "last_seen": row.get("last_seen"),
    }


def _disk(node: dict[str, Any], disk: dict[str, Any]) -> DiskRow:
    size, free = disk["size_mib"], disk["free_mib"]
    return {
        "id": f"{node['id']}:{disk['mount']}",
        "node_id": node["id"],
        "node": node["name"],
        "mount": disk["mount"],
        "size": size,
        "free": free,
        "used": round(100 * (size - free) / size, 1) if size else 0.0,
    }


def _nic(node: dict[str, Any], link: dict[str, Any]) -> NicRow:
    return {
        "id": f"{node['id']}:{link['name']}",
        "node_id": node["id"],
        "node": node["name"],
        "name": link["name"],
        "mac": link.get("mac") or "",
        "up": bool(link.get("up")),
        "mtu": link.get("mtu") or 0,
        "addresses": link.get("addresses") or [],
    }


def _vdisk(row: dict[str, Any]) -> VDiskRow:
    return {
        "id": row["id"],
        "name": row["name"],
        "type": row["type"],
        "status": row["status"],
        "size": row["size_max"],
        "machine_id": row.get("machine_id"),
        "account_id": row["account_id"],
        "gid": row["gid"],
    }


def _grid(gid: int, places: dict[int, dict[str, Any]], nodes: list[dict[str, Any]]) -> GridRow:
    place = places.get(gid, {})
    own = [row for row in nodes if (row.get("gid") or 1) == gid]
    return {
        "id": gid,
        "name": place.get("name") or f"grid {gid}",
        "location": place.get("location_code") or "",
        "nodes": len(own),
        "connected": sum(bool(row.get("connected")) for row in own),
    }
