"""What this process has given to agents lately, so that it need not be read again at their next words.

All of it may be forgotten at any time: what is not known here is read. Nothing here decides what happens to a job;
that is done by compare-and-set on its document.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.protocol import Ask

MOST: Final = 20_000
"""Jobs that are remembered, the last ones."""

FRESH: Final = 60.0
"""Seconds after which a node's jobs are read again in any case."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Job:
    attempt: int
    node_id: int
    parent: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    """All open jobs of a node when they were read: its agent has them, and nothing waits."""

    session: str
    at: float
    open: dict[int, int]  # attempts by job


class Given:
    """The jobs that were given out here, and the nodes for which nothing waited since."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._jobs: dict[int, _Job] = {}
        self._nodes: dict[int, object] = {}

    def reading(self, nodes: Iterable[int]) -> object:
        """Return a mark to be set before the open jobs of nodes are read: what changes meanwhile takes it away."""
        mark = object()
        self._nodes |= dict.fromkeys(nodes, mark)
        return mark

    def read(self, mark: object, node_id: int, session: str, rows: Sequence[Row] | None) -> None:
        """Remember what was read: ``rows`` are all open jobs of a node, in its agent's hands; None if others wait."""
        if self._nodes.pop(node_id, None) is mark and rows is not None:
            self._nodes[node_id] = _Known(session, time.monotonic(), {row["_id"]: row["attempt"] for row in rows})

    def give(self, rows: Iterable[Row]) -> None:
        """Remember jobs that are given out now; ``attempt`` is the new one."""
        for row in rows:
            self._jobs.pop(row["_id"], None)  # the newest ones are last
            self._jobs[row["_id"]] = _Job(row["attempt"], row["node_id"], row.get("parent"))
        while len(self._jobs) > MOST:
            del self._jobs[next(iter(self._jobs))]

    def hand(self, row: Row) -> None:
        """Remember a job that is handed over to an agent for whose node nothing waits."""
        self.give([row])
        node = self._nodes.get(row["node_id"])
        if isinstance(node, _Known) and node.session == row["session"]:
            node.open[row["_id"]] = row["attempt"]

    def row(self, job_id: int, attempt: int) -> Row | None:
        """Return what is known of an attempt that was given out here: its node and its parent."""
        known = self._jobs.get(job_id)
        if known is None or known.attempt != attempt:
            return None
        parent = {} if known.parent is None else {"parent": known.parent}
        return {"id": job_id, "node_id": known.node_id, **parent}

    def ended(self, row: Mapping[str, Any]) -> None:
        """Take a job off its agent's hands."""
        node = self._nodes.get(row["node_id"])
        if isinstance(node, _Known):
            node.open.pop(row["id"], None)

    def is_old(self, job_id: int, attempt: int) -> bool:
        """Tell whether word that a job waits is from before it was given out."""
        known = self._jobs.get(job_id)
        return known is not None and known.attempt > attempt

    def changed(self, node_id: int) -> None:
        """There may be something new for a node."""
        self._nodes.pop(node_id, None)

    def all_changed(self) -> None:
        """There may be something new for every node."""
        self._nodes.clear()

    def is_nothing_new(self, node_id: int, ask: Ask) -> bool:
        """Tell whether an agent has all that there is for its node, as it says itself."""
        known = self._nodes.get(node_id)
        if not isinstance(known, _Known) or known.session != ask.session or time.monotonic() - known.at > FRESH:
            return False
        return known.open.items() <= {(ref.id, ref.attempt) for ref in ask.held}
