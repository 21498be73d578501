"""How many jobs ended when: what is over is counted once, what goes on each time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pymongo.database import Database

from actors.system.job_counts import KEPT, JobCounts
from portalfw.controller.documents import Job


def test_steps_that_are_over_are_counted_once(
    database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts are those of the database; a further question reads only what has ended since, until it is too old."""
    now = time.time()
    begin = now // 60 * 60 - 600
    jobs = [{"status": "ERROR" if number % 4 == 0 else "OK", "ended": begin + number} for number in range(640)]
    jobs = [{"_id": number, "script": "lab/count", "sha256": "", **job} for number, job in enumerate(jobs)]
    Job.collection().insert_many(jobs)
    counts = JobCounts(None)  # type: ignore[arg-type]  # it needs nothing of it
    first = counts.ended(begin, begin + 660, 60)
    assert {at: first[begin + at, "OK"] for at in (0, 300, 600)} == {0: 45, 300: 45, 600: 30}
    assert first[begin, "ERROR"] == 15
    assert counts.ended(begin + 60, begin + 600, 60, "lab/none").total() == 0
    Job.collection().delete_many({})
    database.command("profile", 2)
    again = counts.ended(begin, begin + 660, 60)
    (noted,) = database["system.profile"].find({"command.aggregate": "job"})
    database.command("profile", 0)
    assert noted["command"]["pipeline"][0]["$match"]["ended"]["$gte"] >= begin + 480
    assert again[begin, "OK"] == 45
    assert again[begin + 600, "OK"] == 0
    monkeypatch.setattr(time, "time", lambda: now + KEPT + 1)
    assert counts.ended(begin, begin + 660, 60).total() == 0
