"""What a node is made of: its board by DMI, its processor, memory, disks and network cards, as lists keep them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sal.disks.devices import read_devices
from sal.errors import SalError
from sal.host import facts
from sal.system.packages import read_packages

DMI: Final = (
    "sys_vendor",
    "product_name",
    "product_serial",
    "board_vendor",
    "board_name",
    "bios_vendor",
    "bios_version",
)
"""What the firmware tells, named as in ``/sys/class/dmi/id``; the serial number only to root."""


def read_dmi(root: Path = Path("/")) -> dict[str, str]:
    """Return what the firmware tells of the machine; what it does not tell is left out."""
    found = {}
    for name in DMI:
        try:
            text = (root / "sys/class/dmi/id" / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        if text:
            found[name] = text
    return found


def read_card(name: str, root: Path = Path("/")) -> dict[str, Any]:
    """Return a network card's driver and speed in Mbit/s; None for what it does not tell."""
    folder = root / "sys/class/net" / name
    driver = folder / "device/driver"
    try:
        speed = int((folder / "speed").read_text())
    except (OSError, ValueError):
        speed = 0
    return {"driver": driver.resolve().name if driver.exists() else None, "speed": speed if speed > 0 else None}


def inventory() -> dict[str, Any]:
    """Return everything as plain data; ``devices`` and ``packages`` are None where this system cannot tell them."""
    host = asdict(facts())
    cards = [{**one, **read_card(one["name"])} for one in host.pop("interfaces")]
    return {**host, "dmi": read_dmi(), "interfaces": cards, "devices": _devices(), "packages": _packages()}


def _devices() -> list[dict[str, Any]] | None:
    try:
        return [asdict(one) for one in read_devices()]
    except SalError:
        return None


def _packages() -> dict[str, str] | None:
    try:
        return {name: one.version for name, one in sorted(read_packages().items())}
    except SalError:
        return None
