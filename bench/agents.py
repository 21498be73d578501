"""Ten thousand simulated agents over real sockets against one controller process: what they cost while they wait."""

from __future__ import annotations

import asyncio
import time

import psutil
import requests
from product import Product, wait_for

from bench.jobs import entered

AGENTS = 10_000
MIB = 2**20
WATCHED = 20.0  # seconds of waiting in which the controller's time is counted
Figures = list[tuple[str, str, str]]


def waiting_agents(product: Product) -> Figures:
    """Measure the memory and the time of the controller's process with all agents waiting for work."""
    product.ask("bench/nodes/fill", count=AGENTS)
    process = psutil.Process(product.process.pid)
    before = process.memory_info().rss
    began = time.monotonic()
    with entered(product, AGENTS):
        wait_for(lambda: _connected(product) > AGENTS, 300, "all agents being there")
        took = time.monotonic() - began
        spent = sum(process.cpu_times()[:2])
        time.sleep(WATCHED)
        share = (sum(process.cpu_times()[:2]) - spent) / WATCHED
        after = process.memory_info().rss
    each = (after - before) / AGENTS / 1024
    return [
        (f"{AGENTS:,} agents waiting: memory", f"{after / MIB:.0f} MiB, {each:.1f} KiB each", "≤ 400 MB"),
        (f"{AGENTS:,} agents waiting: time", f"{share:.0%} of a core; all there after {took:.0f} s", "–"),
    ]


def _connected(product: Product) -> int:
    time.sleep(2)  # asking costs the controller time, too
    return int(requests.get(f"{product.url}/readyz", timeout=60).json()["nodes"])


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
