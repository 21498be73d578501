"""The history of findings: each change of a state, kept for thirty days."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import mongoengine

from portalfw.health.findings import State
from portalfw.store import Document
from portalfw.webhooks.events import tell

KEEP: Final = 30 * 86400


class HealthChange(Document):
    """One change of one finding; ``finding`` is its id, ``before`` empty if it is new."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "health_change",
        "indexes": [("finding", "-at"), "-at", {"fields": ["date"], "expireAfterSeconds": KEEP}],
    }

    finding = mongoengine.StringField(required=True)
    check = mongoengine.StringField()
    category = mongoengine.StringField()
    node_id = mongoengine.IntField()
    before = mongoengine.StringField(default="")
    state = mongoengine.StringField()
    message = mongoengine.StringField()
    at = mongoengine.FloatField()
    date = mongoengine.DateTimeField()  # the same, for MongoDB's expiry


@dataclass(frozen=True)
class Changed:
    """What has changed of a finding."""

    finding: str
    check: str
    category: str
    node_id: int | None
    before: State | None
    state: State
    message: str

    @property
    def worth_telling(self) -> bool:
        """Whether it is news: not what is well, or cannot be looked at, and was so before or was not known."""
        fine = {"OK", "SKIPPED"}
        return self.before != self.state and not ((self.before is None or self.before in fine) and self.state in fine)


def record(changes: Iterable[Changed]) -> None:
    """Keep those changes that are worth telling; to be called once for each, by who made it."""
    worth = [one for one in changes if one.worth_telling]
    if not worth:
        return
    now = time.time()
    date = dt.datetime.fromtimestamp(now, dt.UTC)
    ids = HealthChange.next_ids(len(worth))
    rows = [
        {"_id": number, **asdict(one), "before": one.before or "", "at": now, "date": date}
        for number, one in zip(ids, worth, strict=True)
    ]
    HealthChange.collection().insert_many(rows)
    tell("health.changed", *({"finding": asdict(one)} for one in worth))
