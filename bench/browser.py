"""What a browser says of a visit, in the words of Lighthouse: paints, shifts, blocked time, bytes."""

from __future__ import annotations

import statistics
from typing import Any, Final

from browsing import sign_in
from playwright.sync_api import CDPSession, Page, sync_playwright
from product import Product

VISITS: Final = 7
PAGES: Final = {"Cloud Broker home": "/cbgrid", "8 KB text": "/bench/Long"}
SETTLED: Final = 500  # milliseconds after the page has loaded in which macros and the largest paint come
#: Largest paint, shifts and long tasks tell of themselves only to an observer; it gets what was before it too.
OBSERVE: Final = """
    new Promise((tell) => {
      const seen = {};
      for (const type of ["paint", "largest-contentful-paint", "layout-shift", "longtask"]) {
        seen[type] = [];
        new PerformanceObserver((list) => seen[type].push(...list.getEntries())).observe({ type, buffered: true });
      }
      setTimeout(() => {
        const [visit] = performance.getEntriesByType("navigation");
        const first = seen.paint.find((one) => one.name === "first-contentful-paint").startTime;
        tell({
          fcp: first,
          lcp: seen["largest-contentful-paint"].at(-1).startTime,
          ready: visit.domContentLoadedEventEnd,
          loaded: visit.loadEventEnd,
          cls: seen["layout-shift"].reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0),
          tbt: seen.longtask.reduce((sum, one) => sum + (one.startTime < first ? 0 : one.duration - 50), 0),
        });
      }, %d);
    })
"""


def browser_timings(product: Product) -> list[tuple[str, str, str]]:
    """Measure visits of a page of live macros and of a page of text in headless Chromium."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(base_url=product.url, viewport={"width": 1440, "height": 900}).new_page()
        page.goto("/login?next=/cbgrid")
        sign_in(page, "admin", product.password)
        page.wait_for_selector(".side")
        rows = [
            (f"{name} in Chromium, {title}", _told([_visit(page, address, empty=empty) for _ in range(VISITS)]), target)
            for name, address in PAGES.items()
            for title, empty, target in (("empty cache", True, "≤ 300 KB"), ("again", False, "–"))
        ]
        browser.close()
    return rows


def _visit(page: Page, address: str, *, empty: bool) -> dict[str, float]:
    """Return the milliseconds, the shift and the kilobytes of one visit."""
    network = page.context.new_cdp_session(page)
    if empty:
        network.send("Network.clearBrowserCache")
    sizes = _listen(network)
    page.goto(address, wait_until="load")
    told: dict[str, float] = page.evaluate(OBSERVE % SETTLED)
    network.detach()
    return told | {"size": sum(sizes) / 1000}


def _listen(network: CDPSession) -> list[float]:
    """Return a list that grows by the bytes of each answer as it travelled, heads included."""
    sizes: list[float] = []

    def finished(event: dict[str, Any]) -> None:
        sizes.append(float(event["encodedDataLength"]))

    network.on("Network.loadingFinished", finished)
    network.send("Network.enable")
    return sizes


def _told(visits: list[dict[str, float]]) -> str:
    middle = {name: statistics.median(visit[name] for visit in visits) for name in visits[0]}
    return (
        "FCP {fcp:.0f}, LCP {lcp:.0f}, DOM ready {ready:.0f}, loaded {loaded:.0f} ms; "
        "CLS {cls:.3f}, TBT {tbt:.0f} ms; {size:.0f} KB"
    ).format(**middle)
