"""A closed-loop HTTP load: each connection sends its next request when it has the answer to the last."""

from __future__ import annotations

import multiprocessing
import os
import selectors
import socket
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """Requests a second, and quantiles of the time of one request in milliseconds."""

    rate: float
    p50: float
    p99: float


def closed_loop(port: int, request: bytes, connections: int, seconds: float) -> Figures:
    """Load ``127.0.0.1:port`` from a process of its own, on the last core, so that it takes none of the server's."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        times = pool.apply(_run, (port, request, connections, seconds))
    cuts = statistics.quantiles(times, n=100)
    return Figures(len(times) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _run(port: int, request: bytes, connections: int, seconds: float) -> list[float]:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chooser = selectors.DefaultSelector()
    began: dict[socket.socket, float] = {}
    for _ in range(connections):
        link = socket.create_connection(("127.0.0.1", port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(link, selectors.EVENT_READ)
        began[link] = time.perf_counter()
        link.sendall(request)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for key, _ in chooser.select(1):
            link = key.fileobj
            _read_answer(link)
            now = time.perf_counter()
            times.append(now - began[link])
            began[link] = now
            link.sendall(request)
    return times


def _read_answer(link: socket.socket) -> None:
    data = link.recv(65536)
    while b"\r\n\r\n" not in data:
        data += link.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {head[:200]!r} {body[:200]!r}")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(body) < length:
        body += link.recv(65536)
