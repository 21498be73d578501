"""The steps that an operator takes with the REST API, in the words of a test."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from product import Product, wait_for

TINY_MEMORY = 128  # MiB; lab.md: 64 never boots, 96 works
BOOT_LIMIT = 90.0  # seconds; 3 to 7 alone, more while other guests boot on the same two cores


class Cloud:
    """One account of the cloud of a product, and what is made in it."""

    def __init__(self, product: Product, account: str = "acme") -> None:
        """Create the account."""
        self.product = product
        self.account = product.ask(
            "cloudbroker/account/create", name=account, username="admin", emailaddress="admin@example.org"
        )

    def image(self, name: str = "tiny") -> int:
        """Return the id of an image by its name."""
        rows = self.product.ask("cloudapi/images/list", accountId=self.account)
        return int(next(row["id"] for row in rows if row["name"] == name))

    def register_image(self, name: str, url: str) -> int:
        """Register an image by its address and wait until it is CREATED."""
        identity = self.product.ask(
            "cloudbroker/image/createImage",
            name=name,
            url=url,
            gid=1,
            boottype="bios",
            imagetype="Linux",
            username="root",
            password="tiny-guest",
        )
        wait_for(lambda: self._image_status(identity) == "CREATED", 60, f"image {name} being CREATED")
        return int(identity)

    def cloudspace(self, name: str) -> int:
        """Create a cloudspace and wait until it is DEPLOYED."""
        location = self.product.ask("cloudapi/locations/list")[0]["locationCode"]
        space = self.product.ask(
            "cloudapi/cloudspaces/create", accountId=self.account, location=location, name=name, access="admin"
        )
        wait_for(lambda: self.space(space)["status"] in {"DEPLOYED", "ERROR"}, 60, f"cloudspace {name} being deployed")
        found = self.space(space)
        assert found["status"] == "DEPLOYED", found
        return int(space)

    def machine(self, space: int, name: str, image: int | None = None) -> int:
        """Create a machine; it is RUNNING when this returns."""
        return int(
            self.product.ask(
                "cloudapi/machines/create",
                cloudspaceId=space,
                name=name,
                memory=TINY_MEMORY,
                vcpus=1,
                imageId=image or self.image(),
                disksize=1,
            )
        )

    def forward(self, space: int, machine: int, public_port: int, local_port: int) -> None:
        """Add a TCP port forward on the cloudspace's public address."""
        self.product.ask(
            "cloudapi/portforwarding/create",
            cloudspaceId=space,
            publicIp=self.public_ip(space),
            publicPort=public_port,
            machineId=machine,
            localPort=local_port,
            protocol="tcp",
        )

    def space(self, space: int) -> dict[str, Any]:
        """Return a cloudspace."""
        found: dict[str, Any] = self.product.ask("cloudapi/cloudspaces/get", cloudspaceId=space)
        return found

    def public_ip(self, space: int) -> str:
        """Return a cloudspace's public address."""
        return str(self.space(space)["publicipaddress"])

    def status(self, machine: int) -> str:
        """Return a machine's status."""
        return str(self.product.ask("cloudapi/machines/get", machineId=machine)["status"])

    def delete_machine(self, machine: int) -> None:
        """Delete a machine for good."""
        self.product.ask("cloudapi/machines/delete", machineId=machine, permanently=True)

    def delete_cloudspace(self, space: int) -> None:
        """Delete a cloudspace for good."""
        self.product.ask("cloudapi/cloudspaces/delete", cloudspaceId=space, permanently=True)

    def _image_status(self, identity: int) -> str:
        rows = self.product.ask("cloudbroker/image/list")
        row = next(row for row in rows if row["id"] == identity)
        assert row["status"] != "ERROR", row
        return str(row["status"])


def answer_of(url: str) -> str | None:
    """Return the body that ``url`` answers with, None while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


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


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on loopback and give its address."""
    handler = partial(_QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Print nothing."""
