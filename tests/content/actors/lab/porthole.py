"""A screen that only tests look at."""

from __future__ import annotations

from portalfw.console import Consoles, Screen
from portalfw.rest import Actor, method


class Porthole(Actor, app="lab"):
    """Shows what its node says, and says what it hears."""

    @method(right="login", secret=True, minor=True)
    def get_url(self, mebibytes: int = 0) -> str:
        """Return the address of a screen that begins with so much; operators of level 1 may press its keys."""
        screen = Screen(
            title="porthole",
            node_id=1,
            script="lab/porthole",
            args={"mebibytes": mebibytes},
            typing="group:level1",
            address="lab/porthole/getUrl",
            given={},
            tags=("portholeId:1",),
        )
        return self.service(Consoles).issue(screen, self.call.principal.name, self.call.origin)
