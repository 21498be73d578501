"""Changes as open pages are told of them: gathered into beats, each told once to everybody who watches and may hear."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import gevent
from gevent.event import Event
from gevent.lock import RLock
from pymongo.errors import PyMongoError

from portalfw.audience import Audiences, Hearing, either
from portalfw.auth.principal import Principal
from portalfw.events import EVERYTHING, Change, EventBus

log = logging.getLogger(__name__)

GATHER: Final = 0.15  # seconds in which changes are gathered into one beat
EACH: Final = 0.003  # seconds that a further listener makes the pause between beats longer
LONGEST: Final = 1.5  # seconds between beats, however many listen
SPREAD: Final = 0.3  # part of the pause over which many listeners are told, so that they do not all ask at once
STEP: Final = 0.02  # seconds between those who are told together
AGAIN: Final = 1.0  # seconds after which it is gone on with when something went wrong
REMEMBERED: Final = 1024  # changes that one who comes late can still be told
TASKS: Final = "task"
DOUBTFUL: Final = frozenset({"user", "session", "api_token"})  # on these hangs who a viewer is

Hearings = dict[frozenset[str], Hearing]


@dataclass
class Heard:
    """One change, its number among all that the bus has had, and who may hear of it once that has been asked."""

    number: int
    change: Change
    hearing: Hearing | None = None


class Listener:
    """One open page. What it was not given yet is kept as a set, so however late it comes, it misses nothing."""

    def __init__(self, beats: Beats, viewer: Principal, topics: Collection[str], reached: int) -> None:
        """Listen to ``topics`` for ``viewer``, who has heard of all changes up to the number ``reached``."""
        self._beats = beats
        self.viewer = viewer
        self.topics = frozenset(topics)
        self._reached = self._given = reached
        self._told: set[str] = set()
        self._tasks: dict[object, Change] = {}
        self._news = Event()
        self.doubted = False  # the viewer's user or credential has changed: who it is must be asked again

    def wait(self, timeout: float) -> tuple[set[str], list[Change]]:
        """Return topics and tasks that have changed; nothing if that was so for ``timeout`` seconds."""
        self._news.wait(timeout)
        self._news.clear()
        self._given = self._reached
        told, self._told = self._told, set()
        tasks, self._tasks = self._tasks, {}
        return told, list(tasks.values())

    @property
    def position(self) -> str:
        """The position up to which :meth:`wait` has returned all that has changed."""
        return self._beats.position(self._given)

    def tell(self, number: int, topics: Iterable[str]) -> None:
        """Tell that ``topics`` had changed by the change ``number``; who has heard of a later one stays there."""
        self._told.update(topics)
        self._reached = max(self._reached, number)
        self._news.set()

    def tell_task(self, change: Change) -> None:
        """Tell how far a task is now; only the last word counts."""
        self._tasks[change.id] = change
        self._news.set()

    def doubt(self) -> None:
        """Let it ask again who its viewer is."""
        self.doubted = True
        self._news.set()

    def close(self) -> None:
        """Stop listening."""
        self._beats.remove(self)


class Beats:
    """Tells the open pages of this process what has changed, as seldom as their number asks for.

    The first change after a quiet time is told after :data:`GATHER`. While changes go on, the pause grows with the
    number of those who watch what changes, up to :data:`LONGEST`. All hear of one beat under the same position, so what
    is rendered for the first who asks serves the others.
    """

    def __init__(self, bus: EventBus, audiences: Audiences) -> None:
        """Listen to ``bus`` and ask ``audiences`` who may hear."""
        self._bus = bus
        self._audiences = audiences
        self._watching: dict[str, set[Listener]] = defaultdict(set)
        self._recent: deque[Heard] = deque(maxlen=REMEMBERED)
        self._waiting: list[Heard] = []
        self._life, _, count = bus.position.partition("-")
        self._first = self._number = int(count)
        self._changes = bus.subscribe(EVERYTHING)
        self._next = 0.0
        self._asking = RLock()
        gevent.spawn(self._run)

    def listen(self, viewer: Principal, topics: Collection[str], since: str | None) -> Listener:
        """Return a listener that is told first what has changed since the position ``since``, if that is given."""
        listener = Listener(self, viewer, topics, self._number)
        for topic in listener.topics:
            self._watching[topic].add(listener)
        if since:
            try:
                self._catch_up(since, listener)
            except PyMongoError:
                self.remove(listener)
                raise
        return listener

    def position(self, number: int) -> str:
        """Return the position of the stream of changes that is just after its change ``number``."""
        return f"{self._life}-{number}"

    def remove(self, listener: Listener) -> None:
        """Forget a listener."""
        for topic in listener.topics:
            self._watching[topic].discard(listener)
            if not self._watching[topic]:
                del self._watching[topic]

    def _catch_up(self, since: str, listener: Listener) -> None:
        """Tell a new listener what was taken after ``since``; what is taken from now on a beat tells it.

        Asking who may hear of it takes time in which more may be taken, which is not part of what is told here.
        """
        number = self._number
        life, _, count = since.partition("-")
        first = self._recent[0].number if len(self._recent) == REMEMBERED else self._first
        if life != self._life or not count.isdecimal() or int(count) < first:
            listener.tell(number, listener.topics)
            return
        later = [one for one in self._recent if one.number > int(count)]
        later = [one for one in later if not listener.topics.isdisjoint(one.change.names)]
        missed = _topics(self._hearings(later), listener)
        if missed:
            listener.tell(number, missed)

    def _run(self) -> None:
        while True:
            try:
                self._changes.peek()
                gevent.sleep(GATHER)
                self._take()
                self._beat()
                while self._waiting:
                    gevent.sleep(GATHER)
                    self._take()
                    self._beat()
            except Exception:  # whatever it was: pages that are told nothing any more would show what is long past
                log.exception("Open pages cannot be told what has changed; they are told to look at all they show")
                self._waiting = []
                self._lose()
                gevent.sleep(AGAIN)

    def _take(self) -> None:
        """Take what the bus has had until now, without a pause in which it could have more."""
        for change in self._changes.take():
            self._number += 1
            one = Heard(self._number, change)
            self._recent.append(one)
            if any(name in self._watching for name in change.names):
                self._waiting.append(one)
            if change.collection in DOUBTFUL and change.operation != "insert":
                self._doubt(change)
        if self._changes.overrun:
            self._lose()

    def _doubt(self, change: Change) -> None:
        for listener in set[Listener]().union(*self._watching.values()):
            name = (change.row or {}).get("name", listener.viewer.name)
            credential = listener.viewer.credential.rpartition(":")[2]
            if listener.viewer.name == name if change.collection == "user" else credential == str(change.id):
                listener.doubt()

    def _lose(self) -> None:
        """Let everybody look, and who it is be asked again: some changes will not be told."""
        self._changes.take()
        self._changes.overrun = False
        self._number = self._first = int(self._bus.position.rpartition("-")[2])
        self._recent.clear()
        for listener in set[Listener]().union(*self._watching.values()):
            listener.tell(self._number, listener.topics)
            listener.doubt()

    def _beat(self) -> None:
        self._tell_tasks()
        listeners = self._listening(self._waiting)
        now = time.monotonic()
        if listeners and now < self._next:
            return
        told, self._waiting, number = self._waiting, [], self._number
        try:
            hearings = self._hearings(told)
        except PyMongoError as error:
            log.warning("Who may hear of changes cannot be told yet: %s", error)
            self._waiting = told + self._waiting
            return
        pause = min(LONGEST, len(listeners) * EACH)
        self._next = now + pause
        if listeners:
            gevent.spawn(self._tell, hearings, list(listeners), number, pause * SPREAD)

    def _tell_tasks(self) -> None:
        """Tell of tasks at once: somebody waits for them, and what may be told of them is decided there."""
        tasks = [one for one in self._waiting if one.change.collection == TASKS]
        if tasks:
            self._waiting = [one for one in self._waiting if one.change.collection != TASKS]
        for one in tasks:
            for listener in self._listening([one]):
                listener.tell_task(one.change)

    def _tell(self, told: Hearings, listeners: list[Listener], number: int, over: float) -> None:
        together = math.ceil(len(listeners) / max(1.0, over / STEP))
        for place, listener in enumerate(listeners, 1):
            try:
                topics = _topics(told, listener)
            except Exception:  # one of them must not hinder the others
                log.exception("What %s may hear of cannot be told; the page is told to look", listener.viewer.name)
                topics = set(listener.topics)
            if topics:
                listener.tell(number, topics)
            if place % together == 0 and place < len(listeners):
                gevent.sleep(STEP)

    def _hearings(self, told: Iterable[Heard]) -> Hearings:
        """Return what changed by what it may be called, and who may hear of it; the same document counts once."""
        found: Hearings = {}
        for one in told:
            names = frozenset(self._audiences.names(one.change))
            hearing = self._hearing(one)
            before = found.get(names)
            found[names] = hearing if before is None else either(hearing, before)
        return found

    def _hearing(self, one: Heard) -> Hearing:
        """Ask who may hear of a change, once: of a deleted document only the first question is answered in full."""
        with self._asking:
            if one.hearing is None:
                one.hearing = self._audiences.of(one.change)
            return one.hearing

    def _listening(self, told: Iterable[Heard]) -> set[Listener]:
        names = {name for one in told for name in one.change.names}
        return set[Listener]().union(*(self._watching.get(name, ()) for name in names))


def _topics(told: Hearings, listener: Listener) -> set[str]:
    """Return the exact names of what a listener watches and may hear of; of what is gone and nobody's, all there is."""
    return {
        name
        for names, hearing in told.items()
        if not names.isdisjoint(listener.topics) and hearing(listener.viewer)
        for name in ({one for one in names if ":" in one} or names)
    }
