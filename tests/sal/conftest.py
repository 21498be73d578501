"""A site of our own on the simulated and on the real hypervisor, and a real guest image."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sal_making import TOOL

from sal.errors import SalError
from sal.hypervisor import Hypervisor, Site
from sal.network import real_network_possible

SOCKET = Path("/run/libvirt/libvirt-sock")


def start_daemons() -> None:
    """Start libvirt's daemons if none listens: a second one would take the sockets of the first along at its end."""
    if os.geteuid() == 0 and not SOCKET.exists():
        for daemon in ("virtlogd", "libvirtd"):
            subprocess.run([daemon, "-d"], check=False, capture_output=True)


@pytest.fixture
def prefix() -> str:
    """Give a random site prefix, so that nothing of ours meets anything of others."""
    return f"t{secrets.token_hex(2)}"


@pytest.fixture
def simulated(prefix: str, tmp_path: Path) -> Site:
    """Give a site on libvirt's simulated driver."""
    pytest.importorskip("libvirt", reason="NO LIBVIRT: pip install libvirt-python")
    return Site("test:///default", prefix, tmp_path)


@pytest.fixture(scope="session")
def real_network() -> None:
    """Skip where bridges and namespaces cannot be made."""
    if not real_network_possible():
        pytest.skip("NO REAL NETWORK: needs root, iproute2, nftables, dnsmasq-base")


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that keeps the proof of KVM for the session."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def real(request: pytest.FixtureRequest, prefix: str, work: Path) -> Iterator[Site]:
    """Give a site on the real hypervisor; what a test leaves there is removed."""
    request.getfixturevalue("real_network")
    start_daemons()
    try:
        Hypervisor("qemu:///system").connection.getVersion()
    except (SalError, ImportError) as error:
        pytest.skip(f"NO REAL HYPERVISOR: {error}")
    site = Site("qemu:///system", prefix, work)
    yield site
    for machine in site.machines.states():
        site.machines.delete(machine.name)
    for volume in sorted(site.storage.volumes(), key=lambda volume: volume.name, reverse=True):
        site.storage.delete(volume.name)
    site.storage.remove_if_empty()


@pytest.fixture(scope="session")
def guest_image() -> Path:
    """Make the guest image once and keep it beside the user's other caches, under a name that changes with the tool."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portalfw"
    image = cache / f"guest-{hashlib.sha256(TOOL.read_bytes()).hexdigest()[:12]}.qcow2"
    if not image.exists():
        command = [sys.executable, str(TOOL), str(image), "--cache", str(cache / "packages")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"NO GUEST IMAGE: {done.stderr.strip()}")
    return image


@pytest.fixture(scope="session")
def blank_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty qcow2 disk, which needs no tool of the system."""
    image = tmp_path_factory.mktemp("blank") / "blank.qcow2"
    subprocess.run([sys.executable, str(TOOL), "--blank", str(image)], check=True, capture_output=True)
    return image
