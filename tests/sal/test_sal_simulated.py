"""The whole breadth of machines and volumes, on libvirt's simulated driver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sal_making import MAC, gateway, machine

from sal.errors import HypervisorError, VolumeMissingError
from sal.hypervisor import MachineSpec, Site
from sal.network import GatewaySpec, SimulatedGateway

GIB = 1 << 30


def spec_of(site: Site, **changes: object) -> MachineSpec:
    return MachineSpec.from_json(machine(site.storage.site, **changes))


def test_life(simulated: Site) -> None:
    """A machine is made, stopped, started and deleted, with the reason for each state, and nothing is left."""
    machines, spec = simulated.machines, spec_of(simulated)
    assert (machines.create(spec).state, machines.state(spec.name).reason) == ("running", "booted")
    assert [volume.name for volume in simulated.storage.volumes()] == [spec.disks[0].volume, spec.seed_volume]
    assert machines.stop(spec.name).reason == "shutdown"
    assert machines.start(spec).state == "running"
    assert machines.stop(spec.name, force=True).reason == "destroyed"
    assert machines.delete(spec.name)
    assert simulated.storage.delete(spec.disks[0].volume)
    assert simulated.storage.remove_if_empty()
    assert machines.state(spec.name).state == "missing"
    assert (machines.states(), simulated.storage.volumes()) == ([], [])


def test_twice(simulated: Site) -> None:
    """Every operation done a second time changes nothing."""
    machines, storage, spec = simulated.machines, simulated.storage, spec_of(simulated)
    assert machines.create(spec) == machines.create(spec)
    assert not machines.define(spec)
    assert machines.start(spec) == machines.start(spec)
    assert machines.stop(spec.name) == machines.stop(spec.name)
    assert (machines.delete(spec.name), machines.delete(spec.name)) == (True, False)
    assert machines.stop(spec.name).state == "missing"
    volume = spec.disks[0].volume
    assert storage.create(volume, GIB) == storage.create(volume, GIB)
    assert (storage.delete(volume), storage.delete(volume)) == (True, False)
    assert (storage.remove_if_empty(), storage.remove_if_empty()) == (True, False)


def test_start_takes_the_given_description(simulated: Site) -> None:
    """A machine starts as described now, whatever was defined before."""
    machines, spec = simulated.machines, spec_of(simulated)
    machines.create(spec)
    machines.stop(spec.name)
    larger = spec_of(simulated, uuid=spec.uuid, memory=256)
    machines.start(larger)
    domain = simulated.hypervisor.connection.lookupByName(spec.name)
    assert domain.maxMemory() == 256 << 10
    assert not machines.define(larger)
    assert machines.define(spec)
    machines.delete(spec.name)


def test_paused_machine_resumes(simulated: Site) -> None:
    """Starting a paused machine lets it run on."""
    machines, spec = simulated.machines, spec_of(simulated)
    machines.create(spec)
    simulated.hypervisor.connection.lookupByName(spec.name).suspend()
    assert (machines.state(spec.name).state, machines.state(spec.name).reason) == ("paused", "user")
    assert machines.start(spec).state == "running"
    machines.delete(spec.name)


def test_failed_creation_leaves_nothing(simulated: Site) -> None:
    """When a machine cannot be made, what was made for it is removed, and what was there before stays."""
    storage = simulated.storage
    own, other = f"{storage.site}-d1", f"{storage.site}-d2"
    storage.create(own, GIB)
    disks = [{"volume": own, "size": 1}, {"volume": other, "size": 1}, {"volume": "late", "size": 1, "image": "none"}]
    with pytest.raises(VolumeMissingError, match=f"volume none: not in pool {storage.site}"):
        simulated.machines.create(spec_of(simulated, disks=disks))
    assert [volume.name for volume in storage.volumes()] == [own]
    assert simulated.machines.states() == []


def test_taken_uuid(simulated: Site) -> None:
    """A machine whose uuid another one has is refused by name and leaves nothing."""
    first = spec_of(simulated)
    simulated.machines.create(first)
    second = spec_of(simulated, name=f"{simulated.storage.site}-m2", uuid=first.uuid, disks=[])
    with pytest.raises(HypervisorError, match=second.name):
        simulated.machines.create(second)
    assert [state.name for state in simulated.machines.states()] == [first.name]
    simulated.machines.delete(first.name)


def test_images(simulated: Site, blank_image: Path) -> None:
    """An image is imported once; machines start from it, at least as large as it is."""
    storage, name = simulated.storage, f"{simulated.storage.site}-i3"
    facts = storage.import_image(name, blank_image)
    assert storage.import_image(name, blank_image, facts.sha256) == facts
    assert storage.get(name).capacity == facts.virtual_size
    assert storage.overlay("small", name, 1).capacity == facts.virtual_size
    assert storage.overlay("large", name, GIB).capacity == GIB


def test_sites_do_not_see_each_other(simulated: Site, tmp_path: Path) -> None:
    """Two sites on one hypervisor have their own machines and volumes."""
    other = Site("test:///default", f"{simulated.storage.site}b", tmp_path)
    simulated.machines.create(spec_of(simulated))
    other.machines.create(spec_of(other))
    assert [state.name for state in simulated.machines.states()] == [f"{simulated.storage.site}-m1"]
    assert {volume.name for volume in other.storage.volumes()} == {
        f"{other.storage.site}-d1",
        f"{other.storage.site}-m1-seed",
    }


def test_forgotten_world(simulated: Site) -> None:
    """A simulated machine whose world ended with the agent's worker process starts again from its description."""
    assert simulated.machines.start(spec_of(simulated)).state == "running"


def test_gateway(simulated: Site) -> None:
    """A simulated gateway is marked as such, is made once and removed once."""
    spec = GatewaySpec.from_json(gateway(simulated.storage.site))
    one = SimulatedGateway(spec, simulated.hypervisor)
    assert [one.apply().changed, one.apply().changed] == [True, False]
    assert MAC in simulated.hypervisor.connection.networkLookupByName(spec.name).XMLDesc()
    results = [one.remove(), one.remove()]
    assert [result.changed for result in results] == [True, False]
    assert all(result.simulated for result in results)


def test_unknown_hypervisor() -> None:
    """A hypervisor that does not answer is named, and libvirt writes nothing on standard error."""
    code = (
        "from sal.hypervisor import Hypervisor\nfrom sal.errors import HypervisorError\n"
        "try: Hypervisor('qemu+unix:///system?socket=/nowhere').connection\n"
        "except HypervisorError as error: print(error)"
    )
    pytest.importorskip("libvirt", reason="NO LIBVIRT: pip install libvirt-python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "/nowhere" in done.stdout
    assert "is libvirtd running?" in done.stdout
    assert done.stderr == ""


def test_without_libvirt() -> None:
    """Where libvirt's binding is missing, everything imports, and the first use says what to install."""
    code = (
        "import sys; sys.modules['libvirt'] = None\n"
        "import sal.network, sal.hypervisor\nfrom sal.errors import HypervisorMissingError\n"
        "try: sal.hypervisor.Hypervisor('test:///default').connection\n"
        "except HypervisorMissingError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "apt-get install libvirt-daemon-system" in done.stdout
