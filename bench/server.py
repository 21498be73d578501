"""What calls cost inside the server, without a network: dispatch beyond Flask, and pages of long lists."""

from __future__ import annotations

import statistics
from typing import Any

from product import Product

CALLS = 3000
ROWS = 20_000
WISHES: dict[str, dict[str, Any]] = {
    "by name": {"sort": "name"},
    "by name, the 10,000th": {"sort": "name", "offset": 10_000},
    "halted, newest first": {"sort": "-creationTime", "filter": {"status": "=HALTED"}},
    "searched for a part of the name": {"search": "web-19"},
}

Figures = list[tuple[str, str, str]]


def dispatch_overhead(product: Product) -> Figures:
    """Measure a signed-in, validated, audited call against a route of bare Flask that answers the same."""
    found = product.ask("bench/dispatch/overhead", credential=product.token, count=CALLS)
    bare, ours = statistics.median(found["bare"]), statistics.median(found["ours"])
    text = f"{ours - bare:.0f} µs ({ours:.0f} against {bare:.0f}, ratio {ours / bare:.2f})"
    return [("a call beyond bare Flask, p50", text, "≤ 60 µs")]


def long_lists(product: Product) -> Figures:
    """Measure 50 rows of 20,000 machines, from arguments to JSON."""
    product.ask("bench/lists/fill", count=ROWS)
    rows = []
    for title, wish in WISHES.items():
        product.ask("bench/lists/times", wish=wish | {"limit": 50}, count=5)
        cuts = statistics.quantiles(product.ask("bench/lists/times", wish=wish | {"limit": 50}, count=100), n=100)
        target = "–" if "search" in title else "≤ 8 ms"
        rows.append((f"50 of {ROWS:,} machines, {title}", f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms", target))
    return rows
