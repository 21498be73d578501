"""Run every measurement and print one table: ``python -m bench [NAME ...]``."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from product import REPOSITORY, Product, running
from rich.console import Console
from rich.table import Table

from bench.agents import waiting_agents
from bench.browser import browser_timings
from bench.guest import guest_start
from bench.jobs import jobs
from bench.live import live_pages
from bench.pages import page_costs
from bench.search import search_figures
from bench.server import dispatch_overhead, long_lists
from bench.statistics import statistics_figures
from bench.web import agent_at_rest, idle_memory, job_round_trip, json_calls, page_views

Figures = list[tuple[str, str, str]]  # what, measured, target
MEASUREMENTS: dict[str, Callable[[Product], Figures]] = {
    "memory": idle_memory,
    "agent": agent_at_rest,
    "json": json_calls,
    "page": page_views,
    "job": job_round_trip,
    "wiki": page_costs,
    "browser": browser_timings,
    "agents": waiting_agents,
    "jobs": jobs,
    "statistics": statistics_figures,
    "dispatch": dispatch_overhead,
    "list": long_lists,  # the last: it fills the database
}


def main() -> None:
    """Measure what the command line names, everything without names."""
    wanted = sys.argv[1:] or [*MEASUREMENTS, "guest", "search", "live"]
    table = Table("What", "Measured", "Target", title=f"{os.cpu_count()} cores, Python {platform.python_version()}")
    content = Path(__file__).parent / "content"
    simulated = [name for name in wanted if name in MEASUREMENTS]
    if simulated:
        flags = ("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(content))
        # One user makes all the load here, far more than any user is allowed.
        with running(*flags, within=("env", "PORTALFW_RATE_PER_USER=0", "PORTALFW_RATE_PER_ADDRESS=0")) as product:
            for name in simulated:
                for row in MEASUREMENTS[name](product):
                    table.add_row(*row)
    for name, figures in (("guest", guest_start), ("search", search_figures), ("live", live_pages)):
        if name in wanted:
            for row in figures():
                table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
