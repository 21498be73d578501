"""Simulated agents on raw sockets, in processes of their own: they speak the agents' protocol and do nothing else.

As a real agent does, one asks anew as soon as it has been given jobs, naming what it holds and how many workers are
free, and says over another connection which jobs start and how they ended, in one report what came up during the last
one. Those other connections are shared by the agents of a process, since no process may have more than 20,000 here.
"""

from __future__ import annotations

import multiprocessing
import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

import orjson
import psutil

from agent.settings import WORKERS

ENTERING: Final = 32
"""Agents of a process that say hello at the same time."""

REPORTING: Final = 200
"""Connections over which the agents of a process report."""

TELL_EVERY: Final = 0.2
"""Seconds between a process's words to the measurement."""

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Body = bytes
Then = Callable[[Body], None]
Job = dict[str, Any]


class Link:
    """One kept connection: a question, its answer, the next question."""

    __slots__ = ("_buffer", "_then", "socket")

    def __init__(self, port: int, poll: select.epoll, links: dict[int, Link]) -> None:
        """Connect, and be among ``links`` by the number of the descriptor."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)  # noqa: FBT003 - the argument's name is not public
        self._buffer = b""
        self._then: Then | None = None
        links[self.socket.fileno()] = self
        poll.register(self.socket.fileno(), select.EPOLLIN)

    def ask(self, number: int, verb: str, path: str, then: Then, body: bytes = b"") -> None:
        """Send a question of an agent; ``then`` gets the answer's body."""
        self._then = then
        head = f"{verb} /agent/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer node_bench{number}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.socket.send(f"{head}\r\n".encode() + body)

    def hear(self) -> None:
        """Take in what has come."""
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("The controller has hung up on an agent.")
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        found = LENGTH.search(self._buffer, 0, end)
        if found is None or not self._buffer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"An agent was answered {self._buffer!r}")
        body = self._buffer[end + 4 :]
        if len(body) >= int(found[1]):
            self._buffer, then, self._then = b"", self._then, None
            if then is not None:
                then(body)


class Crowd:
    """The agents of one process, and what they have seen."""

    def __init__(self, port: int, numbers: range) -> None:
        """Be the nodes of these numbers."""
        self.poll = select.epoll()
        self.links: dict[int, Link] = {}
        self.there = self.done = 0
        self.waits: list[float] = []
        self._port = port
        self._entering = iter(numbers)
        self._agents: dict[int, One] = {}
        self._free = [Link(port, self.poll, self.links) for _ in range(REPORTING)]
        self._reports: deque[int] = deque()  # who waits for a connection

    def enter(self) -> None:
        """Have the next agent say hello, and so on."""
        number = next(self._entering, None)
        if number is not None:
            link = Link(self._port, self.poll, self.links)
            hello = orjson.dumps({"session": f"s{number}", "boot_id": "b", "holding": []})
            link.ask(number, "POST", "hello", lambda _: self._entered(number, link), hello)

    def turn(self) -> None:
        """Hear what has come within a while."""
        for descriptor, _ in self.poll.poll(TELL_EVERY):
            self.links[descriptor].hear()

    def _entered(self, number: int, link: Link) -> None:
        self.there += 1
        self._agents[number] = One()
        self._wait(number, link)
        self.enter()

    def _wait(self, number: int, link: Link) -> None:
        one = self._agents[number]
        held = ",".join(f"{job}.{attempt}" for job, attempt in one.held.items())
        query = f"jobs?session=s{number}&held={held}&free=default.{one.free}&park=55"
        link.ask(number, "GET", query, lambda body: self._given(number, link, body))

    def _given(self, number: int, link: Link, body: Body) -> None:
        jobs = orjson.loads(body)["jobs"]
        now = time.time()
        self.waits += [now - job["args"]["at"] for job in jobs if job["args"].get("at")]
        self._agents[number].take(jobs)
        self._wait(number, link)
        self._report(number)

    def _report(self, number: int) -> None:
        """Have an agent tell what it has to, unless it is about to."""
        one = self._agents[number]
        if one.telling or not (one.starts or one.ends):
            return
        one.telling = True
        if self._free:
            self._tell(number, self._free.pop())
        else:
            self._reports.append(number)

    def _tell(self, number: int, link: Link) -> None:
        one = self._agents[number]
        (starts, one.starts), (ends, one.ends) = (one.starts, []), (one.ends, [])
        report = {
            "starts": [{"id": job["id"], "attempt": job["attempt"]} for job in starts],
            "ends": [{"id": job["id"], "result": _result(job)} for job in ends],
        }
        link.ask(
            number, "POST", "report", lambda body: self._told(number, link, starts, ends, body), orjson.dumps(report)
        )

    def _told(self, number: int, link: Link, starts: list[Job], ends: list[Job], body: Body) -> None:
        answer = orjson.loads(body)
        if not all(said["ok"] for said in [*answer["starts"], *answer["ends"]]):
            raise RuntimeError(f"The controller refuses {starts} or {ends}: {answer}")
        one = self._agents[number]
        one.telling = False
        one.end(starts, ends)
        self.done += len(ends)
        self._free.append(link)
        self._report(number)
        if self._reports and self._free:
            self._tell(self._reports.popleft(), self._free.pop())


class One:
    """One agent: what it holds, what it has to tell, and its workers, which are done as soon as they may start."""

    __slots__ = ("_waiting", "ends", "free", "held", "starts", "telling")

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.held: dict[int, int] = {}
        self.free = WORKERS["default"]
        self.starts: list[Job] = []
        self.ends: list[Job] = []
        self.telling = False
        self._waiting: deque[Job] = deque()

    def take(self, jobs: list[Job]) -> None:
        """Take jobs in hand; those that are given as begun run at once."""
        for job in jobs:
            self.held[job["id"]] = job["attempt"]
            if job["begun"]:
                self.free -= 1
                self.ends.append(job)
            else:
                self._waiting.append(job)
        self._start()

    def end(self, starts: list[Job], ends: list[Job]) -> None:
        """Go on when the controller has heard of these: what may start is done, what has ended makes room."""
        self.ends += starts
        for job in ends:
            del self.held[job["id"]]
            self.free += 1
        self._start()

    def _start(self) -> None:
        while self.free and self._waiting:
            self.free -= 1
            self.starts.append(self._waiting.popleft())


class Agents:
    """All simulated agents, as the measurement sees them."""

    def __init__(self, pipes: list[Connection], processes: list[psutil.Process]) -> None:
        """Listen to the processes that are the agents."""
        self._pipes = pipes
        self.processes = processes
        self._told = [(0, 0)] * len(pipes)
        self.waits: list[float] = []

    @property
    def there(self) -> int:
        """How many have said hello and ask for jobs."""
        self._hear()
        return sum(there for there, _ in self._told)

    @property
    def done(self) -> int:
        """How many jobs they have ended."""
        self._hear()
        return sum(done for _, done in self._told)

    def _hear(self) -> None:
        for place, pipe in enumerate(self._pipes):
            while pipe.poll():
                there, done, waits = pipe.recv()
                self._told[place] = (there, done)
                self.waits += waits


@contextmanager
def agents(port: int, count: int, processes: int = 2) -> Iterator[Agents]:
    """Be ``count`` agents while the block runs; the nodes of the numbers 0 to ``count`` must be there."""
    context = multiprocessing.get_context("spawn")
    pipes, children = [], []
    for place in range(processes):
        ours, theirs = context.Pipe(duplex=False)
        numbers = range(place, count, processes)
        children.append(context.Process(target=_be, args=(port, numbers, theirs), daemon=True))
        children[-1].start()
        pipes.append(ours)
    try:
        yield Agents(pipes, [psutil.Process(child.pid) for child in children])
    finally:
        for child in children:
            child.kill()
            child.join()


def _be(port: int, numbers: range, pipe: Connection) -> None:
    crowd = Crowd(port, numbers)
    for _ in range(ENTERING):
        crowd.enter()
    told = 0.0
    while True:
        crowd.turn()
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            waits, crowd.waits = crowd.waits, []
            pipe.send((crowd.there, crowd.done, waits))


def _result(job: Job) -> dict[str, Any]:
    now = time.time()
    ending = {"state": "OK", "reason": "", "result": True, "started": now, "ended": now}
    return {"attempt": job["attempt"], **ending}
