"""What agents measure, from their node to the controller's store, through trouble."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
import requests
from grid import Grid, wait_for

from agent import guest_figures
from agent.guest_figures import GuestFigures
from agent.protocol import Figures, Samples
from agent.sample_spool import SampleSpool
from portalfw.statistics.levels import RAW, epoch


def times(node: int) -> list[int]:
    """Return the times of the rows about a node itself."""
    return sorted(epoch(row["at"]) for row in RAW.collection.find({"s.kind": "node", "s.node": node}))


def test_an_outage_loses_nothing(grid: Grid) -> None:
    """A real agent measures every ten seconds; what it measures while no controller is there arrives later, once."""
    node = grid.connect().id
    spool, began = SampleSpool(grid.folder / "one" / "agent"), time.time()

    def measured_alone() -> list[int]:
        return [one.at for one in spool.first(9) if one.at > began]

    grid.restart_master(while_down=lambda: wait_for(measured_alone, 40, "a sample waits"))
    alone = measured_alone()
    found = wait_for(lambda: set(alone) <= set(times(node)) and times(node), 60, "it arrives")
    wait_for(lambda: not set(alone) & set(measured_alone()), 30, "it is confirmed")
    spool.close()
    assert alone
    assert [later - earlier for earlier, later in pairwise(found)] == [10] * (len(found) - 1)


def test_bad_samples(grid: Grid) -> None:
    """Samples that make no sense are refused as a whole; an agent without a good credential is."""
    assert requests.post(f"{grid.url}/agent/statistics", json={}, timeout=10).status_code == 401
    for values in ({"$where": 1.0}, {"n": 1.0}, {"cpu": float("inf")}, {"cpu.x": 1.0}):
        with pytest.raises(ValueError, match="values"):
            Figures(kind="node", values=values)
    with pytest.raises(ValueError, match="at most 30"):
        Samples(spool="x", samples=[{"number": n, "at": 1, "figures": []} for n in range(31)])


def test_spool(tmp_path: Path) -> None:
    """The spool outlives its process, names each sample for good, and gives up the oldest when it is full."""
    spool = SampleSpool(tmp_path, most=3)
    for at in (10, 20, 30, 40):
        spool.add(at, [Figures(kind="node", values={"cpu": at / 10})])
    name = spool.name
    spool.close()
    again = SampleSpool(tmp_path, most=3)
    assert again.name == name
    assert [(one.number, one.at, one.figures[0].values) for one in again.first(9)] == [
        (2, 20, {"cpu": 2.0}),
        (3, 30, {"cpu": 3.0}),
        (4, 40, {"cpu": 4.0}),
    ]
    again.confirm(4)
    again.add(50, [])
    assert [one.number for one in again.first(9)] == [5]
    again.close()


def test_guests_of_a_dead_libvirt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A libvirt that is not there costs the guests' figures and nothing else; without guests none is asked."""
    (tmp_path / "pf0-m1.xml").touch()
    monkeypatch.setattr(guest_figures, "RUNNING", tmp_path)
    figures = GuestFigures()
    began = time.monotonic()
    assert figures.measure("qemu:///nowhere", "pf0") == []
    assert time.monotonic() - began < 10
    assert figures.measure("test:///default", "pf0") == []
    assert figures.measure("qemu:///nowhere", "pf9") == []
    assert figures._process is None
