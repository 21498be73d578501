"""Port forwards: ports of a cloudspace's external address that lead to its machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud.gateways import Gateways
from actors.cloud.models import Cloudspace, Machine, PortForward
from portalfw.errors import ConflictError, InvalidError, NotFoundError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

LAST_PORT = 65535


class PortForwards:
    """Adds and removes forwards and has the gateway follow at once."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._gateways = runtime.service(Gateways)

    def create(
        self,
        *,
        cloudspace_id: int,
        public_ip: str | None,
        public_port: int,
        machine_id: int,
        local_port: int,
        protocol: str,
    ) -> int:
        """Forward a port and return the rule's id; without ``public_ip`` the cloudspace's own address is meant.

        :raises InvalidError: for an argument that cannot be.
        :raises ConflictError: if the public port is taken for this protocol.
        :raises UnavailableError: if the gateway cannot be reached; nothing was added.
        """
        cloudspace = Cloudspace.get(cloudspace_id)
        machine = _machine_in(cloudspace, machine_id)
        _check(cloudspace, public_ip, {"publicPort": public_port, "localPort": local_port}, protocol.lower())
        if not machine.nics:
            raise NotFoundError(f"Machine {machine.name} has no address.")
        try:
            forward = PortForward.create(
                cloudspace_id=cloudspace_id,
                machine_id=machine_id,
                public_ip=cloudspace.external_ip,
                public_port=public_port,
                local_ip=machine.nics[0].ip_address,
                local_port=local_port,
                protocol=protocol.lower(),
            )
        except mongoengine.NotUniqueError as error:
            raise ConflictError(
                f"Port {public_port}/{protocol.lower()} of {cloudspace.external_ip} is forwarded already.",
                detail={"argument": "publicPort"},
            ) from error
        self._gateways.changed(cloudspace_id)
        try:
            _machine_in(cloudspace, machine_id)  # it may have been deleted meanwhile, with its forwards
            self._gateways.apply(cloudspace_id)
        except Exception:
            PortForward.collection().delete_one({"_id": forward.id})
            self._gateways.changed(cloudspace_id)
            raise
        return int(forward.id)

    def delete(self, cloudspace_id: int, forward_id: int) -> None:
        """Remove a forward by its id.

        :raises NotFoundError: if the cloudspace has none with this id.
        :raises UnavailableError: if the gateway cannot be reached; it follows when it can.
        """
        self._delete({"_id": forward_id, "cloudspace_id": cloudspace_id}, f"with id {forward_id}")

    def delete_by_port(self, cloudspace_id: int, public_ip: str, public_port: int, protocol: str | None) -> None:
        """Remove the forwards of a public port, of one protocol if given; errors as :meth:`delete`."""
        query: dict[str, Any] = {"cloudspace_id": cloudspace_id, "public_ip": public_ip, "public_port": public_port}
        if protocol:
            query["protocol"] = protocol.lower()
        self._delete(query, f"of {public_ip}:{public_port}")

    def _delete(self, query: dict[str, Any], which: str) -> None:
        if PortForward.collection().delete_many(query).deleted_count == 0:
            raise NotFoundError(f"Cloudspace {query['cloudspace_id']} has no port forward {which}.")
        self._gateways.changed(query["cloudspace_id"])
        self._gateways.apply(query["cloudspace_id"])


def _machine_in(cloudspace: Cloudspace, machine_id: int) -> Machine:
    rows = Machine.rows({"_id": machine_id, "cloudspace_id": cloudspace.id, "live": True}, fields=["_id"])
    if not rows:
        raise InvalidError(
            f"Machine {machine_id} is not in cloudspace {cloudspace.name}.", detail={"argument": "machineId"}
        )
    return Machine.get(machine_id)


def _check(cloudspace: Cloudspace, public_ip: str | None, ports: dict[str, int], protocol: str) -> None:
    if cloudspace.status != "DEPLOYED":
        raise InvalidError(f"Cloudspace {cloudspace.name} is {cloudspace.status}; it must be DEPLOYED.")
    if public_ip and public_ip != cloudspace.external_ip:
        raise InvalidError(
            f"publicIp {public_ip} is not {cloudspace.external_ip}, the address of cloudspace {cloudspace.name}.",
            detail={"argument": "publicIp"},
        )
    for argument, port in ports.items():
        if not 1 <= port <= LAST_PORT:
            raise InvalidError(f"{argument} {port} must be 1 to {LAST_PORT}.", detail={"argument": argument})
    if protocol not in {"tcp", "udp"}:
        raise InvalidError(f"protocol {protocol!r} must be tcp or udp.", detail={"argument": "protocol"})
