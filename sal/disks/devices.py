"""Block devices: disks, their partitions, and files attached as disks (loop devices)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sal.command import Command, apply, run
from sal.errors import DiskError

_COLUMNS: Final = "NAME,PATH,TYPE,SIZE,RO,RM,ROTA,MODEL,SERIAL,TRAN,MOUNTPOINTS"


@dataclass(frozen=True)
class Device:
    """A block device; ``kind`` is lsblk's (``disk``, ``part``, ``loop``, ``lvm``, ``raid1``), ``size`` in bytes.

    ``parent`` is the path of the disk that it is a part of; ``bus`` is ``nvme``, ``sata``, ``usb``, empty if unknown.
    """

    path: str
    kind: str
    size: int
    read_only: bool = False
    removable: bool = False
    rotating: bool = False
    model: str = ""
    serial: str = ""
    bus: str = ""
    parent: str = ""
    mounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loop:
    """A file attached as a disk; ``offset`` in bytes."""

    path: str
    file: str
    offset: int
    read_only: bool


def read_devices() -> list[Device]:
    """Return the node's block devices, each disk before its parts."""
    return parse_devices(run(["lsblk", "--json", "--bytes", "--output", _COLUMNS]))


def parse_devices(text: str) -> list[Device]:
    """Read what ``lsblk --json --bytes`` prints; empty devices, as an unused zram, are left out."""
    return [one for one in _walk(json.loads(text or "{}").get("blockdevices", []), "") if one.size]


def device_size(path: Path) -> int:
    """Return the bytes of a device, or of a file that stands for one. Raises `sal.errors.DiskError`."""
    try:
        with path.open("rb") as handle:
            return handle.seek(0, os.SEEK_END)
    except OSError as error:
        raise DiskError(f"device {path}: {error.strerror}") from error


def read_loops() -> list[Loop]:
    """Return the files that are attached as disks."""
    return parse_loops(run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE,OFFSET,RO"]))


def parse_loops(text: str) -> list[Loop]:
    """Read what ``losetup --json --list`` prints, which is nothing if there is none."""
    found: list[dict[str, Any]] = json.loads(text or "{}").get("loopdevices", [])
    return [Loop(one["name"], one["back-file"] or "", int(one["offset"]), _yes(one["ro"])) for one in found]


def loop_of(file: Path) -> str | None:
    """Return the device that a file is attached as, None if it is not."""
    return next((one.path for one in read_loops() if one.file == str(file.resolve())), None)


def loop_commands(file: str, found: list[Loop]) -> list[Command]:
    """Return what is missing for a file to be attached whole."""
    if any(one.file == file for one in found):
        return []
    return [Command(("losetup", "--find", "--nooverlap", "--", file))]


def ensure_loop(file: Path) -> list[str]:
    """Attach a file as a disk; return what was changed. `loop_of` tells as which. Raises `sal.errors.DiskError`."""
    if not file.is_file():
        raise DiskError(f"file {file}: not there, so that it cannot be attached as a disk")
    return apply(loop_commands(str(file.resolve()), read_loops()))


def remove_loop(file: Path) -> list[str]:
    """Detach a file; return what was changed."""
    path = loop_of(file)
    return apply([Command(("losetup", "--detach", path))] if path else [])


def _walk(entries: list[dict[str, Any]], parent: str) -> Iterator[Device]:
    for one in entries:
        yield Device(
            path=one["path"],
            kind=one["type"],
            size=int(one["size"] or 0),
            read_only=_yes(one.get("ro")),
            removable=_yes(one.get("rm")),
            rotating=_yes(one.get("rota")),
            model=(one.get("model") or "").strip(),
            serial=(one.get("serial") or "").strip(),
            bus=one.get("tran") or "",
            parent=parent,
            mounts=tuple(mount for mount in one.get("mountpoints") or () if mount),
        )
        yield from _walk(one.get("children", []), one["path"])


def _yes(value: Any) -> bool:
    """Tell what a flag means: older versions of util-linux print texts."""
    return value in {True, "1"}
