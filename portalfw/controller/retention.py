"""How long ended jobs are kept, with their output."""

from __future__ import annotations

import time
from typing import Final

from agent.protocol import ENDED, JobState
from portalfw.controller.documents import Job, JobOutput

KEEP: Final = 5 * 86400.0
"""Seconds that a job is kept after its end; the originals kept them as long (agents.md, section 2)."""

KEEP_ROUTINE: Final = 3600.0
"""Seconds for jobs that went well and whose script says ``log = False``: routine that nobody looks back at."""

BATCH: Final = 1000
EVERY: Final = 60.0


def purge(now: float | None = None) -> int:
    """Drop what is older than it is kept, with its output; return how many jobs went. Meant for once a minute."""
    now = now or time.time()
    old = {"status": {"$in": sorted(ENDED)}, "ended": {"$lt": now - KEEP}}
    routine = {"status": JobState.OK, "log": False, "ended": {"$lt": now - KEEP_ROUTINE}}
    gone = [row["id"] for query in (old, routine) for row in Job.rows(query, fields=["_id"], limit=BATCH)]
    if gone:
        JobOutput.collection().delete_many({"job": {"$in": gone}})  # first, so that no output is left without its job
        Job.collection().delete_many({"_id": {"$in": gone}})
    return len(gone)
