"""Partition tables (GPT), read and made by sfdisk. What is on a disk already is never overwritten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from sal.command import Command, apply, run
from sal.disks.devices import device_size
from sal.disks.filesystems import read_filesystem
from sal.errors import CommandError, DiskError

MIB: Final = 1 << 20
_EMPTY: Final = "does not contain a recognized partition table"
#: Partitions end on whole MiB, before the second table.
_NO_ROOM: Final = 2 * MIB


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PartitionSpec:
    """A partition: its name in the table, its ``size`` in MiB, None for the rest of the disk.

    ``kind`` as sfdisk(8) takes it: ``linux``, ``swap``, ``uefi``, ``lvm``, ``raid``, or a GUID.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,35}$")]
    size: Annotated[int | None, Field(ge=1)] = None
    kind: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,36}$")] = "linux"


@dataclass(frozen=True)
class Partition:
    """A partition as it is: ``start`` and ``size`` in bytes; only GPT has names."""

    path: str
    start: int
    size: int
    kind: str
    name: str = ""


@dataclass(frozen=True)
class PartitionTable:
    """A disk's table: ``gpt``, ``dos``, and what is in it."""

    label: str
    partitions: tuple[Partition, ...] = ()


def read_partitions(disk: Path) -> PartitionTable | None:
    """Return a disk's table, None if it has none."""
    try:
        return parse_partitions(run(["sfdisk", "--json", str(disk.absolute())]))
    except CommandError as error:
        if _EMPTY in str(error):
            return None
        raise


def parse_partitions(text: str) -> PartitionTable:
    """Read what ``sfdisk --json`` prints, which counts in sectors."""
    table: dict[str, Any] = json.loads(text)["partitiontable"]
    sector = table.get("sectorsize", 512)
    found = (
        Partition(one["node"], one["start"] * sector, one["size"] * sector, one["type"], one.get("name", ""))
        for one in table.get("partitions", [])
    )
    return PartitionTable(table["label"], tuple(found))


def partition_commands(disk: str, wanted: Sequence[PartitionSpec], found: PartitionTable | None) -> list[Command]:
    """Return what is missing of a table with these partitions.

    Raises `sal.errors.DiskError` if there is another table, of which nothing is changed.
    """
    if found is None:
        lines = "".join(f"{_line(one)}\n" for one in wanted)
        return [Command(("sfdisk", "--quiet", "--wipe", "never", disk), f"label: gpt\n{lines}")]
    there = [one.name for one in found.partitions]
    same_sizes = all(
        one.size in {None, other.size // MIB} for one, other in zip(wanted, found.partitions, strict=False)
    )
    if found.label != "gpt" or there != [one.name for one in wanted] or not same_sizes:
        raise DiskError(
            f"disk {disk}: has another {found.label} table, of partitions {there or 'none'}; "
            "nothing was changed. To give it up, wipe it first: wipefs --all"
        )
    return []


def ensure_partitions(disk: Path, wanted: Sequence[PartitionSpec]) -> list[str]:
    """Partition an empty disk; return what was changed.

    Raises `sal.errors.DiskError` if it has another table, or a file system without any.
    """
    found = read_partitions(disk)
    if found is None and (content := read_filesystem(disk)):
        raise DiskError(f"disk {disk}: holds {content.kind} {content.label!r} without partitions; nothing was changed")
    return apply(partition_commands(str(disk.absolute()), wanted, found))


def grow_commands(disk: str, size: int, found: PartitionTable | None) -> list[Command]:
    """Return what is missing for the last partition to reach the end of a disk that has ``size`` bytes now.

    GPT keeps a second table at the end of the disk, which has to move there first.
    """
    if found is None or not found.partitions:
        raise DiskError(f"disk {disk}: has no partition that could grow")
    number, last = max(enumerate(found.partitions, 1), key=lambda one: one[1].start)
    if size - last.start - last.size < _NO_ROOM:
        return []
    moved = [Command(("sfdisk", "--quiet", "--relocate", "gpt-bak-std", disk))] if found.label == "gpt" else []
    return [*moved, Command(("sfdisk", "--quiet", "--no-reread", "-N", str(number), disk), ", +\n")]


def grow_last_partition(disk: Path) -> list[str]:
    """Let the last partition reach the end of its disk, as after a machine's disk was enlarged.

    Return what was changed. Its file system still has its old size: see `sal.disks.filesystems.grow_filesystem`.
    """
    return apply(grow_commands(str(disk.absolute()), device_size(disk), read_partitions(disk)))


def _line(one: PartitionSpec) -> str:
    size = f"size={one.size}MiB, " if one.size else ""
    return f'{size}type={one.kind}, name="{one.name}"'
