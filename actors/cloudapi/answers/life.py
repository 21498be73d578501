"""What every object with a life answers: its state, why it is in it, what is being done with it, and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

Row = Mapping[str, Any]


class OperationRow(TypedDict):
    """What is being done with an object, while something is."""

    name: str  # create, start, destroy …
    step: str  # what is being done now, for people
    progress: int  # percent
    jobId: int | None  # the last job that it gave a node
    started: int  # epoch seconds


class Life(TypedDict):
    """The fields of an object's life."""

    status: str
    statusReason: str  # why it is in this state, for people
    operation: OperationRow | None  # null while nothing is being done
    creationTime: int  # epoch seconds
    updateTime: int  # epoch seconds
    deletionTime: int  # epoch seconds, 0 as long as it lives


def seconds(value: float | None) -> int:
    """Return a time as whole epoch seconds; 0 for none."""
    return int(value or 0)


def life(row: Row) -> Life:
    """Return the fields of an object's life."""
    return {
        "status": row["status"],
        "statusReason": row.get("status_reason", ""),
        "operation": _operation(row.get("operation")),
        "creationTime": seconds(row.get("creation_time")),
        "updateTime": seconds(row.get("update_time")),
        "deletionTime": seconds(row.get("deletion_time")),
    }


def _operation(running: Row | None) -> OperationRow | None:
    if not running:
        return None
    return {
        "name": running["name"],
        "step": running.get("step", ""),
        "progress": running.get("progress", 0),
        "jobId": running.get("job_id"),
        "started": seconds(running["started"]),
    }
