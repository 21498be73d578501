"""External networks and port forwards as answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypedDict

from actors.cloud.directory import names
from actors.cloud.models import Machine
from actors.cloudapi.answers.life import Row


class ExternalNetworkRow(TypedDict):
    """A network outside the cloud as its users see it."""

    id: int
    name: str
    network: str  # address without the length
    gateway: str
    subnetmask: str
    gid: int
    accountId: int  # 0 is everybody's
    dhcp: bool


class PortForwardRow(TypedDict):
    """A port of a cloudspace's external address that leads to a machine; ports are texts here, and only here."""

    id: int
    protocol: str  # tcp or udp
    localPort: str
    publicPort: str
    publicIp: str
    localIp: str
    machineId: int
    machineName: str
    cloudspaceId: int


def external_network(row: Row) -> ExternalNetworkRow:
    """Return an external network as its users see it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "network": row["network"],
        "gateway": row["gateway"],
        "subnetmask": row["subnetmask"],
        "gid": row["gid"],
        "accountId": row["account_id"],
        "dhcp": False,
    }


def port_forward_list(rows: Sequence[Row]) -> list[PortForwardRow]:
    """Return port forwards with the names of their machines."""
    machines = names(Machine, rows, "machine_id")
    return [
        {
            "id": row["id"],
            "protocol": row["protocol"],
            "localPort": str(row["local_port"]),
            "publicPort": str(row["public_port"]),
            "publicIp": row["public_ip"],
            "localIp": row["local_ip"],
            "machineId": row["machine_id"],
            "machineName": machines.get(row["machine_id"], ""),
            "cloudspaceId": row["cloudspace_id"],
        }
        for row in rows
    ]


def prefix_length(row: Row) -> int:
    """Return the prefix length of an external network."""
    return ipaddress.IPv4Network(f"{row['network']}/{row['subnetmask']}").prefixlen
