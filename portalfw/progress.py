"""How far a call is: named steps, told by whatever code runs within it, without knowing whether anybody watches.

``report("fetching the image", done=3, total=10)`` is kept where the call has a task, and costs nothing elsewhere. What
a call tells is bounded: the newest :data:`MOST` steps, and as many lines of the jobs beneath them.

The steps belong to the greenlet that runs the method. One that it spawns reports too if it is given them::

    steps = progress.current()
    gevent.spawn(lambda: progress.within(steps, work))
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypedDict, TypeVar

T = TypeVar("T")

MOST: Final = 100  # steps that are kept of one call, and lines
LONGEST: Final = 300  # characters of a step's text, and of a line's
STEP: Final = "step"
PERCENT: Final = "percent"


class Step(TypedDict):
    """One thing that a call does, or one line of a job beneath it.

    ``level`` is ``step``, ``percent`` (how far a job is), or a line's: debug, info, warning, error, stdout, stderr.
    ``number`` orders the steps of a call; ``revision`` is new whenever a step changes; ``at`` is in epoch seconds.
    """

    number: int
    revision: int
    at: float
    level: str
    text: str
    done: float | None
    total: float | None


class Steps:
    """The steps of one call."""

    def __init__(self) -> None:
        """Begin without any; :attr:`changed` is called after each change, once somebody has set it."""
        self.revision = 0
        self.changed: Callable[[], object] = lambda: None
        self._steps: list[Step] = []
        self._lines: list[Step] = []
        self._number = 0

    def add(self, level: str, text: str, done: float | None = None, total: float | None = None) -> None:
        """Take a step or a line; the text that came last, or a job's next percentage, only moves it on."""
        self.revision += 1
        text = _bounded(text)
        found = self._same(level, text) or self._append(level)
        found["revision"], found["at"], found["text"] = self.revision, time.time(), text
        found["done"], found["total"] = _amount(done), _amount(total) or None
        self.changed()

    def rows(self) -> list[Step]:
        """Return copies of all that is kept, in the order in which it came."""
        return sorted(([*map(Step.copy, self._steps), *map(Step.copy, self._lines)]), key=lambda step: step["number"])

    def _append(self, level: str) -> Step:
        self._number += 1
        made = Step(number=self._number, revision=0, at=0, level=level, text="", done=None, total=None)
        kind = self._steps if level == STEP else self._lines
        kind.append(made)
        del kind[:-MOST]
        return made

    def _same(self, level: str, text: str) -> Step | None:
        step = self._steps[-1] if self._steps else None
        if level == STEP:
            return step if step is not None and step["text"] == text else None
        line = self._lines[-1] if self._lines else None
        fresh = line is not None and (step is None or step["number"] < line["number"])  # beneath the step under way
        return line if fresh and line is not None and level == PERCENT == line["level"] else None


_current: ContextVar[Steps | None] = ContextVar("steps", default=None)


def report(text: str, done: float | None = None, total: float | None = None) -> None:
    """Say what the call does now, and how much of it is ``done`` of a ``total``, both in whatever unit.

    The same text again moves that step on.
    """
    steps = _current.get()
    if steps is not None:
        steps.add(STEP, text, done, total)


def current() -> Steps | None:
    """Return the steps of the call that runs here; None if nobody will ever look at them."""
    return _current.get()


def within(steps: Steps | None, work: Callable[[], T]) -> T:
    """Do ``work`` as a part of the call whose steps these are, and return what it returns."""
    token = _current.set(steps)
    try:
        return work()
    finally:
        _current.reset(token)


def percent(rows: list[Step]) -> float | None:
    """Return how far the newest step says that the call is, 0 to 100; None where it does not say."""
    last = next((row for row in reversed(rows) if row["level"] == STEP), None)
    if last is None or last["done"] is None or not last["total"]:
        return None
    return round(max(0.0, min(100.0, 100 * last["done"] / last["total"])), 1)


def _bounded(text: str) -> str:
    line = " ".join(str(text).encode("utf-8", "replace").decode().split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _amount(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) and value >= 0 else None
