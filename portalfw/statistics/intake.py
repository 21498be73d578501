"""Samples that come in from agents: many nodes' at once, each counted once."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import gevent
from gevent.event import AsyncResult
from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from agent.protocol import Figures, Sample, Samples
from portalfw.errors import InvalidError, UnavailableError
from portalfw.statistics.documents import StatisticsNode, names
from portalfw.statistics.levels import MINUTES, RAW, date
from portalfw.statistics.rollup import GRACE, known_names, roll_late

log = logging.getLogger(__name__)

Row = dict[str, Any]

GATHER: Final = 0.05
"""Seconds for which samples of several nodes are gathered, to be written together."""

EARLY: Final = 60
"""Seconds that a node's clock may be ahead of ours; what is of a later time is not kept."""

MOST_NAMES: Final = 200
"""Names of figures that there may be: each costs a little whenever figures are rolled up."""


@dataclass
class _Gathered:
    """What is written together, and who waits for it."""

    rows: list[Row] = field(default_factory=list)
    notes: list[UpdateOne] = field(default_factory=list)
    done: AsyncResult[None] = field(default_factory=AsyncResult)


class Intake:
    """Takes the samples that come to one process."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._upto: dict[int, tuple[str, int]] = {}
        self._things: dict[int, list[Row]] = {}
        self._names: set[str] = set()
        self._gathered: _Gathered | None = None
        self.taken = 0

    def take(self, node: int, message: Samples) -> int:
        """Store a node's samples that are not there yet, and return the number up to which all are.

        :raises UnavailableError: if the database cannot take them now.
        """
        new = self._new(node, message)
        if not new:
            return message.samples[-1].number if message.samples else 0
        try:
            self._learn(new)
            self._write(node, message.spool, new)
            late = [sample.at for sample in new if MINUTES.floor(sample.at) + MINUTES.step + GRACE / 2 < time.time()]
            if late:
                roll_late(node, late)
        except PyMongoError as error:
            raise UnavailableError(f"The database cannot take samples now: {error}.") from error
        self._upto[node] = message.spool, new[-1].number
        self.taken += len(new)
        return new[-1].number

    def _new(self, node: int, message: Samples) -> list[Sample]:
        """Return the samples that this node has not sent before; another process may have taken some."""
        if node not in self._upto or self._upto[node][0] != message.spool:
            row = StatisticsNode.collection().find_one({"_id": node}) or {}
            self._upto[node] = row.get("spool") or "", row.get("upto") or 0
        spool, upto = self._upto[node]
        if spool != message.spool:
            return list(message.samples)
        return [sample for sample in message.samples if sample.number > upto]

    def _write(self, node: int, spool: str, samples: Sequence[Sample]) -> None:
        """Add to what is gathered, and wait until it is written."""
        gathered = self._gathered
        if gathered is None:
            gathered = self._gathered = _Gathered()
            gevent.spawn_later(GATHER, self._flush)
        limit = time.time() + EARLY
        gathered.rows += [row for one in samples if one.at <= limit for row in _rows(node, one)]
        gathered.notes.append(UpdateOne({"_id": node}, {"$set": self._note(node, spool, samples[-1])}, upsert=True))
        gathered.done.get()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is None:
            return
        try:
            if gathered.rows:
                RAW.collection.insert_many(gathered.rows, ordered=False)
            StatisticsNode.collection().bulk_write(gathered.notes, ordered=False)
        except Exception as error:  # noqa: BLE001 - those who wait for it raise it
            gathered.done.set_exception(error)
        else:
            gathered.done.set(None)

    def _note(self, node: int, spool: str, last: Sample) -> Row:
        """Return what changes in the node's own document; what there are figures of seldom does.

        It is told every five minutes besides: another process may have told otherwise since.
        """
        found: Row = {"spool": spool, "upto": last.number, "at": last.at}
        things = [{"kind": one.kind, "key": one.key} for one in last.figures]
        if self._things.get(node) != things or MINUTES.floor(last.at) == last.at:
            self._things[node] = found["things"] = things
        return found

    def _learn(self, samples: Sequence[Sample]) -> None:
        """Note names of figures that are new, before rows have them.

        :raises InvalidError: if there are too many.
        """
        new = {name for sample in samples for one in sample.figures for name in one.values} - self._names
        if not new:
            return
        if len(new.union(known_names())) > MOST_NAMES:
            raise InvalidError(f"There may be {MOST_NAMES} names of figures; {min(new)} is one too many.")
        names().update_one({"_id": 1}, {"$addToSet": {"figures": {"$each": sorted(new)}}}, upsert=True)
        self._names |= new


def _rows(node: int, sample: Sample) -> list[Row]:
    at = date(RAW.floor(sample.at))
    return [{"at": at, "s": _subject(node, one), **one.values} for one in sample.figures]


def _subject(node: int, one: Figures) -> Row:
    return {"kind": one.kind, "key": one.key, "node": node}
