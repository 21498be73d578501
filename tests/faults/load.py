"""The load of the fault test: jobs of several kinds, submitted over REST to whichever controller is there."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import gevent
import requests
from gevent.pool import Group
from processes import Installation

from agent.protocol import HELD, JobState
from portalfw.controller.documents import Job

EXPIRES = 900.0
"""Seconds that a job may wait: no one is to expire because of what the test does to the processes."""

OPEN = 60
"""Jobs that wait or run at a time: more would only wait until the faults are over."""

Row = dict[str, Any]


def unfinished() -> int:
    """Return how many jobs have not ended."""
    return Job.collection().count_documents({"status": {"$in": [JobState.QUEUED, *sorted(HELD)]}})


@dataclass
class Order:
    """One submission, and what came of it."""

    key: str
    script: str
    how: str
    arguments: Row = field(default_factory=dict)
    job: int | None = None
    cancelled: bool = False


class Load:
    """Submits jobs side by side until told to end."""

    def __init__(self, installation: Installation, nodes: list[int], chance: random.Random) -> None:
        """Submit to these nodes."""
        self._installation = installation
        self._nodes = nodes
        self._chance = chance
        self.orders: list[Order] = []
        self.tries: Counter[str] = Counter()

    def run(self, until: float, submitters: int, pause: float) -> None:
        """Go on until this time (monotonic)."""
        group = Group()
        for _ in range(submitters):
            group.spawn(self._submit_on, until, pause)
        group.join(raise_error=True)

    @property
    def acknowledged(self) -> list[Order]:
        """The submissions that a controller has confirmed."""
        return [order for order in self.orders if order.job is not None]

    def _submit_on(self, until: float, pause: float) -> None:
        while time.monotonic() < until:
            if unfinished() > OPEN:
                gevent.sleep(pause)
                continue
            order = self._draw()
            self.orders.append(order)
            self._submit(order)
            if order.job is not None and self._chance.random() < 0.02:
                gevent.sleep(self._chance.uniform(0.0, 0.5))
                self._cancel(order)
            gevent.sleep(self._chance.uniform(0.0, 2 * pause))

    def _draw(self) -> Order:
        """Draw what to submit: mostly short, some of a few seconds, some on all nodes."""
        key = f"k{len(self.orders)}"
        script = self._chance.choice(["test/again", "test/once"])
        how = self._chance.choices(["node", "any", "all"], [12, 12, 1])[0]
        seconds = 0.0 if self._chance.random() < 0.7 else round(self._chance.uniform(0.2, 3.0), 2)
        lines = self._chance.choice([0, 0, 1, 5, 40])
        arguments = {"key": key, "journal": str(self._installation.journal), "seconds": seconds, "lines": lines}
        where: Row = {"node": {"nid": self._chance.choice(self._nodes)}, "any": {"role": "*"}}.get(how, {})
        where = where or {"role": "*", "all": True}
        return Order(key, script, how, {"args": arguments, "wait": False, "expires": EXPIRES, **where})

    def _submit(self, order: Order) -> None:
        """Submit once: what is not answered may have become a job or not, and is not submitted again."""
        number = self._chance.randrange(len(self._installation.controllers))
        try:
            answer = self._installation.ask(
                number if self._installation.is_there(number) else number - 1,
                "system/agentcontroller/executeJumpscript",
                name=order.script,
                **order.arguments,
            )
        except requests.ConnectionError as error:
            refused = "refused" in str(error)
            self.tries["not taken, the controller was away" if refused else "not answered"] += 1
            gevent.sleep(0.3)
        except requests.RequestException:
            self.tries["not answered"] += 1
        else:
            assert answer.ok, f"{order}: {answer.status_code} {answer.text}"
            self.tries["acknowledged"] += 1
            order.job = answer.json()["id"]

    def _cancel(self, order: Order) -> None:
        try:
            answer = self._installation.ask(
                self._chance.randrange(len(self._installation.controllers)),
                "system/gridmanager/cancelJob",
                jobId=order.job,
                reason="changed my mind",
            )
        except requests.RequestException:
            order.cancelled = True  # it may be, or not
            return
        order.cancelled = answer.ok
