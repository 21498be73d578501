"""Signed-in browsers."""

from __future__ import annotations

from portalfw.auth.sessions import SessionRow, end_session_by_id, end_sessions, list_sessions
from portalfw.errors import NotFoundError
from portalfw.rest import Actor, method

SELF = "user:S|group:admin"


class Sessions(Actor, app="system"):
    """Sessions of browsers."""

    @method(right=SELF, http=("GET", "POST"), readonly=True, live=("session",), title="List sessions")
    def list_(self, user: str | None = None) -> list[SessionRow]:
        """Return the sessions of a user, by default the caller's own, the newest first."""
        return list_sessions(user or self.call.principal.name, self.call.principal.credential)

    @method(right="group:admin", http=("GET", "POST"), readonly=True, live=("session",))
    def list_all(self) -> list[SessionRow]:
        """Return the sessions of all users."""
        return list_sessions(None, self.call.principal.credential)

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
