"""What wiki pages cost the server, and how much a browser loads for the first one."""

from __future__ import annotations

import gzip
import re
import statistics
import time
from pathlib import Path

import requests
from product import Product

TIMES = 100
Figures = list[tuple[str, str, str]]


def page_costs(product: Product) -> Figures:
    """Measure a long page seen before and never seen, and ten macros that wait side by side."""
    rows = []
    for title, address, page, target in (
        ("8 KB page without macros, seen before", "bench/pages/views", "Long", "p50 ≤ 2 ms"),
        ("8 KB page without macros, first time", "bench/pages/firstViews", "Long", "p50 ≤ 20 ms"),
        ("page with ten macros of 20 ms each", "bench/pages/views", "Ten", "p50 ≤ 60 ms"),
    ):
        product.ask(address, page=page, count=5)
        cuts = statistics.quantiles(product.ask(address, page=page, count=TIMES), n=100)
        rows.append((title, f"p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.1f} ms", target))
    rows.append(("one save of an 8 KB page", _saves(product), "p50 ≤ 30 ms"))
    return [*rows, ("what a browser loads first, packed", _first_load(product), "≤ 300 KB")]


def _saves(product: Product) -> str:
    """Save a page again and again, as one who waits for the answer."""
    text = product.ask("system/pages/get", space="bench", page="Long")["text"]
    revision = product.ask("system/pages/create", space="bench", page="Saved", text=text)["revision"]
    times = []
    for number in range(TIMES):
        began = time.perf_counter()
        saved = product.ask("system/pages/save", space="bench", page="Saved", text=f"{text}{number}\n", base=revision)
        times.append((time.perf_counter() - began) * 1000)
        revision = saved["revision"]
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"


def _first_load(product: Product) -> str:
    """Return the size of a page and of all that its head names, as they travel."""
    session = requests.Session()
    session.headers.update({"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "gzip"})
    session.post(f"{product.url}/login", data={"name": "admin", "password": product.password}, timeout=20)
    page = session.get(f"{product.url}/bench/Long", timeout=20).text
    sizes = {"page": len(gzip.compress(page.encode()))}
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+|/assets/[^"]+)"', page)):
        answer = session.get(f"{product.url}{address}", stream=True, timeout=20)
        kind = Path(address.partition("?")[0]).suffix
        sizes[kind] = sizes.get(kind, 0) + len(answer.raw.read(decode_content=False))
    parts = ", ".join(f"{name} {size / 1000:.0f}" for name, size in sizes.items())
    return f"{sum(sizes.values()) / 1000:.0f} KB ({parts})"
