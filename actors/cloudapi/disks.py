"""Disks as their users see them."""

from __future__ import annotations

from typing import Any

from actors.cloud.models import Disk
from actors.cloudapi import answers
from actors.cloudapi.arguments import AccountId
from portalfw.rest import Actor, method


class Disks(Actor, app="cloudapi"):
    """Volumes of machines."""

    @method(right="account:R", readonly=True, http=("GET", "POST"), live=("disk",))
    def list_(self, account_id: AccountId, type: str | None = None) -> list[dict[str, Any]]:  # noqa: A002 - the wire's name
        """List the disks of an account, of one type if asked: B boot, D data."""
        query = {"account_id": account_id, "live": True} | ({"type": type} if type else {})
        return answers.disk_list(Disk.rows(query))

    @method(right="disk:R", readonly=True, http=("GET", "POST"), live=("disk:{disk_id}",))
    def get(self, disk_id: int) -> dict[str, Any]:
        """Show one disk."""
        return answers.disk_detail(Disk.rows({"_id": disk_id})[0])
