"""The files that are served: what ``main`` holds, written so that a reader finds each whole, old or new."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pygit2

TEMPORARY = ".writing-"


def show(
    repo: pygit2.Repository, folder: Path, before: str | None, after: str, times: Mapping[str, float]
) -> list[str]:
    """Make the files of ``folder``, which are those of commit ``before``, those of ``after``; return which changed.

    :param times: when files were last changed (epoch seconds), where that is not now.
    """
    old, new = _files(repo, before), _files(repo, after)
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    for path in changed:
        if path not in new:  # first, since a folder may take the place of a file, or a file that of a folder
            _remove(folder, path)
    for path in changed:
        if path in new:
            _write(repo, folder, path, new[path], times.get(path))
    repo.index.read_tree(repo[after].peel(pygit2.Tree))
    repo.index.write()
    return changed


def repair(repo: pygit2.Repository, folder: Path, head: str) -> list[str]:
    """Make the files of ``folder`` those of ``head``, whatever a killed process left there; return which were wrong."""
    wanted = _files(repo, head)
    wrong = [path for path, blob in wanted.items() if not _is(folder / path, blob)]
    for path in wrong:
        _write(repo, folder, path, wanted[path], None)
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for path in (Path(place, name).relative_to(folder).as_posix() for name in names):
            if path not in wanted:
                wrong.append(path)
                _remove(folder, path)
    return wrong


def _files(repo: pygit2.Repository, commit: str | None) -> dict[str, str]:
    if commit is None:
        return {}
    index = pygit2.Index()
    index.read_tree(repo[commit].peel(pygit2.Tree))
    return {entry.path: str(entry.id) for entry in index}


def _is(file: Path, blob: str) -> bool:
    try:
        return not file.is_symlink() and str(pygit2.hash(file.read_bytes())) == blob
    except OSError:
        return False


def _write(repo: pygit2.Repository, folder: Path, path: str, blob: str, changed: float | None) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{TEMPORARY}{time.monotonic_ns():x}")
    beside.write_bytes(repo[blob].peel(pygit2.Blob).data)
    if changed is not None:
        os.utime(beside, (changed, changed))
    beside.replace(target)


def _remove(folder: Path, path: str) -> None:
    target = folder / path
    target.unlink(missing_ok=True)
    while target.parent != folder and not any(target.parent.iterdir()):
        target = target.parent
        target.rmdir()
