"""Guests whose processors wait for one of the node's, by figures taken in and rolled up over a real MongoDB."""

from __future__ import annotations

import time
from typing import Any, cast

from actors.cloud.steal import stolen_time
from agent.protocol import Figures, Sample, Samples
from portalfw.controller.documents import Node
from portalfw.runtime import Runtime
from portalfw.statistics import Intake, rollup
from portalfw.statistics.levels import MINUTES, ensure_levels


def told(begin: float, node: int, count: int, **guests: dict[str, float]) -> None:
    """Have a node tell figures of its guests, ``count`` times in five minutes."""
    figures = [Figures(kind="guest", key=name, values=values) for name, values in guests.items()]
    samples = [Sample(number=int(begin) + n, at=int(begin) + 10 * n, figures=figures) for n in range(count)]
    Intake().take(node, Samples(spool="a", samples=samples))


def found() -> dict[str, tuple[str, int | None]]:
    return {one.uid: (one.state, one.node_id) for one in stolen_time(cast("Runtime", None))}


def test_who_waits_for_the_node(database: Any) -> None:
    """Over 10 % of five minutes WARNS, over 25 % is an ERROR; new guests do not count; who cannot tell says so."""
    del database
    ensure_levels()
    assert found() == {"guests": ("SKIPPED", None)}
    Node.collection().insert_one({"_id": 2, "name": "older", "status": "ENABLED"})
    last = MINUTES.floor(time.time() - rollup.GRACE) - 300
    told(last, 2, 30, old={"cpu": 5.0})
    rollup.roll_up()
    assert found() == {"guests": ("OK", None), "node-2": ("SKIPPED", 2)}
    told(last, 1, 30, fair={"cpu": 5.0, "steal": 10.0}, slow={"cpu": 5.0, "steal": 11.0}, worse={"steal": 26.0})
    told(last, 3, 5, new={"cpu": 90.0, "steal": 60.0})
    rollup.roll_late(1, [int(last)])
    rollup.roll_late(3, [int(last)])
    assert found() == {"guest-slow": ("WARNING", 1), "guest-worse": ("ERROR", 1), "node-2": ("SKIPPED", 2)}
