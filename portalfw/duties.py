"""What must run again and again, in one process of the installation at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import gevent
from pymongo.errors import PyMongoError

from portalfw import errorconditions
from portalfw.extension import Duty
from portalfw.store import Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

TTL = 15.0  # seconds after which another process takes over what a dead one held
BEAT = 4.0


class Duties:
    """Runs duties under leases, and keeps the lease that says this process lives."""

    def __init__(self, runtime: Runtime, duties: Sequence[Duty]) -> None:
        """Bind the duties; nothing runs yet."""
        self._runtime = runtime
        self._duties = list(duties)
        self.names = frozenset(duty.name for duty in duties)
        self._alive = Lease(process_lease(runtime.process_id), TTL, runtime.process_id)
        self._held: dict[str, Lease] = {}
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Run all duties from now on."""
        self._alive.acquire()
        self._greenlets = [gevent.spawn(self._beat)] + [gevent.spawn(self._run, duty) for duty in self._duties]

    def stop(self) -> None:
        """Stop running them and let others take over at once."""
        gevent.killall(self._greenlets)
        for lease in (*self._held.values(), self._alive):
            lease.release()

    def _beat(self) -> None:
        while True:
            gevent.sleep(BEAT)
            try:
                self._alive.acquire()
                for lease in list(self._held.values()):
                    lease.acquire()
            except PyMongoError as error:
                log.warning("The leases of this process could not be renewed: %s", error)

    def _run(self, duty: Duty) -> None:
        lease = Lease(f"duty:{duty.name}", TTL, self._runtime.process_id)
        while True:
            began = time.monotonic()
            try:
                if lease.acquire():
                    self._held[duty.name] = lease
                    duty.function(self._runtime)
                else:
                    self._held.pop(duty.name, None)
            except Exception as error:  # the edge: a failing duty is recorded, and tried again at its next turn
                log.exception("Duty %s failed", duty.name)
                errorconditions.record("duty", duty.name, error, f"duty-{time.time_ns():x}", wait=0)
            gevent.sleep(max(0.05, duty.every - (time.monotonic() - began)))


def process_lease(process_id: str) -> str:
    """Return the name of the lease that a living process holds."""
    return f"process:{process_id}"
