"""What can go wrong with a job; everything else is one of :mod:`portalfw.errors`."""

from __future__ import annotations

from typing import ClassVar

from agent.protocol import JobState
from portalfw.errors import PortalError


class JobFailedError(PortalError):
    """A job ended otherwise than OK; ``state`` and ``reason`` say how."""

    code: ClassVar[str] = "job-failed"

    def __init__(self, job_id: int, script: str, state: JobState, reason: str) -> None:
        """Describe the job's end."""
        detail = {"job": job_id, "script": script, "state": state.value, "reason": reason}
        super().__init__(f"Job {job_id} ({script}) ended as {state.value}: {reason}", detail=detail)
        self.job_id = job_id
        self.state = state
        self.reason = reason
