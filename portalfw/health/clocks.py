"""How far a node's clock is from the controller's, by a job that told the time.

What the node said, it said after the controller had noted that the script begins, and before it noted its end. So the
skew lies between two bounds, and their distance is the whole round trip: what is certain is what counts, so that a slow
way or a busy node never looks like a wrong clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent.protocol import JobState
from portalfw.health.findings import Finding, graded

SKEW: Final = (1.0, 10.0)
"""Seconds: by the first, lines of nodes are in the wrong order; by the other, figures are in another sample's place."""

ALONE: Final = ":alone:"
"""In the occurrence of a job that ran while no controller was there: both of its times are the node's."""


def judge_clock(job: Mapping[str, Any], uid: str, at: float, kept: str) -> Finding:
    """Judge the clock of a job's node, which showed ``at`` while the script ran; ``kept`` is what else it says."""
    if ALONE in (job.get("occurrence") or ""):
        return Finding(uid, "SKIPPED", f"No controller was there to compare the clock with; {kept}")
    begun = [one["at"] for one in job.get("history") or () if one["status"] == JobState.RUNNING]
    ahead, least = at - min(begun, default=job["created"]), at - job["ended"]
    middle, doubt = (ahead + least) / 2, (ahead - least) / 2
    certain = max(0.0, abs(middle) - doubt)
    way = "ahead of" if middle > 0 else "behind"
    text = f"The clock is {_span(abs(middle))} {way} the controller's, give or take {_span(doubt)}; {kept}"
    return Finding(uid, graded(certain, warning=SKEW[0], error=SKEW[1]), text)


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
