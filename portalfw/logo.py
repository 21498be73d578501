"""The installation's logo: one small picture in the database, so that every process shows it."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import mongoengine

from portalfw.errors import InvalidError
from portalfw.store import Document

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

LARGEST: Final = 256 * 1024  # bytes
WIDEST: Final = 4096  # pixels each way, so that no small file grows large in the browser
ONE: Final = 1  # the id of the only logo
FRESH: Final = 2.0  # seconds for which a process remembers which one it is
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
SVG: Final = re.compile(r"\ufeff?\s*(<\?xml[^>]*\?>\s*)?(<!--(?:(?!-->).)*-->\s*)*<svg[\s>]", re.DOTALL)
TYPES: Final = "a PNG, a JPEG or an SVG without document type"


class Logo(Document):
    """The picture; its hash is part of its address, so that browsers may keep it."""

    meta: ClassVar[dict[str, Any]] = {"collection": "logo", "indexes": []}

    data = mongoengine.BinaryField()
    media_type = mongoengine.StringField()
    hash = mongoengine.StringField()
    updated = mongoengine.FloatField()
    user = mongoengine.StringField()


class LogoMark:
    """Which logo the pages of this process show."""

    def __init__(self, runtime: Runtime) -> None:
        """Know nothing yet; the database is asked when a page wants to know."""
        del runtime
        self._known: tuple[float, str] | None = None

    def address(self) -> str:
        """Return the address of the logo, empty if there is none; at most two seconds old."""
        if self._known is None or time.monotonic() - self._known[0] > FRESH:
            rows = Logo.rows({"_id": ONE}, fields=["hash"], limit=1)
            self._known = time.monotonic(), logo_address(rows[0]["hash"]) if rows else ""
        return self._known[1]

    def forget(self) -> None:
        """Ask again at once."""
        self._known = None


def logo_address(version: str) -> str:
    """Return where the logo of a hash is served."""
    return f"/logo?v={version}"


def store_logo(data: bytes, user: str) -> str:
    """Keep a picture as the logo, and return its address.

    :raises InvalidError: if it is too large, or none that every browser shows.
    """
    media_type = media_type_of(data)
    version = hashlib.blake2b(data, digest_size=8).hexdigest()
    row = {"data": data, "media_type": media_type, "hash": version, "updated": time.time(), "user": user}
    Logo.collection().replace_one({"_id": ONE}, row, upsert=True)
    return logo_address(version)


def delete_logo() -> bool:
    """Show the product's own mark again; tell whether there was another."""
    return bool(Logo.collection().delete_one({"_id": ONE}).deleted_count)


def media_type_of(data: bytes) -> str:
    """Return what kind of picture it is, by its first bytes.

    :raises InvalidError: if it is too large, or of another kind.
    """
    if len(data) > LARGEST:
        raise _wrong(f"it has {len(data)} bytes, {LARGEST} are allowed")
    if data.startswith(PNG):
        width, height = (int.from_bytes(data[start : start + 4]) for start in (16, 20))
        if not (0 < width <= WIDEST and 0 < height <= WIDEST):
            raise _wrong(f"it is {width} by {height} pixels, {WIDEST} each way are allowed")
        return "image/png"
    if data.startswith(JPEG):
        return "image/jpeg"
    text = data.decode("utf-8", "replace")
    if SVG.match(text) and "<!doctype" not in text.lower() and "<!entity" not in text.lower():
        return "image/svg+xml"
    raise _wrong(f"it must be {TYPES}")


def _wrong(reason: str) -> InvalidError:
    return InvalidError(f"This cannot be the logo: {reason}.", detail={"argument": "image"})
