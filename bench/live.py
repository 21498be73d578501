"""What open pages with live tables cost: many people look while machines change."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

import psutil
from product import REPOSITORY, Product, running

TENANTS = 50
MACHINES = 8  # of each tenant
OPERATORS = {"level1": 6, "level2": 4, "admin": 2}
OPERATOR_PAGES, TENANT_PAGES = 300, 200
SHOWN = 50  # rows that the operators' table shows
RATE = 10.0  # changes a second
SECONDS = 20
SETTLE = 2.0  # seconds after the last change until which every page must show the truth
SAMPLE = 5  # every fifth page's rows are looked at
MIB = 2**20
Figures = list[tuple[str, str, str]]


def live_pages(seconds: int = SECONDS) -> Figures:
    """Measure 500 open pages on one process: two thirds show operators the same table, the others tenants their own."""
    content = REPOSITORY / "bench" / "content"
    flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content))
    with running(*flags, within=("env", "PORTALFW_RATE_PER_USER=0", "PORTALFW_RATE_PER_ADDRESS=0")) as product:
        pages = _people(product)
        process = psutil.Process(product.process.pid)
        changing = _costs(product, process, [], seconds)
        before = _memory(process)
        found = _costs(product, process, pages, seconds)
        held = (_memory(process) - before) / len(pages)
    return [*_rows(found, changing, seconds), ("live: memory of the portal for an open page", f"{held:.0f} KiB", "–")]


def _people(product: Product) -> list[tuple[str, str]]:
    """Make operators and tenants with machines; return the cookies of those who look, and at which page."""
    tenants = [f"tenant-{number}" for number in range(TENANTS)]
    product.ask("bench/living/fill", tenants=tenants, machines=MACHINES)
    operators = {f"{group}-{number}": group for group, count in OPERATORS.items() for number in range(count)}
    cookies = product.ask("bench/living/people", groups=operators | dict.fromkeys(tenants, "user"))
    desks = [cookies[name] for name in operators]
    shared = [(desks[number % len(desks)], "/cbgrid/Virtual Machines") for number in range(OPERATOR_PAGES)]
    own = [
        (cookies[tenants[number % TENANTS]], f"/bench/Mine?space={number % TENANTS + 1}")
        for number in range(TENANT_PAGES)
    ]
    return [page for pair in zip(shared, own, strict=False) for page in pair] + shared[len(own) :]


def _costs(product: Product, process: psutil.Process, pages: list[tuple[str, str]], seconds: int) -> dict[str, Any]:
    """Return what a process full of open pages saw, with the portal's share of a core meanwhile."""
    viewer = subprocess.Popen(
        [sys.executable, "-m", "bench.live_pages"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def say(**words: Any) -> dict[str, Any]:
        assert viewer.stdin is not None
        assert viewer.stdout is not None
        viewer.stdin.write(json.dumps(words) + "\n")
        viewer.stdin.flush()
        answer: dict[str, Any] = json.loads(viewer.stdout.readline() or "{}")
        return answer

    machines = list(range(1, SHOWN + 1))
    said = say(port=product.port, token=product.token, pages=pages, sample=SAMPLE, machines=machines)
    assert said == {"open": len(pages), "failures": []}, said
    say(changes=int(3 * RATE), rate=RATE, settle=SETTLE)  # what is done the first time only
    began, spent = time.monotonic(), _spent(process)
    found = say(changes=int(seconds * RATE), rate=RATE, settle=SETTLE)
    # While things settle the portal still works; what it does then is counted to the seconds of changing.
    found["share"] = (_spent(process) - spent) / (time.monotonic() - began - SETTLE)
    viewer.communicate("{}\n", timeout=60)
    return found


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> float:
    """Return KiB; the kernel's buffers of sockets are not among them."""
    return float(process.memory_full_info().uss) / 1024


def _rows(found: dict[str, Any], changing: dict[str, Any], seconds: int) -> Figures:
    assert not found["failures"], found["failures"]
    pages = OPERATOR_PAGES + TENANT_PAGES
    late = [1000 * value for value in found["late"]]
    cuts = statistics.quantiles(late, n=100) if len(late) > 1 else [0.0] * 99
    cost = f"{found['share']:.0%} of a core, of which {changing['share']:.0%} are the changes themselves"
    told = f"{found['events'] / seconds:,.0f} events/s, {found['brought'] / seconds:,.0f} bring rows"
    told += f", {found['fetches'] / seconds:,.0f} requests/s"
    travelled = f"{found['bytes'] / seconds / MIB:.1f} MiB/s"
    what = f"live: {pages} open pages, {RATE:.0f} machines change a second"
    stale = f"{len(found['stale'])} of {pages // SAMPLE} looked at"
    return [
        (what, cost, "≤ 25 % of a core"),
        ("live: what travels", f"{told}, {travelled}", "–"),
        ("live: from a change to the fresh row", f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms", "–"),
        (f"live: pages that are wrong {SETTLE:.0f} s after the last change", stale, "0"),
    ]
