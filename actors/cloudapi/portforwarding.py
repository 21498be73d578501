"""Port forwards of a cloudspace."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.models import PortForward
from actors.cloud.portforwards import PortForwards
from actors.cloudapi.answers.networks import PortForwardRow, port_forward_list
from actors.cloudapi.arguments import CloudspaceId, Protocol
from actors.cloudapi.columns import PORT_FORWARDS
from portalfw.rest import Actor, Arg, Listing, method

READERS = "cloudspace:R|machine:R|group:level1,level2,level3"


class PortForwarding(Actor, app="cloudapi"):
    """Ports of a cloudspace's external address that lead to its machines."""

    @method(
        right=READERS,
        readonly=True,
        http=("GET", "POST"),
        live=("port_forward", "cloudspace:{cloudspace_id}"),  # of a removed one the cloudspace tells
    )
    def list_(
        self,
        cloudspace_id: CloudspaceId,
        machine_id: int | None = None,
        *,
        listing: Annotated[Listing, PORT_FORWARDS],
    ) -> list[PortForwardRow]:
        """List the forwards of a cloudspace, of one machine if asked."""
        query = {"cloudspace_id": cloudspace_id} | ({"machine_id": machine_id} if machine_id else {})
        rows = listing.of(PortForward, query)
        return rows.answered(port_forward_list(rows))

    @method(right="cloudspace:C", title="Add port forward")
    def create(
        self,
        cloudspace_id: CloudspaceId,
        public_port: int,
        machine_id: int,
        local_port: int,
        protocol: Protocol,
        public_ip: str | None = None,
    ) -> bool:
        """Forward a public port to a machine."""
        self.service(PortForwards).create(
            cloudspace_id=cloudspace_id,
            public_ip=public_ip,
            public_port=public_port,
            machine_id=machine_id,
            local_port=local_port,
            protocol=protocol,
        )
        return True

    @method(right="cloudspace:X", destructive=True, title="Remove port forward")
    def delete(self, cloudspace_id: CloudspaceId, id: int) -> list[PortForwardRow]:  # noqa: A002 - the name on the wire
        """Remove a forward by its id. Returns those that are left."""
        self.service(PortForwards).delete(cloudspace_id, id)
        return port_forward_list(PortForward.rows({"cloudspace_id": cloudspace_id}))

    @method(right="cloudspace:X", destructive=True, title="Remove port forward")
    def delete_by_port(
        self,
        cloudspace_id: CloudspaceId,
        public_ip: str,
        public_port: int,
        protocol: str | None = None,
        proto: Annotated[str | None, Arg(help="Another name of protocol.")] = None,
    ) -> bool:
        """Remove the forward of a public port."""
        self.service(PortForwards).delete_by_port(cloudspace_id, public_ip, public_port, protocol or proto)
        return True
