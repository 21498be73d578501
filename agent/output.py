"""The output of one running attempt, until the controller has it."""

from __future__ import annotations

import threading
import time

from agent.limits import MAX_LINE, MAX_LINES, MAX_OUTPUT
from agent.protocol import Line, Output, Progress


class OutputBuffer:
    """Lines not yet sent, with the number of the first. Safe to use from several threads.

    What exceeds the bounds of :mod:`agent.limits` is dropped, and one last line says so.
    """

    def __init__(self, attempt: int) -> None:
        """Begin with line 0 of an attempt."""
        self._attempt = attempt
        self._lock = threading.Lock()
        self._offset = 0
        self._lines: list[Line] = []
        self._progress: Progress | None = None
        self._kept = False
        self._count = 0
        self._size = 0

    @property
    def full(self) -> bool:
        """True once the attempt has said as much as it may."""
        return self._count > MAX_LINES or self._size > MAX_OUTPUT

    def add(self, level: str, text: str, at: float | None = None) -> None:
        """Take one line."""
        with self._lock:
            if self.full:
                return
            self._count += 1
            self._size += len(text)
            if self.full:
                level, text = "warning", f"Output is cut here: more than {MAX_LINES} lines or {MAX_OUTPUT} characters."
            self._lines.append(Line(at=at or time.time(), level=level, text=text[: MAX_LINE + 2]))

    def progress(self, percent: float, text: str) -> None:
        """Take how far the script is; only the newest is sent."""
        with self._lock:
            self._progress = Progress(percent=percent, text=text)

    def pending(self, most: int | None = None) -> Output | None:
        """Return what is to be sent, or None if there is nothing."""
        with self._lock:
            if self._kept or (not self._lines and self._progress is None):
                return None
            return Output(attempt=self._attempt, offset=self._offset, lines=self._lines[:most], progress=self._progress)

    def sent(self, output: Output) -> None:
        """Forget what the controller has."""
        with self._lock:
            count = max(0, output.offset + len(output.lines) - self._offset)
            del self._lines[:count]
            self._offset += count
            if self._progress is output.progress:
                self._progress = None

    def keep(self) -> None:
        """Keep everything from here on for the result: output is not wanted, success may be."""
        with self._lock:
            self._kept = True

    def rest(self) -> tuple[int, list[Line]]:
        """Return the number of the first unsent line and all unsent lines, for the result's message."""
        with self._lock:
            return self._offset, list(self._lines)
