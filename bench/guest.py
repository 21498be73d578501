"""A real guest: from ``machines/create`` to its first HTTP answer."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

from cloud_steps import Cloud
from product import running, wait_for


def guest_start() -> list[tuple[str, str, str]]:
    """Measure three machines one after the other on qemu:///system."""
    times = []
    with running("--hypervisor", "qemu") as product:
        cloud = Cloud(product)
        space = cloud.cloudspace("bench")
        for number in range(3):
            began = time.monotonic()
            machine = cloud.machine(space, f"guest-{number}")
            port = 8080 + number
            cloud.forward(space, machine, port, 80)
            wait_for(lambda port=port: _answers(cloud.public_ip(space), port), 120, "the guest's answer")
            times.append(time.monotonic() - began)
            cloud.delete_machine(machine)
        cloud.delete_cloudspace(space)
    text = ", ".join(f"{value:.1f}" for value in times)
    return [("emulated guest, create to first HTTP answer", f"median {sorted(times)[1]:.1f} s ({text})", "< 15 s")]


def _answers(address: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
