"""Ten thousand simulated agents over real sockets against one controller process: what they cost while they wait."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from multiprocessing.connection import Connection

import psutil
import requests
from product import Product, wait_for

AGENTS = 10_000
SECOND = 2  # every second agent has also kept the connection by which it sent its last result
MIB = 2**20
WATCHED = 20.0  # seconds of waiting in which the controller's time is counted
Figures = list[tuple[str, str, str]]


def waiting_agents(product: Product) -> Figures:
    """Measure the memory and the time of the controller's process with all agents waiting for work."""
    product.ask("bench/nodes/fill", count=AGENTS)
    process = psutil.Process(product.process.pid)
    before = process.memory_info().rss
    ours, theirs = multiprocessing.Pipe()
    agents = multiprocessing.get_context("spawn").Process(target=_agents, args=(product.port, AGENTS, theirs))
    began = time.monotonic()
    agents.start()
    try:
        wait_for(lambda: _connected(product) > AGENTS, 300, "all agents being there")
        entered = time.monotonic() - began
        spent = sum(process.cpu_times()[:2])
        ours.poll(WATCHED)
        share = (sum(process.cpu_times()[:2]) - spent) / WATCHED
        after = process.memory_info().rss
    finally:
        agents.kill()
        agents.join()
    each = (after - before) / AGENTS / 1024
    return [
        (f"{AGENTS:,} agents waiting: memory", f"{after / MIB:.0f} MiB, {each:.1f} KiB each", "≤ 400 MB"),
        (f"{AGENTS:,} agents waiting: time", f"{share:.0%} of a core; all there after {entered:.0f} s", "–"),
    ]


def _connected(product: Product) -> int:
    time.sleep(2)  # asking costs the controller time, too
    return int(requests.get(f"{product.url}/readyz", timeout=60).json()["nodes"])


def _agents(port: int, count: int, pipe: Connection) -> None:
    """Be ``count`` agents until killed; the pipe is here so that the other end can tell that this one lives."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(_all(port, count))
    pipe.close()


async def _all(port: int, count: int) -> None:
    entering = asyncio.Semaphore(64)
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(_agent(port, number, entering))


async def _agent(port: int, number: int, entering: asyncio.Semaphore) -> None:
    async with entering:
        link = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
        hello = f'{{"session": "s{number}", "boot_id": "b", "holding": []}}'
        await asked(link, "POST", "hello", number, hello)
        if number % SECOND == 0:
            other = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
            await asked(other, "POST", "jobs/renew", number, f'{{"session": "s{number}", "jobs": []}}')
    while True:
        await asked(link, "GET", f"jobs?session=s{number}&park=55", number)


async def asked(
    link: tuple[asyncio.StreamReader, asyncio.StreamWriter], verb: str, path: str, number: int, body: str = ""
) -> bytes:
    """Ask the controller as one of the simulated nodes and return the answer's body."""
    reader, writer = link
    head = f"{verb} /agent/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer node_bench{number}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}\r\n{body}".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"agent {number} was answered {answer!r}")
    length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length[15:]))
