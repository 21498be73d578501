"""Guests that take more than their share of processors, by figures taken in and rolled up over a real MongoDB."""

from __future__ import annotations

import time
from typing import Any, cast

from actors.cloud.fair_use import fair_use
from agent.protocol import Figures, Sample, Samples
from portalfw.runtime import Runtime
from portalfw.statistics import Intake, rollup
from portalfw.statistics.levels import MINUTES, ensure_levels


def told(begin: float, node: int, busy: float, **guests: float) -> None:
    """Have a node tell of five minutes: how busy it is, and how busy its guests."""
    figures = [Figures(kind="node", values={"cpu": busy})]
    figures += [Figures(kind="guest", key=name, values={"cpu": value}) for name, value in guests.items()]
    samples = [Sample(number=int(begin) + n, at=int(begin) + 10 * n, figures=figures) for n in range(30)]
    Intake().take(node, Samples(spool="a", samples=samples))


def test_who_takes_more_than_his_share_for_long(database: Any) -> None:
    """Over 80 % for five minutes WARNS; for ten it is an ERROR, if the node has no more to give."""
    del database
    ensure_levels()
    nothing = list(fair_use(cast("Runtime", None)))
    assert [one.state for one in nothing] == ["SKIPPED"]
    last = MINUTES.floor(time.time() - rollup.GRACE) - 300
    told(last - 300, 1, 95, greedy=99, fresh=20, fair=80)
    told(last - 300, 2, 50, alone=99)
    told(last, 1, 95, greedy=99, fresh=81, fair=80)
    told(last, 2, 50, alone=99)
    rollup.roll_up()
    found = {one.uid: (one.state, one.node_id) for one in fair_use(cast("Runtime", None))}
    wanted = {"greedy": ("ERROR", 1), "fresh": ("WARNING", 1), "alone": ("WARNING", 2)}
    assert found == {f"guest-{name}": one for name, one in wanted.items()}
