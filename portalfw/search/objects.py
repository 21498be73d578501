"""Objects in the index: read once from MongoDB, then kept as the event bus says."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

import gevent

from portalfw.events import Change, EventBus, Subscription
from portalfw.search.declaration import Searchable
from portalfw.search.index import Index
from portalfw.search.shelf import Entry

log = logging.getLogger(__name__)

BATCH: Final = 500  # documents read, and written, at once
SETTLE: Final = 0.05  # seconds in which changes gather; those of one object become one


class Objects:
    """Keeps the indexed kinds of objects fresh."""

    def __init__(self, index: Index, bus: EventBus, kinds: Sequence[Searchable]) -> None:
        """Bind to the index; nothing is read yet."""
        self._index = index
        self._bus = bus
        self._kinds: dict[str, list[Searchable]] = defaultdict(list)
        for kind in kinds:
            self._kinds[kind.collection].append(kind)
        self._subscription: Subscription | None = None

    def build(self) -> int:
        """Read all objects anew and return how many there are; what changes meanwhile is heard by :meth:`follow`."""
        self.close()
        self._subscription = self._bus.subscribe(*self._kinds)
        return sum(self._read(kind) for kinds in self._kinds.values() for kind in kinds)

    def follow(self) -> None:
        """Take over changes for ever."""
        while True:
            subscription = self._subscription
            if subscription is None or subscription.overrun:
                log.info("Too much changed at once: the objects are read anew for the search")
                self.build()
                continue
            first = subscription.get()
            if first is not None:
                gevent.sleep(SETTLE)
                self._apply([first, *_waiting(subscription)])

    def close(self) -> None:
        """Listen no longer."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def _read(self, kind: Searchable) -> int:
        known: set[str] = self._index.read(self._index.shelves[kind.kind].refs)
        count = 0
        cursor = kind.document.collection().find(dict(kind.where), dict.fromkeys(kind.fields, 1), batch_size=BATCH)
        while rows := list(islice(cursor, BATCH)):
            entries = [kind.entry({"id": row["_id"], **row}) for row in rows]
            self._index.put(kind.kind, entries)
            known.difference_update(entry.ref for entry in entries)
            count += len(entries)
        self._index.put(kind.kind, (), known)
        return count

    def _apply(self, changes: Iterable[Change]) -> None:
        last = {(change.collection, change.id): change for change in changes}
        for collection, kinds in self._kinds.items():
            rows = {str(change.id): change.row for change in last.values() if change.collection == collection}
            for kind in kinds:
                if rows:
                    self._index.put(kind.kind, *_sorted_out(kind, rows))


def _sorted_out(kind: Searchable, rows: dict[str, dict[str, Any] | None]) -> tuple[list[Entry], list[str]]:
    """Return what is to be kept, and the names of what is to be forgotten."""
    kept = [kind.entry({"id": row["_id"], **row}) for row in rows.values() if row is not None and kind.belongs(row)]
    return kept, sorted(rows.keys() - {entry.ref for entry in kept})


def _waiting(subscription: Subscription) -> Iterable[Change]:
    for _ in range(BATCH):
        change = subscription.get(timeout=0)
        if change is None:
            return
        yield change
