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
    return {name: growth / (now.at - before.at) for name, growth in grown.items()}


def _grown(before: float, now: float) -> float | None:
    if now >= before:
        return now - before
    wrapped = NEAR * WRAP < before < WRAP and now < (1 - NEAR) * WRAP
    return now + WRAP - before if wrapped else None
