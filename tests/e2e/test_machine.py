"""One click, all the way down: from the REST call to a guest that answers, and back to nothing left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cloud_steps import BOOT_LIMIT, Cloud, answer_of, served
from product import Product, wait_for

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(400)]


def leftovers(site: str) -> dict[str, list[str]]:
    """Return everything on this machine whose name begins with the product's site prefix."""

    def lines(*command: str) -> list[str]:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if site in line]

    images = Path("/var/lib/libvirt/images")
    return {
        "domains": lines("virsh", "-c", "qemu:///system", "list", "--all", "--name"),
        "pools": lines("virsh", "-c", "qemu:///system", "pool-list", "--all", "--name"),
        "volumes": [str(path) for path in images.rglob(f"*{site}*")],
        "links": lines("ip", "-o", "link"),
        "namespaces": lines("ip", "netns", "list"),
        "processes": lines("ps", "-eo", "args"),
        "rules": lines("nft", "list", "tables"),
    }


def test_guest_answers_and_leaves_nothing(real_product: Product, guest_image: Path) -> None:
    """A registered image becomes a machine that answers through a port forward; deleted, it leaves nothing."""
    cloud = Cloud(real_product, "line")
    site = real_product.ask("system/gridmanager/getNode", nodeId=1)["site"]
    before = leftovers(site)  # an image that another test had fetched may stay
    with served(guest_image.parent) as address:
        image = cloud.register_image("e2e", f"{address}/{guest_image.name}")
        space = cloud.cloudspace("production")
        machine = cloud.machine(space, "web-1", image)
    url = f"http://{cloud.public_ip(space)}:8080/"
    cloud.forward(space, machine, 8080, 80)
    answered = wait_for(lambda: answer_of(url), BOOT_LIMIT, "the guest's first answer")
    assert answered.strip() == "web-1"
    assert leftovers(site)["domains"]

    real_product.ask("cloudapi/machines/stop", machineId=machine)
    assert cloud.status(machine) == "HALTED"
    assert answer_of(url) is None
    real_product.ask("cloudapi/machines/start", machineId=machine)
    assert cloud.status(machine) == "RUNNING"
    wait_for(lambda: answer_of(url), BOOT_LIMIT, "the guest's answer after a restart")

    cloud.delete_machine(machine)
    assert real_product.call("cloudapi/machines/get", machineId=machine).status_code == 404
    cloud.delete_cloudspace(space)
    real_product.ask("cloudbroker/image/delete", imageId=image, reason="test", permanently=True)
    assert leftovers(site) == before
