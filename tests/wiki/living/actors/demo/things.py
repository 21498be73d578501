"""Things and numbers for pages that a browser looks at."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import gevent

from portalfw.errors import ConflictError
from portalfw.rest import Actor, method
from portalfw.rest.columns import Columns
from portalfw.rest.listing import Listing

IN_USE = 2


class Thing(TypedDict):
    """A thing."""

    id: int
    name: str


class Things(Actor, app="demo"):
    """Things."""

    @method(right="login", readonly=True, http=("GET", "POST"))
    def list(
        self, listing: Annotated[Listing, Columns(Thing, "id", "name", search=("name",), sort="name")]
    ) -> list[Thing]:
        """List things."""
        return listing.of_rows({"id": number, "name": f"thing-{number:02d}"} for number in range(30))

    @method(right="login", destructive=True)
    def delete(self, thing_id: int, reason: str) -> bool:
        """Delete a thing and all that is in it."""
        if thing_id == IN_USE:
            raise ConflictError(f"thing {thing_id} is in use: {reason}")
        return True

    @method(right="login", readonly=True)
    def load(self, start: float, end: float) -> list[dict[str, Any]]:
        """Return points between two times."""
        return [{"at": start + (end - start) * n / 50, "value": n} for n in range(51)]

    @method(right="login", readonly=True)
    def slow(self) -> list[int]:
        """Answer later than a page waits."""
        gevent.sleep(1.5)
        return [1, 2, 3]
