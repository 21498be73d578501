"""Infrastructure: external networks."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from actors.cloud.directory import names, one
from actors.cloud.models import Account, Cloudspace, ExternalNetwork
from actors.cloud.networks import Networks
from actors.cloudapi.answers.networks import ExternalNetworkRow, external_network, prefix_length
from actors.cloudapi.columns import EXTERNAL_NETWORKS
from actors.cloudbroker.arguments import OPERATORS, OwnerId
from portalfw.rest import Actor, Arg, Listing, method

NetworkId = Annotated[
    int, Arg("External network", choices="cloudbroker/iaas/listExternalNetworks", wire="externalnetworkId")
]


COLUMNS = EXTERNAL_NETWORKS.with_(vlan="vlan", hostGateway="host_gateway")


class OperatorNetworkRow(ExternalNetworkRow):
    """An external network as operators' lists show it."""

    vlan: int
    prefixLength: int
    hostGateway: bool  # the node itself is its gateway
    free: int  # how many addresses
    used: int


class UsedAddress(TypedDict):
    """An external address and the cloudspace that has it."""

    id: int
    ip: str
    cloudspaceId: int
    cloudspaceName: str


class OperatorNetworkDetail(OperatorNetworkRow):
    """One external network as operators see it."""

    freeIps: list[str]
    usedIps: list[UsedAddress]
    accountName: str


class Iaas(Actor, app="cloudbroker"):
    """What the cloud stands on."""

    @method(right=OPERATORS, title="Add external network", creates="externalnetworkId")
    def add_external_network(
        self,
        name: str,
        subnet: Annotated[str, Arg("Subnet", help="CIDR, as 172.27.9.0/24.")],
        gateway: str,
        startip: Annotated[str, Arg("First address")],
        endip: Annotated[str, Arg("Last address")],
        gid: Annotated[int, Arg("Location", choices="cloudapi/locations/list")] = 1,
        vlan: int = 0,
        account_id: OwnerId = 0,
    ) -> int:
        """Make an external network with a range of free addresses. Returns its id."""
        made = self.service(Networks).add_external(
            name=name,
            subnet=subnet,
            gateway=gateway,
            start=startip,
            end=endip,
            gid=gid,
            vlan=vlan,
            account_id=account_id,
        )
        return int(made.id)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("external_network",))
    def list_external_networks(self, listing: Annotated[Listing, COLUMNS]) -> list[OperatorNetworkRow]:
        """List all external networks with their numbers of free and taken addresses."""
        rows = listing.of(ExternalNetwork)
        return rows.answered(map(_answer, rows))

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("external_network:{externalnetwork_id}",))
    def get_external_network(self, externalnetwork_id: NetworkId) -> OperatorNetworkDetail:
        """Show one external network with its free addresses, and who has the others."""
        row = one(ExternalNetwork, externalnetwork_id)
        spaces = names(Cloudspace, row["taken"], "cloudspace_id")
        accounts = names(Account, [row], "account_id")
        used: list[UsedAddress] = [
            {
                "id": entry["cloudspace_id"],
                "ip": entry["ip"],
                "cloudspaceId": entry["cloudspace_id"],
                "cloudspaceName": spaces.get(entry["cloudspace_id"], ""),
            }
            for entry in row["taken"]
        ]
        return {
            **_answer(row),
            "freeIps": row["ips"],
            "usedIps": used,
            "accountName": accounts.get(row["account_id"], ""),
        }


def _answer(row: dict[str, Any]) -> OperatorNetworkRow:
    return {
        **external_network(row),
        "vlan": row["vlan"],
        "prefixLength": prefix_length(row),
        "hostGateway": row["host_gateway"],
        "free": len(row["ips"]),
        "used": len(row["taken"]),
    }
