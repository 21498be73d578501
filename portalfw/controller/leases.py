"""Jobs given to agents: for all that ask at the same time by three commands to the database, however many they are."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import UpdateOne, WriteConcern

from agent.protocol import JobState
from portalfw.controller import transitions
from portalfw.controller.documents import Job

ORDER: Final = [("priority", -1), ("_id", 1)]
AT_ONCE: Final = 1000
"""Waiting jobs that are read for all who ask; who finds none among them is looked after alone."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What an agent asks for: at most ``limit`` jobs of its node, none of the queues ``skip``."""

    node_id: int
    session: str
    skip: tuple[str, ...]
    limit: int


def lease(wishes: Sequence[Wish], seconds: float) -> list[list[Row]]:
    """Lease to each agent what waits for its node, in the order of priority and age; return the jobs of each."""
    chosen = _chosen(wishes)
    given = _leased(wishes, chosen, seconds)
    again = [place for place, rows in enumerate(chosen) if rows and not given[place]]
    if again:  # another process was first; there may be more
        for place, rows in zip(again, lease([wishes[place] for place in again], seconds), strict=True):
            given[place] = rows
    return given


def _leased(wishes: Sequence[Wish], chosen: list[list[Row]], seconds: float) -> list[list[Row]]:
    """Lease the jobs that were chosen for each wish; return those of which this is not too late."""
    token = secrets.token_hex(8)
    until = time.time() + seconds
    pairs = zip(wishes, chosen, strict=True)
    changes = [_leasing(row, wish.session, until, token) for wish, rows in pairs for row in rows]
    if not changes:
        return chosen
    # Not waiting for the journal here is safe: a lease that a crash forgets is refused when it is acknowledged.
    jobs = Job.collection().with_options(write_concern=WriteConcern(w=1))
    if jobs.bulk_write(changes, ordered=False).modified_count < len(changes):
        chosen = [_ours(rows, token) for rows in chosen]
    return [[{**row, "attempt": row["attempt"] + 1} for row in rows] for rows in chosen]


def _chosen(wishes: Sequence[Wish]) -> list[list[Row]]:
    """Return the waiting jobs for each wish; no job for two of them."""
    waiting = defaultdict(list)
    most = min(AT_ONCE, sum(wish.limit for wish in wishes))
    found = _waiting({"$in": list({wish.node_id for wish in wishes})}, most)
    for row in found:
        waiting[row["node_id"]].append(row)
    taken: set[int] = set()
    given = []
    for wish in wishes:
        rows = _fit(waiting[wish.node_id], wish, taken)
        if not rows and len(found) == most:  # others' jobs came first
            rows = _fit(_waiting(wish.node_id, wish.limit + len(taken), wish.skip), wish, taken)
        taken.update(row["_id"] for row in rows)
        given.append(rows)
    return given


def _waiting(node: Any, limit: int, skip: Sequence[str] = ()) -> list[Row]:
    query: Row = {"node_id": node, "status": JobState.QUEUED, "expires": {"$gt": time.time()}}
    if skip:
        query["queue"] = {"$nin": list(skip)}
    return list(Job.collection().find(query, {"history": 0}).sort(ORDER).limit(limit))


def _fit(rows: Sequence[Row], wish: Wish, taken: set[int]) -> list[Row]:
    fitting = (row for row in rows if row["queue"] not in wish.skip and row["_id"] not in taken)
    return [row for row, _ in zip(fitting, range(wish.limit), strict=False)]


def _leasing(row: Row, session: str, until: float, token: str) -> UpdateOne:
    same = {name: row[name] for name in ("_id", "node_id", "attempt")} | {"status": JobState.QUEUED}
    fields: Row = {"session": session, "leased_until": until, "lease": token}
    return UpdateOne(
        same,
        {
            **transitions.update(JobState.LEASED, "", **fields),
            "$inc": {"attempt": 1},
        },
    )


def _ours(rows: Sequence[Row], token: str) -> list[Row]:
    """Return those that we have leased: others were ended, moved or leased by another process meanwhile."""
    leased = {"_id": {"$in": [row["_id"] for row in rows]}, "lease": token, "status": JobState.LEASED}
    ours = {row["id"] for row in Job.rows(leased, fields=["_id"])}
    return [row for row in rows if row["_id"] in ours]
