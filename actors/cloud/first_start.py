"""What a new installation needs for its first machine: a location, sizes, an external network, an image."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import secrets
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from actors.cloud.models import ExternalNetwork, Image, Location, Size
from actors.cloud.networks import Networks
from portalfw.errors import StartError
from portalfw.extension import first_start
from portalfw.offload import offload
from portalfw.settings import REPOSITORY

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

GID = 1
LOCATION = "local"
#: (name, MiB, vcpus, description); the first has id 1, which old clients expect to be 512 MB (clients.md, section 9).
SIZES = (
    ("small", 512, 1, "512 MB, 1 vcpu"),
    ("medium", 1024, 1, "1 GB, 1 vcpu"),
    ("large", 2048, 2, "2 GB, 2 vcpus"),
    ("extra large", 4096, 2, "4 GB, 2 vcpus"),
    ("double", 8192, 4, "8 GB, 4 vcpus"),
    ("quadruple", 16384, 8, "16 GB, 8 vcpus"),
    ("tiny", 128, 1, "128 MB, 1 vcpu, for tiny guests"),
)
DISKS = [10, 20, 50, 100, 250, 500, 1000, 2000]  # GiB
TINY_DISKS = [1, *DISKS]
#: Private ranges that are seldom used, cut in /24s, so that a network of ours seldom meets one of the host.
RANGES = ("10.213.0.0/16", "172.27.0.0/16", "172.29.0.0/16")
FIRST_IP, LAST_IP = 10, 250
PREFIX = 24
IMAGE = "tiny"
IMAGE_FILE = "tiny.qcow2"
BLANK_FILE = "tiny-simulated.qcow2"
IMAGE_LIMIT = 600.0  # seconds for fetching Debian's packages and building
ROUTES = Path("/proc/net/route")


@first_start
def seed(runtime: Runtime) -> None:
    """Make what is missing; later starts only look."""
    _location()
    _sizes()
    _external_network(runtime)
    _tiny_image(runtime)


def _location() -> None:
    if not Location.rows({"gid": GID}, fields=["_id"], limit=1):
        Location.create(gid=GID, name=LOCATION, location_code=LOCATION)


def _sizes() -> None:
    if Size.rows(fields=["_id"], limit=1):
        return
    for name, memory, vcpus, description in SIZES:
        disks = TINY_DISKS if memory < SIZES[0][1] else DISKS
        Size.create(name=name, memory=memory, vcpus=vcpus, description=description, disks=disks, gids=[GID])


def _external_network(runtime: Runtime) -> None:
    if ExternalNetwork.rows(fields=["_id"], limit=1):
        return
    network = free_range(used_networks())
    if network is None:
        log.warning("No range for a first external network is free on this machine; add one in the portal.")
        return
    first = network.network_address
    runtime.service(Networks).add_external(
        name="external",
        subnet=str(network),
        gateway=str(first + 1),
        start=str(first + FIRST_IP),
        end=str(first + LAST_IP),
        gid=GID,
        host_gateway=True,
        shipped=True,
    )


def used_networks() -> list[ipaddress.IPv4Network]:
    """Return the networks that this host has addresses in or routes to, without the default route."""
    found = [
        ipaddress.IPv4Interface(f"{address.address}/{address.netmask or 32}").network
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET
    ]
    for line in ROUTES.read_text().splitlines()[1:] if ROUTES.exists() else ():
        fields = line.split()
        target, mask = (socket.inet_ntoa(struct.pack("<L", int(fields[place], 16))) for place in (1, 7))
        if mask != "0.0.0.0":  # noqa: S104 - the mask of the default route, nothing is bound
            found.append(ipaddress.IPv4Network(f"{target}/{mask}", strict=False))
    return found


def free_range(used: list[ipaddress.IPv4Network]) -> ipaddress.IPv4Network | None:
    """Return any /24 of :data:`RANGES` that overlaps none of ``used``; None if each does.

    Any, not the first: another installation on this machine may have chosen one that it does not use yet.
    """
    candidates = [network for text in RANGES for network in ipaddress.IPv4Network(text).subnets(new_prefix=PREFIX)]
    free = [network for network in candidates if not any(network.overlaps(other) for other in used)]
    return secrets.choice(free) if free else None


def _tiny_image(runtime: Runtime) -> None:
    if Image.rows({"name": IMAGE, "account_id": 0, "live": True}, fields=["_id"], limit=1):
        return
    now = time.time()
    Image.create(
        name=IMAGE,
        gid=GID,
        status="CREATED",
        username="root",
        creation_time=now,
        update_time=now,
        **_image_facts(runtime),
    )


def _image_facts(runtime: Runtime) -> dict[str, Any]:
    folder = runtime.settings.state_folder / "images"
    reason = "the simulated hypervisor was chosen"
    if runtime.settings.hypervisor != "test":
        reason = _build_image(folder / IMAGE_FILE, [])
        if not reason:
            return _facts(folder / IMAGE_FILE, "Answers HTTP with its own name on port 80.")
        log.warning("The image %s cannot be made, so a simulated one takes its place: %s", IMAGE, reason)
    problem = _build_image(folder / BLANK_FILE, ["--blank"])
    if problem:
        raise StartError(f"{folder / BLANK_FILE} cannot be written: {problem}")
    facts = _facts(folder / BLANK_FILE, "Simulated: an empty disk, which boots nothing.")
    return facts | {"status_reason": f"A simulated image: {reason}."}


def _facts(path: Path, description: str) -> dict[str, Any]:
    return {"url": f"portal:{path.name}", "sha256": offload(_digest, path), "description": description}


def _build_image(path: Path, options: list[str]) -> str:
    """Run ``tools/guest-image`` unless its file is there; return why it failed, or nothing."""
    if path.is_file():
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(REPOSITORY / "tools" / "guest-image"), *options, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMAGE_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
