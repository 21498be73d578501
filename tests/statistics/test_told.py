"""What the running product tells of its node and machines: methods, pages, Prometheus."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from browsing import sign_in
from cloud_steps import Cloud
from playwright.sync_api import Browser, Page, expect
from product import Product, wait_for
from prometheus_client.parser import text_string_to_metric_families

AGENT = 60_000  # milliseconds; an agent tells every ten seconds, a chart asks as often, and the machine is busy
SPOOL = "told-by-a-test"


@pytest.fixture(scope="module")
def measured(product: Product) -> Product:
    """Wait until the node has told of itself twice, so that there are rates."""
    wait_for(lambda: len(points(product, "cpu")) > 1, 60, "the node's figures")
    return product


@pytest.fixture(scope="module")
def machine(measured: Product) -> Iterator[int]:
    """Give a machine of which the node tells as if it were no simulated one."""
    cloud = Cloud(measured, "statistics")
    space = cloud.cloudspace("figures")
    identity = cloud.machine(space, "counted")
    name = f"{measured.ask('system/gridmanager/getNode', nodeId=1)['site']}-m{identity}"
    now = int(time.time()) // 10 * 10
    told = [
        {
            "number": n + 1,
            "at": now - 10 * (9 - n),
            "figures": [
                {
                    "kind": "guest",
                    "key": name,
                    "values": {"cpu": 10.0 * n, "steal": 4, "memory": 2.0**28, "reads": 5},
                },
                {"kind": "guest_nic", "key": f"{name}/0", "values": {"rx_bytes": 2048, "tx_bytes": 1024}},
                {"kind": "guest_disk", "key": f"{name}/vda", "values": {"reads": 5, "writes": 1}},
                {"kind": "guest_disk", "key": f"{name}/vdb", "values": {"reads": 0, "writes": 2}},
            ],
        }
        for n in range(10)
    ]
    credential = json.loads((measured.state / "agent" / "credential").read_text())["credential"]
    answer = requests.post(
        f"{measured.url}/agent/statistics",
        json={"spool": f"{SPOOL}-{identity}", "samples": told},
        headers={"Authorization": f"Bearer {credential}"},
        timeout=30,
    )
    assert answer.json() == {"upto": 10}, answer.text
    yield identity
    cloud.delete_machine(identity)
    cloud.delete_cloudspace(space)


@pytest.fixture
def page(browser: Browser, measured: Product) -> Iterator[Page]:
    """Open the portal signed in; an error in the console fails the test."""
    context = browser.new_context(base_url=measured.url, viewport={"width": 1280, "height": 900})
    found = context.new_page()
    problems: list[str] = []
    found.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto("/cbgrid")
    sign_in(found, "admin", measured.password)
    expect(found.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=AGENT)
    yield found
    context.close()
    assert not problems


def points(product: Product, figure: str, **thing: str) -> list[Any]:
    found = product.ask("system/gridmanager/getStatistics", nodeId=1, figures=[figure], **thing)
    return list(found["series"][0]["points"])


def test_a_node(measured: Product) -> None:
    """A real node's own figures, and those of its disks and links, can be asked for by everybody who operates it."""
    assert all(0 <= value <= 100 for _, value in points(measured, "memory") if value is not None)
    things = measured.ask("system/gridmanager/getThings", nodeId=1)
    assert {"node", "filesystem"} <= {one["kind"] for one in things}
    some = next(one for one in things if one["kind"] == "filesystem")
    assert points(measured, "used_bytes", kind="filesystem", key=some["key"])
    assert measured.ask("system/gridmanager/getBusiestNodes")["series"][0]["points"]
    assert measured.call("system/gridmanager/getStatistics", nodeId=99, figures=["cpu"]).status_code == 404
    assert measured.call("system/gridmanager/getStatistics", nodeId=1, figures=["$where"]).status_code == 400
    token = measured.user_token("statistics-nobody", "user")
    assert measured.call("system/gridmanager/getStatistics", token, nodeId=1, figures=["cpu"]).status_code == 403


def test_a_machine(measured: Product, machine: int) -> None:
    """A machine's figures are told to its tenants in the words of the cloud, each port and disk by itself."""
    asked = {"machineId": machine, "include": ["cpu", "steal", "memory", "network", "vdisk-iops"]}
    found = measured.ask("cloudapi/machines/stats", **asked)
    assert found["series"]["cpu"][-10:] == [10.0 * n for n in range(10)]
    assert (found["series"]["stolen"][-1], found["series"]["memory"][-1]) == (4, 256)
    assert (found["series"]["in"][-1], found["series"]["out"][-1]) == (2, 1)
    assert (found["series"]["vda reads"][-1], found["series"]["vdb writes"][-1]) == (5, 2)
    assert len(found["time"]) == len(found["series"]["cpu"])
    assert measured.ask("cloudbroker/machine/stats", **asked) == found
    assert "vm-iops" in measured.call("cloudapi/machines/stats", machineId=machine, include=["x"]).text


def test_charts_of_a_node(page: Page) -> None:
    """The page of a node draws its load, goes on by itself, and shows another time for all charts at once."""
    page.goto("/cbgrid/Physical Node?id=1")
    charts = page.locator(".chart")
    expect(charts).to_have_count(4)
    expect(page.locator(".chart canvas")).to_have_count(4, timeout=AGENT)
    expect(charts.first.locator("[data-now]").first).to_have_text(re.compile(r"\d.*%"))
    first = page.locator(".chart-plot[data-chart]").first
    before = first.get_attribute("data-chart") or "{}"
    assert len(json.loads(before)["times"]) > 1
    expect(first).not_to_have_attribute("data-chart", before, timeout=AGENT)
    page.get_by_role("link", name="24h").click()
    expect(page).to_have_url(re.compile("range=24h"))
    expect(page.get_by_role("link", name="24h")).to_have_attribute("aria-current", "true")
    expect(page.locator('.chart-plot[data-range="24h"]')).to_have_count(4)


def test_charts_of_a_machine(page: Page, machine: int) -> None:
    """The page of a machine draws what its guest takes; of what there is nothing yet it says so."""
    page.goto(f"/cbgrid/Virtual Machine?id={machine}")
    expect(page.locator(".chart").first.locator("[data-now]").first).to_have_text("90\u00a0%")
    expect(page.locator(".chart", has_text="stolen")).to_contain_text("4\u00a0%")
    expect(page.locator(".chart", has_text="Network")).to_contain_text("2\u00a0KiB/s")
    expect(page.locator(".chart", has_text="Disks")).to_contain_text("No figures yet")


def test_prometheus(measured: Product) -> None:
    """Operators, and tokens made for just that, read the platform's and the nodes' figures; nobody else does."""

    def read(path: str, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{measured.url}{path}", headers=headers, timeout=30)

    narrow = measured.ask("system/tokens/create", name="prometheus", apps=["metrics"], readonly=True)
    assert read("/metrics", "").status_code == 401
    assert read("/metrics/nodes", measured.user_token("statistics-reader", "user")).status_code == 403
    assert measured.call("system/gridmanager/getNodes", narrow).status_code == 403
    platform = {one.name: one for one in text_string_to_metric_families(read("/metrics", narrow).text)}
    requests_of = {one.labels["kind"] for one in platform["portalfw_http_requests"].samples}
    assert {"api", "agent"} <= requests_of
    assert platform["portalfw_nodes_connected"].samples[0].value == 1
    assert platform["portalfw_polls_parked"].samples[0].value >= 1
    assert platform["portalfw_process_resident_memory_bytes"].samples[0].value > 1e7
    nodes = {one.name: one for one in text_string_to_metric_families(read("/metrics/nodes", narrow).text)}
    cpu = nodes["portalfw_node_cpu_percent"].samples[0]
    assert cpu.labels["node_id"] == "1"
    assert 0 <= cpu.value <= 100
    assert nodes["portalfw_filesystem_used_bytes"].samples[0].labels["key"]
