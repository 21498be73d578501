"""Calls, pages, jobs and memory of a whole product with the simulated hypervisor."""

from __future__ import annotations

import os
import statistics
import time

import psutil
import requests
from product import Product

from bench.load import closed_loop

MIB = 2**20
IDLE = 10.0  # seconds that the product is left alone before its memory is read
WATCHED = 60.0  # seconds for which an agent at rest is watched: six rounds of its samples


def json_calls(product: Product) -> list[tuple[str, str, str]]:
    """Measure a signed-in, validated, audited call on one core."""
    os.sched_setaffinity(product.process.pid, {min(os.sched_getaffinity(0))})
    head = ["GET /restmachine/system/usermanager/whoami HTTP/1.1", "Host: x", f"Authorization: Bearer {product.token}"]
    request = "\r\n".join([*head, "", ""]).encode()
    rows = []
    for connections in (8, 64):
        found = closed_loop(product.port, request, connections, 8.0)
        target = "≥ 2,500/s, p50 < 4 ms" if connections == 8 else "–"
        text = f"{found.rate:,.0f}/s, p50 {found.p50:.2f} ms, p99 {found.p99:.2f} ms"
        rows.append((f"keep-alive JSON call, one core, {connections} connections", text, target))
    os.sched_setaffinity(product.process.pid, os.sched_getaffinity(0))
    return rows


def page_views(product: Product) -> list[tuple[str, str, str]]:
    """Measure a page with three macros that call actors, as its viewer waits for it."""
    for name in ("bench-a", "bench-b"):
        product.ask("cloudbroker/account/create", name=name, username="admin", emailaddress="admin@example.org")
    session = requests.Session()
    session.headers["Sec-Fetch-Site"] = "same-origin"
    session.post(f"{product.url}/login", data={"name": "admin", "password": product.password}, timeout=20)
    rows = []
    for title, path in (("page with three macros", "/bench/Three"), ("Cloud Broker home", "/cbgrid/Home")):
        times = []
        for _ in range(150):
            began = time.perf_counter()
            session.get(f"{product.url}{path}", timeout=20).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        cuts = statistics.quantiles(times[20:], n=100)
        rows.append((f"{title}, by one browser", f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms", "p50 < 15 ms"))
    return rows


def job_round_trip(product: Product) -> list[tuple[str, str, str]]:
    """Measure controller → agent → worker → result, as an actor waits for it."""
    product.ask("bench/jobs/roundTrips", count=20)
    times = product.ask("bench/jobs/roundTrips", count=200)
    cuts = statistics.quantiles(times, n=100)
    return [("job round trip on loopback", f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms", "p50 < 30 ms")]


def idle_memory(product: Product) -> list[tuple[str, str, str]]:
    """Measure what the whole product holds a while after its start: proportional set size of all its processes."""
    time.sleep(IDLE)
    root = psutil.Process(product.process.pid)
    sizes = {}
    for process in (root, *root.children(recursive=True)):
        command = " ".join(process.cmdline())
        name = "mongod" if "mongod" in process.name() else "worker" if "agent.worker" in command else "agent"
        sizes["master" if process == root else name] = process.memory_full_info().pss / MIB
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    return [("all-in-one idle memory", f"{sum(sizes.values()):.0f} MiB ({parts})", "< 450 MB")]


def agent_at_rest(product: Product) -> list[tuple[str, str, str]]:
    """Measure what an agent and its warm workers take while they wait and sample: memory (PSS) and processor."""
    time.sleep(IDLE)
    children = psutil.Process(product.process.pid).children(recursive=True)
    agents = [process for process in children if "mongod" not in process.name()]
    began, before = time.monotonic(), {process.pid: sum(process.cpu_times()[:2]) for process in agents}
    time.sleep(WATCHED)
    spent = {process.pid: sum(process.cpu_times()[:2]) - before[process.pid] for process in agents}
    sizes = {process.pid: process.memory_full_info().pss / MIB for process in agents}
    agent = next(process.pid for process in agents if process.ppid() == product.process.pid)
    share = sum(spent.values()) / (time.monotonic() - began)
    whole = f"with its warm workers ({len(agents) - 1}) {sum(sizes.values()):.0f} MiB"
    return [
        ("agent at rest: memory", f"{sizes[agent]:.0f} MiB; {whole}", "≤ 60 MB"),
        ("agent at rest: time, with its workers", f"{share:.2%} of a core", "≤ 0.5 %"),
    ]
