"""Locations."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.models import Location
from actors.cloudapi.answers.images import LocationRow, location
from actors.cloudapi.columns import LOCATIONS
from portalfw.rest import Actor, Listing, method


class Locations(Actor, app="cloudapi"):
    """Where cloudspaces can be."""

    @method(right="guest", readonly=True, http=("GET", "POST"), live=("location",))
    def list_(self, listing: Annotated[Listing, LOCATIONS]) -> list[LocationRow]:
        """List all locations."""
        rows = listing.of(Location)
        return rows.answered(map(location, rows))
