"""Questions for jobs that are left unanswered until there is work."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import gevent
from gevent.event import Event
from gevent.pool import Group

from agent.protocol import Ask, Work
from portalfw.controller.handing import Hand
from portalfw.controller.leases import Wish
from portalfw.controller.nodes import NOTE_EVERY, Nodes
from portalfw.controller.queue import JobQueue
from portalfw.controller.standing import StandingOrders, place
from portalfw.errors import ConflictError, PortalError
from portalfw.later import Ready

GRACE: Final = 1.5
"""Seconds that an agent whose connection was cut gets to come back before it counts as away."""


class Question:
    """One question for jobs, until it is answered. While it waits it is only this: thousands do."""

    __slots__ = (
        *("_ask", "_first", "_given", "_looking", "_node_id", "_over", "_parking", "_place", "_ready", "_reserved"),
        *("_woken", "seconds"),
    )

    def __init__(self, parking: Parking, node: dict[str, Any], ask: Ask) -> None:
        """Begin to listen for what may be its answer."""
        self._parking = parking
        self._node_id: int = node["id"]
        self._ask = ask
        self._place = place(node)
        self._woken = self._first = True
        self._over = self._looking = self._reserved = False
        self._given: Work | None = None
        self._ready: Ready | None = None
        self.seconds = ask.park
        parking.wake.watch_node(self._node_id, self.notice)

    def begin(self, ready: Ready) -> None:
        """Call ``ready`` whenever there may be work, at once if there may be some already."""
        self._ready = ready
        if self._woken:
            ready(urgent=True)

    def look(self, *, last: bool = False) -> Work | None:
        """Return work; nothing to do when this is the ``last`` look or the question is over; None to wait on.

        Raises:
            UnauthenticatedError: the node was revoked meanwhile.
            ConflictError: its agent is to say hello again.

        """
        work = self._given
        if work is None and self._reserved and not self._over:
            return None  # it is answered, or let go, in a moment
        try:
            if work is None and self._woken and not self._over:
                self._looking = True
                work = self._find()
        except PortalError:
            self._end()
            raise
        finally:
            self._looking = False
        if work is None and (last or self._over):
            work = Work()
        if work is not None:
            self._end()
        return work

    def wait(self) -> Work:
        """Wait in this greenlet, for servers that have no other way."""
        event = Event()
        limit = time.monotonic() + self.seconds

        def ready(*, urgent: bool) -> None:
            del urgent  # there is nobody else here
            event.set()

        self.begin(ready)
        while (work := self.look(last=time.monotonic() >= limit)) is None:
            event.wait(max(0.01, limit - time.monotonic()))
            event.clear()
        return work

    def cut(self) -> None:
        """Forget the question: the connection by which it came was cut."""
        self._end()
        self._parking.left(self._node_id, self._ask.session)

    def give_way(self) -> None:
        """End without work: the agent asks anew, or goes."""
        self._over = True
        self.notice()

    @property
    def session(self) -> str:
        """The agent process that asks."""
        return self._ask.session

    def reserve(self, queue: str) -> bool:
        """Leave the question unanswered for a moment, if nothing waits and its agent can begin a job of a queue now."""
        ask = self._ask
        if self._first or self._woken or self._looking or self._over or self._reserved:
            return False
        self._reserved = queue not in ask.skip and ask.free.get(queue, 0) > 0
        return self._reserved

    def give(self, work: Work) -> bool:
        """Answer the reserved question; False if nobody waits for the answer any more."""
        if self._over:
            return False
        self._given = work
        self.notice(urgent=False)
        return True

    def let_go(self) -> None:
        """Let the reserved question be answered by others, who may have tried meanwhile."""
        self._reserved = False
        self.notice(urgent=False)

    def notice(self, *, urgent: bool = True) -> None:
        """Have it looked at: there may be work; what is not ``urgent`` lets others go first."""
        self._woken = True
        if self._ready is not None:
            self._ready(urgent=urgent)

    @property
    def outdated(self) -> bool:
        """Tell whether the agent knows other standing orders than those that its node has now."""
        known = self._ask.orders
        return bool(known) and known != self._parking.standing.of(self._place).name

    def _find(self) -> Work | None:
        ask, first = self._ask, self._first
        self._woken = self._first = False
        if not first:
            self._place = place(self._parking.nodes.asker(self._node_id, ask.session))
        if self.outdated:
            told = self._parking.standing.of(self._place)
            return Work(standing=told.orders, orders=told.name)
        if first:
            if self._parking.queue.is_nothing_new(self._node_id, ask):
                return None
        elif not self._place.works:
            return None  # once it may work again, that is what wakes us
        limit, held = ask.limit if self._place.works else 0, ask.held if first else None
        work = self._parking.queue.answer(Wish(self._node_id, ask.session, tuple(ask.skip), limit, ask.free), held)
        return work if work.jobs or work.cancel else None

    def _end(self) -> None:
        self._over = True
        self._parking.wake.unwatch_node(self._node_id, self.notice)
        self._parking.forget(self._node_id, self)


class Parking:
    """The questions that are parked in this process. A node's newer question ends its older one."""

    def __init__(self, queue: JobQueue, nodes: Nodes, standing: StandingOrders) -> None:
        """Use the queue, the nodes and their standing orders."""
        self.queue = queue
        self.nodes = nodes
        self.standing = standing
        self.wake = queue.wake
        self._newest: dict[int, Question] = {}
        queue.fanout.hands = self
        self._turns: dict[int, tuple[str, int]] = {}
        self._asked: dict[int, tuple[str, float]] = {}  # by node: who asked here last, and when
        self._leaving = Group()
        self._writing = False

    def ask(self, node: dict[str, Any], ask: Ask) -> Question:
        """Take a node's question; :meth:`Question.look` at it for the answer.

        Args:
            node: the node's row.
            ask: its question.

        Raises:
            ConflictError: the node's agent must say hello first, another one has taken its place, or this question was
                held up on its way.

        """
        if node.get("session") != ask.session:
            raise ConflictError(f"Node {node['id']} is served by another agent process; say hello first.")
        session, turn = self._turns.get(node["id"], ("", 0))
        if session == ask.session and ask.turn < turn:
            raise ConflictError(f"A later question of node {node['id']} has come before this one.")
        self.nodes.asks_here(node, ask.turn)
        self._turns[node["id"]] = ask.session, ask.turn
        self._asked[node["id"]] = ask.session, time.time()
        self._see(node)
        self.release(node["id"])
        question = self._newest[node["id"]] = Question(self, node, ask)
        return question

    def reserve(self, nodes: Sequence[int], queue: str) -> dict[int, Hand]:
        """Leave questions unanswered whose agents can begin a job of a queue at once, by node; each must be let go."""
        resting = ((node, self._newest[node]) for node in nodes if node in self._newest)
        reserved: dict[int, Hand] = {node: question for node, question in resting if question.reserve(queue)}
        here: Mapping[int, str] = {}
        try:
            here = self.nodes.asking_here([*reserved]) if reserved else {}
        finally:
            for node, hand in list(reserved.items()):
                if here.get(node) != hand.session:
                    reserved.pop(node).let_go()
        return reserved

    @property
    def parked(self) -> int:
        """How many questions wait here now."""
        return len(self._newest)

    def outdated(self) -> list[Callable[[], None]]:
        """Return what has those parked questions answered whose agents know other standing orders than theirs now."""
        return [
            functools.partial(question.notice, urgent=False)
            for question in list(self._newest.values())
            if question.outdated
        ]

    def greet(self, node_id: int, session: str) -> None:
        """Expect a question soon after a hello; an agent that ended in between counts as away."""
        self.left(node_id, session)

    def release(self, node_id: int) -> None:
        """End a node's parked question: its agent says good-bye, or asks anew."""
        older = self._newest.pop(node_id, None)
        if older is not None:
            older.give_way()

    def forget(self, node_id: int, question: Question) -> None:
        """Keep an ended question no longer."""
        if self._newest.get(node_id) is question:
            del self._newest[node_id]

    def left(self, node_id: int, session: str) -> None:
        """Count an agent as away soon, unless it is seen again."""
        self._leaving.spawn(self._leave, node_id, session, time.time())

    def stop(self) -> None:
        """Look after nobody any more."""
        self._leaving.kill()

    def _see(self, node: dict[str, Any]) -> None:
        self.nodes.seen(node)
        if not self._writing:
            self._writing = True
            self._leaving.spawn(self._write)

    def _write(self) -> None:
        gevent.sleep(NOTE_EVERY)
        self._writing = False
        self.nodes.write_seen()

    def _leave(self, node_id: int, session: str, since: float) -> None:
        gevent.sleep(GRACE)
        asker, at = self._asked.get(node_id, ("", 0.0))
        if asker != session or at <= since:  # else it is here, as nearly always
            self.nodes.left(node_id, session, since)
