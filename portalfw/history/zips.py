"""Spaces as zip files."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from typing import Final

from portalfw.errors import InvalidError
from portalfw.history.attachments import check_content
from portalfw.history.names import CONFIG, FILES, NAV, file_name, name_of, page_name
from portalfw.history.views import View
from portalfw.wiki.space import read_config

MOST_FILES: Final = 5000
MOST_BYTES: Final = 64 * 2**20  # unpacked, all files together
LARGEST_TEXT: Final = 2**20  # bytes of a page


def packed(view: View) -> bytes:
    """Return all files of a space as a zip file."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(view.paths()):
            archive.writestr(zipfile.ZipInfo(path), view.read(path) or b"", zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip file by path, if they can be those of a space.

    :raises InvalidError: naming the file that cannot.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return dict(_files(archive))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _wrong("", f"it is no zip file that can be read ({error})") from error


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise _wrong("", f"it holds more than {MOST_FILES} files")
    total = 0
    seen: set[str] = set()
    for entry in entries:
        path = _path(entry)
        if path.casefold() in seen:
            raise _wrong(path, "it is there twice")
        seen.add(path.casefold())
        with archive.open(entry) as file:  # what the entry says of its size may be a lie
            content = file.read(MOST_BYTES - total + 1)
        total += len(content)
        if total > MOST_BYTES:
            raise _wrong(path, f"all files together are larger than {MOST_BYTES} bytes")
        _check(path, content)
        yield path, content


def _path(entry: zipfile.ZipInfo) -> str:
    path = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    parts = path.split("/")
    hidden = [part for number, part in enumerate(parts) if part.startswith(".") and (number or part != FILES)]
    folders = [part for part in parts[:-1] if part == CONFIG or part.endswith(".md")]
    if folders or kind not in {0, stat.S_IFREG} or "\\" in path or "\0" in path or ":" in path or "" in parts or hidden:
        raise _wrong(path, "only plain files below the space's folder are taken")
    return path


def _check(path: str, content: bytes) -> None:
    try:
        if path == CONFIG:
            read_config("space", content.decode(), CONFIG)
        elif path.startswith(f"{FILES}/"):
            check_content(file_name(path.rpartition("/")[2]), content)
        elif path.endswith(".md") and len(content) <= LARGEST_TEXT:
            content.decode()
            if name_of(path) != NAV:
                page_name(name_of(path))
        else:
            raise _wrong(path, f"a space holds {CONFIG}, pages of 1 MiB at most, and files in {FILES}/")
    except UnicodeDecodeError as error:
        raise _wrong(path, "it is not UTF-8 text") from error


def _wrong(path: str, problem: str) -> InvalidError:
    where = f"{path[:200]}: " if path else ""
    return InvalidError(
        f"The zip file cannot be imported: {where}{problem}.", detail={"argument": "data", "path": path}
    )
