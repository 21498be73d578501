"""Jobs at ten thousand simulated agents: how many a second, how long one on all takes, how late an agent hears."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from product import Product, wait_for

from bench.simulated import Agents, agents

AGENTS = 10_000
BUSY = 200  # agents that are given many jobs each
EACH = 20  # jobs of each of these
PROBES = 100
LIMIT = 170.0  # seconds
MIB = 2**20
Figures = list[tuple[str, str, str]]


class Clock:
    """Counts the seconds, and the seconds of processor that each party has used."""

    def __init__(self, product: Product, crowd: Agents) -> None:
        """Begin to count."""
        self._controller = psutil.Process(product.process.pid)
        children = self._controller.children(recursive=True)
        self._mongod = next(process for process in children if "mongod" in process.name())
        self._crowd = crowd
        self._began = (time.monotonic(), *self._used())

    def _used(self) -> tuple[float, float, float]:
        crowd = sum(sum(process.cpu_times()[:2]) for process in self._crowd.processes)
        return sum(self._controller.cpu_times()[:2]), sum(self._mongod.cpu_times()[:2]), crowd

    def read(self, jobs: int) -> tuple[float, str]:
        """Return the seconds since the beginning, and a sentence about them and the ``jobs`` of that time."""
        now = (time.monotonic(), *self._used())
        wall, ours, mongod, crowd = (after - before for after, before in zip(now, self._began, strict=True))
        text = f"{jobs / wall:,.0f}/s; {jobs / ours:,.0f} per second of the controller's processor"
        return wall, f"{text} (wall {wall:.1f} s; CPU: controller {ours:.1f}, mongod {mongod:.1f}, agents {crowd:.1f})"


@contextmanager
def entered(product: Product, count: int) -> Iterator[Agents]:
    """Have ``count`` agents wait for jobs while the block runs."""
    with agents(product.port, count) as crowd:
        wait_for(lambda: crowd.there == count, LIMIT, "all agents having entered")
        yield crowd


def jobs(product: Product) -> Figures:
    """Measure a fan-out to all agents, many jobs on few of them, and single jobs meanwhile."""
    first = product.ask("bench/nodes/fill", count=AGENTS)
    controller = psutil.Process(product.process.pid)
    before = controller.memory_info().rss
    with entered(product, AGENTS) as crowd:
        found = []
        memory = (controller.memory_info().rss - before) / MIB
        found.append((f"{AGENTS:,} agents there: memory", f"{memory:.0f} MiB", "≤ 400 MB"))
        wall, text = _run(product, crowd, AGENTS, lambda: product.ask("bench/jobs/fanOut", first=first, count=AGENTS))
        found.append((f"one job on each of {AGENTS:,}: {wall:.1f} s", text, "≤ 15 s"))
        whole = controller.memory_info().rss / MIB
        found.append(("controller's memory afterwards, all of it", f"{whole:.0f} MiB", "–"))
        _, text = _run(product, crowd, BUSY * EACH, lambda: _many(product, first))
        found.append((f"{EACH} jobs on each of {BUSY}", text, "≥ 1,000/s"))
        found += _latency(product, crowd, first)
    return found


def _run(product: Product, crowd: Agents, count: int, begin: Callable[[], object]) -> tuple[float, str]:
    clock, done = Clock(product, crowd), crowd.done
    begin()
    wait_for(lambda: crowd.done == done + count, LIMIT, "all jobs having ended")
    wait_for(lambda: product.ask("bench/jobs/open") == 0, LIMIT, "the fan-outs having their results")
    return clock.read(count)


def _many(product: Product, first: int) -> None:
    for _ in range(EACH):
        product.ask("bench/jobs/fanOut", first=first, count=BUSY)


def _latency(product: Product, crowd: Agents, first: int) -> Figures:
    """Submit single jobs to agents at rest, while others work."""
    rows = []
    for title, load in (("at rest", False), ("during a fan-out", True)):
        crowd.waits.clear()
        done, expected = crowd.done, PROBES
        if load:
            product.ask("bench/jobs/fanOut", first=first, count=AGENTS // 2)
            expected += AGENTS // 2
        product.ask("bench/jobs/probe", first=first + AGENTS - PROBES, count=PROBES, pause=0.02)
        wait_for(lambda: crowd.done == done + expected, LIMIT, "all jobs having ended")  # noqa: B023 - called at once
        cuts = statistics.quantiles((1000 * wait for wait in crowd.waits), n=100)
        rows.append((f"job to its agent, {title}", f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms", "p99 ≤ 500 ms"))
    return rows
