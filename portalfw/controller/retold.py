"""What a job says, told on to the call that waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portalfw import progress
from portalfw.controller import output


class Retold:
    """One job within a call: its lines and its percentage become steps of the call, each once."""

    def __init__(self, job_id: int, steps: progress.Steps) -> None:
        """Add to these steps what the job will say."""
        self._job_id = job_id
        self._steps = steps
        self._attempt = 0
        self._lines = 0
        self._progress: Mapping[str, Any] = {}

    def tell(self, row: Mapping[str, Any]) -> None:
        """Take over what is new in the job's document ``row``."""
        if row["attempt"] != self._attempt:
            self._attempt, self._lines = row["attempt"], 0
        found = row.get("progress") or {}
        if found != self._progress:
            self._progress = found
            self._steps.add(progress.PERCENT, found.get("text", ""), found.get("percent"), 100)
        if (row.get("lines") or 0) > self._lines:
            lines = output.after(self._job_id, self._attempt, self._lines)
            self._lines += len(lines)
            for line in lines[-progress.MOST :]:
                self._steps.add(line["level"], line["text"])
