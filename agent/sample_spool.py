"""Samples that the controller has not confirmed yet, kept over its outages and over a restart of the agent."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

from agent.protocol import Figures, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST: Final = 8640
"""Samples that are kept, a day's worth, about 25 MB; beyond, the oldest are given up."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sample (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, figures TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS spool (name TEXT NOT NULL);
"""


class SampleSpool:
    """The durable queue of samples. Safe to use from several threads.

    ``name`` is random and as old as the file: with the number it names a sample for good, however often it is sent.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        """Open or make the spool in a folder; it holds ``most`` samples."""
        self._lock = threading.Lock()
        self._most = most
        self._database = sqlite3.connect(folder / "samples.db", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)
        self.name = self._named()

    def add(self, at: int, figures: Sequence[Figures]) -> None:
        """Keep what was measured at a time (epoch seconds)."""
        body = Sample(number=0, at=at, figures=list(figures)).model_dump_json(include={"figures"})
        with self._lock:
            number = self._database.execute("INSERT INTO sample (at, figures) VALUES (?, ?)", (at, body)).lastrowid
            self._database.execute("DELETE FROM sample WHERE number <= ?", ((number or 0) - self._most,))

    def first(self, limit: int) -> list[Sample]:
        """Return the oldest samples that are still to be delivered."""
        with self._lock:
            query = "SELECT number, at, figures FROM sample ORDER BY number LIMIT ?"
            rows = self._database.execute(query, (limit,)).fetchall()
        return [Sample.model_validate_json(f'{{"number":{number},"at":{at},{body[1:]}') for number, at, body in rows]

    def confirm(self, upto: int) -> None:
        """Let go of all samples up to this number."""
        with self._lock:
            self._database.execute("DELETE FROM sample WHERE number <= ?", (upto,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _named(self) -> str:
        row = self._database.execute("SELECT name FROM spool").fetchone()
        if row is None:
            row = (secrets.token_hex(8),)
            self._database.execute("INSERT INTO spool VALUES (?)", row)
        return str(row[0])
