"""Every change of a job's state, as one atomic compare-and-set on its document."""

from __future__ import annotations

import time
from typing import Any, Final

from bson.errors import InvalidBSON, InvalidDocument, InvalidStringData
from pymongo.errors import DocumentTooLarge

from agent.protocol import HELD, JobState, Result
from portalfw.controller.documents import Job

OPEN: Final = [JobState.QUEUED, *sorted(HELD)]
MAX_RUNS: Final = 3
"""A script that was interrupted so often while it ran is not tried again: it may be what ends the agent."""

HISTORY: Final = -50
"""Entries of a job's history that are kept, newest ones."""

Row = dict[str, Any]


def change(query: Row, state: JobState, reason: str, **fields: Any) -> Row | None:
    """Move the job that matches to a state, and write that into its history; None if none matches."""
    attempt = query.get("attempt")
    return Job.take(query, update(state, reason, attempt if isinstance(attempt, int) else None, **fields))


def update(state: JobState, reason: str, attempt: int | None = None, **fields: Any) -> Row:
    """Return the update that moves a job to a state, and writes that into its history."""
    entry: Row = {"at": time.time(), "status": state.value, "reason": reason}
    if attempt is not None:
        entry["attempt"] = attempt
    return {
        "$set": {"status": state.value, "reason": reason, **fields},
        "$push": {"history": {"$each": [entry], "$slice": HISTORY}},
    }


def end(query: Row, state: JobState, reason: str, **fields: Any) -> Row | None:
    """Bring the open job that matches to its end."""
    return change({"status": {"$in": OPEN}, **query}, state, reason, ended=time.time(), leased_until=None, **fields)


def interrupt(row: Row, reason: str) -> Row | None:
    """Deal with an attempt that will not be finished: cancel it if that was asked, else requeue it, or call it lost.

    A script that was never started, or that says it is idempotent, runs again; another one may have done half its work.
    """
    query = {"_id": row["id"], "attempt": row["attempt"], "status": row["status"]}
    if row.get("cancel"):
        return end(query, JobState.CANCELLED, row["cancel"])
    if row["status"] == JobState.LEASED:
        return change(query, JobState.QUEUED, reason, leased_until=None)
    if not row["idempotent"]:
        return end(query, JobState.LOST, f"{reason}; the script is not idempotent, so it is not run again")
    if (runs := _runs(row)) >= MAX_RUNS:
        return end(query, JobState.LOST, f"{reason}; it has been begun {runs} times, and is not tried again")
    expires = time.time() + row["expire_after"]
    return change(query, JobState.QUEUED, reason, leased_until=None, expires=expires, progress={})


def miss(row: Row, reason: str) -> Row | None:
    """Deal with an attempt that its agent never got: as if it had not been given, whatever it was given as."""
    query = {"_id": row["id"], "attempt": row["attempt"], "status": row["status"]}
    if row.get("cancel"):
        return end(query, JobState.CANCELLED, row["cancel"])
    changes = update(JobState.QUEUED, reason, row["attempt"], leased_until=None)
    return Job.take(query, {**changes, "$inc": {"not_got": int(row["status"] == JobState.RUNNING)}})


def _runs(row: Row) -> int:
    """Return at how many attempts the script was begun; an attempt that its agent never got is none."""
    begun = {entry.get("attempt") for entry in row["history"] if entry["status"] == JobState.RUNNING}
    return len(begun | {row["attempt"]}) - int(row.get("not_got") or 0)


def finish(job_id: int, result: Result) -> Row | None:
    """Take in a result that counts; None if the job has ended or another attempt's result is wanted."""
    query, changes = finishing(job_id, result, ended=time.time())
    try:
        return Job.take(query, changes)
    except (InvalidDocument, InvalidBSON, InvalidStringData, DocumentTooLarge, OverflowError) as error:
        reason = f"action() returned what the database cannot hold: {error}"
        del query["status"]
        return end(query, JobState.ERROR, reason, seconds=result.seconds)


def finishing(job_id: int, result: Result, *, ended: float) -> tuple[Row, Row]:
    """Return the query and the update that take in a result.

    The current attempt's result counts. So does success of an earlier attempt whose lease ran out: the work is done.
    """
    attempt: Any = {"$gte": result.attempt} if result.state == JobState.OK else result.attempt
    query = {"_id": job_id, "attempt": attempt, "status": {"$in": OPEN}}
    fields = {"result": result.result, "traceback": result.traceback, "seconds": result.seconds}
    known = None if result.state == JobState.OK else result.attempt
    changes = update(JobState(result.state), result.reason, known, ended=ended, leased_until=None, **fields)
    return query, changes
