"""A job, wherever it is: waiting for it, following it, ending it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self, TypeVar

from agent.protocol import JobState
from portalfw.dal.link import WAIT, Link
from portalfw.dal.results import JobResult, Line, Summary
from portalfw.errors import ConflictError, KilledError, UnavailableError

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0
"""Seconds between looks at many jobs at once; the pause doubles while none of them ends."""


class JobHandle:
    """One job."""

    def __init__(self, link: Link, job_id: int) -> None:
        """Point at a job by its id; whether it exists shows when it is used."""
        self._link = link
        self.id = job_id

    def __repr__(self) -> str:
        """Return the handle as it is shown in a console."""
        return f"<job {self.id}>"

    @property
    def state(self) -> JobState:
        """The state now; raises NotFoundError."""
        return self.info().state

    def info(self) -> JobResult:
        """Return how the job stands now; raises NotFoundError."""
        return self._link.job(self.id)

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait for the end, at most ``timeout`` seconds, and return the state, which may be one before the end."""
        return self._link.wait(self.id, timeout).state

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return what ``action`` returned.

        Raises:
            JobFailedError: it ended otherwise.
            UnavailableError: it has not ended within ``timeout`` seconds; it goes on.

        """
        found = self._link.wait(self.id, timeout)
        if not found.state.ended:
            raise UnavailableError(f"Job {self.id} ({found.script}) is still {found.state.value} after {timeout:g} s.")
        return found.value()

    def stream(self) -> Iterator[Line]:
        """Yield what the job says, from its first line on, as it comes, until it ends; of every attempt."""
        attempt, line, over = 1, 0, False
        while not over:
            news = self._link.news(self.id, attempt, line, WAIT)
            yield from (Line(attempt, one["at"], one["level"], one["text"]) for one in news.lines)
            attempt, line, over = news.attempt, news.line, news.over

    def cancel(self, reason: str) -> JobState:
        """End the job early; a running one is CANCELLED once its node has been told. Raises ConflictError if ended."""
        return self._link.cancel(self.id, reason)

    @contextmanager
    def of_this_call(self) -> Iterator[None]:
        """While the job is waited for within this, it is cancelled if somebody ends the call that ordered it."""
        try:
            yield
        except KilledError as error:
            with suppress(ConflictError):  # it has ended meanwhile
                self.cancel(error.message)
            raise

    def retry(self, *, confirmed: bool = False) -> Self:
        """Run a failed job again, as a new job; of a fan-out, where it failed.

        Raises:
            ConflictError: it did not fail, or may have done half its work: then ``confirmed`` is needed.

        """
        return type(self)(self._link, self._link.retry(self.id, confirmed=confirmed))

    def summary(self) -> Summary | None:
        """Return how a fan-out stands; None of a job on one node."""
        return self._link.summary(self.id)

    def results(self) -> Iterator[JobResult]:
        """Yield what the children of a fan-out come to, each when it has ended; of another job, what that does."""
        seen: set[int] = set()
        pause = FIRST_PAUSE
        while True:
            ended = self.state.ended  # looked at first, so that nothing can come between it and the last results
            summary = self.summary()
            found = summary is not None and (ended or summary.ended > len(seen))
            new = [one for one in self._link.ended_children(self.id) if one.id not in seen] if found else []
            seen.update(one.id for one in new)
            yield from new
            if ended:
                if summary is None:
                    yield self.info()
                return
            pause = FIRST_PAUSE if new else min(LONGEST_PAUSE, 2 * pause)
            time.sleep(pause)


J = TypeVar("J", bound=JobHandle)
"""The kind of handle that a way to an installation gives."""
