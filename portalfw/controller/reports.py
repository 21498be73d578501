"""What agents report of their jobs, starts and ends, written together with one wait for the journal.

Each change is a compare-and-set on its document as ever. Where all of a batch took effect, nothing more is asked;
otherwise each one is looked at, so that what is stale or of another node harms only itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson.errors import BSONError
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError

from agent.protocol import HELD, JobState, Result
from portalfw.controller import transitions
from portalfw.controller.documents import Job

NEEDED: Final = ["node_id", "status", "attempt", "started", "ended", "parent", "cancel", "idempotent", "expire_after"]
"""What there is to know of a job whose agent reports."""

TICK: Final = 1e-6
"""Seconds between the ends of a batch: what a float holds apart until the year 2100."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Start:
    """An attempt that its agent is about to start."""

    node_id: int
    job: int
    attempt: int


@dataclass(frozen=True)
class Ending:
    """An attempt that has ended, and how."""

    job: int
    result: Result


def start(starts: Sequence[Start], lease: float) -> list[bool]:
    """Note that attempts start; False for what is no longer its agent's, or was cancelled."""
    now = time.time()
    fields = {"started": now, "leased_until": now + lease}
    changes = [
        UpdateOne(
            {"_id": one.job, "node_id": one.node_id, **_startable(one.attempt)},
            transitions.update(JobState.RUNNING, "", one.attempt, **fields),
        )
        for one in starts
    ]
    if Job.collection().bulk_write(changes, ordered=False).matched_count == len(changes):
        return [True] * len(starts)
    rows = known([one.job for one in starts])
    return [_has_started(rows.get(one.job), one, now) for one in starts]


def end(endings: Sequence[Ending]) -> list[bool | Exception]:
    """Bring jobs to their ends by results that count; False where it had ended, or another attempt's is wanted."""
    now = time.time()
    times = [now + place * TICK for place in range(len(endings))]  # tells apart what comes twice in a batch
    together = list(zip(endings, times, strict=True))
    changes = [UpdateOne(*transitions.finishing(one.job, one.result, ended=at)) for one, at in together]
    try:
        written = Job.collection().bulk_write(changes, ordered=False).matched_count
    except (BSONError, DocumentTooLarge, OverflowError):  # one of them cannot be stored, which is seen one by one
        return [_end_alone(one, at) for one, at in together]
    except BulkWriteError as error:
        if error.details["writeConcernErrors"]:
            raise  # nobody knows what would survive a crash: all are to be sent again
        return [_end_alone(one, at) for one, at in together]
    if written == len(changes):
        return [True] * len(endings)
    rows = known([one.job for one in endings])
    return [_has_ended(rows.get(one.job), one, at) for one, at in together]


def known(jobs: Sequence[int]) -> dict[int, Row]:
    """Return what there is to know of jobs, by their ids."""
    return {row["id"]: row for row in Job.rows({"_id": {"$in": list(jobs)}}, fields=NEEDED, sort=None)}


def _startable(attempt: int) -> Row:
    return {"attempt": attempt, "status": {"$in": sorted(HELD)}, "cancel": None}


def _has_started(row: Row | None, one: Start, now: float) -> bool:
    """Tell whether an attempt has started; by us, if it was asked to be cancelled since."""
    if row is None or (row["node_id"], row["attempt"]) != (one.node_id, one.attempt):
        return False
    return row["status"] == JobState.RUNNING and (row["started"] == now or row["cancel"] is None)


def _end_alone(one: Ending, at: float) -> bool | Exception:
    try:
        if transitions.finish(one.job, one.result) is not None:
            return True
    except PyMongoError as error:
        return error
    # A part of the batch may have been written before the fault was found: that is ours, too.
    return _has_ended(known([one.job]).get(one.job), one, at)


def _has_ended(row: Row | None, one: Ending, at: float) -> bool:
    return row is not None and row["status"] == one.result.state and row["ended"] == at
