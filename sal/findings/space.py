"""Room on file systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.findings.finding import Finding, State, graded
from sal.measures import filesystems

CATEGORY: Final = "Disks"
FREE: Final = (20.0, 10.0)
"""Percent that must be free: below the first it is a WARNING, below the second an ERROR.

The originals' text spoke of what is used (90/95), their code of what is free; this is the code's.
"""

MARK: Final = ".dontreportusage"
"""A file of this name at the top of a file system says that nobody minds how full it is."""

_GIB: Final = 1 << 30


@dataclass(frozen=True)
class FileSystem:
    """How full a file system is: percent of room and of inodes (None if it has no limit of these), bytes free."""

    mount: str
    used: float
    inodes: float | None
    free_bytes: float
    unminded: bool = False


def file_systems(root: Path = Path("/")) -> list[FileSystem]:
    """Read the file systems on local block devices."""
    return [
        FileSystem(
            one.key,
            one.gauges["used"],
            one.gauges.get("inodes"),
            one.gauges["free_bytes"],
            (root / one.key.lstrip("/") / MARK).exists(),
        )
        for one in filesystems(root)
    ]


def judge_space(found: Sequence[FileSystem]) -> list[Finding]:
    """Judge the room of each file system, and its inodes."""
    return [one for system in found for one in _judge(system)] or [
        Finding(CATEGORY, "none", "SKIPPED", "There is no file system on a local block device")
    ]


def _judge(found: FileSystem) -> list[Finding]:
    if found.unminded:
        return [Finding(CATEGORY, found.mount, "SKIPPED", f"{found.mount}: {MARK} says that nobody minds")]
    free = 100 - found.used
    text = f"{found.mount}: {free:.0f} % free ({found.free_bytes / _GIB:.1f} GiB)"
    told = [Finding(CATEGORY, found.mount, _state(free), text)]
    if found.inodes is not None:
        left = 100 - found.inodes
        told.append(
            Finding(CATEGORY, f"{found.mount} inodes", _state(left), f"{found.mount}: {left:.0f} % inodes free")
        )
    return told


def _state(free: float) -> State:
    return graded(-free, -FREE[0], -FREE[1])
