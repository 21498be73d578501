"""The jobs of the installation, from submission to their end; any number of processes may do this side by side."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import PyMongoError

from agent.protocol import (
    HELD,
    Ask,
    Cancel,
    Ended,
    JobRef,
    JobState,
    Output,
    Renewed,
    Report,
    Reported,
    Result,
    Said,
    Work,
)
from portalfw.controller import leases, output, reports, transitions
from portalfw.controller.documents import DECOMMISSIONED, Job, Node
from portalfw.controller.fanout import FanOut
from portalfw.controller.handing import assignment
from portalfw.controller.leases import Found, Wish
from portalfw.controller.reports import Ending, Start
from portalfw.controller.scripts import ScriptStore
from portalfw.controller.submission import EXPIRES, Terms, draft, insert
from portalfw.controller.together import Together
from portalfw.controller.wake import Wake
from portalfw.errors import ConflictError, InvalidError, NotFoundError, PortalError

log = logging.getLogger(__name__)

LEASE: Final = 60.0
"""Seconds for which a job is an agent's without news; it renews three times as often."""

OVERTIME: Final = 120.0
"""Seconds beyond its timeout after which a job is ended even though its agent still claims to run it."""

Row = dict[str, Any]


class JobQueue:
    """Submits jobs, gives them to agents, and sees to it that each one ends with a reason."""

    def __init__(self, scripts: ScriptStore, wake: Wake, lease: float = LEASE) -> None:
        """Use the scripts there are, and wake who waits; ``lease`` in seconds."""
        self.scripts = scripts
        self.wake = wake
        self.fanout = FanOut(wake, lease)
        self.lease = lease
        self._started = time.time()
        self._late_next = 0.0
        self._given = wake.given
        self._finds: Together[Wish, Found] = Together(self._find)
        self._starts: Together[Start, bool] = Together(lambda starts: reports.start(starts, self.lease))
        self._ends: Together[Ending, bool] = Together(reports.end)
        self._rows: Together[int, Row | None] = Together(_known)
        self._held: Together[int, list[Row]] = Together(_held)

    def submit(
        self,
        node_id: int,
        script: str,
        args: Mapping[str, Any],
        *,
        timeout: float | None = None,
        expires: float = EXPIRES,
        priority: int = 0,
        submitted_by: str = "",
    ) -> int:
        """Queue a job for a node and return its id.

        Args:
            node_id: the node to run on; it may be away.
            script: name of a JumpScript, ``category/name``.
            args: arguments of its ``action``; what JSON can hold.
            timeout: seconds that the script may run; None takes what its header says.
            expires: seconds that the job may wait before it ends as EXPIRED.
            priority: jobs of a higher one go first.
            submitted_by: name of the principal on whose behalf it runs.

        Raises:
            NotFoundError: no such node or script.
            InvalidError: the script is broken, or its arguments are others.
            ConflictError: the node is decommissioned.

        """
        terms = Terms(timeout, expires, priority, submitted_by)
        return self.submit_script(self.scripts.current(script), node_id, args, terms)

    def submit_script(self, script: Row, node_id: int, args: Mapping[str, Any], terms: Terms) -> int:
        """Queue a job for a node as :meth:`submit`, of a script that was found already."""
        row = draft(script, args, terms)
        self._check_node(node_id)
        job_id = insert({**row, "node_id": node_id})
        self.wake.node(node_id)
        return job_id

    def work(self, node_id: int, session: str, skip: Sequence[str], limit: int) -> Work:
        """Lease to an agent what waits for its node, and tell which of its jobs are to be cancelled."""
        return self.answer(Wish(node_id, session, tuple(skip), limit))

    def answer(self, wish: Wish, held: Sequence[JobRef] | None = None) -> Work:
        """Lease to an agent what waits for its node, and tell which of its jobs are to be cancelled.

        With ``held``, what the agent says it has: what it was given beyond that, and never got, waits again.
        """
        found = self._finds(wish)
        if held is not None:
            self._miss(found.held, wish.session, held)
        cancels = self._cancels(found.held)
        return Work(jobs=[assignment(row) for row in found.given], cancel=cancels)

    def is_nothing_new(self, node_id: int, ask: Ask) -> bool:
        """Tell whether an agent has all that there is for its node, without asking the database."""
        return self._given.is_nothing_new(node_id, ask)

    def given(self, node_id: int, session: str | None = None) -> list[Row]:
        """Return what a node, or one agent process of it, was given and has not reported."""
        rows = self._held(node_id)
        return rows if session is None else [row for row in rows if row.get("session") == session]

    def recover(self, given: Sequence[Row], held: Sequence[JobRef], *, reason: str) -> None:
        """Interrupt what an agent was given and does not have."""
        there = {(ref.id, ref.attempt) for ref in held}
        for row in given:
            if (row["id"], row["attempt"]) not in there:
                self._interrupt(row, reason)

    def ack(self, node_id: int, job_id: int, attempt: int) -> None:
        """Note that the agent starts the script now.

        Raises:
            ConflictError: the attempt is not the agent's any more, or was cancelled; it must not start it.

        """
        if not self._starts(Start(node_id, job_id, attempt)):
            raise self._why_not(node_id, JobRef(id=job_id, attempt=attempt))

    def _why_not(self, node_id: int, ref: JobRef) -> Exception:
        """Say why an attempt must not be started; one that was cancelled ends with that."""
        try:
            row = self._row(ref.id, node_id)
            if row.get("cancel") and row["attempt"] == ref.attempt and row["status"] == JobState.LEASED:
                self._interrupt(row, row["cancel"])
        except (PortalError, PyMongoError) as error:
            return error
        return ConflictError(f"Job {ref.id} is {row['status']} at attempt {row['attempt']}, not {ref.attempt}.")

    def renew(self, node_id: int, refs: Sequence[JobRef]) -> Renewed:
        """Prolong the leases of what an agent has; tell which of it is no longer its, and which to cancel."""
        query = {"_id": {"$in": [ref.id for ref in refs]}, "node_id": node_id, "status": {"$in": sorted(HELD)}}
        rows = {row["id"]: row for row in Job.rows(query, fields=["attempt", "cancel"])}
        mine = [ref for ref in refs if ref.id in rows and rows[ref.id]["attempt"] == ref.attempt]
        for ref in mine:
            current = {"_id": ref.id, "attempt": ref.attempt, "status": {"$in": sorted(HELD)}}
            Job.collection().update_one(current, {"$set": {"leased_until": time.time() + self.lease}})
        cancels = [
            Cancel(id=ref.id, attempt=ref.attempt, reason=rows[ref.id]["cancel"])
            for ref in mine
            if rows[ref.id].get("cancel")
        ]
        return Renewed(cancel=cancels, gone=[ref for ref in refs if ref not in mine])

    def output(self, node_id: int, job_id: int, message: Output) -> int:
        """Keep lines of a running attempt; return the number of the next line that is wanted.

        Raises:
            ConflictError: the job has ended or is at another attempt.

        """
        row = self._row(job_id, node_id)
        if row["attempt"] != message.attempt or row["status"] not in HELD:
            raise ConflictError(f"Job {job_id} is {row['status']} at attempt {row['attempt']}, not {message.attempt}.")
        return output.store(job_id, message.attempt, message.offset, message.lines, message.progress)

    def result(self, node_id: int, job_id: int, message: Result) -> bool:
        """Take in how an attempt ended; False if the job had ended before or is at another attempt."""
        (accepted,) = self.results(node_id, [Ended(id=job_id, result=message)])
        if isinstance(accepted, Exception):
            raise accepted
        return accepted

    def report(self, node_id: int, message: Report) -> Reported:
        """Take in what an agent has to say of its jobs; one thing that goes wrong harms no other one."""
        ends = self.results(node_id, message.ends)
        starts = self._starts.all([Start(node_id, ref.id, ref.attempt) for ref in message.starts])
        refused = [
            self._why_not(node_id, ref) if started is False else started
            for started, ref in zip(starts, message.starts, strict=True)
        ]
        return Reported(starts=[_said(one) for one in refused], ends=[_said(one) for one in ends])

    def results(self, node_id: int, messages: Sequence[Ended]) -> list[bool | Exception]:
        """Take in how attempts ended, each as :meth:`result` does; an error takes the place of what it hinders."""
        rows = self._ending(messages)
        ready = [self._prepared(node_id, row, one) for row, one in zip(rows, messages, strict=True)]
        counted = [one for one, before in zip(messages, ready, strict=True) if before is None]
        written = iter(self._ends.all([Ending(one.id, one.result) for one in counted]))
        outcomes = [next(written) if before is None else before for before in ready]
        for row, before, accepted in zip(rows, ready, outcomes, strict=True):
            if before is None and accepted is True and isinstance(row, dict):
                self._ended(row)
        return outcomes

    def _ending(self, messages: Sequence[Ended]) -> list[Row | Exception | None]:
        """Return what there is to know of jobs that have ended: read, or without ``status`` what was given out here."""
        plain = [one for one in messages if not one.result.lines and one.result.state != JobState.LOST]
        known = {one.id: row for one in plain if (row := self._given.row(one.id, one.result.attempt)) is not None}
        rest = iter(self._rows.all([one.id for one in messages if one.id not in known]))
        return [known[one.id] if one.id in known else next(rest) for one in messages]

    def _prepared(self, node_id: int, row: Row | Exception | None, one: Ended) -> bool | Exception | None:
        """Store the lines of a result that may count; None for that, else what became of it."""
        try:
            if isinstance(row, Exception):
                return row
            if row is None or row["node_id"] != node_id:
                return NotFoundError(f"Job {one.id} does not exist.")
            if "status" in row and JobState(row["status"]).ended:
                return False
            if one.result.lines:
                output.store(one.id, one.result.attempt, one.result.offset, one.result.lines)
            if one.result.state != JobState.LOST:
                return None
            row = self._row(one.id, node_id)
            current = row["attempt"] == one.result.attempt and not JobState(row["status"]).ended
            return current and self._interrupt(row, one.result.reason)
        except (PortalError, PyMongoError) as error:
            return error

    def cancel(self, job_id: int, reason: str) -> JobState:
        """End a job early; return its state now, which is not CANCELLED yet while its node must still be told.

        The parent of a fan-out takes its children with it.

        Raises:
            NotFoundError: no such job.
            ConflictError: it has ended already.

        """
        row = self._row(job_id)
        if "fan" in row:
            return self.fanout.cancel(row, reason)
        ended = transitions.end({"_id": job_id, "status": JobState.QUEUED}, JobState.CANCELLED, reason)
        if ended is not None:
            self._ended(ended)
            return JobState.CANCELLED
        asked = Job.take({"_id": job_id, "status": {"$in": sorted(HELD)}}, {"$set": {"cancel": reason}})
        if asked is None:
            row = self._row(job_id)
            raise ConflictError(f"Job {job_id} is {row['status']} already.", detail={"status": row["status"]})
        self.wake.node(asked["node_id"])
        return JobState(asked["status"])

    def sweep(self) -> None:
        """End or requeue what time has overtaken; to be called every second or so by one process."""
        now = time.time()
        for row in Job.rows({"status": JobState.QUEUED, "expires": {"$lt": now}}, limit=1000):
            self._end(row, JobState.EXPIRED, f"{_who(row)} did not take the job within {row['expire_after']:g} s")
        # After a pause of all controllers, agents get one lease's time to renew before they are held to be gone.
        if now > self._started + self.lease:
            for row in Job.rows({"status": {"$in": sorted(HELD)}, "leased_until": {"$lt": now}}, limit=1000):
                self._interrupt(row, f"the agent was silent for longer than its lease of {self.lease:g} s")
        if now >= self._late_next:  # this reads all that runs
            self._late_next = now + OVERTIME / 10
            self._end_late(now)
        self.fanout.sweep()

    def _end_late(self, now: float) -> None:
        late: Row = {"status": JobState.RUNNING, "node_id": {"$ne": None}}
        late |= {"$expr": {"$lt": [{"$add": ["$started", "$timeout", OVERTIME]}, now]}}
        for row in Job.rows(late, limit=1000):
            self._end(
                row, JobState.TIMEOUT, f"the agent did not end the script after its timeout of {row['timeout']:g} s"
            )

    def row(self, job_id: int) -> Row:
        """Return a job's row; raises NotFoundError."""
        return self._row(job_id)

    def _find(self, wishes: Sequence[Wish]) -> list[Found]:
        mark = self._given.reading(wish.node_id for wish in wishes)
        found = leases.find(wishes, self.lease)
        for wish, one in zip(wishes, found, strict=True):
            self._given.give(one.given)
            self._given.read(mark, wish.node_id, wish.session, None if one.more else [*one.held, *one.given])
        return found

    def _miss(self, given: Sequence[Row], session: str, held: Sequence[JobRef]) -> None:
        """Have wait again what an agent process was given and never got: only leased, or given as begun."""
        there = {(ref.id, ref.attempt) for ref in held}
        for row in given:
            unheard = row["status"] == JobState.LEASED or row.get("given_begun") == row["attempt"]
            if unheard and row.get("session") == session and (row["_id"], row["attempt"]) not in there:
                after = transitions.miss({**row, "id": row["_id"]}, "the agent did not get the job")
                if after is not None:
                    self._wake(after)

    def _cancels(self, held: Sequence[Row]) -> list[Cancel]:
        """Return the cancellations that the agent was not told of, and note that it is told now."""
        rows = [row for row in held if row.get("cancel") is not None and _untold(row)]
        for row in rows:
            Job.collection().update_one({"_id": row["_id"]}, {"$set": {"cancel_told": row["attempt"]}})
        return [Cancel(id=row["_id"], attempt=row["attempt"], reason=row["cancel"]) for row in rows]

    def _interrupt(self, row: Row, reason: str) -> bool:
        after = transitions.interrupt(row, reason)
        if after is not None:
            self._wake(after)
        return after is not None

    def _end(self, row: Row, state: JobState, reason: str) -> None:
        query = {"_id": row["id"], "attempt": row["attempt"], "status": row["status"]}
        ended = transitions.end(query, state, reason)
        if ended is not None:
            self._ended(ended)

    def _ended(self, row: Row) -> None:
        self._given.ended(row)
        self.wake.job(row["id"])
        if "parent" in row:
            self.fanout.touch(row["parent"])

    def _wake(self, row: Row) -> None:
        if JobState(row["status"]).ended:
            self._ended(row)
        else:
            self.wake.node(row["node_id"])

    def _row(self, job_id: int, node_id: int | None = None) -> Row:
        """Return a job's row; one of another node does not exist for this one."""
        rows = Job.rows({"_id": job_id} if node_id is None else {"_id": job_id, "node_id": node_id}, limit=1)
        if not rows:
            raise NotFoundError(f"Job {job_id} does not exist.")
        return rows[0]

    def _check_node(self, node_id: int) -> None:
        rows = Node.rows({"_id": node_id}, fields=["status"], limit=1)
        if not rows:
            raise NotFoundError(f"Node {node_id} does not exist.")
        if rows[0]["status"] == DECOMMISSIONED:
            raise ConflictError(
                f"Node {node_id} is {DECOMMISSIONED}; it gets no jobs.", detail={"status": DECOMMISSIONED}
            )


def _said(outcome: bool | Exception) -> Said:
    """Put what became of one thing of a report into the words of the answer."""
    if isinstance(outcome, bool):
        return Said(ok=outcome)
    if isinstance(outcome, NotFoundError | ConflictError | InvalidError):
        return Said(ok=False, message=outcome.message)
    log.error("A part of an agent's report could not be taken in", exc_info=outcome)
    return Said(ok=False, again=True, message=f"the controller cannot take this in now: {type(outcome).__name__}")


def _who(row: Row) -> str:
    return "the node" if row["node_id"] is not None else "no node of those that were asked for was there; none"


def _untold(row: Row) -> bool:
    return bool(row.get("cancel_told") != row["attempt"])


def _known(jobs: Sequence[int]) -> list[Row | None]:
    rows = reports.known(jobs)
    return [rows.get(job) for job in jobs]


def _held(nodes: Sequence[int]) -> list[list[Row]]:
    """Return what the agents of nodes have in their hands."""
    fields = [*reports.NEEDED, "history", "session", "cancel_told"]
    found: dict[int, list[Row]] = {node: [] for node in nodes}
    for row in Job.rows({"node_id": {"$in": [*found]}, "status": {"$in": sorted(HELD)}}, fields=fields):
        found[row["node_id"]].append(row)
    return [found[node] for node in nodes]
