"""Answers that come later: between the web server, which keeps the connection, and who will know the answer."""

from __future__ import annotations

from typing import Final, Protocol

from werkzeug.wrappers import Response

PUT_OFF: Final = "portalfw.put_off"
"""Where the WSGI environment holds a function that takes a :class:`Later`; servers that cannot wait so have none."""


class Ready(Protocol):
    """Has an answer looked for; one that is not ``urgent`` may wait for others to be looked after first."""

    def __call__(self, *, urgent: bool) -> None:
        """Have somebody look."""


class Later(Protocol):
    """An answer that is not there yet. While it is waited for, there is no greenlet and no request."""

    seconds: float
    """How long it may be waited for."""

    def begin(self, ready: Ready) -> None:
        """Call ``ready`` whenever there may be an answer, at once if there may be one already."""

    def look(self, *, last: bool) -> Response | None:
        """Return the answer, or None to wait on; the ``last`` time there must be one."""

    def cut(self) -> None:
        """Forget it: who asked is gone. Called in the event loop, so it must not wait for anything."""
