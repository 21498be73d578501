"""The attempts that this agent has in its hands."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent.output import OutputBuffer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.protocol import Assignment, JobRef

Cause = Literal["cancelled", "gone", "stopped"]


@dataclass(frozen=True)
class Interruption:
    """Why an attempt is to end early: cancelled by a person, gone to another attempt, or the agent stops."""

    cause: Cause
    reason: str


class Held:
    """One attempt, waiting for a worker or running."""

    def __init__(self, assignment: Assignment) -> None:
        """Take an assignment that has just come."""
        self.assignment = assignment
        self.output = OutputBuffer(assignment.attempt)
        self.finished = threading.Event()
        self.running = False
        self.interruption: Interruption | None = None
        self._received = time.monotonic()
        self._lock = threading.Lock()
        self._signal: int | None = None

    @property
    def waited_too_long(self) -> bool:
        """True when the job has expired before a worker was free."""
        return time.monotonic() - self._received > self.assignment.expires_in

    def interrupt(self, interruption: Interruption) -> None:
        """Have the attempt end; the first interruption counts."""
        with self._lock:
            if self.interruption is None:
                self.interruption = interruption
                if self._signal is not None:
                    os.eventfd_write(self._signal, 1)

    @contextlib.contextmanager
    def signal(self) -> Iterator[int]:
        """Within this block, give a file descriptor that is readable once the attempt is interrupted."""
        with self._lock:
            self._signal = os.eventfd(1 if self.interruption else 0)
        try:
            yield self._signal
        finally:
            with self._lock:
                os.close(self._signal)
                self._signal = None


class Holding:
    """All attempts in hand, by job. Safe to use from several threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._held: dict[int, Held] = {}
        self.changed = threading.Event()

    def add(self, held: Held) -> None:
        """Take one in hand."""
        with self._lock:
            self._held[held.assignment.id] = held
        self.changed.set()

    def remove(self, held: Held) -> None:
        """Let one go, whose result is in the spool or not wanted."""
        with self._lock:
            if self._held.get(held.assignment.id) is held:
                del self._held[held.assignment.id]
        held.finished.set()

    def of(self, job: int) -> Held | None:
        """Return the attempt in hand at a job, if there is one."""
        with self._lock:
            return self._held.get(job)

    def all(self) -> list[Held]:
        """Return all that are in hand."""
        with self._lock:
            return list(self._held.values())

    def refs(self) -> list[JobRef]:
        """Name all that are in hand."""
        return [held.assignment.ref for held in self.all()]

    def interrupt(self, ref_id: int, attempt: int, interruption: Interruption) -> None:
        """Interrupt an attempt if it is in hand."""
        held = self.of(ref_id)
        if held is not None and held.assignment.attempt == attempt:
            held.interrupt(interruption)
