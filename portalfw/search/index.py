"""The index of one process: an SQLite file that is made anew at each start, written by one and read by many."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gevent.lock import BoundedSemaphore

from portalfw.offload import offload
from portalfw.search.shelf import Entry, Shelf

READERS: Final = 4  # questions answered at once; more would only take turns on the same cores
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",  # what a crash loses is made anew
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4096",  # KiB; the file itself is mapped
    "PRAGMA mmap_size = 536870912",
)
T = TypeVar("T")


class Index:
    """Shelves by kind, in one file. Nobody but this process reads it."""

    def __init__(self, folder: Path, kinds: Sequence[str], *, ranked: str) -> None:
        """Name the file in ``folder`` and a shelf for each of ``kinds``; texts of the kind ``ranked`` are weighed."""
        self._path = folder / "index.db"
        self.shelves = {kind: Shelf(number, ranked=kind == ranked) for number, kind in enumerate(kinds)}
        self._writer: sqlite3.Connection | None = None
        self._writing = BoundedSemaphore(1)
        self._reading = BoundedSemaphore(READERS)
        self._idle: deque[sqlite3.Connection] = deque()

    @property
    def is_open(self) -> bool:
        """Whether there is something to read."""
        return self._writer is not None

    def open(self) -> None:
        """Make the file anew, empty, where only we can read it."""
        with self._writing:
            offload(self._open)

    def close(self) -> None:
        """Forget everything."""
        with self._writing:
            for connection in (*self._idle, *([self._writer] if self._writer else [])):
                connection.close()
            self._writer = None
            self._idle.clear()
            self._remove()

    def put(self, kind: str, entries: Iterable[Entry], gone: Iterable[str] = ()) -> int:
        """Keep entries and forget those called ``gone``, in one step; return how many entries were new or changed."""
        with self._writing:
            return offload(self._put, kind, entries, gone)

    def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Call ``function`` with a connection in a thread and return its answer; the index must be open."""
        with self._reading:
            return offload(self._read, function)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove()
        writer = self._connect()
        for shelf in self.shelves.values():
            shelf.make(writer)
        self._writer = writer

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return connection

    def _put(self, kind: str, entries: Iterable[Entry], gone: Iterable[str]) -> int:
        writer, shelf = self._writer, self.shelves[kind]
        if writer is None:
            return 0
        with writer:
            writer.execute("BEGIN")
            shelf.drop(writer, gone)
            return shelf.put(writer, entries)

    def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            return function(connection)
        finally:
            self._idle.append(connection)
