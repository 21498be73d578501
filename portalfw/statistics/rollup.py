"""From each level to the next: means, least and greatest values of what a step of time holds.

A step is made once by a duty when it is over, and again whenever samples of it come late, from an agent that could not
reach the controller. Making it again does no harm: readers take the row of most samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from portalfw.statistics.documents import names, progress
from portalfw.statistics.levels import HOURS, MINUTES, RAW, Level, date

Row = dict[str, Any]

GRACE: Final = 30
"""Seconds after the end of a step for which its samples are waited for; later ones make it again."""

EVERY: Final = 15.0
"""Seconds between two looks at whether a step is over."""

STEPS: Final = ((RAW, MINUTES), (MINUTES, HOURS))
NODES: Final = 50
"""Nodes that are rolled up with one query."""


def roll_up(now: float | None = None) -> int:
    """Make the steps that are over; return how many rows that gave. A duty of one process, four times a minute."""
    now = now or time.time()
    return sum(_advance(source, level, now) for source, level in STEPS)


def made(level: Level) -> int:
    """Return the time up to which a level is whole; 0 if it has not begun."""
    row = progress().find_one({"_id": level.name})
    return int(row["done"]) if row and row.get("done") else 0


def known_names() -> list[str]:
    """Return the names of all figures that there have been."""
    row = names().find_one({"_id": 1}) or {}
    return sorted(row.get("figures") or ())


def roll_late(node: int, times: Iterable[int]) -> None:
    """Make the steps again in which late samples of a node lie, as far as the duty has already passed them.

    The samples must be in the database: either the duty sees them there, or it has said before that it closes the step.
    """
    moments = set(times)
    for source, level in STEPS:
        row = progress().find_one({"_id": level.name}) or {}
        closing = row.get("closing") or level.floor(time.time() - GRACE)  # the duty has not found anything yet
        for start in sorted({level.floor(at) for at in moments}):
            if start + level.step <= closing:
                make_step(source, level, start, [node])


def _advance(source: Level, level: Level, now: float) -> int:
    """Make each step of a level from where it was left to the last one that is over."""
    end = level.floor(now - GRACE)
    begin = max(made(level) or _oldest(source, level), level.floor(now - source.keep))
    if begin >= end:
        return 0
    _note(level, closing=end)  # first: what comes from now on is made by who takes it in
    nodes = _nodes(source, begin, end)
    count = 0
    for start in range(begin, end, level.step):
        for first in range(0, len(nodes), NODES):
            count += make_step(source, level, start, nodes[first : first + NODES])
        _note(level, done=start + level.step)
    return count


def make_step(source: Level, level: Level, start: int, nodes: Sequence[int]) -> int:
    """Make one step of a level for some nodes, and return how many rows that gave."""
    match = {"s.node": {"$in": list(nodes)}, "at": {"$gte": date(start), "$lt": date(start + level.step)}}
    pipeline = [{"$match": match}, *_pipeline(known_names(), raw=source is RAW)]
    rows = []
    for found in source.collection.aggregate(pipeline):
        subject = found.pop("_id")
        known = {name: value for name, value in found.items() if value is not None}
        rows.append({"at": date(start), "s": subject, **known})
    if rows:
        level.collection.insert_many(rows, ordered=False)
    return len(rows)


def _pipeline(figures: Sequence[str], *, raw: bool) -> Iterator[Row]:
    """Yield what makes one row of each thing's rows: first one row for each time, then their means and bounds."""
    best = {"$top": {"sortBy": {"n": -1}, "output": "$$ROOT"}}
    yield {"$group": {"_id": {"s": "$s", "at": "$at"}, "row": best}}
    grouped: Row = {"_id": "$_id.s", "n": {"$sum": 1 if raw else "$row.n"}}
    shown: Row = {"n": 1}
    for name in figures:
        value = f"$row.{name}"
        low, high = (value, value) if raw else (f"{value}:min", f"{value}:max")
        grouped |= {f"{name}:min": {"$min": low}, f"{name}:max": {"$max": high}}
        shown |= {f"{name}:min": 1, f"{name}:max": 1}
        if raw:
            grouped[name], shown[name] = {"$avg": value}, 1
        else:
            known = {"$cond": [{"$gt": [value, None]}, "$row.n", 0]}
            grouped |= {f"{name}:sum": {"$sum": {"$multiply": [value, "$row.n"]}}, f"{name}:n": {"$sum": known}}
            some = {"$gt": [f"${name}:n", 0]}
            shown[name] = {"$cond": [some, {"$divide": [f"${name}:sum", f"${name}:n"]}, None]}
    yield {"$group": grouped}
    yield {"$project": shown}


def _oldest(source: Level, level: Level) -> int:
    """Return the step in which the first row of a source lies; where there is none, now."""
    rows = source.collection.aggregate([{"$group": {"_id": None, "at": {"$min": "$at"}}}])
    first = next(iter(rows), None)
    return level.floor(first["at"].timestamp() if first else time.time())


def _nodes(source: Level, begin: int, end: int) -> list[int]:
    span = {"at": {"$gte": date(begin), "$lt": date(end)}}
    return sorted(row["_id"] for row in source.collection.aggregate([{"$match": span}, {"$group": {"_id": "$s.node"}}]))


def _note(level: Level, **times: int) -> None:
    """Move a level's marks on, never back: another process may be further."""
    progress().update_one({"_id": level.name}, {"$max": times}, upsert=True)
