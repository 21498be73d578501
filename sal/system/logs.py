"""Log files that have grown too long: cut to their end, or removed if they were rotated away."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.errors import SpecError

FLOOR: Final = 1 << 20
"""Bytes of a log that always stay: nobody should have to explain a failure without any of it."""

ROTATED: Final = re.compile(r"\.(\d+|old)(\.(gz|xz|zst))?$|\.log[-.]\d{8,}(\.(gz|xz|zst))?$")
CURRENT: Final = re.compile(r"\.log$|^log$|^(syslog|messages)$")


@dataclass(frozen=True)
class Cleaned:
    """What was done with one file: ``cut`` or ``removed``, and the bytes that are free now."""

    path: str
    action: str
    freed: int


def clean_logs(folders: Iterable[Path], most: int, keep: int) -> list[Cleaned]:
    """Cut logs longer than ``most`` bytes to their last ``keep``, and remove rotated ones that are as long.

    Only regular files directly in these folders are touched, links never; what is written meanwhile may be lost.

    Raises `SpecError`: ``keep`` is below :data:`FLOOR` or above ``most``.
    """
    if not FLOOR <= keep <= most:
        raise SpecError(f"keep {keep}: from {FLOOR} bytes up to most, which is {most}")
    return [done for folder in folders for file in _files(folder) if (done := _clean(file, most, keep)) is not None]


def _files(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(folder.iterdir())


def _clean(file: Path, most: int, keep: int) -> Cleaned | None:
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size <= most:
        return None
    if ROTATED.search(file.name):
        file.unlink()
        return Cleaned(str(file), "removed", found.st_size)
    return _cut(file, keep) if CURRENT.search(file.name) else None


def _cut(file: Path, keep: int) -> Cleaned:
    """Leave the last bytes, from the beginning of a line on, in the same file: who has it open writes on into it."""
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(handle, "r+b") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(size - keep)
        log.readline()
        end = log.read()
        log.seek(0)
        log.write(end)
        log.truncate()
    return Cleaned(str(file), "cut", size - len(end))
