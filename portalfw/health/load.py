"""How busy nodes have been within the last hour, by their statistics; limits are those of the originals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from portalfw.controller.documents import ENABLED, Node
from portalfw.extension import health_check
from portalfw.health.findings import Finding, graded
from portalfw.statistics.levels import MINUTES, date

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

HOUR: Final = 3600.0
FIGURES: Final = {
    "cpu": ("Processors", 80.0, 95.0, "%"),
    "memory": ("Memory", 80.0, 95.0, "%"),
    "context_switches": ("Context switches", 600e3, 1e6, "a second"),
}
"""What figures are called, and their limits. The originals' text had those of context switches swapped."""

LEAST: Final = 3
"""Rows of five minutes without which an hour's mean says nothing."""


@health_check("System Load", every=900)
def node_load(_runtime: Runtime) -> Iterator[Finding]:
    """Whether nodes were too busy in the last hour: processors, memory, context switches."""
    means = hour_means(time.time())
    for node in Node.rows({"status": ENABLED, "connected": True}, fields=["name"]):
        yield from judge(node["id"], node["name"], means.get(node["id"], {}))


def hour_means(now: float) -> dict[int, dict[str, float]]:
    """Return the means of the last hour's figures by node, of those nodes that have enough of them."""
    match = {"s.kind": "node", "s.key": "", "at": {"$gte": date(now - HOUR)}}
    sums = {name: {"$avg": f"${name}"} for name in FIGURES}
    pipeline: list[dict[str, Any]] = [{"$match": match}, {"$group": {"_id": "$s.node", "rows": {"$sum": 1}, **sums}}]
    return {row["_id"]: row for row in MINUTES.collection.aggregate(pipeline) if row["rows"] >= LEAST}


def judge(node: int, name: str, means: dict[str, float]) -> Iterator[Finding]:
    """Judge one node's means."""
    for figure, (title, warning, error, unit) in FIGURES.items():
        value, uid = means.get(figure), f"{figure}-{node}"
        if value is None:
            yield Finding(uid, "SKIPPED", f"{title} of {name}: not enough figures of the last hour", node)
        else:
            text = f"{title} of {name}: {value:,.0f} {unit} in the mean of an hour"
            yield Finding(uid, graded(value, warning=warning, error=error), text, node)
