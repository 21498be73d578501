"""Leases: what must run once, runs under one."""

from __future__ import annotations

import time
from typing import Any

import mongoengine
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError


class Lease:
    """The right to do ``name``, held by one ``holder`` for ``ttl`` seconds after each :meth:`acquire`.

    A holder that dies loses it when the time is over; times are those of the machines' clocks, so ``ttl`` should be
    well above their difference.
    """

    def __init__(self, name: str, ttl: float, holder: str) -> None:
        """Describe the lease; nothing is taken yet."""
        self.name = name
        self.ttl = ttl
        self.holder = holder

    def acquire(self) -> bool:
        """Take or renew the lease; False if another holder has it."""
        now = time.time()
        free = {"_id": self.name, "$or": [{"expires": {"$lt": now}}, {"holder": self.holder}]}
        try:
            _collection().update_one(free, {"$set": {"holder": self.holder, "expires": now + self.ttl}}, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    def release(self) -> None:
        """Give the lease back, if held."""
        _collection().delete_one({"_id": self.name, "holder": self.holder})

    @staticmethod
    def held_by_anyone(name: str) -> bool:
        """Tell whether some holder has ``name`` now."""
        return _collection().find_one({"_id": name, "expires": {"$gte": time.time()}}) is not None


def _collection() -> Collection[dict[str, Any]]:
    found: Collection[dict[str, Any]] = mongoengine.get_db()["lease"]
    return found
