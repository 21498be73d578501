"""What goes wrong on a real node ends in a named state with a reason, and can be mended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
from cloud_steps import Cloud, missing
from product import Product, running, wait_for
from sweep import sweep

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(400)]
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private")


@pytest.fixture
def product() -> Iterator[Product]:
    """Run a product whose mounts are its own, so that libvirt can be taken from it alone."""
    reason = missing()
    if reason:
        pytest.skip(f"NO REAL HYPERVISOR: {reason}")
    with running("--hypervisor", "qemu", within=OWN_MOUNTS) as found:
        site = found.ask("system/gridmanager/getNode", nodeId=1)["site"]
        yield found
    sweep(site)


def within(product: Product, *command: str) -> None:
    """Run a command where the product has its mounts."""
    subprocess.run(["nsenter", "--target", str(product.process.pid), "--mount", *command], check=True)


def end_workers(product: Product) -> None:
    """Kill the agent's warm workers, which hold connections that were made before."""
    for process in psutil.Process(product.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # commands of the system come and go
            if "agent.worker" in process.cmdline():
                process.kill()
                wait_for(lambda process=process: process.status() == psutil.STATUS_ZOMBIE, 10, "the worker being dead")


def test_machine_ends_in_error_while_libvirt_is_down(product: Product) -> None:
    """Without libvirt a machine ends in ERROR and says so; with it back, it can be deleted and another made."""
    cloud = Cloud(product, "trouble")
    space = cloud.cloudspace("stormy")
    within(product, "mount", "-t", "tmpfs", "none", "/run/libvirt")
    end_workers(product)
    refused = product.call(
        "cloudapi/machines/create",
        cloudspaceId=space,
        name="lost",
        memory=128,
        vcpus=1,
        imageId=cloud.image(),
        disksize=1,
    )
    assert refused.status_code == 503
    machine = refused.json()["detail"]["machineId"]
    found = product.ask("cloudbroker/machine/get", machineId=machine)
    assert found["status"] == "ERROR"
    assert "libvirt" in found["statusReason"]
    within(product, "umount", "/run/libvirt")
    cloud.delete_machine(machine)
    second = cloud.machine(space, "found")
    assert cloud.status(second) == "RUNNING"
    cloud.delete_machine(second)
    cloud.delete_cloudspace(space)


def test_machines_are_made_and_stopped_side_by_side(product: Product) -> None:
    """Four machines made, stopped and deleted at once in one cloudspace do not get into each other's way."""
    cloud = Cloud(product, "crowd")
    space = cloud.cloudspace("busy")
    with ThreadPoolExecutor(4) as pool:
        machines = list(pool.map(lambda number: cloud.machine(space, f"side-{number}"), range(4)))
        assert {cloud.status(machine) for machine in machines} == {"RUNNING"}
        addresses = [product.ask("cloudbroker/machine/get", machineId=machine)["ipAddress"] for machine in machines]
        assert len(set(addresses)) == 4
        list(pool.map(lambda machine: product.ask("cloudapi/machines/stop", machineId=machine, force=True), machines))
        assert {cloud.status(machine) for machine in machines} == {"HALTED"}
        list(pool.map(cloud.delete_machine, machines))
    cloud.delete_cloudspace(space)
