"""From counters to rates: how much each grew in a second since it was read before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.protocol import Figures

if TYPE_CHECKING:
    from sal.measured import Measured

WRAP: Final = 2.0**32
"""Where the counters of some network drivers begin again at 0."""

NEAR: Final = 0.9
"""A counter beyond this share of :data:`WRAP`, and now below the rest, has wrapped; any other that shrank was reset."""


@dataclass(frozen=True)
class _Read:
    at: float
    life: str
    counters: dict[str, float]


TOTALS: Final = {
    "disk": ("read_bytes", "write_bytes", "reads", "writes"),
    "nic": ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets"),
}
"""Rates of all disks and links together that the node has as its own."""


SHARES: Final = ("cpu", "busy", "steal")
"""Rates that are percentages; the kernel counts in steps, so that a busy one may seem to be a little above 100."""


class Rates:
    """Remembers what the counters were, by the thing they belong to."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._before: dict[str, dict[tuple[str, str], _Read]] = {}

    def of(self, source: str, measured: Iterable[Measured], at: float) -> list[Figures]:
        """Return gauges as they are and counters as growth a second; ``at`` is of a clock that only goes forward.

        A counter that is new, or began anew (its thing was made again, or the counter shrank without having wrapped),
        has no rate this time. What a ``source`` does not measure any more is forgotten.
        """
        known, now = self._before.get(source, {}), {}
        found = []
        for one in measured:
            read = now[one.kind, one.key] = _Read(at, one.life, one.counters)
            values = {**one.gauges, **_growth(known.get((one.kind, one.key)), read)}
            if values:
                found.append(Figures(kind=one.kind, key=one.key, values=values))
        self._before[source] = now
        return found


def _growth(before: _Read | None, now: _Read) -> dict[str, float]:
    if before is None or before.life != now.life or now.at <= before.at:
        return {}
    grown = {
        name: growth
        for name, value in now.counters.items()
        if name in before.counters and (growth := _grown(before.counters[name], value)) is not None
    }
    rates = {name: growth / (now.at - before.at) for name, growth in grown.items()}
    return {name: min(rate, 100.0) if name.startswith(SHARES) else rate for name, rate in rates.items()}


def _grown(before: float, now: float) -> float | None:
    if now >= before:
        return now - before
    wrapped = NEAR * WRAP < before < WRAP and now < (1 - NEAR) * WRAP
    return now + WRAP - before if wrapped else None


def with_totals(found: Iterable[Figures]) -> list[Figures]:
    """Return figures, and add to those of the node what all its disks, and all its links, do together."""
    figures = list(found)
    sums: dict[str, float] = {}
    for one in figures:
        for name in TOTALS.get(one.kind, ()):
            if name in one.values:
                sums[name] = sums.get(name, 0.0) + one.values[name]
    return [one if one.kind != "node" else one.model_copy(update={"values": {**one.values, **sums}}) for one in figures]
