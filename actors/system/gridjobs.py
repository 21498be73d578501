"""The jobs of the grid for operators: finding, reading, following, cancelling, and running one again."""

from __future__ import annotations

import time
from typing import Annotated, Any, TypedDict

from actors.system.job_rows import (
    FAILED,
    FAN_FIELDS,
    JOB_FIELDS,
    JOBS,
    RESULT_FIELDS,
    RESULTS,
    JobRow,
    ResultRow,
    job_detail,
    job_rows,
    result_rows,
)
from agent.protocol import JobState
from portalfw.controller import output, transitions
from portalfw.controller.documents import Job
from portalfw.controller.scripts import TEXTS
from portalfw.errors import ForbiddenError, NotFoundError
from portalfw.rest import Actor, Arg, Listing, method

OPERATORS = "group:level1,level2,level3"
ENGINEERS = "group:level2,level3"
STATES: dict[str, Any] = {"OPEN": {"$in": transitions.OPEN}, "FAILED": {"$in": FAILED}}
LONGEST_WAIT = 25.0  # seconds that a question for news waits, below what proxies allow
MOST_LINES = 1000  # in one answer
MOST_EVER = 2**40  # lines of one attempt
REREAD = 3.0  # seconds after which a waiter looks for itself
NEWS_FIELDS = ["status", "reason", "attempt", "progress"]


class News(TypedDict):
    """What is new of a job; ``attempt`` and ``line`` are where the next question goes on."""

    status: str
    reason: str
    lines: list[dict[str, Any]]  # at, level, text
    attempt: int
    line: int
    progress: dict[str, Any]
    over: bool  # nothing more will come


class OutputLine(TypedDict):
    """One line of output; ``n`` counts from 1 in its attempt."""

    n: int
    at: float  # epoch seconds
    level: str  # debug, info, warning or error; stdout and stderr for what was printed
    text: str


class GridJobs(Actor, app="system", name="gridmanager"):
    """Nodes and jobs of the grid."""

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job",))
    def get_jobs(
        self,
        node_id: int | None = None,
        state: str | None = None,
        parent_id: Annotated[int | None, Arg("Fan-out", help="Only the children of this job.")] = None,
        script: str | None = None,
        *,
        submitted_by: Annotated[str | None, Arg("Submitted by", help="A user, or schedule NAME.")] = None,
        within: Annotated[float | None, Arg("Within", help="Made in the last so many seconds.")] = None,
        schedule_id: Annotated[int | None, Arg("Schedule", help="Only those that it made.")] = None,
        queue: str | None = None,
        housekeeping: Annotated[
            bool,
            Arg("Housekeeping", help="Also what comes by itself: occurrences of schedules, checks, looks at nodes."),
        ] = True,
        whole: Annotated[bool, Arg("Whole", help="Leave out the children of fan-outs.")] = False,
        listing: Annotated[Listing, JOBS],
    ) -> list[JobRow]:
        """Return the newest jobs first, those of one node, state, fan-out, script, user … if given.

        Besides a state, ``OPEN`` means those that have not ended, and ``FAILED`` those that ended neither well nor
        because somebody wished it.
        """
        given = {"node_id": node_id, "parent": parent_id, "script": script, "submitted_by": submitted_by}
        given |= {"schedule": schedule_id, "queue": queue, "status": STATES.get(state or "", state)}
        query: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if within is not None:
            query["created"] = {"$gte": time.time() - within}
        if not housekeeping:
            query["routine"] = False
        if whole:
            query["parent"] = None
        rows = listing.of(Job, query, fields=[*JOB_FIELDS, *FAN_FIELDS])
        return rows.answered(job_rows(rows))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job:{job_id}",))
    def get_job(self, job_id: int) -> dict[str, Any]:
        """Return one job with its arguments, result and attempts; secrets are masked."""
        return job_detail(_row(job_id), self.runtime.controller.orders)

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job:{job_id}",), title="Get results")
    def get_job_results(self, job_id: int, *, listing: Annotated[Listing, RESULTS]) -> list[ResultRow]:
        """Return what the children of a fan-out came to, by node."""
        rows = listing.of(Job, {"parent": job_id}, fields=RESULT_FIELDS)
        return rows.answered(result_rows(rows))

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, live=("job:{job_id}",))
    def get_job_output(
        self,
        job_id: int,
        attempt: Annotated[int | None, Arg("Attempt", help="The last one if none is given.")] = None,
        last: Annotated[int | None, Arg("Last", help="Only so many lines at the end.")] = None,
    ) -> list[OutputLine]:
        """Return the lines of an attempt in order."""
        row = _row(job_id, ["attempt"])
        wanted = min(max(0, attempt if attempt is not None else row["attempt"]), MOST_EVER)
        begin = 0 if last is None else max(0, output.count(job_id, wanted) - max(0, last))
        lines = enumerate(output.after(job_id, wanted, begin), begin + 1)
        return [OutputLine(n=n, at=line["at"], level=line["level"], text=line["text"]) for n, line in lines]

    @method(right=OPERATORS, http=("GET", "POST"), readonly=True, title="Follow job")
    def follow_job(
        self,
        job_id: int,
        attempt: Annotated[int, Arg("Attempt", help="Where to go on, as the last answer told.")] = 1,
        line: Annotated[int, Arg("Line", help="The number of the next line that is wanted.")] = 0,
        wait: Annotated[float, Arg("Wait", help="Seconds to wait for news, 25 at most.")] = 0.0,
    ) -> News:
        """Return the lines of a job from a place on, waiting for some if there are none; any number may follow."""
        attempt, line = max(1, attempt), min(max(0, line), MOST_EVER)
        limit = time.monotonic() + min(max(0.0, wait), LONGEST_WAIT)
        with self.runtime.controller.queue.wake.on_news(job_id) as event:
            first = None
            while True:
                event.clear()
                row = _row(job_id, NEWS_FIELDS)
                news = _news(row, attempt, line)
                left = limit - time.monotonic()
                first = first or (news["status"], news["progress"])
                changed = (news["status"], news["progress"]) != first or news["attempt"] != attempt
                if news["lines"] or news["over"] or changed or left <= 0:
                    return news
                event.wait(min(left, REREAD))

    @method(right=ENGINEERS, title="Cancel job")
    def cancel_job(self, job_id: int, reason: Annotated[str, Arg("Reason", help="Kept with the job.")]) -> bool:
        """Cancel a queued or running job; of a fan-out, all its children."""
        self.runtime.dal.job(job_id).cancel(f"{self.call.principal.name}: {reason}")
        return True

    @method(right=ENGINEERS, title="Run again", creates="jobId")
    def retry_job(
        self,
        job_id: int,
        *,
        confirmed: Annotated[
            bool, Arg("Even if half done", help="Needed where the script may have done half its work already.")
        ] = False,
    ) -> int:
        """Run a failed job again with the same arguments, of a fan-out where it failed; return the new job's id."""
        principal = self.call.principal
        if _row(job_id, ["script"])["script"].startswith(f"{TEXTS}/") and not (
            principal.is_admin or principal.has_group("level3")
        ):
            raise ForbiddenError("Only level3 may run a text that somebody gave for one job, and so run it again.")
        orders = self.runtime.controller.orders
        return orders.retry(job_id, confirmed=confirmed, submitted_by=self.call.principal.name)


def _row(job_id: int, fields: list[str] | None = None) -> dict[str, Any]:
    rows = Job.rows({"_id": job_id}, fields=fields, limit=1)
    if not rows:
        raise NotFoundError(f"Job {job_id} does not exist; ended jobs are dropped after a while.")
    return rows[0]


def _news(row: dict[str, Any], attempt: int, line: int) -> News:
    """Return the lines from a place on; where an attempt has no more, the next place is in the next one."""
    lines = output.after(row["id"], attempt, line, MOST_LINES)
    latest = max(row["attempt"], 1)
    following = (attempt + 1, 0) if not lines and attempt < latest else (attempt, line + len(lines))
    ended = JobState(row["status"]).ended and not lines and attempt >= latest
    return {
        "status": row["status"],
        "reason": row.get("reason") or "",
        "lines": lines,
        "attempt": following[0],
        "line": following[1],
        "progress": row.get("progress") or {},
        "over": ended,
    }
