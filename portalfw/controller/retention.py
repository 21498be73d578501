"""How long ended jobs are kept, with their output."""

from __future__ import annotations

import time
from typing import Final

from agent.protocol import ENDED, JobState
from portalfw.controller.documents import FanOutPlan, Job, JobOutput, ScheduleRun, Script

KEEP: Final = 5 * 86400.0
"""Seconds that a job is kept after its end; the originals kept them as long (agents.md, section 2)."""

KEEP_ROUTINE: Final = 3600.0
"""Seconds for jobs that went well and whose script says ``log = False``: routine that nobody looks back at."""

BATCH: Final = 1000
EVERY: Final = 60.0


def purge(now: float | None = None) -> int:
    """Drop what is older than it is kept, with its output; return how many jobs went. Meant for once a minute."""
    now = now or time.time()
    # Children go with their parent: as long as it is there it is counted from them.
    old = {"status": {"$in": sorted(ENDED)}, "ended": {"$lt": now - KEEP}, "parent": None}
    routine = {"status": JobState.OK, "log": False, "ended": {"$lt": now - KEEP_ROUTINE}, "parent": None}
    gone = [row["id"] for query in (old, routine) for row in Job.rows(query, fields=["_id"], limit=BATCH)]
    if gone:
        gone += [row["id"] for row in Job.rows({"parent": {"$in": gone}}, fields=["_id"])]
        FanOutPlan.collection().delete_many({"_id": {"$in": gone}})
        JobOutput.collection().delete_many({"job": {"$in": gone}})  # first, so that no output is left without its job
        Job.collection().delete_many({"_id": {"$in": gone}})
    # Who gives the same text again renews it, so after so long no job of it is left.
    Script.collection().delete_many({"text": True, "loaded": {"$lt": now - 2 * KEEP}})
    ScheduleRun.collection().delete_many({"at": {"$lt": now - KEEP}})
    return len(gone)
