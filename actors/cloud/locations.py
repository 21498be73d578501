"""Locations, and the codes by which callers name them."""

from __future__ import annotations

from actors.cloud.models import Location
from portalfw.errors import InvalidError

#: What a client makes of http://127.0.0.1:8200: the text before the first dot (clients.md, section 1).
LOOPBACK = "127"


def find_location(code: str) -> Location:
    """Return the location with this code or gid; the loopback code stands for the first one.

    :raises InvalidError: if there is none, naming those there are.
    """
    rows = Location.rows(fields=["location_code", "gid"])
    for row in rows:
        if code in {row["location_code"], str(row["gid"]), LOOPBACK}:
            return Location.get(row["id"])
    known = ", ".join(row["location_code"] for row in rows)
    raise InvalidError(f"There is no location {code!r}; known: {known}.", detail={"argument": "location"})
