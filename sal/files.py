"""Text files of the system that others edit too: changed by one at a time, whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: A system's file need not be UTF-8; what is not is kept as it is.
_TEXT: Final = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}


def read(path: Path) -> str:
    """Return a file's text, empty if there is no such file."""
    if not path.exists():
        return ""
    with path.open(**_TEXT) as handle:  # type: ignore[call-overload]
        return str(handle.read())


def write(path: Path, text: str, mode: int = 0o644) -> bool:
    """Make a file hold this text; return whether it held another. Params as for `edit`."""
    return edit(path, lambda _: text, mode)


def edit(path: Path, change: Callable[[str], str], mode: int = 0o644) -> bool:
    """Replace a file's text by what ``change`` makes of it; return whether that is another.

    Whoever edits a file of the same folder by this function waits. A reader sees the old text or the new one, never a
    part. Mode and owner stay; a file that was not there gets ``mode``. Params: ``change`` gets the text as it is, empty
    if there is no file. Raises `OSError` if the folder may not be written to.
    """
    path = path.resolve()
    with _folder_to_ourselves(path.parent):
        before, there = read(path), path.exists()
        after = change(before)
        if there and after == before:
            return False
        _replace(path, after, mode)
    return True


@contextmanager
def _folder_to_ourselves(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # in a process with gevent, closing would do so only a moment later
        os.close(handle)


def _replace(path: Path, text: str, mode: int) -> None:
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "w", **_TEXT) as handle:  # type: ignore[call-overload]
            _as_before(handle.fileno(), path, mode)
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        with path.open("w", **_TEXT) as handle:  # type: ignore[call-overload]
            handle.write(text)  # a mount point, as /etc/hosts is in containers, can only be written in place
    finally:
        part.unlink(missing_ok=True)


def _as_before(handle: int, path: Path, mode: int) -> None:
    if path.exists():
        found = path.stat()
        mode = found.st_mode & 0o7777
        if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, mode)
