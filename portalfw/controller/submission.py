"""The document of a new job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.protocol import JobState
from portalfw.controller.arguments import check_arguments
from portalfw.controller.documents import Job
from portalfw.controller.header import LIMITS
from portalfw.errors import InvalidError

EXPIRES: Final = 60.0
"""Seconds that a job waits for its node, unless told otherwise."""

ITSELF: Final = frozenset({"", "health"})
"""Who orders where nobody does: the platform, and its health checks."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """On what terms a script is run.

    Args:
        timeout: seconds that the script may run; None takes what its header says.
        expires: seconds that a job may wait before it ends as EXPIRED.
        priority: jobs of a higher one go first; 0 is usual.
        submitted_by: name of the principal on whose behalf it runs.
        marks: fields of the document that say where the job comes from: ``retry_of``, ``schedule``, ``occurrence``.

    """

    timeout: float | None = None
    expires: float = EXPIRES
    priority: int = 0
    submitted_by: str = ""
    marks: tuple[tuple[str, Any], ...] = ()


def draft(script: Row, args: Mapping[str, Any], terms: Terms) -> Row:
    """Return the document of a queued job without id and node; raises InvalidError naming a wrong argument."""
    check_arguments(script, args)
    header = script["header"]
    return {
        "script": script["name"],
        "sha256": script["sha256"],
        "args": dict(args),
        "queue": header["queue"],
        "timeout": float(terms.timeout if terms.timeout is not None else header["timeout"]),
        "limits": {name: header[name] for name in LIMITS if header.get(name)},
        "idempotent": header["idempotent"],
        "log": header["log"],
        "priority": terms.priority,
        "submitted_by": terms.submitted_by,
        "routine": _is_routine(header, terms),
        **waiting(terms.expires),
        **dict(terms.marks),
    }


def _is_routine(header: Row, terms: Terms) -> bool:
    """Tell whether a job comes again and again by itself: an occurrence of a schedule, a look at how things are."""
    scheduled = any(name == "occurrence" for name, _ in terms.marks)
    return scheduled or (not header["log"] and terms.submitted_by in ITSELF)


def waiting(expires: float) -> Row:
    """Return the fields of a job that begins to wait now, at most ``expires`` seconds."""
    now = time.time()
    return {
        "status": JobState.QUEUED.value,
        "reason": "",
        "attempt": 0,
        "cancel": None,
        "created": now,
        "expires": now + expires,
        "expire_after": float(expires),
        "lines": 0,
        "history": [{"at": now, "status": JobState.QUEUED.value, "reason": ""}],
    }


def insert(row: Row) -> int:
    """Store a new job, under the next id if it has none yet, and return its id.

    Raises:
        InvalidError: its arguments cannot be stored.
        DuplicateKeyError: it is the job of an occurrence that has one already.

    """
    row.setdefault("_id", Job.next_id())
    try:
        Job.collection().insert_one(row)
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidError(f"The arguments of {row['script']} cannot be stored: {error}.") from error
    return int(row["_id"])
