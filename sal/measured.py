"""What was measured of one thing at one moment: the shape of all figures of a node."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measured:
    """Figures of one disk, link, guest, or of the node itself.

    ``gauges`` are values as they are; ``counters`` only grow, until ``life`` changes and they begin anew. A counter is
    counted in such units that its growth in a second is the figure that people want: bytes, operations, or hundredths
    of what is possible (so that the growth is a percentage).
    """

    kind: str
    key: str = ""
    gauges: dict[str, float] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    life: str = ""
