"""Jobs given to agents: for all that ask at the same time by two commands to the database, however many they are."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo import UpdateOne, WriteConcern

from agent.protocol import HELD, JobState
from portalfw.controller import transitions
from portalfw.controller.documents import Job

ORDER: Final = [("priority", -1), ("_id", 1)]
AT_ONCE: Final = 1000
"""Open jobs that are read for all who ask; where there are more, held and waiting ones are read apart."""

LEFT_OUT: Final = {"history": 0, "result": 0}
"""Fields that no agent is told of."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What an agent asks for: at most ``limit`` jobs of its node, none of the queues ``skip``.

    ``free`` workers of a queue begin what they are given without a further question, if it is idempotent.
    """

    node_id: int
    session: str
    skip: tuple[str, ...]
    limit: int
    free: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What there is for an agent: jobs that are its from now on, what it had before, and whether more waits."""

    given: list[Row]
    held: list[Row]
    more: bool


def find(wishes: Sequence[Wish], seconds: float) -> list[Found]:
    """Lease to each agent what waits for its node, in the order of priority and age; tell what else it has."""
    waiting, held = _open(wishes)
    chosen = _chosen(wishes, waiting)
    given = _leased(wishes, chosen, seconds)
    found = [
        Found(rows, held[wish.node_id], more=len(rows) < len(waiting.get(wish.node_id, ())) or len(rows) == wish.limit)
        for wish, rows in zip(wishes, given, strict=True)
    ]
    again = [place for place, rows in enumerate(chosen) if rows and not given[place]]
    if again:  # another process was first; there may be more
        for place, more in zip(again, find([wishes[place] for place in again], seconds), strict=True):
            found[place] = more
    return found


def _open(wishes: Sequence[Wish]) -> tuple[dict[int, list[Row]], dict[int, list[Row]]]:
    """Return what waits for each node, in its order, and what each node has."""
    nodes = {"$in": list({wish.node_id for wish in wishes})}
    query: Row = {"node_id": nodes, "status": {"$in": transitions.OPEN}}
    rows = list(Job.collection().find(query, LEFT_OUT).limit(AT_ONCE))
    if len(rows) == AT_ONCE:
        rows = list(Job.collection().find({**query, "status": {"$in": sorted(HELD)}}, LEFT_OUT))
        for wish in wishes:
            rows += _first(wish)
    waiting: dict[int, list[Row]] = defaultdict(list)
    held: dict[int, list[Row]] = defaultdict(list)
    now = time.time()
    for row in rows:
        if row["status"] != JobState.QUEUED:
            held[row["node_id"]].append(row)
        elif row["expires"] > now:
            waiting[row["node_id"]].append(row)
    for found in waiting.values():
        found.sort(key=lambda row: (-(row.get("priority") or 0), row["_id"]))
    return waiting, held


def _first(wish: Wish) -> list[Row]:
    """Return what waits for a node where very much does, and may be given now."""
    if not wish.limit:
        return []
    query: Row = {"node_id": wish.node_id, "status": JobState.QUEUED, "expires": {"$gt": time.time()}}
    if wish.skip:
        query["queue"] = {"$nin": list(wish.skip)}
    return list(Job.collection().find(query, LEFT_OUT).sort(ORDER).limit(wish.limit))


def _chosen(wishes: Sequence[Wish], waiting: Mapping[int, Sequence[Row]]) -> list[list[Row]]:
    """Return the waiting jobs for each wish; no job for two of them."""
    taken: set[int] = set()
    given = []
    for wish in wishes:
        fitting = (row for row in waiting.get(wish.node_id, ()) if row["queue"] not in wish.skip)
        free = (row for row in fitting if row["_id"] not in taken)
        rows = [row for row, _ in zip(free, range(wish.limit), strict=False)]
        taken.update(row["_id"] for row in rows)
        given.append(rows)
    return given


def _leased(wishes: Sequence[Wish], chosen: list[list[Row]], seconds: float) -> list[list[Row]]:
    """Lease the jobs that were chosen for each wish; return those of which this is not too late."""
    token = secrets.token_hex(8)
    now = time.time()
    changes = []
    for wish, rows in zip(wishes, chosen, strict=True):
        free = Counter(wish.free)
        for row in rows:
            row["begun"] = bool(row["idempotent"]) and free[row["queue"]] > 0
            free[row["queue"]] -= 1
            changes.append(_leasing(row, wish.session, now, now + seconds, token))
    if not changes:
        return chosen
    # Not waiting for the journal here is safe: a lease that a crash forgets is refused when its job is to be started,
    # and one that was given as begun may be begun again.
    jobs = Job.collection().with_options(write_concern=WriteConcern(w=1))
    if jobs.bulk_write(changes, ordered=False).modified_count < len(changes):
        chosen = [_ours(rows, token) for rows in chosen]
    return [[{**row, "attempt": row["attempt"] + 1} for row in rows] for rows in chosen]


def _leasing(row: Row, session: str, now: float, until: float, token: str) -> UpdateOne:
    same = {name: row[name] for name in ("_id", "node_id", "attempt")} | {"status": JobState.QUEUED}
    fields: Row = {"session": session, "leased_until": until, "lease": token}
    if row["begun"]:
        attempt = row["attempt"] + 1
        changes = transitions.update(JobState.RUNNING, "", attempt, started=now, given_begun=attempt, **fields)
    else:
        changes = transitions.update(JobState.LEASED, "", **fields)
    return UpdateOne(same, {**changes, "$inc": {"attempt": 1}})


def _ours(rows: Sequence[Row], token: str) -> list[Row]:
    """Return those that we have leased: others were ended, moved or leased by another process meanwhile."""
    leased = {"_id": {"$in": [row["_id"] for row in rows]}, "lease": token, "status": {"$in": sorted(HELD)}}
    ours = {row["id"] for row in Job.rows(leased, fields=["_id"])}
    return [row for row in rows if row["_id"] in ours]
