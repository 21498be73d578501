"""Processes killed at random and a network that cuts, delays and repeats, under load: what becomes of the jobs."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent
import pytest
from load import Load, unfinished
from processes import Installation, Killer
from verdict import SHOWN, Verdict, journal

from agent.protocol import HELD, JobState
from portalfw.controller.documents import Job, Node
from portalfw.controller.nodes import Nodes
from portalfw.store import Mongod

SECONDS = float(os.environ.get("FAULT_SECONDS", "60"))
SEED = os.environ.get("FAULT_SEED") or secrets.token_hex(4)
LONG = 100.0
"""Seconds from which on a run must have met what is rare, also on a busy machine."""

AGENTS = 4
SUBMITTERS = 6
PAUSE = 0.2
RATE = 0.08
"""Share of the agents' requests at which the proxy makes a fault."""

SETTLING = 240.0
"""Seconds until every job must have ended once all processes are there: a lease, and what waits."""


@pytest.mark.timeout(SECONDS + SETTLING + 180)
def test_no_job_is_lost(mongod: Mongod, database: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever dies or is cut, each job ends with a reason, no result is lost, only what is idempotent runs again."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    installation = Installation(tmp_path, (mongod.uri, database.name), SEED)
    counted: dict[str, Any] = {}
    try:
        installation.start_agents(AGENTS, lambda: Nodes().create_token(roles=["node"], life=3600))
        wait_until(lambda: Node.collection().count_documents({"connected": True}) == AGENTS, 60, "all agents are there")
        load = Load(installation, [row["id"] for row in Node.rows()], chance)
        killer = Killer(installation, chance)
        installation.set_rate(RATE)
        until = time.monotonic() + SECONDS
        killing = gevent.spawn(killer.run, until)
        load.run(until, SUBMITTERS, PAUSE)
        killing.get()
        installation.set_rate(0)
        began = time.monotonic()
        wait_until(lambda: not unfinished(), SETTLING, unfinished_jobs)
        settled = time.monotonic() - began
        wait_until(lambda: not unconfirmed(tmp_path), SETTLING, "the agents have delivered all results")
    finally:
        counted = installation.close()
    verdict = Verdict(load, journal(installation.journal), spools(tmp_path))
    with capsys.disabled():
        show(load, killer, counted, verdict, settled)
    assert not verdict.wrong, "\n".join(verdict.wrong[:SHOWN])
    if SECONDS >= LONG:
        check_that_it_was_hard(killer, counted, verdict)


def check_that_it_was_hard(killer: Killer, counted: Mapping[str, Any], verdict: Verdict) -> None:
    """The run is worth nothing unless faults of each kind met each important point, and scripts were interrupted."""
    points = Counter(point.partition(":")[0] for point in counted["made"])
    assert {"jobs", "report", "hello"} <= points.keys()
    assert killer.done["agents killed"]
    assert killer.done["controllers killed"]
    assert verdict.counts["idempotent, runs beyond the first"]


def unfinished_jobs() -> str:
    rows = Job.rows({"status": {"$in": [JobState.QUEUED, *sorted(HELD)]}}, limit=SHOWN)
    return "all jobs have ended: " + "; ".join(f"{row['id']} {row['status']} {row['history']}" for row in rows)


def spools(folder: Path) -> list[Path]:
    return sorted(folder.glob("agent-*/agent/spool.db"))


def unconfirmed(folder: Path) -> int:
    import sqlite3

    found = 0
    for file in spools(folder):
        database = sqlite3.connect(file)
        found += database.execute("SELECT count(*) FROM attempt WHERE result IS NOT NULL").fetchone()[0]
        database.close()
    return found


def wait_until(condition: Callable[[], Any], limit: float, what: str | Callable[[], str]) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit:.0f} s: {what if isinstance(what, str) else what()}"
        gevent.sleep(0.2)


def show(load: Load, killer: Killer, counted: Mapping[str, Any], verdict: Verdict, settled: float) -> None:
    """Print the counts, for people."""
    made = Counter[str]()
    for name, count in counted["made"].items():
        made[name.partition(": ")[2]] += count
    passed = sum(counted["passed"].values())
    waits = sorted(
        first["at"] - row["created"]
        for row in Job.rows({"started": {"$ne": None}, "fan": {"$exists": False}}, fields=["history", "created"])
        for first in [entry for entry in row["history"] if entry["status"] == "RUNNING"][:1]
    )
    lines = {
        f"faults for {SECONDS:.0f} s, FAULT_SEED={SEED}": "",
        "submissions": words(load.tries),
        "jobs by state": words(verdict.states),
        "jobs": words(verdict.counts),
        "processes": words(killer.done),
        f"faults in {passed + sum(made.values())} requests": words(made),
        "the same by point": words(_points(counted)),
        "wait for a first run": f"median {waits[len(waits) // 2]:.1f} s, longest {waits[-1]:.1f} s" if waits else "–",
        "calm after": f"{settled:.0f} s",
        "violations": str(len(verdict.wrong)),
    }
    print()  # noqa: T201
    for name, text in lines.items():
        print(f"  {name}: {text}" if text else name)  # noqa: T201


def _points(counted: Mapping[str, Any]) -> Counter[str]:
    found = Counter[str]()
    for name, count in counted["made"].items():
        found[name.partition(": ")[0]] += count
    return found


def words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))
