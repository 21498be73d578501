"""Stolen time: guests whose processors wait for one of the node's, and so are slow without a fault of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from actors.cloud.fair_use import machine_names
from portalfw.controller.documents import Node
from portalfw.extension import health_check
from portalfw.health.findings import Finding, graded
from portalfw.statistics.levels import MINUTES, date
from portalfw.statistics.rollup import made

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

STOLEN: Final = (10.0, 25.0)
"""Percent of five minutes that a guest's processors may wait: warning, error. The originals did not measure it."""

LEAST: Final = 15
"""Samples of the thirty of five minutes: a guest that has just booted waits for what everybody waits for."""

OLD: Final = 4 * MINUTES.step
MOST: Final = 200
"""Guests and nodes that are told one by one."""

Row = dict[str, Any]


@health_check("System Load", every=300)
def stolen_time(_runtime: Runtime) -> Iterator[Finding]:
    """Whether processors of guests wait for one of their node's: over 10 % of 5 min WARNING, over 25 % ERROR."""
    end = made(MINUTES)
    if end < time.time() - OLD:
        yield Finding("guests", "SKIPPED", "There are no figures of the last minutes")
        return
    last = {"at": date(end - MINUTES.step), "s.kind": "guest"}
    waiting = who_waits(last)
    names = machine_names([row["s"]["key"] for row in waiting])
    for row in waiting[:MOST]:
        yield judge_guest(row, names)
    if not waiting:
        yield Finding("guests", "OK", "No guest waits for long for a processor of its node")
    untold = {**last, "cpu": {"$exists": True}, "steal": {"$exists": False}}
    silent = sorted({row["s"]["node"] for row in MINUTES.collection.find(untold, {"s": 1})})
    for node in Node.rows({"_id": {"$in": silent[:MOST]}}, fields=["name"]):
        text = f"libvirt on {node['name']} does not tell how long processors of guests wait"
        yield Finding(f"node-{node['id']}", "SKIPPED", text, node["id"])


def who_waits(last: Row) -> list[Row]:
    """Return the rows of guests that wait too long, the worst first; of several rows that of most samples counts."""
    keys = [row["s"]["key"] for row in MINUTES.collection.find({**last, "steal": {"$gt": STOLEN[0]}}, {"s": 1})]
    rows = MINUTES.collection.find({**last, "s.key": {"$in": keys}}, {"s": 1, "steal": 1, "n": 1})
    told = {(row["s"]["key"], row["s"]["node"]): row for row in sorted(rows, key=lambda row: row["n"])}
    found = [row for row in told.values() if row.get("steal", 0.0) > STOLEN[0] and row["n"] >= LEAST]
    return sorted(found, key=lambda row: -row["steal"])


def judge_guest(row: Row, names: dict[str, str]) -> Finding:
    """Judge a guest that waits by its figures of five minutes."""
    key, share = row["s"]["key"], row["steal"]
    text = f"Processors of machine {names.get(key, key)} waited {share:.0f} % of 5 minutes for one of their node's"
    return Finding(f"guest-{key}", graded(share, warning=STOLEN[0], error=STOLEN[1]), text, row["s"]["node"])
