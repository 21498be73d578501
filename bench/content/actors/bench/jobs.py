"""An actor that measures the way of a job."""

from __future__ import annotations

import time

from portalfw.rest import Actor, method


class Jobs(Actor, app="bench"):
    """Jobs that do nothing."""

    @method(right="group:admin")
    def round_trips(self, count: int) -> list[float]:
        """Run ``count`` empty jobs one after the other on the local node and return the milliseconds of each."""
        node = self.runtime.dal.node(1)
        times = []
        for _ in range(count):
            began = time.perf_counter()
            node.run("bench/nothing")
            times.append((time.perf_counter() - began) * 1000)
        return times
