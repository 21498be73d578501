"""Figures over time, as charts want them: from the store that suits the span, one point a step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from portalfw.errors import InvalidError
from portalfw.statistics.levels import HOURS, LEVELS, MINUTES, RAW, Level, date, epoch
from portalfw.statistics.rollup import GRACE

Row = dict[str, Any]
Value = Literal["mean", "min", "max"]
Points = list[tuple[float, float | None]]

MOST_POINTS: Final = 900
"""Points of one line; a coarser store is taken for a longer span."""

LATELY: Final = 60
"""Seconds that count for who is busiest."""

LAST: Final = "\U0010ffff"
"""Greater than whatever follows a prefix."""

GAP: Final = 2.5
"""Steps without a row after which a line is interrupted."""


@dataclass(frozen=True)
class Thing:
    """What there are figures of; a guest's may have been measured by several nodes."""

    kind: str
    key: str = ""
    node: int | None = None


@dataclass(frozen=True)
class Span:
    """A span of time in epoch seconds, and the level whose points it is shown in."""

    begin: float
    end: float
    level: Level


def span(begin: float | None, end: float | None, now: float | None = None) -> Span:
    """Return the span from ``begin`` (an hour before the end if None) to ``end`` (now if None).

    It is shown in the finest level that still has its beginning, in not too many points.

    :raises InvalidError: if it ends before it begins.
    """
    now = now or time.time()
    last = min(end or now, now)
    first = last - 3600 if begin is None else begin
    if first >= last:
        raise InvalidError("The span of time ends before it begins, or lies in the future.")
    fine = (one for one in LEVELS if first >= now - one.keep - one.step and last - first <= MOST_POINTS * one.step)
    return Span(first, last, next(fine, HOURS))


def series(thing: Thing, names: Sequence[str], over: Span, value: Value = "mean") -> dict[str, Points]:
    """Return the points ``(epoch seconds, value)`` of some figures of a thing, in order of time.

    Each stands at the beginning of its step. Where nothing was measured, a point without value interrupts the line.
    """
    rows = _rows(thing, names, over, value)
    return {name: _points(rows, name, over.level.step) for name in names}


def keys(kind: str, prefix: str, over: Span) -> list[str]:
    """Return the keys with a prefix of which there are figures in a span."""
    match = {"s.kind": kind, "s.key": {"$gte": prefix, "$lt": prefix + LAST}}
    match["at"] = {"$gte": date(over.level.floor(over.begin)), "$lt": date(over.end)}
    finer = LEVELS[max(0, LEVELS.index(over.level) - 1)]
    rows = [
        row
        for level in {over.level, finer}
        for row in level.collection.aggregate([{"$match": match}, {"$group": {"_id": "$s.key"}}])
    ]
    return sorted({row["_id"] for row in rows})


def busiest(name: str, count: int) -> list[int]:
    """Return the nodes with most of a figure in the last minute, the first with most."""
    means = current(name)
    return sorted(means, key=lambda node: (-means[node], node))[: max(1, count)]


def current(name: str) -> dict[int, float]:
    """Return the mean of a figure over the last minute of every node that has told of it."""
    match = {"s.kind": "node", "s.key": "", "at": {"$gte": date(time.time() - LATELY)}, name: {"$exists": True}}
    group = {"_id": "$s.node", "mean": {"$avg": f"${name}"}}
    return {row["_id"]: row["mean"] for row in RAW.collection.aggregate([{"$match": match}, {"$group": group}])}


def latest() -> Iterator[Row]:
    """Yield the last row of everything that was measured in the last half minute: ``s``, and its figures."""
    since = {"at": {"$gte": date(time.time() - 3 * RAW.step)}}
    last = {"_id": "$s", "row": {"$top": {"sortBy": {"at": -1}, "output": "$$ROOT"}}}
    for found in RAW.collection.aggregate([{"$match": since}, {"$group": last}]):
        yield {name: value for name, value in found["row"].items() if name not in {"_id", "at"}}


def _rows(thing: Thing, names: Sequence[str], over: Span, value: Value) -> dict[int, Row]:
    """Return the rows of a span by time; what is not rolled up yet is taken from the finer level."""
    level = over.level
    found = _found(level, thing, names, over.begin, over.end, value)
    if level is not RAW:
        finer = RAW if level is MINUTES else MINUTES
        begin = max(over.begin, level.floor(time.time() - GRACE - level.step), *(at + level.step for at in found), 0)
        if begin < over.end:
            found |= _summed(_found(finer, thing, names, begin, over.end, value), names, level, value)
    return found


def _found(level: Level, thing: Thing, names: Sequence[str], begin: float, end: float, value: Value) -> dict[int, Row]:
    """Return a level's rows of a span by time; of several at one time the one of most samples."""
    query: Row = {"s.kind": thing.kind, "s.key": thing.key}
    if thing.node is not None:
        query["s.node"] = thing.node
    query["at"] = {"$gte": date(level.floor(begin)), "$lt": date(end)}
    suffix = "" if value == "mean" or level is RAW else f":{value}"
    wanted = dict.fromkeys(["at", "n", *(f"{name}{suffix}" for name in names)], 1)
    found: dict[int, Row] = {}
    for row in level.collection.find(query, {"_id": 0, **wanted}):
        at = epoch(row["at"])
        if at not in found or row.get("n", 1) > found[at].get("n", 1):
            found[at] = row
    if suffix:
        return {at: {"n": row["n"], **_without(row, suffix)} for at, row in found.items()}
    return found


def _without(row: Mapping[str, Any], suffix: str) -> Row:
    return {name.removesuffix(suffix): number for name, number in row.items() if name.endswith(suffix)}


def _summed(rows: Mapping[int, Row], names: Sequence[str], level: Level, value: Value) -> dict[int, Row]:
    """Return rows of a finer level as those of a coarser one."""
    steps: dict[int, list[Row]] = {}
    for at, row in rows.items():
        steps.setdefault(level.floor(at), []).append(row)
    return {at: {name: _one(some, name, value) for name in names} for at, some in steps.items()}


def _one(rows: Sequence[Row], name: str, value: Value) -> float | None:
    known = [(row[name], row.get("n", 1)) for row in rows if row.get(name) is not None]
    if not known:
        return None
    if value != "mean":
        return float((min if value == "min" else max)(number for number, _ in known))
    return float(sum(number * weight for number, weight in known) / sum(weight for _, weight in known))


def _points(rows: Mapping[int, Row], name: str, step: int) -> Points:
    points: Points = []
    before = None
    for at in sorted(at for at, row in rows.items() if row.get(name) is not None):
        if before is not None and at - before > GAP * step:
            points.append((before + step, None))
        points.append((at, rows[at][name]))
        before = at
    return points
