"""A product on the real hypervisor, and a real guest image."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import REPOSITORY, Product, running
from sweep import sweep


def missing() -> str | None:
    """Say what keeps real guests from running here, None if nothing does."""
    if os.geteuid() != 0:
        return "not root: no bridges, namespaces or qemu:///system"
    for tool in ("libvirtd", "virsh", "qemu-system-x86_64", "ip", "nft", "dnsmasq"):
        if shutil.which(tool) is None and not Path(f"/usr/sbin/{tool}").exists():
            return f"{tool} is not installed"
    if subprocess.run(["virsh", "-c", "qemu:///system", "version"], capture_output=True, check=False).returncode:
        return "libvirtd does not answer at qemu:///system"
    return None


@pytest.fixture(scope="session")
def guest_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tiny guest image with the project's own tool."""
    path = tmp_path_factory.mktemp("image") / "tiny.qcow2"
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "tools" / "guest-image"), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"NO GUEST IMAGE: {done.stderr.strip()}")
    return path


@pytest.fixture(scope="session")
def real_product() -> Iterator[Product]:
    """Run the whole product on qemu:///system."""
    reason = missing()
    if reason:
        pytest.skip(f"NO REAL HYPERVISOR: {reason}")
    with running("--hypervisor", "qemu") as product:
        site = product.ask("system/gridmanager/getNode", nodeId=1)["site"]
        yield product
    sweep(site)
