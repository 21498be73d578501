"""Fair use of processors: guests that take more than their share for long, and whether others suffer by it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from actors.cloud.models import Machine
from actors.cloud.names import Names
from portalfw.controller.documents import site_prefix
from portalfw.extension import health_check
from portalfw.health.findings import Finding
from portalfw.statistics.levels import MINUTES, date
from portalfw.statistics.rollup import made

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SHARE: Final = 80.0
"""Percent of what its virtual processors could do that a guest may take for long: the originals' 0.8 of each."""

SCARCE: Final = 80.0
"""Percent of a node's processors from which on guests take them from each other."""

OLD: Final = 4 * MINUTES.step
MOST: Final = 200
"""Guests that are told one by one."""

Row = dict[str, Any]


@health_check("System Load", every=300)
def fair_use(_runtime: Runtime) -> Iterator[Finding]:
    """Whether guests take over 80 % of their processors for 5 min; an ERROR after 10 min where the node has no more."""
    end = made(MINUTES)
    if end < time.time() - OLD:
        yield Finding("guests", "SKIPPED", "There are no figures of the last minutes")
        return
    found = greedy(end)
    names = machine_names([key for key, _ in found])
    for (key, node_id), (share, before, busy) in sorted(found.items())[:MOST]:
        yield judge_guest(key, names.get(key, key), node_id, (share, before, busy))
    if not found:
        yield Finding("guests", "OK", "No guest takes more than its share of its node's processors")


def greedy(end: float) -> dict[tuple[str, int], tuple[float, float, float]]:
    """Return the guests, by domain and node, that took more than their share in the last five minutes before ``end``.

    Each with its percent then, in the five minutes before, and that of its node's processors then.
    """
    last, before = end - MINUTES.step, end - 2 * MINUTES.step
    then = _shares(last, {"s.kind": "guest", "cpu": {"$gt": SHARE}})
    if not then:
        return {}
    keys, nodes = sorted({key for key, _ in then}), sorted({node for _, node in then})
    earlier = _shares(before, {"s.kind": "guest", "s.key": {"$in": keys}})
    busy = _shares(last, {"s.kind": "node", "s.key": "", "s.node": {"$in": nodes}})
    return {one: (share, earlier.get(one, 0.0), busy.get(("", one[1]), 0.0)) for one, share in then.items()}


def _shares(at: float, query: Row) -> dict[tuple[str, int], float]:
    """Return processor's percents of one step by key and node; the row of most samples is the last one told."""
    rows = MINUTES.collection.find({"at": date(at), **query}, {"s": 1, "cpu": 1, "n": 1})
    return {
        (row["s"]["key"], row["s"]["node"]): row["cpu"]
        for row in sorted(rows, key=lambda row: row["n"])
        if "cpu" in row
    }


def machine_names(keys: list[str]) -> dict[str, str]:
    """Return what machines are called, by their domains."""
    names = Names(site_prefix())
    ids = {names.machine_id(key): key for key in keys}
    rows = Machine.rows({"_id": {"$in": [one for one in ids if one is not None]}}, fields=["name"])
    return {ids[row["id"]]: f"{row['name']} ({ids[row['id']]})" for row in rows}


def judge_guest(key: str, name: str, node_id: int, taken: tuple[float, float, float]) -> Finding:
    """Judge a guest that takes more than its share: an ERROR if it goes on with that while its node has no more."""
    share, before, busy = taken
    graver = before > SHARE and busy > SCARCE
    text = f"Machine {name} takes {share:.0f} % of its processors for {10 if before > SHARE else 5} minutes"
    text += f"; its node's are {'short' if busy > SCARCE else 'free enough'} ({busy:.0f} %)"
    return Finding(f"guest-{key}", "ERROR" if graver else "WARNING", text, node_id)
