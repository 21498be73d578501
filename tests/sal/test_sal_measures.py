"""Figures of a node and its guests: from the kernel's and libvirt's words, and for real."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from sal_making import machine
from test_sal_cases import case, read

from sal import measures
from sal.hypervisor import MachineSpec, Site
from sal.hypervisor.guest_measures import guest, guests
from sal.measures import Space, measure


@case("measures")
def test_measures(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel tells of a node is read as exactly these figures; what it does not have is left out."""
    found = read(path)
    for name, lines in found["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(measures, "HERTZ", 100)
    measured = measure(tmp_path, lambda _: Space(1000, 400, 300, 8, 6))
    assert [asdict(one) for one in measured] == found["measured"]


@case("guest")
def test_guest(path: Path) -> None:
    """What libvirt tells of a guest is read as exactly these figures."""
    found = read(path)
    assert [asdict(one) for one in guest("pf-m1", "9", found["stats"])] == found["measured"]


def test_this_machine() -> None:
    """This very machine has processors, memory and a file system, and its counters do not shrink."""
    before, after = ({(one.kind, one.key): one for one in measure()} for _ in range(2))
    assert 0 < before["node", ""].gauges["memory"] < 100
    assert before["filesystem", "/"].gauges["used_bytes"] > 0
    for subject, one in before.items():
        assert all(after[subject].counters[name] >= value for name, value in one.counters.items()), subject


@pytest.mark.qemu
def test_a_real_guest(real: Site) -> None:
    """A guest that runs is measured with its disk; of another site's prefix there is nothing."""
    real.machines.create(MachineSpec.from_json(machine(real.storage.site)))
    found = {(one.kind, one.key): one for one in guests(real.hypervisor, f"{real.storage.site}-")}
    name = f"{real.storage.site}-m1"
    assert found["guest", name].counters["cpu"] > 0
    assert ("steal" in found["guest", name].counters) == Path("/proc/self/schedstat").exists()
    assert found["guest", name].gauges["memory"] > 0
    assert any(kind == "guest_disk" and key.startswith(f"{name}/") for kind, key in found)
    assert not guests(real.hypervisor, "no-such-site-")
