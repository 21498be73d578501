"""An actor that measures the way of a job, and one that gives jobs to simulated agents."""

from __future__ import annotations

import time

import gevent

from portalfw.controller.documents import Job
from portalfw.controller.submission import Terms
from portalfw.controller.targets import Target
from portalfw.rest import Actor, method

NOTHING = "bench/nothing"
TERMS = Terms(expires=600.0)


class Jobs(Actor, app="bench"):
    """Jobs that do nothing."""

    @method(right="group:admin")
    def round_trips(self, count: int) -> list[float]:
        """Run ``count`` empty jobs one after the other on the local node and return the milliseconds of each."""
        node = self.runtime.dal.node(1)
        times = []
        for _ in range(count):
            began = time.perf_counter()
            node.run(NOTHING)
            times.append((time.perf_counter() - began) * 1000)
        return times

    @method(right="group:admin")
    def fan_out(self, first: int, count: int) -> int:
        """Run the empty script on ``count`` nodes from ``first`` on; return the parent job."""
        nodes = tuple(range(first, first + count))
        return self.runtime.controller.orders.on_all(NOTHING, Target(nodes=nodes), {}, TERMS)

    @method(right="group:admin")
    def probe(self, first: int, count: int, pause: float) -> bool:
        """Give each of ``count`` nodes one job, which says when it was submitted, ``pause`` seconds apart."""
        for node in range(first, first + count):
            self.runtime.controller.orders.on_node(NOTHING, node, {"at": time.time()}, TERMS)
            gevent.sleep(pause)
        return True

    @method(right="group:admin")
    def open(self) -> int:
        """Return how many fan-outs are not at their end."""
        return Job.collection().count_documents({"node_id": None, "status": "RUNNING"})
