"""What all jobs say, the newest first: found by level, node, script, job, words and time.

Lines lie in documents of some that belong together, in an index by level and time, for all, by node and by script. They
are read from there as long as it takes, at most :data:`PATIENCE`; then the answer says where to go on. So neither their
number nor how deep one leafs makes an answer late.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from portalfw.controller.documents import JobOutput
from portalfw.controller.output import RANKS, SPAN, rank

PATIENCE: Final = 1.5
"""Seconds of searching until the answer says what was found so far."""

FEW, MANY = 20, 400
"""Documents that are read at a time: where each has a line that is wanted, and where words are looked for."""

Row = dict[str, Any]


class Place(NamedTuple):
    """A line's place in the order of what was said: when its document was, which, and which line of it."""

    at: float
    chunk: int
    number: int


@dataclass(frozen=True)
class Wanted:
    """Which lines are looked for; None is any."""

    level: int = 0  # the least, by output.RANKS
    node_id: int | None = None
    script: str | None = None
    job: int | None = None
    words: str = ""  # anywhere in the line, in any letter case
    begin: float | None = None  # epoch seconds
    end: float | None = None

    def index(self) -> str:
        """Return the name of the index that has them in order."""
        first = "node_id_1_" if self.node_id is not None else "script_1_" if self.script is not None else ""
        return "job_1_attempt_1_offset_1" if self.job is not None else f"{first}level_1_at_-1__id_-1"

    def query(self, latest: float | None) -> Row:
        """Return what documents must be like that have such lines, said until ``latest``."""
        equal = {"node_id": self.node_id, "script": None if self.node_id is not None else self.script, "job": self.job}
        found: Row = {name: value for name, value in equal.items() if value is not None}
        found["level"] = {"$in": [one for one in sorted({*RANKS.values()}) if one >= self.level]}
        last = min((end for end in (latest, self.end and self.end + 2 * SPAN) if end is not None), default=None)
        bounds = {"$gte": self.begin, "$lte": last}
        at = {sign: bound for sign, bound in bounds.items() if bound is not None}
        return found | ({"at": at} if at else {})

    def inside(self) -> Row:
        """Return the expression by which the database leaves out the lines of documents that have none such."""
        conditions: list[Row] = []
        if self.node_id is not None and self.script is not None:
            conditions.append({"$eq": ["$script", self.script]})
        if self.words:
            one = {"$regexMatch": {"input": "$$line.text", "regex": re.escape(self.words), "options": "i"}}
            conditions.append({"$anyElementTrue": {"$map": {"input": "$lines", "as": "line", "in": one}}})
        return {"$cond": [{"$and": conditions}, "$lines", []]}

    def line(self, line: Row) -> bool:
        """Tell whether a line of such a document is one."""
        if rank(line["level"]) < self.level or not (self.begin or 0.0) <= line["at"] <= (self.end or line["at"]):
            return False
        return not self.words or re.search(re.escape(self.words), line["text"], re.IGNORECASE) is not None


@dataclass(frozen=True)
class Found:
    """Lines, the newest first; ``older`` is where to go on, None where there are no more.

    Each has at, level, text, job, attempt, n (from 1 in the attempt), node_id and script.
    """

    lines: list[Row]
    older: Place | None


def newest(wanted: Wanted, before: Place | None, most: int) -> Found:
    """Return up to ``most`` lines from a place on backwards; fewer, or none, where the time was too short for more.

    What was said within the same seconds by several jobs is in order of time within an answer only.
    """
    limit = time.monotonic() + PATIENCE
    lines: list[Row] = []
    for chunk in _chunks(wanted, before):
        for number in reversed(range(len(chunk["lines"]))):
            place = Place(chunk["at"], chunk["_id"], number)
            if (before is None or place < before) and wanted.line(chunk["lines"][number]):
                lines.append(_row(chunk, number))
                if len(lines) == most:
                    return Found(_sorted(lines), place)
        end = Place(chunk["at"], chunk["_id"], 0)
        if time.monotonic() > limit and (before is None or end < before):
            return Found(_sorted(lines), end)
    return Found(_sorted(lines), None)


def _chunks(wanted: Wanted, before: Place | None) -> Iterator[Row]:
    narrow = bool(wanted.words) or (wanted.node_id is not None and wanted.script is not None)
    pipeline: list[Row] = [
        {"$match": wanted.query(before.at if before else None)},
        {"$sort": {"at": -1, "_id": -1}},
        *([{"$set": {"lines": wanted.inside()}}] if narrow else []),
    ]
    size = MANY if narrow else FEW
    with JobOutput.collection().aggregate(pipeline, batchSize=size, hint=wanted.index()) as found:
        yield from found


def _row(chunk: Row, number: int) -> Row:
    whose = {name: chunk.get(name) for name in ("job", "attempt", "node_id", "script")}
    return {**chunk["lines"][number], **whose, "n": chunk["offset"] + number + 1}


def _sorted(lines: list[Row]) -> list[Row]:
    return sorted(lines, key=lambda line: -float(line["at"]))
