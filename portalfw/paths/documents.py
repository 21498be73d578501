"""Which jobs measured the paths between nodes last; what they found lies with the jobs."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from mongoengine import FloatField, IntField, ListField, StringField

from portalfw.store import Document


class PathRun(Document):
    """The jobs of the last measurement of one kind: of latencies in a grid, or those of throughput, the newest last."""

    meta: ClassVar[dict[str, Any]] = {"collection": "path_run", "indexes": []}

    id = StringField(primary_key=True)
    jobs = ListField(IntField())
    at = FloatField()


def jobs_of(run: str) -> list[int]:
    """Return the jobs of a measurement."""
    return next((list(row["jobs"]) for row in PathRun.rows({"_id": run}, limit=1)), [])


def remember(run: str, jobs: list[int], *, keep: int = 0) -> None:
    """Note the jobs of a measurement in the place of those before, or beside the last ``keep`` of them."""
    change: dict[str, Any] = {"$set": {"at": time.time()}}
    if keep:
        change["$push"] = {"jobs": {"$each": jobs, "$slice": -keep}}
    else:
        change["$set"]["jobs"] = jobs
    PathRun.collection().update_one({"_id": run}, change, upsert=True)
