"""How the Datacenter Abstraction Layer reaches an installation: by its methods, or past them where that is nearer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agent.protocol import ENDED, JobState
from portalfw.dal.results import JobResult, Summary, job_result

JOBS: Final = "system/gridmanager"
WAIT: Final = 20.0
"""Seconds that one question for news waits at the portal."""

PAGE: Final = 500
"""Rows that lists of jobs answer at most."""

BEYOND: Final = 2**40
"""A line that no job has: who asks from there waits for the end."""


@dataclass(frozen=True)
class Order:
    """A script to run: on ``node``, or on any or ``all`` of the nodes that have ``roles`` and are in grid ``gid``."""

    script: str
    args: Mapping[str, Any]
    node: int | None = None
    roles: tuple[str, ...] = ()
    gid: int | None = None
    all: bool = False
    batch: int = 0
    stop_on_failure: bool = False
    timeout: float | None = None
    expires: float | None = None
    priority: int = 0
    submitted_by: str = ""


@dataclass(frozen=True)
class News:
    """What is new of a job, and from where the next question goes on."""

    lines: list[dict[str, Any]]
    attempt: int
    line: int
    over: bool
    status: str = field(default="")


class Link(ABC):
    """A way to an installation. All but :meth:`call` is asked of its methods here; other ways may be nearer."""

    @abstractmethod
    def call(self, address: str, **arguments: Any) -> Any:
        """Call a method with arguments by wire name (None is left out) and return its answer; raises PortalError."""

    def submit(self, order: Order) -> int:
        """Queue a job and return its id."""
        roles = list(order.roles) or ([] if order.node is not None else ["*"])
        answer = self.call(
            "system/agentcontroller/executeJumpscript",
            name=order.script,
            args=dict(order.args),
            nid=order.node,
            roles=roles or None,
            gid=order.gid,
            all=order.all or None,
            batch=order.batch or None,
            stopOnFailure=order.stop_on_failure or None,
            timeout=order.timeout,
            expires=order.expires,
            priority=order.priority or None,
            wait=False,
        )
        return int(answer["id"])

    def job(self, job_id: int) -> JobResult:
        """Return how a job stands; raises NotFoundError."""
        return job_result(self.call(f"{JOBS}/getJob", jobId=job_id))

    def summary(self, job_id: int) -> Summary | None:
        """Return how a fan-out stands; None of another job."""
        fan = self.call(f"{JOBS}/getJob", jobId=job_id)["fan_out"]
        return fan and Summary(fan["total"], {JobState(state): count for state, count in fan["counts"].items()})

    def states(self, job_ids: Collection[int]) -> dict[int, JobState]:
        """Return the states of some jobs; one that is not there any more is missing."""
        wanted, found = list(job_ids), {}
        for begin in range(0, len(wanted), PAGE):
            some = {"id": wanted[begin : begin + PAGE]}
            for row in self.call(f"{JOBS}/getJobs", filter=some, limit=PAGE):
                found[int(row["id"])] = JobState(row["status"])
        return found

    def ended_children(self, job_id: int) -> Iterator[JobResult]:
        """Return what the children of a fan-out that have ended came to."""
        script, offset = self.job(job_id).script, 0
        states = {"status": [state.value for state in sorted(ENDED)]}
        while True:
            asked = {"filter": states, "sort": "id", "limit": PAGE, "offset": offset}
            rows = self.call(f"{JOBS}/getJobResults", jobId=job_id, **asked)
            yield from (job_result(row, script) for row in rows)
            offset += len(rows)
            if len(rows) < PAGE:
                return

    def wait(self, job_id: int, timeout: float | None) -> JobResult:
        """Wait for a job's end, at most ``timeout`` seconds, and return how it stands then."""
        limit = None if timeout is None else time.monotonic() + timeout
        attempt = 1
        while True:
            left = WAIT if limit is None else min(WAIT, limit - time.monotonic())
            news = self.news(job_id, attempt, BEYOND, max(0.0, left))
            attempt = news.attempt
            if news.over or JobState(news.status).ended or left <= 0:
                return self.job(job_id)

    def news(self, job_id: int, attempt: int, line: int, wait: float) -> News:
        """Return the lines of a job from a place on, waiting for some for so many seconds."""
        found = self.call(f"{JOBS}/followJob", jobId=job_id, attempt=attempt, line=line, wait=wait)
        return News(found["lines"], found["attempt"], found["line"], found["over"], found["status"])

    def cancel(self, job_id: int, reason: str) -> JobState:
        """End a job early and return its state; raises ConflictError if it has ended."""
        self.call(f"{JOBS}/cancelJob", jobId=job_id, reason=reason)
        return self.job(job_id).state

    def retry(self, job_id: int, *, confirmed: bool) -> int:
        """Run an ended job again and return the new job's id."""
        return int(self.call(f"{JOBS}/retryJob", jobId=job_id, confirmed=confirmed))
