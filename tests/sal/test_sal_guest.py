"""Real guests on the real hypervisor, from the project's own image."""

from __future__ import annotations

import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sal_making import EXTERNAL, forward, gateway, machine

from sal.command import run
from sal.errors import HypervisorError, StorageError
from sal.hypervisor import MachineSpec, Site
from sal.hypervisor.domain_xml import console_log
from sal.network import Gateway, GatewaySpec
from sal.network.links import read_links

pytestmark = pytest.mark.qemu


@pytest.fixture
def joined(real: Site, guest_image: Path, tmp_path: Path) -> Iterator[Gateway]:
    """Give a gateway, and the guest image on the node."""
    site = real.storage.site
    real.storage.import_image(f"{site}-i3", guest_image)
    one = Gateway(GatewaySpec.from_json(gateway(site)), tmp_path)
    one.apply()
    yield one
    for state in real.machines.states():
        real.machines.delete(state.name)
    one.remove()


def spec_of(site: Site, **changes: Any) -> MachineSpec:
    return MachineSpec.from_json(machine(site.storage.site, image=f"{site.storage.site}-i3", nic=True, **changes))


def answer(port: int = 8080, limit: float = 60) -> str:
    """Ask the guest for its name through the forward until it answers."""
    end = time.monotonic() + limit
    while True:
        try:
            with urllib.request.urlopen(f"http://{EXTERNAL}.20:{port}/", timeout=2) as response:
                return str(response.read().decode().strip())
        except OSError:
            assert time.monotonic() < end, "no answer through the forward"
            time.sleep(0.05)


def until(condition: Callable[[], bool], limit: float = 60) -> None:
    """Wait for a condition."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "the condition did not come about"
        time.sleep(0.05)


def test_guest(real: Site, joined: Gateway, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A guest takes its address and name, answers through forwards, stops by its power button, starts again, goes."""
    spec, machines = spec_of(real), real.machines
    start = time.monotonic()
    assert machines.create(spec).state == "running"
    assert answer() == "web-1"
    record_property("seconds to the first answer", round(time.monotonic() - start, 1))
    assert machines.create(spec).reason == "booted"
    assert not machines.define(spec)
    assert " web-1 " in (joined.dnsmasq.folder / "leases").read_text()
    assert f"{spec.name}n0" in read_links()
    more = Gateway(GatewaySpec.from_json(gateway(real.storage.site, forwards=[forward(8080), forward(8081)])), tmp_path)
    assert more.apply().changed
    assert (answer(8081), answer(8080)) == ("web-1", "web-1")

    assert machines.stop(spec.name, timeout=30).reason == "shutdown"
    assert machines.start(spec).state == "running"
    assert answer() == "web-1"
    assert machines.stop(spec.name, force=True).reason == "destroyed"

    assert machines.delete(spec.name)
    assert not Path(console_log(spec.name)).exists()
    for volume in (spec.disks[0].volume, f"{real.storage.site}-i3"):
        assert real.storage.delete(volume)
    assert real.storage.remove_if_empty()
    joined.remove()
    site = real.storage.site
    assert not [name for name in read_links() if name.startswith(site)]
    assert not list(Path("/run/netns").glob(f"{site}*"))
    assert not real.storage.folder.exists()
    assert site not in run(["ps", "-eo", "args"])


def test_impatient_stop(real: Site, joined: Gateway) -> None:
    """A guest that does not hear its power button loses its power after the given time."""
    del joined
    spec = spec_of(real)
    real.machines.create(spec)
    assert real.machines.stop(spec.name, timeout=0).reason == "destroyed"


def test_killed_guest(real: Site, joined: Gateway) -> None:
    """A guest whose process died is shut off with the reason, and starts again."""
    del joined
    spec = spec_of(real)
    real.machines.create(spec)
    pid = Path(f"/run/libvirt/qemu/{spec.name}.pid").read_text().strip()
    run(["kill", "-9", pid])
    until(lambda: not real.machines.state(spec.name).running)
    state = real.machines.state(spec.name)
    assert (state.state, state.reason) in {("shutoff", "failed"), ("shutoff", "crashed")}
    assert real.machines.start(spec).state == "running"


def test_failed_start_leaves_nothing(real: Site, guest_image: Path) -> None:
    """A machine that cannot start, here without its bridge, is named with the reason and leaves nothing behind."""
    real.storage.import_image(f"{real.storage.site}-i3", guest_image)
    with pytest.raises(HypervisorError, match=f"machine {real.storage.site}-m1: starting: .*-b4"):
        real.machines.create(spec_of(real))
    assert real.machines.states() == []
    assert [volume.name for volume in real.storage.volumes()] == [f"{real.storage.site}-i3"]


def test_images(real: Site, guest_image: Path, blank_image: Path) -> None:
    """An image is imported once, never replaced by another, and only the hypervisor may read what is in the pool."""
    storage, name = real.storage, f"{real.storage.site}-i3"
    facts = storage.import_image(name, guest_image)
    assert storage.import_image(name, guest_image) == facts == storage.image_facts(name)
    with pytest.raises(StorageError, match=f"image {name}: this node has another one"):
        storage.import_image(name, blank_image)
    assert storage.image_facts(name) == facts
    overlay = storage.overlay(f"{real.storage.site}-d9", name, 1 << 30)
    assert overlay.capacity == 1 << 30
    assert overlay.allocation < 1 << 20
    seed = storage.write(f"{real.storage.site}-seed", b"content")
    assert Path(seed.path).read_bytes() == b"content"
    assert {Path(volume.path).stat().st_mode & 0o077 for volume in storage.volumes()} == {0}


def test_full_disk(real: Site, guest_image: Path) -> None:
    """When the node's disk is full, the image is named, and no half of it stays."""
    real.storage.create(f"{real.storage.site}-d1", 1 << 20)
    run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(real.storage.folder)])
    try:
        with pytest.raises(StorageError, match=f"image {real.storage.site}-i3: cannot copy .*No space"):
            real.storage.import_image(f"{real.storage.site}-i3", guest_image)
        assert shutil.disk_usage(real.storage.folder).used == 0
    finally:
        run(["umount", str(real.storage.folder)])
