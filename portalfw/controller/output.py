"""The output of jobs: lines with numbers, so that sending some twice does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from agent.protocol import Line, Progress
from portalfw.controller.documents import Job, JobOutput

CHUNK: Final = 250
"""Most lines in one document: at 8 Ki characters of 4 bytes each they stay below MongoDB's 16 MiB."""

SPAN: Final = 10.0
"""Seconds that lines of one document are apart from its first at most, so that documents can be found by time."""

RANKS: Final = {"debug": 0, "info": 1, "stdout": 1, "warning": 2, "stderr": 2, "error": 3}
"""How much a line of each level matters; of a document it is kept what its worst line does."""

WHOSE: Final = ("node_id", "script")
"""What is kept with lines of the job that said them, so that they are found without it."""


def store(job_id: int, attempt: int, offset: int, lines: list[Line], progress: Progress | None = None) -> int:
    """Keep the lines of an attempt that are not kept yet; return the number of the next one."""
    last = _last(job_id, attempt)
    following = known = _behind(last)
    whose = _whose(job_id, last) if lines[max(0, following - offset) :] else {}
    while chunk := _chunk(lines[max(0, following - offset) :]):
        begin = max(offset, following)
        stored = _insert({"job": job_id, "attempt": attempt, "offset": begin, **whose}, chunk)
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


def rank(level: str) -> int:
    """Return how much a line of a level matters; of one that nobody knows as much as information."""
    return RANKS.get(level, RANKS["info"])


def _next(job_id: int, attempt: int) -> int:
    return _behind(_last(job_id, attempt))


def _last(job_id: int, attempt: int) -> dict[str, Any] | None:
    return JobOutput.collection().find_one({"job": job_id, "attempt": attempt}, sort=[("offset", -1)])


def _behind(last: Mapping[str, Any] | None) -> int:
    return last["offset"] + len(last["lines"]) if last else 0


def _whose(job_id: int, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return where a job runs and which script, as the lines before tell; else the job."""
    told = last or Job.collection().find_one({"_id": job_id}, dict.fromkeys(WHOSE, 1)) or {}
    return {name: told.get(name) for name in WHOSE}


def _chunk(lines: list[Line]) -> list[Line]:
    """Return as many of the first lines as go into one document."""
    first = lines[:CHUNK]
    apart = (number for number, line in enumerate(first) if abs(line.at - first[0].at) > SPAN)
    return first[: next(apart, CHUNK)]


def _insert(place: Mapping[str, Any], lines: list[Line]) -> bool:
    row = {
        "_id": JobOutput.next_id(),
        **place,
        "at": max(line.at for line in lines),
        "level": max(rank(line.level) for line in lines),
        "lines": [line.model_dump() for line in lines],
    }
    try:
        JobOutput.collection().insert_one(row)
    except DuplicateKeyError:
        return False
    return True
