"""The node's clock: what it says, for the controller to compare with its own, and whether anything keeps it in time."""

from __future__ import annotations

import time
from typing import Any, Final

from sal.findings.finding import Finding, told
from sal.system.clock import Clock

CATEGORY: Final = "Clock"


def say_clock(clock: Clock) -> list[dict[str, Any]]:
    """Return the finding of the clock with ``at``, epoch seconds as this node has them.

    How wrong that is the controller judges: it knows when the job began and ended, between which this was said.
    """
    kept = "nothing keeps it in time"
    if clock.synchronized:
        kept = f"it is kept in time to {clock.error or 0:.3f} s by the kernel's estimate"
    found = told([Finding(CATEGORY, "clock", "OK", kept)])
    return [{**one, "at": time.time()} for one in found]
