"""How many requests this process has answered, how, and how quickly: counted beside each answer, told by /metrics."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from typing import Any, Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: upper bounds of the classes that requests are counted in."""

KINDS: Final = (("/restmachine/", "api"), ("/agent/", "agent"), ("/events", "events"), ("/static/", "file"))
"""Who asks, by how the path begins; others are pages."""

PARKED: Final = ("/agent/jobs", "/events")
"""What waits by design: not counted among times."""


class Traffic:
    """A layer around the application that counts. It costs some microseconds a request."""

    def __init__(self, application: Any) -> None:
        """Count for this application."""
        self._application = application
        self.requests: Counter[tuple[str, str]] = Counter()
        self.classes = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer, and count the answer."""
        began = time.perf_counter()
        path = environ["PATH_INFO"]

        def begin(status: str, headers: list[tuple[str, str]], failure: Any = None) -> Any:
            self.count(path, status[0], time.perf_counter() - began)
            return start_response(status, headers, failure)

        return self._application(environ, begin)

    def count(self, path: str, status: str, took: float) -> None:
        """Count an answer by the first digit of its status, and the seconds that it took."""
        kind = next((kind for start, kind in KINDS if path.startswith(start)), "page")
        self.requests[kind, f"{status}xx"] += 1
        if path not in PARKED:
            self.seconds += took
            self.classes[bisect_left(BOUNDS, took)] += 1
