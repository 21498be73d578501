"""What wiki pages cost the server, and what a browser loads for the first one."""

from __future__ import annotations

import gzip
import re
import statistics
from pathlib import Path

import requests
from browsing import sign_in
from playwright.sync_api import Page, sync_playwright
from product import Product

TIMES = 100
VISITS = 7
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
    return [*rows, ("what a browser loads first, packed", _first_load(product), "≤ 300 KB")]


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


def browser_timings(product: Product) -> Figures:
    """Measure visits of the Cloud Broker's home in headless Chromium, as the browser reports them."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=product.url, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto("/login?next=/cbgrid")
        sign_in(page, "admin", product.password)
        page.wait_for_selector(".side")
        cold = [_visit(page, empty=True) for _ in range(VISITS)]
        warm = [_visit(page, empty=False) for _ in range(VISITS)]
        browser.close()
    return [
        (f"Cloud Broker home in Chromium, {title}", f"first paint {paint:.0f} ms, loaded {loaded:.0f} ms", "–")
        for title, times in (("empty cache", cold), ("again", warm))
        for paint, loaded in [tuple(statistics.median(column) for column in zip(*times, strict=True))]
    ]


def _visit(page: Page, *, empty: bool) -> tuple[float, float]:
    if empty:
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto("/cbgrid")
    page.wait_for_load_state("load")
    paint, loaded = page.evaluate(
        """new Promise((tell) => new PerformanceObserver((list) => tell([
             list.getEntriesByName("first-contentful-paint")[0].startTime,
             performance.getEntriesByType("navigation")[0].loadEventEnd,
           ])).observe({ type: "paint", buffered: true }))"""
    )
    return float(paint), float(loaded)
