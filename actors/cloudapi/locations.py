"""Locations."""

from __future__ import annotations

from typing import Any

from actors.cloud.models import Location
from portalfw.rest import Actor, method


class Locations(Actor, app="cloudapi"):
    """Where cloudspaces can be."""

    @method(right="guest", readonly=True, http=("GET", "POST"), live=("location",))
    def list_(self) -> list[dict[str, Any]]:
        """List all locations."""
        return [
            {
                "id": row["id"],
                "guid": row["id"],
                "gid": row["gid"],
                "name": row["name"],
                "locationCode": row["location_code"],
                "flag": row["flag"],
            }
            for row in Location.rows()
        ]
