"""How many jobs ended when, and how: counted once for each step of time that is over, and kept for a while."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from agent.protocol import ENDED
from portalfw.controller.documents import Job
from portalfw.runtime import Runtime

SETTLED: Final = 60.0
"""Seconds after the end of a step until everything that ended in it is surely written."""

KEPT: Final = 3600.0
"""Seconds that counts are believed: a node that was on its own tells of earlier jobs once it is back."""

MOST: Final = 20_000
"""Steps that are kept; beyond, all are forgotten."""

Counts = Mapping[str, int]  # by state


class JobCounts:
    """Counts of this process, made by :meth:`Runtime.service`."""

    def __init__(self, _: Runtime) -> None:
        """Begin without any."""
        self._steps: dict[tuple[str | None, int, float], tuple[float, Counts]] = {}

    def ended(self, begin: float, end: float, step: int, script: str | None = None) -> Counter[tuple[float, str]]:
        """Return how many jobs ended in each step of ``step`` seconds, by the step's begin and by state.

        :param begin: of the first step, in epoch seconds.
        """
        now = time.time()
        times = [begin + number * step for number in range(-int((begin - end) // step))]
        known = {at: kept[1] for at in times if (kept := self._steps.get((script, step, at))) and kept[0] > now - KEPT}
        first = next((at for at in times if at not in known), None)
        if first is not None:
            fresh = _counted(first, end, step, script)
            if len(self._steps) > MOST:
                self._steps.clear()
            for at in (at for at in times if at >= first):
                known[at] = fresh.get(at, {})
                if at + step < now - SETTLED:
                    self._steps[script, step, at] = (now, known[at])
        return Counter({(at, state): count for at, counts in known.items() for state, count in counts.items()})


def _counted(begin: float, end: float, step: int, script: str | None) -> dict[float, dict[str, int]]:
    """Count in the database; the index on state and end has all that is needed."""
    query: dict[str, Any] = {"status": {"$in": list(ENDED)}, "ended": {"$gte": begin, "$lt": end}}
    at = {"$subtract": ["$ended", {"$mod": ["$ended", step]}]}
    group = {"_id": {"at": at, "status": "$status"}, "count": {"$sum": 1}}
    match = query | ({"script": script} if script else {})
    found: dict[float, dict[str, int]] = {}
    for row in Job.collection().aggregate([{"$match": match}, {"$group": group}]):
        found.setdefault(row["_id"]["at"], {})[row["_id"]["status"]] = row["count"]
    return found
