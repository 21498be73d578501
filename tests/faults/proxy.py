"""A proxy between agents and controllers that cuts, delays, repeats and refuses requests, each by chance at its point.

Run as ``python proxy.py SEED RATE WAY...``: for each WAY, ``port:port``, it takes connections on the first port and
passes each request on to the second one. A line on standard input sets the rate anew (``0`` ends all faults). At the
end of the input it prints, as JSON, how many faults of each kind it made at each point, and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass, field

POINTS = re.compile(r"/agent/(?:jobs/\d+/)?(?:jobs/)?(\w+)")
"""What a request is about, as its path tells it: hello, jobs, report, renew, output, scripts, statistics …"""

KINDS = {
    "cut before": 3,  # the controller never hears of it
    "cut after": 4,  # the controller has done it, the agent does not hear of that
    "cut within": 2,  # the agent gets half of the answer
    "delayed": 3,  # on the way there, and back
    "repeated": 3,  # the controller hears it twice in a row, the agent gets the second answer
    "repeated later": 3,  # the controller hears it again when the agent has gone on
    "late": 3,  # the agent sees a cut, the controller hears it a while afterwards
    "refused": 2,  # a gateway's own answer that it cannot pass it on
    "strange": 1,  # an answer of somebody who is no controller
}
"""Kinds of faults, and how often each is compared with the others."""

LATER = 4.0
"""Longest delay in seconds."""

GHOST = 6.0
"""Seconds after which a repeated request whose answer nobody reads is cut."""

OWN_ANSWERS = {
    "refused": ["502 Bad Gateway", "503 Service Unavailable"],
    "strange": ["200 OK", "403 Forbidden", "404 Not Found", "301 Moved Permanently"],
}
"""Answers to faults of which the controller never hears."""


@dataclass
class Faults:
    """What is to go wrong, and what has."""

    chance: random.Random
    rate: float
    made: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)

    def choose(self, point: str) -> str:
        """Return the fault of the next request at a point, or nothing."""
        if self.chance.random() >= self.rate:
            self.passed[point] += 1
            return ""
        kind = self.chance.choices([*KINDS], [*KINDS.values()])[0]
        self.made[f"{point}: {kind}"] += 1
        return kind

    def pause(self) -> float:
        """Return a delay, mostly short."""
        return min(LATER, self.chance.expovariate(1.0))


class Way:
    """From one listening port to one controller."""

    def __init__(self, faults: Faults, target: int) -> None:
        """Lead to the controller at the port ``target``."""
        self.faults = faults
        self.target = target
        self.behind: set[asyncio.Task[object]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of an agent."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._pass_one(reader, writer):
                pass
        writer.close()

    async def _pass_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass one request on; False if the connection is to be cut."""
        request = await message(reader)
        found = POINTS.search(request.partition(b"\r\n")[0].decode(errors="replace"))
        fault = self.faults.choose(found[1] if found else "other")
        if fault in OWN_ANSWERS:
            return await answered(writer, self.faults.chance.choice(OWN_ANSWERS[fault]))
        if fault == "late":
            self._behind(request)
        if fault in {"late", "cut before"}:
            return False
        if fault == "delayed":
            await asyncio.sleep(self.faults.pause())
        answer = await self._ask(request, reader)
        if fault == "repeated":
            answer = await self._ask(request, reader)
        if fault == "repeated later":
            self._behind(request)
        if fault == "delayed":
            await asyncio.sleep(self.faults.pause())
        if not answer or fault == "cut after":
            return False
        writer.write(answer[: len(answer) // 2] if fault == "cut within" else answer)
        await writer.drain()
        return fault != "cut within"

    async def _ask(self, request: bytes, agent: asyncio.StreamReader) -> bytes:
        """Return the controller's answer; nothing if either side has gone meanwhile."""
        asking = asyncio.ensure_future(self._answer(request))
        leaving = asyncio.ensure_future(agent.read(1))
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (asking, leaving):
            task.cancel()
        await asyncio.wait({leaving})  # else the next request would be read beside it
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return await asking
        return b""

    async def _answer(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target, limit=2**20)
        try:
            writer.write(request)
            await writer.drain()
            return await message(reader)
        finally:
            writer.close()

    def _behind(self, request: bytes) -> None:
        """Have the controller hear a request later, when nobody waits for the answer."""
        task = asyncio.ensure_future(self._later(request))
        self.behind.add(task)
        task.add_done_callback(self.behind.discard)

    async def _later(self, request: bytes) -> None:
        await asyncio.sleep(self.faults.pause())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            await asyncio.wait_for(self._answer(request), GHOST)


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request or answer."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise OSError("a head of this length is no agent's") from error
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def answered(writer: asyncio.StreamWriter, status: str) -> bool:
    """Answer in the place of the controller, as something on the way may."""
    body = b"<html>Please come back later</html>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


async def main(seed: str, rate: float, ways: list[str]) -> None:
    """Serve until the input ends."""
    faults = Faults(random.Random(seed), rate)  # noqa: S311 - no secret
    for way in ways:
        listen, target = (int(port) for port in way.split(":"))
        await asyncio.start_server(Way(faults, target).serve, "127.0.0.1", listen, limit=2**20)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        faults.rate = float(order)
    sys.stdout.write(json.dumps({"made": faults.made, "passed": faults.passed}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))
