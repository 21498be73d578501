"""Many loose objects of a clone become one pack: as files of their own they take a block of the disk each."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pygit2

MANY: Final = 1_000  # loose objects that are worth a pack
LOOSE: Final = re.compile(r"[0-9a-f]{38}")


def pack(repo: pygit2.Repository, folder: Path, many: int = MANY) -> int:
    """Pack the loose objects of the repository in ``folder`` if there are ``many``; return how many went.

    Nobody may write to the repository meanwhile. Who reads does not notice: git looks anew where an object was moved.
    Nothing is pruned, and no file is removed before the pack is on disk.
    """
    loose = _loose(folder)
    if len(loose) < many:
        return 0
    builder = pygit2.PackBuilder(repo)
    for identity in loose:
        builder.add(pygit2.Oid(hex=identity))
    builder.write()
    packs = folder / ".git" / "objects" / "pack"
    for written in (*packs.iterdir(), packs):
        _to_disk(written)
    for file in loose.values():
        file.unlink()
    return len(loose)


def _loose(folder: Path) -> dict[str, Path]:
    files = (folder / ".git" / "objects").glob("[0-9a-f][0-9a-f]/*")
    return {f"{file.parent.name}{file.name}": file for file in files if LOOSE.fullmatch(file.name)}


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
