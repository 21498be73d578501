"""What goes to the controller while jobs run and after they ended: output, renewals, results."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from agent.errors import AgentError, AwayError, FailingError, RefusedError, RejectedError
from agent.held import Held, Holding, Interruption
from agent.protocol import Ended, JobRef, Received, Renew, Renewed, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.client import Client
    from agent.reports import Reports
    from agent.spool import Spool

log = logging.getLogger(__name__)

FLUSH: Final = 0.15
"""Seconds after which new output is sent: quick enough to watch, seldom enough to be cheap."""

IDLE: Final = 5.0
"""Seconds between looks when nothing runs."""

RETRY: Final = 2.0
"""Seconds between tries to deliver what is in the spool."""

NAMED: Final = 200
"""Most undelivered attempts that are named in a question for jobs."""

BATCH: Final = 500
"""Most lines in one message."""


class Delivery:
    """Sends to the controller what it is to know of the jobs in hand."""

    def __init__(self, client: Client, reports: Reports, spool: Spool, holding: Holding, session: str) -> None:
        """Use a controller, the spool and the jobs in hand."""
        self._client = client
        self._reports = reports
        self._spool = spool
        self._holding = holding
        self._session = session
        self._stopping = threading.Event()
        self._renewed = self._tried = time.monotonic()
        self._undelivered = threading.Event()
        self.lease = 60.0
        self.each_round: Callable[[], None] = lambda: None

    def report(self, held: Held, result: Result) -> None:
        """Keep a result and try to deliver it at once."""
        ended = Ended(id=held.assignment.id, result=result)
        self._spool.add(ended)
        try:
            self._take(ended, lambda: self._reports.end(ended))
        except AgentError as error:
            self._undelivered.set()
            log.warning("the result of job %d is kept until it can be delivered: %s", ended.id, error)

    def deliver_all(self) -> None:
        """Send everything that is in the spool; raises AwayError or RefusedError.

        A result that the controller cannot take now holds up no other one; it is tried again later.
        """
        self._tried = time.monotonic()
        self._undelivered.set()
        failing = False
        for ended, outcome in self._reports.end_all(self._spool.unconfirmed()):
            try:
                self._take(ended, outcome)
            except FailingError as error:
                failing = True
                log.warning("the result of job %d is kept until it can be delivered: %s", ended.id, error)
        if not failing:
            self._undelivered.clear()

    def refs(self) -> list[JobRef]:
        """Name attempts whose results are still to be delivered, if there may be such."""
        return self._spool.refs()[-NAMED:] if self._undelivered.is_set() else []

    def _take(self, ended: Ended, outcome: Callable[[], bool]) -> None:
        """Note that the controller has a result, or does not want it; raises AwayError or RefusedError if neither."""
        try:
            if not outcome():
                log.info("job %d had ended before attempt %d was reported", ended.id, ended.result.attempt)
        except RejectedError as error:
            log.error("the controller wants no result of job %d attempt %d: %s", ended.id, ended.result.attempt, error)  # noqa: TRY400
        self._spool.confirm(ended.ref)

    def serve(self) -> None:
        """Send output and renew leases until told to stop; the body of a thread."""
        while not self._stopping.is_set():
            busy = bool(self._holding.all())
            idle = RETRY if self._undelivered.is_set() else IDLE
            if busy:
                self._stopping.wait(FLUSH)
            else:
                self._holding.changed.wait(idle)
            self._holding.changed.clear()
            try:
                self._round()
            except AwayError as error:
                log.debug("output and renewals wait: %s", error)
                self._stopping.wait(1.0)
            except RefusedError:
                return  # the thread that asks for jobs hears the same and ends the agent
            except Exception:  # the edge: without this thread no lease would be renewed
                log.exception("Sending output and renewals failed")
                self._stopping.wait(1.0)

    def stop(self) -> None:
        """End :meth:`serve`."""
        self._stopping.set()
        self._holding.changed.set()

    def _round(self) -> None:
        self.each_round()
        held = self._holding.all()
        if held and time.monotonic() - self._renewed > self.lease / 3:
            self._renew(held)
            self._renewed = time.monotonic()
        for one in held:
            self._send_output(one)
        if self._undelivered.is_set() and time.monotonic() - self._tried > RETRY:
            self.deliver_all()

    def _renew(self, held: list[Held]) -> None:
        refs = [one.assignment.ref for one in held]
        answer = self._client.post("jobs/renew", Renew(session=self._session, jobs=refs), Renewed)
        for cancel in answer.cancel:
            self._holding.interrupt(cancel.id, cancel.attempt, Interruption("cancelled", cancel.reason))
        for ref in answer.gone:
            self._holding.interrupt(ref.id, ref.attempt, Interruption("gone", "the controller has taken it back"))

    def _send_output(self, held: Held) -> None:
        output = held.output.pending(BATCH)
        if output is None or not held.running:
            return
        try:
            self._client.post(f"jobs/{held.assignment.id}/output", output, Received)
        except RejectedError as error:
            log.info("output of job %d is not wanted: %s", held.assignment.id, error)
            held.output.keep()
        else:
            held.output.sent(output)
