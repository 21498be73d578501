"""Where figures lie: three time-series collections, each coarser and kept longer than the one before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import mongoengine
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import CollectionInvalid, OperationFailure

from agent.protocol import EVERY

Row = dict[str, Any]

DAY: Final = 86_400
NAMESPACE_EXISTS: Final = 48
"""MongoDB's code of the error that a collection is there already."""


@dataclass(frozen=True)
class Level:
    """One resolution: a point each ``step`` seconds, kept for ``keep`` seconds.

    A row is ``{at, s: {kind, key, node}, n, <figure>, <figure>:min, <figure>:max …}``: the mean of ``n`` samples; the
    finest level has just one sample a row, and neither ``n`` nor bounds. Time-series collections know no unique keys,
    so the same row may lie there twice: who reads takes, of one time, the row of most samples.
    """

    name: str
    step: int
    keep: int
    granularity: str

    @property
    def collection(self) -> Collection[Row]:
        """The collection. Figures are written as quickly as MongoDB takes them: a crash may cost the last moments."""
        found: Collection[Row] = mongoengine.get_db()[self.name]
        return found.with_options(write_concern=WriteConcern(w=1))

    def floor(self, at: float) -> int:
        """Return the beginning of the step in which a time lies."""
        return int(at // self.step) * self.step


RAW: Final = Level("statistics_10s", EVERY, 2 * 3600, "seconds")
MINUTES: Final = Level("statistics_5m", 300, 30 * DAY, "minutes")
HOURS: Final = Level("statistics_1h", 3600, 730 * DAY, "hours")
LEVELS: Final = (RAW, MINUTES, HOURS)


def ensure_levels() -> None:
    """Make the collections that are missing, and let each keep its rows as long as it should."""
    database = mongoengine.get_db()
    known = {row["name"]: row for row in database.list_collections(filter={"type": "timeseries"})}
    for level in LEVELS:
        if level.name not in known:
            _create(level)
        elif known[level.name]["options"].get("expireAfterSeconds") != level.keep:
            database.command("collMod", level.name, expireAfterSeconds=level.keep)
        level.collection.create_index([("s.kind", 1), ("s.key", 1), ("s.node", 1), ("at", 1)])
        level.collection.create_index([("s.node", 1), ("at", 1)])


def _create(level: Level) -> None:
    series = {"timeField": "at", "metaField": "s", "granularity": level.granularity}
    try:
        mongoengine.get_db().create_collection(level.name, timeseries=series, expireAfterSeconds=level.keep)
    except (CollectionInvalid, OperationFailure) as error:
        if isinstance(error, OperationFailure) and error.code != NAMESPACE_EXISTS:
            raise
        return  # another process of the installation was quicker


def date(at: float) -> dt.datetime:
    """Return epoch seconds as MongoDB takes them."""
    return dt.datetime.fromtimestamp(at, dt.UTC)


def epoch(at: dt.datetime) -> int:
    """Return what MongoDB gave as epoch seconds."""
    return int(at.replace(tzinfo=dt.UTC).timestamp())
