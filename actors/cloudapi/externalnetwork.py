"""External networks as users of cloudspaces see them."""

from __future__ import annotations

from typing import Annotated, Any

from actors.cloud.access import may_read_account
from actors.cloud.models import ExternalNetwork as Model
from actors.cloudapi.answers.networks import ExternalNetworkRow, external_network
from actors.cloudapi.columns import EXTERNAL_NETWORKS
from portalfw.errors import NotFoundError
from portalfw.rest import Actor, Listing, method

FIELDS = ["name", "network", "gateway", "subnetmask", "gid", "account_id"]


class ExternalNetwork(Actor, app="cloudapi"):
    """Networks outside the cloud."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("external_network",))
    def list_(self, account_id: int = 0, *, listing: Annotated[Listing, EXTERNAL_NETWORKS]) -> list[ExternalNetworkRow]:
        """List the networks of everybody, and of an account that you may see."""
        rows = listing.of(Model, self._visible(account_id), fields=FIELDS)
        return rows.answered(map(external_network, rows))

    @method(right="login", readonly=True, http=("GET", "POST"), live=("external_network:{id}",))
    def get(self, id: int) -> ExternalNetworkRow:  # noqa: A002 - the name on the wire
        """Show one network."""
        rows = Model.rows({"_id": id}, fields=FIELDS)
        if rows and rows[0]["account_id"] and not may_read_account(self.call.principal, rows[0]["account_id"]):
            rows = []
        if not rows:
            raise NotFoundError(f"External network {id} does not exist.")
        return external_network(rows[0])

    def _visible(self, account_id: int) -> dict[str, Any]:
        seen = account_id and may_read_account(self.call.principal, account_id)
        return {"account_id": {"$in": [0, account_id] if seen else [0]}}
