"""One attempt from the agent's hands to its result: refuse, fetch, acknowledge, run, report."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from agent.errors import AgentError, AwayError, RefusedError, RejectedError
from agent.process import Ending, WorkerProcess
from agent.protocol import Ack, Nothing, Result
from agent.standing import alone

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.client import Client
    from agent.held import Held
    from agent.jumpscript import Surroundings
    from agent.scripts import ScriptCache

log = logging.getLogger(__name__)

ACK_TRIES: Final = 5
ACK_PAUSE: Final = 0.5
"""Seconds between tries to acknowledge: an answer may be lost after the controller has noted it."""


class NotOursError(AgentError):
    """The attempt is not to be run here (any more), and nothing is to be reported."""


class Runner:
    """Runs attempts, each in the worker process that it is given."""

    def __init__(
        self,
        client: Client,
        scripts: ScriptCache,
        surroundings: Callable[[], Surroundings],
        report: Callable[[Held, Result], None],
    ) -> None:
        """Use a controller, the scripts, where jobs run, and who takes the results."""
        self._client = client
        self._scripts = scripts
        self._surroundings = surroundings
        self._report = report

    def run(self, held: Held, worker: Callable[[], WorkerProcess]) -> None:
        """Run one attempt to its end and report it; ``worker`` gives the process when it is needed."""
        started: float | None = None
        try:
            ending = self._refusal(held)
            if ending is None:
                started = time.time()
                ending = self._run(held, worker)
        except (NotOursError, AwayError) as error:
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

    def _run(self, held: Held, worker: Callable[[], WorkerProcess]) -> Ending:
        assignment = held.assignment
        path = self._scripts.fetch(assignment.sha256)
        if not alone(held):
            self._acknowledge(held)
        held.running = True
        request = {
            "script": assignment.script,
            "path": str(path),
            "args": assignment.args,
            "surroundings": self._surroundings().to_json(),
        }
        return worker().run(request, held)

    def _acknowledge(self, held: Held) -> None:
        """Tell the controller that the script starts now: only then may it, so that it never runs twice."""
        ack = Ack(attempt=held.assignment.attempt)
        for left in reversed(range(ACK_TRIES)):
            try:
                self._client.post(f"jobs/{held.assignment.id}/ack", ack, Nothing)
            except (RejectedError, RefusedError) as error:
                raise NotOursError(str(error)) from error
            except AwayError:
                if not left:
                    raise
                time.sleep(ACK_PAUSE)
            else:
                return


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
