"""One attempt from the agent's hands to its result: refuse, fetch, acknowledge, run, report."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.backoff import Backoff
from agent.errors import AgentError, AwayError, RefusedError, RejectedError
from agent.limits import memory_of
from agent.process import Ending, WorkerProcess
from agent.protocol import Assignment, Result
from agent.standing import alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.held import Held
    from agent.jumpscript import Surroundings
    from agent.reports import Reports
    from agent.scripts import ScriptCache

log = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 2.0
"""Longest time in seconds between tries to fetch a script and to acknowledge, while no controller is there."""


class NotOursError(AgentError):
    """The attempt is not to be run here (any more), and nothing is to be reported."""


class Runner:
    """Runs attempts, each in the worker process that it is given."""

    def __init__(
        self,
        reports: Reports,
        scripts: ScriptCache,
        surroundings: Callable[[], Surroundings],
        report: Callable[[Held, Result], None],
    ) -> None:
        """Use who tells the controller, the scripts, where jobs run, and who takes the results."""
        self._reports = reports
        self._scripts = scripts
        self._surroundings = surroundings
        self._report = report

    def run(self, held: Held, worker: Callable[[], WorkerProcess]) -> None:
        """Run one attempt to its end and report it; ``worker`` gives the process when it is needed."""
        started: float | None = None
        try:
            ending = self._refusal(held)
            if ending is None:
                ready = self._ready(held)
                if isinstance(ready, Ending):
                    ending = ready
                else:
                    started = time.time()
                    ending = self._run(held, ready, worker)
        except NotOursError as error:
            log.info("job %d attempt %d is not run: %s", held.assignment.id, held.assignment.attempt, error)
            return
        except (AgentError, OSError) as error:
            ending = Ending("ERROR", f"the agent cannot run the script: {error}")
        if held.interruption is None or held.interruption.cause != "gone":
            self._report(held, result_of(held, ending, started))

    def refuse(self, held: Held) -> None:
        """Report an attempt that was cancelled or expired before it started; one that is gone needs no report."""
        try:
            ending = self._refusal(held)
        except NotOursError:
            return
        if ending is not None:
            self._report(held, result_of(held, ending, None))

    def _refusal(self, held: Held) -> Ending | None:
        """Return how an attempt ends that need not be started."""
        if held.interruption is not None:
            if held.interruption.cause == "cancelled":
                return Ending("CANCELLED", held.interruption.reason)
            raise NotOursError(held.interruption.reason)
        if held.waited_too_long:
            queue = held.assignment.queue
            return Ending("EXPIRED", f"no worker of the queue {queue} became free before the job expired")
        return None

    def _ready(self, held: Held) -> Path | Ending:
        """Return the script once it may be started, or how the attempt ends that may not be.

        As long as the job has not expired this waits for a controller; being in hand, it is not given anew meanwhile.
        """
        backoff = Backoff()
        while True:
            try:
                path = self._scripts.fetch(held.assignment.sha256)
                if not (alone(held) or held.assignment.begun):
                    self._ask_to_start(held)
            except AwayError as error:
                log.info("job %d waits for a controller: %s", held.assignment.id, error)
                reason = f"no controller could be reached before the job expired: {error}"
            else:
                return path
            time.sleep(min(LONGEST_PAUSE, backoff.next()))
            ending = self._refusal(held)
            if ending is not None:
                return Ending("EXPIRED", reason) if ending.state == "EXPIRED" else ending

    def _run(self, held: Held, path: Path, worker: Callable[[], WorkerProcess]) -> Ending:
        assignment = held.assignment
        held.running = True
        request = {
            "script": assignment.script,
            "path": str(path),
            "args": assignment.args,
            "limits": limits_of(assignment),
            "surroundings": self._surroundings().to_json(),
        }
        return worker().run(request, held)

    def _ask_to_start(self, held: Held) -> None:
        """Tell the controller that the script starts now: only then may it, so that it never runs twice."""
        try:
            self._reports.start(held.assignment.ref)
        except (RejectedError, RefusedError) as error:
            raise NotOursError(str(error)) from error


def limits_of(assignment: Assignment) -> dict[str, Any]:
    """Return what a worker is to hold a script to."""
    limits = assignment.limits
    return {**limits.model_dump(), "memory": memory_of(assignment.queue, limits.memory)}


def result_of(held: Held, ending: Ending, started: float | None) -> Result:
    """Return the message that reports an ending, with the output that was not sent before."""
    offset, lines = held.output.rest()
    return Result(
        attempt=held.assignment.attempt,
        state=ending.state,
        reason=ending.reason,
        result=ending.result,
        traceback=ending.traceback,
        started=started,
        ended=time.time(),
        offset=offset,
        lines=lines,
    )
