"""File systems on devices: what is there, making one where nothing is, and growing it with its device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sal.command import Command, apply, run
from sal.disks.devices import device_size
from sal.errors import CommandError, DiskError, SpecError

Kind = Literal["ext4", "xfs", "vfat"]
#: The longest label that each takes, in characters.
LONGEST_LABEL: Final = {"ext4": 16, "xfs": 12, "vfat": 11}
_LABEL: Final = {"ext4": "-L", "xfs": "-L", "vfat": "-n"}
_QUIET: Final = {"ext4": ("-q", "-F"), "xfs": ("-q",), "vfat": ()}
_NOTHING: Final = 2
"""How blkid(8) ends when it finds nothing."""
_GROWING: Final = frozenset(("ext2", "ext3", "ext4"))


@dataclass(frozen=True)
class FileSystem:
    """What lies on a device: ``kind`` is ``ext4``, ``swap``, ``LVM2_member``, or ``gpt`` and ``dos`` for partitions."""

    kind: str
    label: str = ""
    uuid: str = ""


def read_filesystem(device: Path) -> FileSystem | None:
    """Return what lies on a device, None if nothing that is known.

    It looks itself (``blkid --probe``), so that it is right also where no udev keeps account, as in containers.
    Raises `sal.errors.CommandError` if two things lie there at once.
    """
    try:
        return parse_filesystem(run(["blkid", "--probe", "--output", "export", "--", str(device)]))
    except CommandError as error:
        if error.status == _NOTHING and device.exists():
            return None
        raise


def parse_filesystem(text: str) -> FileSystem:
    """Read what ``blkid --probe --output export`` prints."""
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    kind = found.get("TYPE") or found.get("PTTYPE", "")
    return FileSystem(kind, found.get("LABEL", ""), found.get("UUID") or found.get("PTUUID", ""))


def filesystem_commands(device: str, kind: Kind, label: str, found: FileSystem | None) -> list[Command]:
    """Return what is missing of a file system with a label.

    Raises `sal.errors.DiskError` if anything else lies on the device, of which nothing is changed, and
    `sal.errors.SpecError` for a label that it does not take.
    """
    if len(label) > LONGEST_LABEL[kind] or not label.isprintable() or label.startswith("-"):
        raise SpecError(f"label {label!r}: {kind} takes {LONGEST_LABEL[kind]} printable characters, at first no '-'")
    if found is None:
        named = (_LABEL[kind], label) if label else ()
        return [Command((f"mkfs.{kind}", *_QUIET[kind], *named, device))]
    if found.kind != kind or found.label != label:
        raise DiskError(
            f"device {device}: holds {found.kind} {found.label!r}, not {kind} {label!r}; nothing was changed. "
            "To give it up, wipe it first: wipefs --all"
        )
    return []


def ensure_filesystem(device: Path, kind: Kind = "ext4", label: str = "") -> list[str]:
    """Make a file system on an empty device; return what was changed. Raises as `filesystem_commands` does."""
    return apply(filesystem_commands(str(device.absolute()), kind, label, read_filesystem(device)), timeout=600)


def filesystem_size(device: Path) -> int:
    """Return the bytes that an ext file system reaches over."""
    return parse_size(run(["dumpe2fs", "-h", str(device.absolute())]))


def parse_size(text: str) -> int:
    """Read what ``dumpe2fs -h`` prints."""
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(found["Block count"]) * int(found["Block size"])


def grow_commands(device: str, size: int, available: int, *, mounted: bool) -> list[Command]:
    """Return what is missing for an ext file system to fill its device: it is checked first unless it is in use.

    Params: ``size`` what it reaches over now, ``available`` what its device has, in bytes. A rest of less than a
    block group cannot always be used and is left.
    """
    if available - size < _least_gain(size):
        return []
    check = [] if mounted else [Command(("e2fsck", "-f", "-p", device))]
    return [*check, Command(("resize2fs", device))]


def grow_filesystem(device: Path, *, mounted: bool = False) -> list[str]:
    """Let an ext2, ext3 or ext4 file system fill its device, also while it is ``mounted``; return what was changed.

    Raises `sal.errors.DiskError` for others: xfs grows by ``xfs_growfs`` where it is mounted, vfat not at all.
    """
    found = read_filesystem(device)
    if found is None or found.kind not in _GROWING:
        raise DiskError(f"device {device}: holds {found.kind if found else 'nothing'}, which is not grown here")
    plan = grow_commands(str(device.absolute()), filesystem_size(device), device_size(device), mounted=mounted)
    return apply(plan, timeout=600)


def _least_gain(size: int) -> int:
    """Return the bytes that make growing worth while: a hundredth, 8 MiB at most."""
    return min(size // 100 + 1, 8 << 20)
