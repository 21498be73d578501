"""A product on the real hypervisor, and a real guest image."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud_steps import missing
from product import REPOSITORY, Product, running
from sweep import sweep


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
