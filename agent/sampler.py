"""Measures this node every ten seconds, keeps what was measured, and sends it to the controller."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Final

from agent.backoff import Backoff
from agent.errors import AgentError, RefusedError, RejectedError
from agent.guest_figures import GuestFigures
from agent.protocol import BATCH, EVERY, Counted, Figures, Samples
from agent.rates import Rates, with_totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.client import Client
    from agent.jumpscript import Surroundings
    from agent.sample_spool import SampleSpool

log = logging.getLogger(__name__)

SPAN: Final = BATCH * EVERY
"""Seconds that the samples of one message share: the controller makes one coarser figure of them."""

SPREAD: Final = EVERY - 2.0
"""Seconds over which the agents of a grid spread what they send; they all measure at the same time."""


class Sampler:
    """Two threads' work: :meth:`measure` fills the spool, :meth:`deliver` empties it."""

    def __init__(self, client: Client, spool: SampleSpool, surroundings: Callable[[], Surroundings]) -> None:
        """Use a controller, a spool, and what is known of this node's place."""
        self._client = client
        self._spool = spool
        self._surroundings = surroundings
        self._guests = GuestFigures()
        self._rates = Rates()
        self._stopping = threading.Event()
        self._measured = threading.Event()
        self._delay = random.uniform(0, SPREAD)  # noqa: S311 - spreading load, no secret

    def measure(self) -> None:
        """Measure at each multiple of ten seconds until told to stop; the body of a thread."""
        self._figures()  # the first one has no rates yet
        while True:
            slot = (int(time.time()) // EVERY + 1) * EVERY
            if self._stopping.wait(slot - time.time()):
                break
            at = max(slot, int(time.time()) // EVERY * EVERY)  # later if the machine slept
            try:
                self._spool.add(at, self._figures())
            except Exception:  # the edge: a fault of our own must not leave a node without its agent
                log.exception("Measuring failed")
            self._measured.set()
        self._guests.stop()

    def deliver(self) -> None:
        """Send what was measured, at a moment of this agent's own, until told to stop; the body of a thread."""
        backoff = Backoff()
        while True:
            self._measured.wait()
            self._measured.clear()
            if self._stopping.wait(self._delay):
                return
            try:
                while self._send():
                    pass
                backoff.reset()
            except RefusedError:
                return  # the thread that asks for jobs hears the same and ends the agent
            except AgentError as error:
                log.debug("samples wait: %s", error)
                if self._stopping.wait(backoff.next()):
                    return

    def stop(self) -> None:
        """End both."""
        self._stopping.set()
        self._measured.set()

    def _send(self) -> bool:
        """Send the oldest samples, of five minutes at most; return whether there may be more."""
        oldest = self._spool.first(BATCH)
        samples = [one for one in oldest if one.at // SPAN == oldest[0].at // SPAN]
        if not samples or self._stopping.is_set():
            return False
        try:
            upto = self._client.post("statistics", Samples(spool=self._spool.name, samples=samples), Counted).upto
        except RejectedError as error:
            log.error("the controller wants no samples like these: %s", error)  # noqa: TRY400 - the reason is all there is
            upto = samples[-1].number
        self._spool.confirm(upto)
        return True

    def _figures(self) -> list[Figures]:
        from sal.measures import measure

        found = with_totals(self._rates.of("node", measure(), time.monotonic()))
        place = self._surroundings()
        return found + self._rates.of("guests", self._guests.measure(place.hypervisor, place.site), time.monotonic())
