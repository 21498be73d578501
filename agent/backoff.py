"""Waiting times between tries to reach a controller: growing and random, so that many agents do not come at once."""

from __future__ import annotations

import random
from typing import Final

FIRST: Final = 0.5
LONGEST: Final = 30.0


class Backoff:
    """Gives each next waiting time in seconds: random below a bound that doubles up to half a minute."""

    def __init__(self) -> None:
        """Begin small."""
        self._bound = FIRST

    def next(self) -> float:
        """Return how long to wait now."""
        wait = random.uniform(self._bound / 4, self._bound)  # noqa: S311 - spreading load, no secret
        self._bound = min(LONGEST, self._bound * 2)
        return wait

    def reset(self) -> None:
        """Begin small again: the controller has answered."""
        self._bound = FIRST
