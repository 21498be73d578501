"""Cloudspaces as their users see them."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.checks import resource_limits
from actors.cloud.cloudspaces import Cloudspaces as Service
from actors.cloud.models import Cloudspace
from actors.cloudapi.answers.cloudspaces import CloudspaceDetail, CloudspaceRow, cloudspace_detail, cloudspace_list
from actors.cloudapi.arguments import (
    AccountId,
    AllowedSizes,
    CloudspaceId,
    ExternalNetworkId,
    MaxCpu,
    MaxDisk,
    MaxIps,
    MaxMemory,
    MaxTransfer,
    PrivateNetwork,
)
from actors.cloudapi.columns import CLOUDSPACES
from portalfw.rest import Actor, Arg, Listing, method


class Cloudspaces(Actor, app="cloudapi"):
    """Private networks with a gateway and an external address."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("cloudspace",))
    def list_(self, listing: Annotated[Listing, CLOUDSPACES]) -> list[CloudspaceRow]:
        """List the cloudspaces that you may see."""
        rows = listing.of(Cloudspace, self.service(Service).visible(self.call.principal))
        return rows.answered(cloudspace_list(rows))

    @method(right="cloudspace:R", readonly=True, http=("GET", "POST"), live=("cloudspace:{cloudspace_id}",))
    def get(self, cloudspace_id: CloudspaceId) -> CloudspaceDetail:
        """Show one cloudspace."""
        return cloudspace_detail(Cloudspace.rows({"_id": cloudspace_id})[0])

    @method(right="account:C", creates="cloudspaceId", title="Create cloud space")
    def create(
        self,
        account_id: AccountId,
        location: Annotated[str, Arg("Location", choices="cloudapi/locations/list")],
        name: str,
        access: Annotated[str | None, Arg("Access", help="User who administers it; you if empty.")] = None,
        max_memory_capacity: MaxMemory = -1,
        max_vdisk_capacity: MaxDisk = -1,
        max_cpu_capacity: MaxCpu = -1,
        max_network_peer_transfer: MaxTransfer = -1,
        max_num_public_ip: MaxIps = -1,
        externalnetwork_id: ExternalNetworkId = None,
        allowed_vm_sizes: AllowedSizes = None,
        privatenetwork: PrivateNetwork = None,
        type: str = "vgw",  # noqa: A002 - the name on the wire
    ) -> int:
        """Make a cloudspace; its gateway is deployed in the background. Returns its id."""
        created = self.service(Service).create(
            account_id=account_id,
            location=location,
            name=name,
            access=access or self.call.principal.name,
            limits=resource_limits(
                max_memory_capacity=max_memory_capacity,
                max_vdisk_capacity=max_vdisk_capacity,
                max_cpu_capacity=max_cpu_capacity,
                max_network_peer_transfer=max_network_peer_transfer,
                max_num_public_ip=max_num_public_ip,
            ),
            external_network_id=externalnetwork_id,
            private_network=privatenetwork,
            allowed_vm_sizes=allowed_vm_sizes,
            type_=type,
        )
        return int(created.id)

    @method(right="cloudspace:C", title="Deploy cloud space")
    def deploy(self, cloudspace_id: CloudspaceId) -> str:
        """Deploy the gateway of a cloudspace that is VIRTUAL or in ERROR. Returns the state."""
        return self.service(Service).deploy(cloudspace_id)

    @method(right="cloudspace:D", destructive=True, title="Delete cloud space")
    def delete(self, cloudspace_id: CloudspaceId, permanently: bool = False) -> bool:  # noqa: ARG002 - no bin yet
        """Delete a cloudspace that has no machines left."""
        self.service(Service).destroy(cloudspace_id, f"Deleted by {self.call.principal.name}.")
        return True
