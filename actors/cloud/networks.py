"""Addresses: each is taken by a change of one document, so it can never be given out twice."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud.models import Cloudspace, ExternalNetwork
from portalfw.errors import ConflictError, InvalidError, UnavailableError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

MAC_PREFIX = "52:54:00"  # QEMU's
MAC_SPACE = 1 << 24
#: Addresses at the start of a private network that machines do not get: the router and the originals' DHCP pool.
KEPT_LOW = 10
LARGEST = 1024  # addresses that a private network may have
MOST_ADDRESSES = 4096  # that one call may add to an external network


class Networks:
    """Hands out external addresses, private addresses and hardware addresses."""

    def __init__(self, runtime: Runtime) -> None:
        """Need nothing but the database."""

    def choose_external(self, gid: int, account_id: int, network_id: int | None) -> ExternalNetwork:
        """Return the asked external network, else the first with a free address that the account may use.

        :raises InvalidError: if the asked one does not exist there or belongs to another account.
        :raises UnavailableError: if there is none, or no address is free.
        """
        usable: dict[str, Any] = {"gid": gid, "account_id": {"$in": [0, account_id]}}
        if network_id:
            if not ExternalNetwork.rows({"_id": network_id, **usable}, fields=["_id"]):
                raise InvalidError(
                    f"External network {network_id} does not exist here or belongs to another account.",
                    detail={"argument": "externalnetworkId"},
                )
            return ExternalNetwork.get(network_id)
        free = ExternalNetwork.rows({**usable, "ips.0": {"$exists": True}}, fields=["_id"], sort="-account_id", limit=1)
        if not free:
            raise UnavailableError("No external network has a free address; add addresses to one, then try again.")
        return ExternalNetwork.get(free[0]["id"])

    def take_external(self, network_id: int, cloudspace_id: int) -> str:
        """Take a free address of an external network for a cloudspace and return it.

        :raises UnavailableError: if none is free.
        """
        while True:
            network = ExternalNetwork.get(network_id)
            if not network.ips:
                raise UnavailableError(
                    f"External network {network.name} has no free address; add some, then try again."
                )
            ip = network.ips[0]
            taken = ExternalNetwork.take(
                {"_id": network_id, "ips": ip},
                {"$pull": {"ips": ip}, "$push": {"taken": {"ip": ip, "cloudspace_id": cloudspace_id}}},
            )
            if taken is not None:
                return str(ip)

    def release_external(self, network_id: int, cloudspace_id: int) -> None:
        """Give back the addresses that a cloudspace has of a network; doing it again changes nothing."""
        network = ExternalNetwork.get(network_id)
        for entry in [entry for entry in network.taken if entry.cloudspace_id == cloudspace_id]:
            mine = {"ip": entry.ip, "cloudspace_id": cloudspace_id}
            ExternalNetwork.take(
                {"_id": network_id, "taken": {"$elemMatch": mine}},
                {"$pull": {"taken": mine}, "$push": {"ips": entry.ip}},
            )

    def take_private(self, cloudspace_id: int, machine_id: int, hostname: str) -> dict[str, Any]:
        """Take a private address, from the top down, with a new hardware address; return the lease.

        :raises ConflictError: if the cloudspace is not deployed.
        :raises UnavailableError: if all addresses are taken.
        """
        mac = next_mac()
        while True:
            cloudspace = Cloudspace.get(cloudspace_id)
            ip = _highest_free(cloudspace.private_network, {lease.ip for lease in cloudspace.leases})
            if ip is None:
                raise UnavailableError(
                    f"Cloudspace {cloudspace.name} has no free private address in {cloudspace.private_network}."
                )
            lease = {"machine_id": machine_id, "ip": ip, "mac": mac, "hostname": hostname}
            free = {"_id": cloudspace_id, "status": "DEPLOYED", "leases.ip": {"$ne": ip}}
            change = {"$push": {"leases": lease}, "$inc": {"gateway_wanted": 1}}
            if Cloudspace.take(free, change) is not None:
                return lease
            status = Cloudspace.get(cloudspace_id).status
            if status != "DEPLOYED":
                raise ConflictError(
                    f"Cloudspace {cloudspace_id} is {status}; this needs DEPLOYED.", detail={"status": status}
                )

    def release_private(self, cloudspace_id: int, machine_id: int) -> None:
        """Give back a machine's private address; doing it again changes nothing."""
        Cloudspace.take(
            {"_id": cloudspace_id, "leases.machine_id": machine_id},
            {"$pull": {"leases": {"machine_id": machine_id}}, "$inc": {"gateway_wanted": 1}},
        )

    def add_external(
        self, *, name: str, subnet: str, gateway: str, start: str, end: str, gid: int, **others: Any
    ) -> ExternalNetwork:
        """Make an external network whose addresses ``start`` to ``end`` are free.

        :raises InvalidError: if an address is none, or lies outside the subnet.
        """
        network = cidr(subnet, "subnet")
        bounds = {"gateway": gateway, "startip": start, "endip": end}
        found = {argument: address_in(network, text, argument) for argument, text in bounds.items()}
        first, last = int(found["startip"]), int(found["endip"])
        if not first <= last < first + MOST_ADDRESSES:
            raise InvalidError(
                f"The range {start} to {end} is empty or has more than {MOST_ADDRESSES} addresses.",
                detail={"argument": "endip"},
            )
        ips = [str(ipaddress.IPv4Address(number)) for number in range(first, last + 1)]
        return ExternalNetwork.create(
            name=name,
            gid=gid,
            network=str(network.network_address),
            subnetmask=str(network.netmask),
            gateway=gateway,
            ips=[ip for ip in ips if ip != gateway],
            **others,
        )


def cidr(text: str, argument: str) -> ipaddress.IPv4Network:
    """Return an IPv4 network written as CIDR.

    :raises InvalidError: naming the argument.
    """
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise InvalidError(
            f"{argument} {text!r} is no IPv4 network: {error}.", detail={"argument": argument}
        ) from error


def private_cidr(text: str) -> str:
    """Return a private network's CIDR if a cloudspace may use it.

    :raises InvalidError: if it is no network, not private, or too small or large.
    """
    network = cidr(text, "privatenetwork")
    if not network.is_private or not KEPT_LOW + 2 < network.num_addresses <= LARGEST:
        raise InvalidError(
            f"privatenetwork {text} must be a private network of 16 to {LARGEST} addresses.",
            detail={"argument": "privatenetwork"},
        )
    return str(network)


def address_in(network: ipaddress.IPv4Network, text: str, argument: str) -> ipaddress.IPv4Address:
    """Return an address of a network.

    :raises InvalidError: naming the argument that is no address or lies outside.
    """
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise InvalidError(f"{argument} {text!r} is no IPv4 address.", detail={"argument": argument}) from error
    if address not in network:
        raise InvalidError(f"{argument} {text} lies outside {network}.", detail={"argument": argument})
    return address


def router_address(private_network: str) -> str:
    """Return the gateway's address in a private network: the first."""
    return str(ipaddress.IPv4Network(private_network).network_address + 1)


def next_mac() -> str:
    """Return a hardware address that was never given out.

    :raises UnavailableError: if all are used up.
    """
    counters = mongoengine.get_db()["counter"]
    row = counters.find_one_and_update({"_id": "mac"}, {"$inc": {"last": 1}}, upsert=True, return_document=True)
    number = int(row["last"])
    if number >= MAC_SPACE:
        raise UnavailableError("All hardware addresses of this installation are used up.")
    return ":".join([MAC_PREFIX, *(f"{number >> shift & 0xFF:02x}" for shift in (16, 8, 0))])


def _highest_free(private_network: str, taken: set[str]) -> str | None:
    network = ipaddress.IPv4Network(private_network)
    top = int(network.broadcast_address)
    for number in range(top - 1, int(network.network_address) + KEPT_LOW, -1):
        ip = str(ipaddress.IPv4Address(number))
        if ip not in taken:
            return ip
    return None
