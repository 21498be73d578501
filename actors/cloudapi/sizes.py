"""Sizes of machines."""

from __future__ import annotations

from typing import Any

from actors.cloud import sizes
from actors.cloud.access import may_read_cloudspace
from actors.cloud.models import Cloudspace
from actors.cloudapi import answers
from portalfw.rest import Actor, method


class Sizes(Actor, app="cloudapi"):
    """Named choices of memory and processors."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("size",))
    def list_(self, cloudspace_id: int = 0, location: str | None = None) -> list[dict[str, Any]]:  # noqa: ARG002 - one location
        """List the sizes; those that a cloudspace allows, if one is named that you may see."""
        allowed: list[int] = []
        if cloudspace_id and may_read_cloudspace(self.call.principal, cloudspace_id):
            allowed = Cloudspace.rows({"_id": cloudspace_id}, fields=["allowed_vm_sizes"])[0]["allowed_vm_sizes"]
        return [answers.size(row) for row in sizes.rows(allowed)]
