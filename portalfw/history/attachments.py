"""Images and files beside pages: of a space, or of one page and under its rights."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, InvalidError, NotFoundError
from portalfw.history.access import check, has
from portalfw.history.names import FILES, file_name, name_of
from portalfw.history.pages import Pages, author_of, existing, subject
from portalfw.history.views import Changes, PageFiles, View

LARGEST: Final = 8 * 2**20  # bytes
#: What browsers may show in place: type by ending. Everything else is handed out for saving only.
SHOWN: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "csv": "text/plain; charset=utf-8",
    "log": "text/plain; charset=utf-8",
    "json": "application/json",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
}
#: What is taken besides: documents and archives, never what a browser would run.
SAVED: Final = frozenset(
    (
        *("pdf", "md", "yaml", "yml", "xml", "ods", "odt", "odp", "docx", "xlsx", "pptx", "drawio"),
        *("zip", "gz", "tgz", "xz", "zst", "tar", "conf", "ini", "toml", "patch", "diff", "sh", "py", "sql", "pcap"),
    )
)
#: How files of a type begin; a file that says otherwise of itself is refused.
BEGINNINGS: Final = {
    "png": rb"\x89PNG\r\n\x1a\n",
    "jpg": rb"\xff\xd8\xff",
    "jpeg": rb"\xff\xd8\xff",
    "gif": rb"GIF8[79]a",
    "webp": rb"RIFF....WEBP",
    "pdf": rb"%PDF-",
    "svg": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)",
}


@dataclass(frozen=True)
class Attachment:
    """A file: of a page if ``page`` names one; ``link`` is how a page of the space links to it."""

    space: str
    page: str | None
    name: str
    path: str
    size: int

    @property
    def link(self) -> str:
        """The address relative to pages of the space."""
        return quote(self.path)

    @property
    def address(self) -> str:
        """The address of the file."""
        return f"/{self.space}/{quote(self.path)}"

    @property
    def image(self) -> bool:
        """Whether pages show it as an image."""
        return media_type(self.name).startswith("image/")


@dataclass(frozen=True)
class File:
    """A file to hand out."""

    data: bytes
    media_type: str
    shown: bool  # in place, or only saved


class Attachments:
    """Files of spaces and pages."""

    def __init__(self, pages: Pages) -> None:
        """Decide by the rights of ``pages``."""
        self._pages = pages
        self._store = pages.store

    def of(self, principal: Principal, space: str, page: str | None = None) -> Sequence[Attachment]:
        """Return the files that the principal may read; of one page, or all of the space."""

        def look(view: View) -> list[Attachment]:
            check(principal, view, None if page is None else existing(view, space, page)[0], "R", f"{page or space}")
            within = f"{_folder(view, space, page)}/"
            paths = [path for path in view.paths() if path.startswith(within)]
            return [_attachment(view, space, path) for path in paths if has(principal, view, owner(view, path), "R")]

        return self._store.look(space, look)

    def read(self, principal: Principal, space: str, path: str) -> File:
        """Return a file by its path below the folder of attachments.

        :raises NotFoundError: if there is none.
        """
        whole = f"{FILES}/{path}"

        def look(view: View) -> File:
            page = owner(view, whole)
            check(principal, view, page, "R", f"the page {name_of(page)}" if page else f"the space {space}")
            data = view.read(whole) if all(part not in {"", ".", ".."} for part in path.split("/")) else None
            if data is None:
                raise NotFoundError(f"There is no file {path[:100]!r} in the space {space}.")
            return File(data, media_type(whole), ending(whole) in SHOWN)

        return self._store.look(space, look)

    def add(
        self, principal: Principal, space: str, page: str | None, name: str, data: bytes, *, replace: bool = False
    ) -> Attachment:
        """Keep a file; with ``replace`` in the place of another of the name.

        :raises ConflictError: if there is another of the name, in whatever letter case.
        :raises InvalidError: if the name, type or size is not what may be kept.
        """
        kept = file_name(name)
        check_content(kept, data)
        made: list[Attachment] = []

        def build(view: View) -> Changes:
            self._may_write(principal, view, space, page)
            path = f"{_folder(view, space, page)}/{kept}"
            there = next((one for one in view.paths() if one.casefold() == path.casefold()), None)
            if there is not None and not replace and view.read(there) != data:
                raise ConflictError(
                    f"There is a file {there.rpartition('/')[2]} already; replace it, or choose another name.",
                    detail={"name": there.rpartition("/")[2]},
                )
            of_page = name_of(existing(view, space, page)[0]) if page else None
            made[:] = [Attachment(space.lower(), of_page, kept, there or path, len(data))]
            return {there or path: data}

        self._store.change(space, author_of(principal), subject("", f"Attach {kept}"), build)
        return made[0]

    def delete(self, principal: Principal, space: str, page: str | None, name: str) -> None:
        """Delete a file.

        :raises NotFoundError: if there is none of the name.
        """

        def build(view: View) -> Changes:
            self._may_write(principal, view, space, page)
            path = f"{_folder(view, space, page)}/{name}"
            if view.read(path) is None:
                raise NotFoundError(f"There is no file {name[:100]!r}.")
            return {path: None}

        self._store.change(space, author_of(principal), subject("", f"Delete the file {name}"), build)

    def _may_write(self, principal: Principal, view: View, space: str, page: str | None) -> None:
        path = None if page is None else existing(view, space, page)[0]
        for letter in "RW":
            check(principal, view, path, letter, f"the page {page}" if page else f"the space {space}")


def owner(view: View, path: str) -> str | None:
    """Return the file of the page that an attachment belongs to; None if it is the space's."""
    parts = path.split("/")
    return PageFiles(view).find(parts[1]) if len(parts) > 2 else None  # noqa: PLR2004 - folder, page, name


def ending(name: str) -> str:
    """Return what stands behind a name's last dot, in lower case."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def media_type(name: str) -> str:
    """Return the type under which a file is handed out."""
    return SHOWN.get(ending(name)) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def check_content(name: str, data: bytes) -> None:
    """Return if a file may be kept.

    :raises InvalidError: if it may not.
    """
    kind = ending(name)
    if kind not in SHOWN and kind not in SAVED:
        known = ", ".join(sorted({*SHOWN, *SAVED}))
        raise InvalidError(
            f"Files of the type {kind or 'none'} are not kept, only {known}.", detail={"argument": "name"}
        )
    if not data or len(data) > LARGEST:
        raise InvalidError(f"A file is of 1 to {LARGEST} bytes, not {len(data)}.", detail={"argument": "data"})
    begins = BEGINNINGS.get(kind)
    if begins and not re.match(begins, data, re.DOTALL):
        raise InvalidError(f"{name} does not hold what .{kind} files hold.", detail={"argument": "data"})


def _folder(view: View, space: str, page: str | None) -> str:
    return FILES if page is None else f"{FILES}/{name_of(existing(view, space, page)[0])}"


def _attachment(view: View, space: str, path: str) -> Attachment:
    page = owner(view, path)
    size = len(view.read(path) or b"")
    return Attachment(space.lower(), name_of(page) if page else None, path.rpartition("/")[2], path, size)
