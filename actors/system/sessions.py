"""Signed-in browsers."""

from __future__ import annotations

from typing import Annotated

from portalfw.auth.sessions import (
    Session,
    SessionRow,
    end_session_by_id,
    end_sessions,
    living_sessions,
    session_rows,
)
from portalfw.errors import NotFoundError
from portalfw.rest import Actor, Columns, Listing, method

SELF = "user:S|group:admin"
SESSIONS = Columns(
    Session,
    *("id", "user", "address", "agent", "created", "expires"),
    times=("created",),
    search=("user", "address", "agent"),
    sort="-created",
)


class Sessions(Actor, app="system"):
    """Sessions of browsers."""

    @method(right=SELF, http=("GET", "POST"), readonly=True, live=("session",), title="List sessions")
    def list_(self, user: str | None = None, *, listing: Annotated[Listing, SESSIONS]) -> list[SessionRow]:
        """Return the sessions of a user, by default the caller's own, the newest first."""
        return self._rows(listing, user or self.call.principal.name)

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("session",))
    def list_all(self, listing: Annotated[Listing, SESSIONS]) -> list[SessionRow]:
        """Return the sessions of all users."""
        return self._rows(listing, None)

    @method(right="session:S|group:admin", title="End session")
    def end(self, session_id: str) -> bool:
        """Sign a browser out."""
        if not end_session_by_id(session_id):
            raise NotFoundError("This session has ended already.")
        return True

    @method(right=SELF, title="End all others")
    def end_others(self, user: str | None = None) -> int:
        """Sign all browsers of a user out, but for the one that asks; by default the caller's own."""
        return end_sessions(user or self.call.principal.name, but=self.call.principal.credential)

    def _rows(self, listing: Listing, user: str | None) -> list[SessionRow]:
        rows = listing.of(Session, living_sessions(user))
        return rows.answered(session_rows(rows, self.call.principal.credential))
