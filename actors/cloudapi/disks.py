"""Disks as their users see them."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.models import Disk
from actors.cloudapi.answers.disks import DiskDetail, DiskRow, disk_detail, disk_list
from actors.cloudapi.arguments import AccountId
from actors.cloudapi.columns import DISKS
from portalfw.rest import Actor, Listing, method


class Disks(Actor, app="cloudapi"):
    """Volumes of machines."""

    @method(right="account:R", readonly=True, http=("GET", "POST"), live=("disk",))
    def list_(
        self,
        account_id: AccountId,
        type: str | None = None,  # noqa: A002 - the name on the wire
        *,
        listing: Annotated[Listing, DISKS],
    ) -> list[DiskRow]:
        """List the disks of an account, of one type if asked: B boot, D data."""
        query = {"account_id": account_id, "live": True} | ({"type": type} if type else {})
        rows = listing.of(Disk, query)
        return rows.answered(disk_list(rows))

    @method(right="disk:R", readonly=True, http=("GET", "POST"), live=("disk:{disk_id}",))
    def get(self, disk_id: int) -> DiskDetail:
        """Show one disk."""
        return disk_detail(Disk.rows({"_id": disk_id})[0])
