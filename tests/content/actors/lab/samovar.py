"""An actor for the tests of how calls are made: it takes its time, and its arguments have every kind of type."""

from __future__ import annotations

from typing import Any

import gevent

from portalfw.errors import ConflictError
from portalfw.rest import Actor, method


class Samovar(Actor, app="lab"):
    """Serves many cups, slowly if asked."""

    @method(right="login")
    def brew(self, seconds: float, cups: int = 1) -> dict[str, int]:
        """Take a while."""
        gevent.sleep(seconds)
        return {"cups": cups}

    @method(right="login")
    def spill(self, seconds: float) -> bool:
        """Fail after a while."""
        gevent.sleep(seconds)
        raise ConflictError("Samovar 1 is EMPTY; this needs FULL.", detail={"status": "EMPTY"})

    @method(right="login")
    def serve(self, cups: int, seconds: float = 0.0, spill: bool = False) -> dict[str, int]:
        """Tell of each cup, and spill the last one if asked; each takes a while."""
        self.call.progress("heating the water")
        gevent.sleep(seconds)
        for cup in range(1, cups + 1):
            self.call.progress("pouring", cup, cups)
            self.call.progress(f"cup {cup} is served")
            gevent.sleep(seconds)
        if spill:
            raise ConflictError(f"Cup {cups} was spilt; wipe the table.", detail={"argument": "cups"})
        return {"cups": cups}

    @method(right="login")
    def forget(self) -> Any:
        """Answer with what is not JSON."""
        return object()

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def taste(
        self,
        strong: bool | None = None,
        cups: list[int] = [],  # noqa: B006 - never changed
        temperature: float = 90.0,
        note: str | None = None,
        label: str = "plain",
    ) -> dict[str, Any]:
        """Return the arguments as they arrived."""
        return {"strong": strong, "cups": cups, "temperature": temperature, "note": note, "label": label}

    @method(right="guest", http=("GET", "POST"), readonly=True)
    def leaves(self, count: int) -> list[str]:
        """Return a long answer."""
        return [f"leaf {number}" for number in range(count)]
