"""The network between two nodes, measured by two real agents over real sockets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast

import pytest
from grid import ROOT, SCRIPTS, Grid, wait_for

from portalfw.controller.documents import Job, Node
from portalfw.errors import ConflictError, InvalidError
from portalfw.paths import latency, throughput
from portalfw.paths.addresses import between
from portalfw.runtime import Runtime

MINE = {"boot_id": "a", "address": "10.0.0.1"}


def test_latency_and_throughput(database: Any, tmp_path: Path) -> None:
    """Each node pings the other; one serves while the other measures both ways; what fails says why."""
    content = tmp_path / "content-of-both"
    shutil.copytree(SCRIPTS, content)
    shutil.copytree(ROOT / "jumpscripts" / "network", content / "jumpscripts" / "network")
    grid = Grid(database, tmp_path, content)
    runtime = cast("Runtime", grid.master)
    try:
        with pytest.raises(ConflictError, match="two nodes"):
            latency.measure(runtime, None, "ann")
        agents = [grid.start_agent(name) for name in ("one", "two")]
        nodes = wait_for(lambda: len(found := Node.rows({"connected": True})) == 2 and found, limit=60)
        one, two = (row["id"] for row in nodes)
        assert latency.measure(runtime, None, "ann") == 2
        wait_for(lambda: all(row["found"] for row in latency.last(None)))
        rows = list(latency.last(None))
        assert {(row["job"]["node_id"], row["peer"]["node"]) for row in rows} == {(one, two), (two, one)}
        assert all(0 < row["found"]["delay"] < 200 for row in rows)
        job = throughput.measure(runtime, one, two, 1.0, "ann")
        (row,) = throughput.last()
        assert (row["id"], row["node_id"], row["submitted_by"]) == (job, one, "ann")
        assert min(row["result"]["there"], row["result"]["back"]) > 10
        (served,) = Job.rows({"script": throughput.SERVE})
        assert (served["node_id"], served["status"]) == (two, "OK")
        assert served["result"]["bytes"] >= row["result"]["bytes"] * 0.9
        with pytest.raises(InvalidError, match="no path to itself"):
            throughput.measure(runtime, one, one, 1.0, "ann")
        agents[0].terminate()
        agents[1].terminate()
        wait_for(lambda: not Node.rows({"connected": True}))
        with pytest.raises(ConflictError, match="not connected"):
            throughput.measure(runtime, one, two, 1.0, "ann")
    finally:
        grid.close()


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ({"boot_id": "b", "address": "10.0.0.2"}, "10.0.0.2"),
        ({"boot_id": "a", "address": "127.0.0.1"}, "127.0.0.1"),
        ({"boot_id": "b", "address": "127.0.0.1"}, "10.0.0.9"),
        ({"boot_id": "b", "address": "127.0.0.1", "facts": {}}, ""),
        ({"boot_id": "b", "address": "socket", "facts": {}}, ""),
    ],
)
def test_the_address_that_others_know(target: dict[str, Any], address: str) -> None:
    """A node beside the controller is known by loopback: others take an address of its own cards, not of guests'."""
    cards = [
        {"name": "lo", "up": True, "addresses": ["127.0.0.1/8"]},
        {"name": "eth1", "up": False, "addresses": ["10.0.0.7/24"]},
        {"name": "pf12ab-x1", "up": True, "addresses": ["10.0.0.8/24"]},
        {"name": "eth0", "up": True, "addresses": ["fe80::1/64", "10.0.0.9/24"]},
    ]
    assert between(MINE, {"facts": {"interfaces": cards}, **target}) == address
