"""Results that the controller has not confirmed yet, and the attempts already done: kept over a crash of the agent.

SQLite in WAL mode, ``synchronous=NORMAL``: a commit survives the death of the process without waiting for the disk.
A power cut may lose the last ones; then the kernel's boot id is new too and the controller judges such jobs by that.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from agent.protocol import Ended, JobRef, Result

if TYPE_CHECKING:
    from pathlib import Path

REMEMBER: Final = 7 * 86400
"""Seconds for which a done attempt is remembered."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS attempt (
    job INTEGER NOT NULL, attempt INTEGER NOT NULL, ended REAL NOT NULL,
    result TEXT,  -- NULL once the controller has confirmed it
    PRIMARY KEY (job, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unconfirmed ON attempt (job, attempt) WHERE result IS NOT NULL;
"""


class Spool:
    """The durable list of done attempts. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Open or make the spool in a folder."""
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "spool.db", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)
        self._database.execute("DELETE FROM attempt WHERE result IS NULL AND ended < ?", (time.time() - REMEMBER,))

    def add(self, ended: Ended) -> None:
        """Keep a result until it is confirmed."""
        result = ended.result
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?)",
                (ended.id, result.attempt, result.ended, result.model_dump_json()),
            )

    def confirm(self, ref: JobRef) -> None:
        """Note that the controller has this result; only its name is kept on."""
        with self._lock:
            self._database.execute(
                "UPDATE attempt SET result = NULL WHERE job = ? AND attempt = ?", (ref.id, ref.attempt)
            )

    def done(self, ref: JobRef) -> bool:
        """Tell whether this attempt has been run to its end here."""
        with self._lock:
            query = "SELECT 1 FROM attempt WHERE job = ? AND attempt = ?"
            return self._database.execute(query, (ref.id, ref.attempt)).fetchone() is not None

    def unconfirmed(self) -> list[Ended]:
        """Return the results still to be delivered, oldest job first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT job, result FROM attempt WHERE result IS NOT NULL ORDER BY job, attempt"
            ).fetchall()
        return [Ended(id=job, result=Result.model_validate_json(result)) for job, result in rows]

    def refs(self) -> list[JobRef]:
        """Name the attempts whose results are still to be delivered."""
        with self._lock:
            rows = self._database.execute("SELECT job, attempt FROM attempt WHERE result IS NOT NULL").fetchall()
        return [JobRef(id=job, attempt=attempt) for job, attempt in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
