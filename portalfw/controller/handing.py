"""Children of a fan-out for agents that wait: stored as begun, so that nobody has to find and lease them first.

Of an agent whose question is parked in this process it is known that nothing else waits for it, and how many workers it
has free. The question is kept for a moment (:meth:`Hands.reserve`), the child is stored as an attempt that has begun,
and handed over once it is certain that the fan-out goes on. What cannot be handed over waits as any other job.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pymongo import WriteConcern

from agent.protocol import Assignment, JobState, Limits, Work
from portalfw.controller import transitions
from portalfw.controller.documents import Job
from portalfw.controller.wake import Wake

Row = dict[str, Any]

FIRST: Final = 1
"""The attempt that is handed over."""


class Hand(Protocol):
    """An agent's question that waits."""

    @property
    def session(self) -> str:
        """The agent process that asks."""

    def give(self, work: Work) -> bool:
        """Answer a reserved question; False if nobody waits for the answer any more."""

    def let_go(self) -> None:
        """Let a reserved question be answered by others."""


class Hands(Protocol):
    """The questions that wait in this process."""

    def reserve(self, nodes: Sequence[int], queue: str) -> dict[int, Hand]:
        """Leave questions unanswered whose agents can begin a job of a queue at once, by node; each must be let go."""


class Handing:
    """One lot of children: which of them are stored as begun, by whom, and what becomes of them."""

    def __init__(self, wake: Wake, lease: float) -> None:
        """Begin with nothing; ``lease`` in seconds."""
        self._wake = wake
        self._lease = lease
        self._token = secrets.token_hex(8)
        self._hands: dict[int, Hand] = {}
        self._rows: dict[int, Row] = {}

    def reserve(self, hands: Hands | None, row: Row, nodes: Sequence[int]) -> None:
        """Keep the questions of those nodes that can begin a child of ``row`` at once."""
        if hands is not None and row["idempotent"]:
            self._hands = hands.reserve(nodes, row["queue"])

    def begun(self, row: Row) -> Row:
        """Return a new child as it is to be stored: begun if its node's question is reserved."""
        hand = self._hands.get(row["node_id"])
        if hand is None:
            return row
        now = time.time()
        entry = {"at": now, "status": JobState.RUNNING.value, "reason": "", "attempt": FIRST}
        given = {"session": hand.session, "lease": self._token, "leased_until": now + self._lease, "given_begun": FIRST}
        begun = {"status": JobState.RUNNING.value, "attempt": FIRST, "started": now, **given}
        self._rows[row["node_id"]] = found = {**row, **begun, "history": [*row["history"], entry]}
        return found

    def forget(self, node_id: int) -> None:
        """Hand over nothing for a node: its child had been stored before, by somebody else."""
        if self._rows.pop(node_id, None) is not None:
            self._hands.pop(node_id).let_go()

    def __contains__(self, node_id: int) -> bool:
        """Tell whether a node's child is stored as begun."""
        return node_id in self._rows

    def hand_over(self) -> None:
        """Give the children to their agents; those whose agents have gone meanwhile wait for them."""
        rows, self._rows = self._rows, {}
        hands, self._hands = self._hands, {}
        left = []
        for node_id, row in rows.items():
            self._wake.given.hand(row)
            if not hands[node_id].give(Work(jobs=[assignment({**row, "begun": True})])):
                left.append(row)
        self._put_back(left, "the agent did not get the job")

    def give_up(self, reason: str) -> None:
        """Have all that was stored as begun wait instead, and let the agents go."""
        rows, self._rows = self._rows, {}
        hands, self._hands = self._hands, {}
        try:
            self._put_back(list(rows.values()), reason)
        finally:
            for hand in hands.values():
                hand.let_go()

    def _put_back(self, rows: Sequence[Row], reason: str) -> None:
        if not rows:
            return
        ours = {"_id": {"$in": [row["_id"] for row in rows]}, "attempt": FIRST, "lease": self._token}
        waiting = transitions.update(JobState.QUEUED, reason, FIRST, leased_until=None)
        jobs = Job.collection().with_options(write_concern=WriteConcern(w=1))
        jobs.update_many({**ours, "status": JobState.RUNNING.value}, {**waiting, "$inc": {"not_got": 1}})
        for row in rows:
            self._wake.node(row["node_id"], urgent=False)


def assignment(row: Row) -> Assignment:
    """Return a job as its agent is told of it; ``begun`` says whether it may begin without asking."""
    return Assignment(
        id=row["_id"],
        attempt=row["attempt"],
        script=row["script"],
        sha256=row["sha256"],
        args=row["args"],
        queue=row["queue"],
        timeout=row["timeout"],
        idempotent=row["idempotent"],
        expires_in=max(0.0, row["expires"] - time.time()),
        priority=row.get("priority") or 0,
        limits=Limits(**row.get("limits") or {}),
        begun=row["begun"],
    )
