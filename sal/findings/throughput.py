"""Whether two nodes carry between them what their cards promise."""

from __future__ import annotations

from typing import Final

from sal.findings.finding import Finding, State, graded
from sal.network.throughput import Throughput

PART: Final = (0.5, 0.1)
"""Parts of the slower card's speed that must be reached: WARNING below the first, ERROR below the other.

As in the originals' test (iperf), which they had switched off (agents.md, section 4.3).
"""


def judge_throughput(name: str, found: Throughput) -> Finding:
    """Judge the slower direction; without a speed to compare with it can only fail altogether."""
    there, back = found.there.megabits, found.back.megabits
    slower = min(there, back)
    text = f"{name}: {there:,.0f} Mbit/s there, {back:,.0f} back"
    state: State = "SKIPPED" if slower else "ERROR"
    if found.speed is not None:
        part = slower / found.speed
        state = graded(-part, -PART[0], -PART[1])
        text += f" ({part:.0%} of {found.speed:,})"
    elif slower:
        text += "; no card tells a speed to compare with"
    return Finding("Network", f"throughput-{name}", state, text)
