"""Sizes of machines."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.access import may_read_cloudspace
from actors.cloud.models import Cloudspace, Size
from actors.cloudapi.answers.images import SizeRow, size
from actors.cloudapi.columns import SIZES
from portalfw.rest import Actor, Listing, method


class Sizes(Actor, app="cloudapi"):
    """Named choices of memory and processors."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("size",))
    def list_(
        self,
        cloudspace_id: int = 0,
        location: str | None = None,  # noqa: ARG002 - one location
        *,
        listing: Annotated[Listing, SIZES],
    ) -> list[SizeRow]:
        """List the sizes; those that a cloudspace allows, if one is named that you may see."""
        allowed: list[int] = []
        if cloudspace_id and may_read_cloudspace(self.call.principal, cloudspace_id):
            allowed = Cloudspace.rows({"_id": cloudspace_id}, fields=["allowed_vm_sizes"])[0]["allowed_vm_sizes"]
        rows = listing.of(Size, {"_id": {"$in": allowed}} if allowed else {})
        return rows.answered(map(size, rows))
