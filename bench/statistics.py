"""A thousand nodes that tell 60 figures each every ten seconds; rolling them up; a day of one figure."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Iterator

import orjson
import psutil
import requests
from product import Product, wait_for

from bench.agents import asked
from portalfw.statistics.documents import names
from portalfw.statistics.levels import MINUTES, RAW, date
from portalfw.statistics.rollup import NODES, known_names, make_step
from portalfw.store import Mongod, connect, disconnect

COUNT, EVERY, WATCHED, QUESTIONS = 1000, 10, 40.0, 200
DAY = 86_400
FIRST = 100_000
"""Number of the first node whose rows are written past the controller."""

THINGS = (("node", "", 20), *(("disk", f"sd{n}", 6) for n in "ab"), *(("nic", f"eth{n}", 6) for n in range(4)))
THINGS = (*THINGS, ("filesystem", "/", 4))  # 60 figures in all
Figures = list[tuple[str, str, str]]


def statistics_figures(product: Product) -> Figures:
    """Measure what taking in costs the controller's process and mongod, then the rest over the same database."""
    product.ask("bench/nodes/fill", count=COUNT)
    rows = [_intake(product)]
    connect(Mongod(product.state / "mongod").uri, "portalfw")
    try:
        rows += [_rolling_up(product), _question(product)]
    finally:
        disconnect()
    return rows


def _intake(product: Product) -> tuple[str, str, str]:
    ours, theirs = psutil.Process(product.process.pid), _mongod(product)
    agents = multiprocessing.get_context("spawn").Process(target=_agents, args=(product.port,))
    agents.start()
    try:
        wait_for(lambda: _taken(product) > COUNT, 120, "every node having told of itself")
        before = _seconds(ours), _seconds(theirs), _taken(product)
        began = time.monotonic()
        time.sleep(WATCHED)
        took = time.monotonic() - began
        shares = (_seconds(ours) - before[0]) / took, (_seconds(theirs) - before[1]) / took
        rate = (_taken(product) - before[2]) / took
    finally:
        agents.kill()
        agents.join()
    text = f"{shares[0]:.0%} of a core, mongod {shares[1]:.0%}; {rate:.0f} samples/s"
    return f"statistics: {COUNT:,} nodes, 60 figures each 10 s", text, "–"


def _rolling_up(product: Product) -> tuple[str, str, str]:
    """Write five minutes of all nodes into the store, and roll them up in this process."""
    start = MINUTES.floor(time.time()) - 2 * MINUTES.step
    learnt = [f"figure_{n}" for n in range(20)]
    names().update_one({"_id": 1}, {"$addToSet": {"figures": {"$each": learnt}}}, upsert=True)
    for at in range(start, start + MINUTES.step, EVERY):
        RAW.collection.insert_many([row for node in range(COUNT) for row in _rows(node, at)], ordered=False)
    mongod, ours = _mongod(product), psutil.Process()
    before, began = (_seconds(mongod), _seconds(ours)), time.monotonic()
    made = sum(
        make_step(RAW, MINUTES, start, range(FIRST + first, FIRST + first + NODES)) for first in range(0, COUNT, NODES)
    )
    took, spent = time.monotonic() - began, (_seconds(mongod) - before[0], _seconds(ours) - before[1])
    text = f"{took:.1f} s for {made:,} rows; {spent[1]:.1f} s of ours, {spent[0]:.1f} s of mongod"
    return f"statistics: 5 minutes of {COUNT:,} nodes rolled up ({len(known_names())} names)", text, "–"


def _question(product: Product) -> tuple[str, str, str]:
    """Ask for a day of one figure of the product's own node, which has rows of 25 others beside it."""
    now = MINUTES.floor(time.time())
    for at in range(now - DAY, now, MINUTES.step):
        MINUTES.collection.insert_many([row for node in range(25) for row in _rows(node, at, first=1, n=30)])
    session, times = requests.Session(), []
    session.headers["Authorization"] = f"Bearer {product.token}"
    arguments = {"nodeId": 1, "figures": "figure_3", "from": now - DAY}
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        answer = session.get(
            f"{product.url}/restmachine/system/gridmanager/getStatistics", params=arguments, timeout=30
        )
        times.append((time.perf_counter() - began) * 1000)
    assert len(answer.json()["series"][0]["points"]) >= DAY // MINUTES.step
    cuts = statistics.quantiles(times[20:], n=100)
    return "statistics: a day of one figure, over HTTP", f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms", "≤ 10 ms"


def _rows(node: int, at: int, *, first: int = FIRST, **more: int) -> Iterator[dict[str, object]]:
    for kind, key, count in THINGS:
        values = {f"figure_{n}": random.random() * 1e6 for n in range(count)}  # noqa: S311 - numbers for a measurement
        yield {"at": date(at), "s": {"kind": kind, "key": key, "node": first + node}, **more, **values}


def _mongod(product: Product) -> psutil.Process:
    children = psutil.Process(product.process.pid).children(recursive=True)
    return next(child for child in children if child.name() == "mongod")


def _seconds(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def _taken(product: Product) -> float:
    headers = {"Authorization": f"Bearer {product.token}"}
    told = requests.get(f"{product.url}/metrics", headers=headers, timeout=60).text
    return next(float(line.split()[1]) for line in told.splitlines() if line.startswith("portalfw_samples_total"))


def _agents(port: int) -> None:
    """Be all agents until killed."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(_all(port))


async def _all(port: int) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(COUNT):
            group.create_task(_agent(port, number))


async def _agent(port: int, number: int) -> None:
    """Tell every ten seconds, at a moment of one's own."""
    await asyncio.sleep(EVERY * number / COUNT)
    link = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
    count, due = 0, time.monotonic()
    while True:
        count += 1
        figures = [
            {"kind": kind, "key": key, "values": {f"figure_{n}": random.random() * 1e6 for n in range(figures)}}  # noqa: S311 - numbers for a measurement
            for kind, key, figures in THINGS
        ]
        sample = {"number": count, "at": int(time.time()) // EVERY * EVERY, "figures": figures}
        await asked(link, "POST", "statistics", number, orjson.dumps({"spool": "b", "samples": [sample]}).decode())
        due += EVERY
        await asyncio.sleep(max(0.0, due - time.monotonic()))
