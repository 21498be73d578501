"""The output of jobs: lines with numbers, so that sending some twice does no harm."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from agent.protocol import Line, Progress
from portalfw.controller.documents import Job, JobOutput

CHUNK: Final = 250
"""Most lines in one document: at 8 Ki characters of 4 bytes each they stay below MongoDB's 16 MiB."""


def store(job_id: int, attempt: int, offset: int, lines: list[Line], progress: Progress | None = None) -> int:
    """Keep the lines of an attempt that are not kept yet; return the number of the next one."""
    following = known = _next(job_id, attempt)
    while chunk := lines[max(0, following - offset) :][:CHUNK]:
        begin = max(offset, following)
        stored = _insert(job_id, attempt, begin, chunk)
        # Where the same lines come twice at the same time, in a batch and with the result, go on behind what is there.
        following = begin + len(chunk) if stored else _next(job_id, attempt)
    changes: dict[str, Any] = {"lines": following} if following > known else {}
    if progress is not None:
        changes["progress"] = progress.model_dump()
    if changes:
        Job.collection().update_one({"_id": job_id, "attempt": attempt}, {"$set": changes})
    return following


def read(job_id: int, skip: int = 0) -> list[dict[str, Any]]:
    """Return the lines of a job from its first attempt on: ``{attempt, at, level, text}``, after the first ``skip``."""
    chunks = JobOutput.collection().find({"job": job_id}).sort([("attempt", 1), ("offset", 1)])
    return [{"attempt": chunk["attempt"], **line} for chunk in chunks for line in chunk["lines"]][skip:]


def after(job_id: int, attempt: int, number: int, most: int | None = None) -> list[dict[str, Any]]:
    """Return the lines of one attempt from ``number`` on, ``most`` at most: ``{at, level, text}``."""
    wanted = {"job": job_id, "attempt": attempt, "offset": {"$gt": number - CHUNK}}  # no document has more lines
    chunks = JobOutput.collection().find(wanted).sort("offset", 1)
    if most is not None:
        chunks = chunks.batch_size(max(2, most // CHUNK + 1))  # what is not needed does not leave the database
    lines = (line for chunk in chunks for line in chunk["lines"][max(0, number - chunk["offset"]) :])
    return list(islice(lines, most))


def count(job_id: int, attempt: int) -> int:
    """Return how many lines of an attempt are kept."""
    return _next(job_id, attempt)


def _next(job_id: int, attempt: int) -> int:
    last = JobOutput.collection().find_one({"job": job_id, "attempt": attempt}, sort=[("offset", -1)])
    return last["offset"] + len(last["lines"]) if last else 0


def _insert(job_id: int, attempt: int, offset: int, lines: list[Line]) -> bool:
    row = {
        "_id": JobOutput.next_id(),
        "job": job_id,
        "attempt": attempt,
        "offset": offset,
        "lines": [line.model_dump() for line in lines],
    }
    try:
        JobOutput.collection().insert_one(row)
    except DuplicateKeyError:
        return False
    return True
