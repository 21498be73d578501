"""Scripts that keep running here while no controller can be reached, and their results until one can."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
import uuid
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from agent import whole_file
from agent.errors import AgentError, RejectedError
from agent.held import Held
from agent.protocol import Alone, Assignment, Confirmed, Result, StandingOrder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.client import Client
    from agent.scripts import ScriptCache

log = logging.getLogger(__name__)

LOOK: Final = 0.5
"""Seconds between looks."""

REFRESH: Final = 600.0
"""Seconds, about, between questions for changed orders."""

AGAIN: Final = 5.0
"""Seconds until orders are taken that could not be taken before."""

KEPT: Final = 1000
"""Results that are kept for the controller, the newest ones."""


class Standing:
    """The standing orders of this node: what to run by itself, and what came of it."""

    def __init__(
        self, folder: Path, scripts: ScriptCache, client: Client, put: Callable[[Held], None], after: float
    ) -> None:
        """Keep things in ``folder``; jobs go to ``put`` after so many seconds without a controller."""
        self._file = folder / "standing.json"
        self._results = folder / "alone"
        self._results.mkdir(mode=0o700, exist_ok=True)
        self._scripts = scripts
        self._client = client
        self._put = put
        self._running: dict[int, Held] = {}
        self._begun: dict[int, float] = {}
        self._last_id = 0
        self._away_since: float | None = time.monotonic()
        self._heard: list[StandingOrder] | None = None
        self._take_from = 0.0
        self.name = ""
        self.orders = self._load()
        self._after = after

    def away(self) -> None:
        """Note that no controller can be reached."""
        if self._away_since is None:
            self._away_since = time.monotonic()

    def back(self, orders: list[StandingOrder], name: str) -> None:
        """Note that the controller is there, and what it wants to be done the next time it is not.

        Raises:
            AgentError: it cannot be reached again; results stay here.

        """
        self._away_since = None
        self.hear(orders, name)
        self._deliver()

    def hear(self, orders: list[StandingOrder], name: str) -> None:
        """Note other orders, by the name that the controller has for them; :meth:`serve` takes them, with scripts."""
        self.name, self._heard, self._take_from = name, orders, 0.0

    def serve(self, stopping: threading.Event, ask: Callable[[], None]) -> None:
        """Take orders, run what is due while the controller is away, ``ask`` now and then; a thread's body."""
        refresh = _later()
        while not stopping.wait(LOOK):
            if time.monotonic() > refresh:
                refresh = _later()
                with contextlib.suppress(AgentError):  # another thread tells that the controller is away
                    ask()
            self._take()
            since = self._away_since
            if since is not None and time.monotonic() - since > self._after:
                for order in self.orders:
                    self._run_if_due(order)

    def report(self, held: Held, result: Result) -> None:
        """Keep what a script came to until the controller has it."""
        # Its order may be another one by now, or none.
        schedule = next(one for one, running in self._running.items() if running is held)
        alone = Alone(key=uuid.uuid4().hex, schedule=schedule, sha256=held.assignment.sha256, result=result)
        file = self._results / f"{time.time():017.6f}-{alone.key}.json"
        whole_file.write(file, alone.model_dump_json().encode())
        for file in sorted(self._results.glob("*.json"))[:-KEPT]:
            file.unlink(missing_ok=True)

    def _take(self) -> None:
        """Take what was heard, with its scripts; later once more if these cannot be had now."""
        heard = self._heard
        if heard is None or time.monotonic() < self._take_from:
            return
        try:
            ready = [order for order in heard if self._has_script(order)]
            if ready != self.orders:
                whole_file.write(self._file, json.dumps([order.model_dump() for order in ready]).encode())
                self.orders = ready
        except (AgentError, OSError) as error:
            log.info("Standing orders are taken later: %s", error)
            self._take_from = time.monotonic() + AGAIN
            return
        if self._heard is heard:
            self._heard = None

    def _run_if_due(self, order: StandingOrder) -> None:
        before = self._running.get(order.schedule)
        now = time.time()
        turn = now // order.every
        if self._begun.get(order.schedule) == turn or (before is not None and not before.finished.is_set()):
            return
        if order.schedule not in self._begun:
            self._begun[order.schedule] = turn  # the first turn is the next whole one
            return
        self._begun[order.schedule] = turn
        self._last_id -= 1
        fields = order.model_dump(exclude={"schedule", "every"})
        held = Held(Assignment(id=self._last_id, attempt=1, idempotent=True, expires_in=order.every, **fields))
        self._running[order.schedule] = held
        log.info("No controller: running %s by itself", order.script)
        self._put(held)

    def _has_script(self, order: StandingOrder) -> bool:
        try:
            self._scripts.fetch(order.sha256)
        except RejectedError as error:
            log.error("%s cannot be run by itself: %s", order.script, error)  # noqa: TRY400 - the reason is all there is
            return False
        return True

    def _deliver(self) -> None:
        for file in sorted(self._results.glob("*.json")):
            try:
                self._client.post("alone", Alone.model_validate_json(file.read_bytes()), Confirmed)
            except (RejectedError, ValidationError) as error:
                log.error("the controller wants no result of %s: %s", file.name, error)  # noqa: TRY400
            file.unlink(missing_ok=True)

    def _load(self) -> list[StandingOrder]:
        try:
            return [StandingOrder.model_validate(one) for one in json.loads(self._file.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, ValidationError) as error:
            log.warning("%s is damaged and left aside: %s", self._file, error)
            return []


def alone(held: Held) -> bool:
    """Tell whether an attempt is one that no controller knows of."""
    return held.assignment.id < 0


def _later() -> float:
    return time.monotonic() + REFRESH * (0.8 + 0.4 * secrets.randbelow(1000) / 1000)
