"""A watch over the one rule of gevent: nothing may hold up the hub. Who does is in the log, with the stack."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import gevent
from gevent import config, events

log = logging.getLogger(__name__)

LONGEST: Final = 0.1  # seconds; the rule is 5 ms, but what is told must be more than a busy machine
QUIET: Final = 60.0  # seconds between lines in the log
MOST_LINES: Final = 60  # of a stack


class HubWatch:
    """Looks from a thread of its own whether greenlets still switch; :meth:`tell` says in the log what it has seen."""

    def __init__(self, longest: float = LONGEST, now: Callable[[], float] = time.monotonic) -> None:
        """Take note of what holds up the hub for ``longest`` seconds."""
        self._longest = longest
        self._now = now
        self._told = -QUIET
        self._seen = 0
        self._first: list[str] = []

    def start(self) -> None:
        """Begin to look; to be called in the thread of the hub."""
        config.monitor_thread = True
        config.max_blocking_time = self._longest
        config.print_blocking_reports = False
        events.subscribers.append(self._note)
        gevent.get_hub().start_periodic_monitoring_thread()

    def stop(self) -> None:
        """End the thread."""
        thread = gevent.get_hub().periodic_monitoring_thread
        if thread is not None:
            thread.kill()
        events.subscribers.remove(self._note)

    def tell(self) -> None:
        """Log what was seen since the last time, once in :data:`QUIET` seconds at most."""
        if not self._first or self._now() - self._told < QUIET:
            return
        self._told = self._now()
        report, self._first = self._first, []
        seen, self._seen = self._seen, 0
        log.warning(
            "The hub was held up, %d x %.0f ms; the first time by:\n%s", seen, self._longest * 1000, "\n".join(report)
        )

    def _note(self, event: object) -> None:
        """Remember a report. This runs in the other thread while ours is held up, so nothing may be waited for."""
        if isinstance(event, events.EventLoopBlocked):
            self._seen += 1
            self._first = self._first or _stack(event.info)


def _stack(report: Sequence[str]) -> list[str]:
    """Return the part of gevent's report that says who it was; behind it stand all greenlets that there are."""
    lines = "\n".join(str(part) for part in report).splitlines()
    end = next((number for number, line in enumerate(lines) if line.startswith("Info:")), len(lines))
    return [line for line in lines[:end] if line.strip("= ")][-MOST_LINES:]
