"""Cloudspaces, for operators."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.checks import resource_limits
from actors.cloud.cloudspaces import Cloudspaces
from actors.cloud.directory import names, one
from actors.cloud.locations import LOOPBACK
from actors.cloud.models import Cloudspace as Model
from actors.cloud.models import Stack
from actors.cloudapi.answers.cloudspaces import CloudspaceDetail, CloudspaceRow, cloudspace_detail, cloudspace_list
from actors.cloudapi.arguments import (
    AllowedSizes,
    ExternalNetworkId,
    MaxCpu,
    MaxDisk,
    MaxIps,
    MaxMemory,
    MaxTransfer,
    PrivateNetwork,
)
from actors.cloudapi.columns import CLOUDSPACES
from actors.cloudbroker.arguments import OPERATORS, AccountId, CloudspaceId, Reason
from portalfw.auth.users import find_user
from portalfw.rest import Actor, Arg, Listing, NameOf, method

COLUMNS = CLOUDSPACES.with_(nodeName=NameOf(Stack, "stack_id"))


class OperatorCloudspaceRow(CloudspaceRow):
    """A cloudspace as operators' lists show it."""

    machines: int  # how many live
    nodeName: str  # where its gateway runs


class OperatorCloudspaceDetail(CloudspaceDetail):
    """One cloudspace as operators see it."""

    nodeName: str  # where its gateway runs


class Cloudspace(Actor, app="cloudbroker"):
    """Private networks with a gateway and an external address."""

    @method(right=OPERATORS, title="Create cloud space", creates="cloudspaceId")
    def create(
        self,
        account_id: AccountId,
        name: str,
        location: Annotated[str | None, Arg("Location", choices="cloudapi/locations/list")] = None,
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
        created = self.service(Cloudspaces).create(
            account_id=account_id,
            location=location or LOOPBACK,
            name=name,
            access=find_user(access).name if access else self.call.principal.name,
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

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("cloudspace", "machine"))
    def list_(
        self, account_id: int | None = None, *, listing: Annotated[Listing, COLUMNS]
    ) -> list[OperatorCloudspaceRow]:
        """List all cloudspaces, of one account if asked."""
        rows = listing.of(Model, {"live": True} | ({"account_id": account_id} if account_id else {}))
        counts = self.service(Cloudspaces).machines([row["id"] for row in rows])
        stacks = names(Stack, rows, "stack_id")
        return rows.answered(
            {**found, "machines": counts.get(found["id"], 0), "nodeName": stacks.get(found["stackId"], "")}
            for found in cloudspace_list(rows)
        )

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("cloudspace:{cloudspace_id}",))
    def get(self, cloudspace_id: CloudspaceId) -> OperatorCloudspaceDetail:
        """Show one cloudspace, a gone one too."""
        row = one(Model, cloudspace_id)
        found = cloudspace_detail(row)
        return {**found, "nodeName": names(Stack, [row], "stack_id").get(found["stackId"], "")}

    @method(right=OPERATORS, title="Deploy gateway")
    def deploy_vfw(self, cloudspace_id: Annotated[int, Arg("Cloudspace")]) -> str:
        """Deploy the gateway of a cloudspace that is VIRTUAL or in ERROR. Returns the state."""
        return self.service(Cloudspaces).deploy(cloudspace_id)

    @method(right=OPERATORS, destructive=True, title="Delete cloud space")
    def destroy(
        self,
        cloudspace_id: CloudspaceId,
        reason: Reason = "",
        permanently: bool = False,  # noqa: ARG002 - no bin yet
    ) -> bool:
        """Delete a cloudspace that has no machines left."""
        self.service(Cloudspaces).destroy(cloudspace_id, reason or f"Deleted by {self.call.principal.name}.")
        return True
