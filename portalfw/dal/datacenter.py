"""An installation as a whole: its nodes, jobs and schedules."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, Generic

from agent.protocol import JobState
from portalfw.dal.job import FIRST_PAUSE, LONGEST_PAUSE, J
from portalfw.dal.link import JOBS, Link
from portalfw.dal.nodes import NodeHandle, RoleHandle
from portalfw.dal.results import JobResult, NodeInfo, job_result
from portalfw.dal.schedules import Schedules
from portalfw.errors import InvalidError, NotFoundError, UnavailableError

STATES: Final = (*JobState, "OPEN", "FAILED")
"""What jobs may be asked for by; OPEN is any before the end, FAILED any that ended neither well nor by a wish."""


class Installation(Generic[J]):
    """All nodes of an installation, reached by some way."""

    def __init__(self, link: Link, kind: type[J]) -> None:
        """Use a way to it."""
        self._link, self._kind = link, kind
        self.schedules = Schedules(link, kind)

    def nodes(self) -> list[NodeInfo]:
        """Return all nodes, by name."""
        return self.role().nodes()

    def node(self, node_id: int) -> NodeHandle[J]:
        """Return a node by its id; whether it exists shows when it is used."""
        return NodeHandle(self._link, node_id, self._kind)

    def role(self, *names: str, gid: int | None = None) -> RoleHandle[J]:
        """Return the nodes that have all of these roles, all nodes without any; of one grid if asked."""
        return RoleHandle(self._link, names, gid, self._kind)

    def job(self, job_id: int) -> J:
        """Return a job by its id; whether it exists shows when it is used."""
        return self._kind(self._link, job_id)

    def jobs(
        self, *, state: str | None = None, script: str | None = None, node: int | None = None, limit: int = 50
    ) -> list[JobResult]:
        """Return the newest jobs, without their results; ``state`` may be OPEN or FAILED too.

        Raises:
            InvalidError: there is no such state.

        """
        if state is not None and state not in STATES:
            raise InvalidError(f"state: one of {', '.join(STATES)}, not {state!r}.", detail={"argument": "state"})
        rows = self._link.call(f"{JOBS}/getJobs", state=state, script=script, nodeId=node, limit=limit)
        return [job_result(row) for row in rows]

    def as_completed(self, jobs: Iterable[J], timeout: float | None = None) -> Iterator[J]:
        """Yield jobs when they have ended; see :func:`as_completed`."""
        return _as_completed(self._link, jobs, timeout)


def as_completed(jobs: Iterable[J], timeout: float | None = None) -> Iterator[J]:
    """Yield jobs of one installation, each when it has ended.

    Raises:
        UnavailableError: some have not ended ``timeout`` seconds after the beginning; they go on.
        NotFoundError: a job does not exist (any more).

    """
    found = list(jobs)
    return _as_completed(found[0]._link, found, timeout) if found else iter(())  # noqa: SLF001 - handles are of this room


def _as_completed(link: Link, jobs: Iterable[J], timeout: float | None) -> Iterator[J]:
    limit = None if timeout is None else time.monotonic() + timeout
    left = {job.id: job for job in jobs}
    pause = FIRST_PAUSE
    while left:
        states = link.states(list(left))
        ended = [job_id for job_id in left if job_id in states and states[job_id].ended]
        for job_id in ended:
            yield left.pop(job_id)
        if missing := left.keys() - states.keys():
            raise NotFoundError(f"Job {min(missing)} does not exist; ended jobs are dropped after a while.")
        if left and limit is not None and time.monotonic() > limit:
            raise UnavailableError(f"{len(left)} jobs have not ended after {timeout:g} s.")
        pause = FIRST_PAUSE if ended else min(LONGEST_PAUSE, 2 * pause)
        if left:
            time.sleep(pause)
