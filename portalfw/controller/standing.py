"""Standing orders: what nodes run by themselves while they reach no controller, and telling them when that changes.

Each process reads the orders every second. A question for jobs names the orders that its agent knows; if they are
others now it is answered with the new ones: when it comes, or, so many a second, when they change while it is parked.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import gevent
from pymongo.errors import PyMongoError

from agent.protocol import Limits, StandingOrder
from portalfw.controller.documents import WORKING, Schedule, Script
from portalfw.controller.header import LIMITS

log = logging.getLogger(__name__)

LOOK: Final = 1.0
"""Seconds between looks."""

TOLD: Final = 200
"""Parked questions that are answered after one look: 10,000 agents hear of what concerns them all within 50 s."""

Row = Mapping[str, Any]


class Place(NamedTuple):
    """What of a node decides about its orders."""

    works: bool
    roles: frozenset[str]
    gid: int | None


class Told(NamedTuple):
    """The orders of a place, and the name of just these."""

    orders: list[StandingOrder]
    name: str


class StandingOrders:
    """The standing orders of all nodes, as this process knows them."""

    def __init__(self) -> None:
        """Know nothing yet: the first question has them read."""
        self._known: list[tuple[frozenset[str], int | None, StandingOrder]] | None = None
        self._told: dict[Place, Told] = {}
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, outdated: Callable[[], Sequence[Callable[[], None]]]) -> None:
        """Look from now on; whenever orders change, call what ``outdated`` returns, so many a second."""
        self._greenlet = gevent.spawn(self._serve, outdated)

    def stop(self) -> None:
        """Look no more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def of(self, place: Place) -> Told:
        """Return the orders of nodes in a place."""
        if self._known is None:
            self.look()
        told = self._told.get(place)
        if told is None:
            fitting = [order for roles, gid, order in self._known or () if _fits(roles, gid, place)]
            told = self._told[place] = _tell(fitting)
        return told

    def look(self) -> bool:
        """Read the orders anew; tell whether they have changed."""
        known = _read()
        changed = known != self._known
        if changed:
            self._known, self._told = known, {}
        return changed

    def _serve(self, outdated: Callable[[], Sequence[Callable[[], None]]]) -> None:
        waiting: Sequence[Callable[[], None]] = ()
        while True:
            gevent.sleep(LOOK)
            try:
                changed = self.look()
            except PyMongoError as error:  # the next look finds what this one would have found
                log.warning("Standing orders could not be read: %s", error)
                continue
            if changed:
                waiting = outdated()
            for tell in waiting[:TOLD]:
                tell()
            waiting = waiting[TOLD:]


def place(node: Row) -> Place:
    """Return what of a node's row decides about its orders."""
    return _place(node["status"] in WORKING, tuple(node.get("roles") or ()), node.get("gid"))


@functools.lru_cache(maxsize=1000)
def _place(works: bool, roles: tuple[str, ...], gid: int | None) -> Place:
    return Place(works, frozenset(roles), gid)


def _tell(orders: list[StandingOrder]) -> Told:
    digest = hashlib.sha256("\n".join(order.model_dump_json() for order in orders).encode())
    return Told(orders, digest.hexdigest()[:16])


def _fits(roles: frozenset[str], gid: int | None, where: Place) -> bool:
    return where.works and roles <= where.roles and gid in {None, where.gid}


def _read() -> list[tuple[frozenset[str], int | None, StandingOrder]]:
    rows = Schedule.rows({"enabled": True, "offline": True}, sort="_id")
    wanted = {"name": {"$in": [row["script"] for row in rows]}, "current": True, "broken": ""}
    scripts = {one["name"]: one for one in Script.rows(wanted, fields=["name", "sha256", "header"])} if rows else {}
    return [
        (frozenset(row["roles"] or ()), row.get("gid"), _order(row, scripts[row["script"]]))
        for row in rows
        if row["script"] in scripts
    ]


def _order(row: Row, script: Row) -> StandingOrder:
    header = script["header"]
    return StandingOrder(
        schedule=row["id"],
        every=row["when"],
        script=script["name"],
        sha256=script["sha256"],
        args=row.get("args") or {},
        queue=header["queue"],
        timeout=row.get("timeout") or header["timeout"],
        limits=Limits(**{name: header[name] for name in LIMITS if header.get(name)}),
    )
