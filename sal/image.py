"""Disk images: what a file holds, and whether it may become a machine's disk."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sal.command import run
from sal.errors import CommandError, ImageError

_MAGIC: Final = b"QFI\xfb"
#: Bit of "incompatible_features" that says that the guest's data lies in another file (QEMU docs/interop/qcow2.txt).
_EXTERNAL_DATA: Final = 1 << 2
_HEADER: Final = ">4sIQIIQIIQQIIQQ"


@dataclass(frozen=True)
class ImageFacts:
    """A usable image: its digest, its size in the file and the size of the disk that it holds, in bytes."""

    sha256: str
    size: int
    virtual_size: int


def inspect(path: Path, name: str, sha256: str | None = None) -> ImageFacts:
    """Return the facts of a qcow2 file, or say why it must not be used.

    An image from elsewhere is not trusted: one that names a backing file or a data file would make the hypervisor read
    a file of the node into a guest. Params: ``name`` is how messages call the image; ``sha256`` is the expected digest.
    Raises `ImageError`.
    """
    if not path.is_file():
        raise ImageError(f"image {name}: {path} is no file")
    found = digest(path)
    if sha256 and found != sha256.lower():
        raise ImageError(
            f"image {name}: sha256 is {found}, expected {sha256.lower()}; fetch it again or correct the digest"
        )
    virtual_size = _header(path, name)
    if shutil.which("qemu-img"):
        virtual_size = _proved(path, name)
    return ImageFacts(found, path.stat().st_size, virtual_size)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _header(path: Path, name: str) -> int:
    """Read the header ourselves first: it is the same with and without qemu-img, and opens no other file."""
    with path.open("rb") as handle:
        head = handle.read(struct.calcsize(_HEADER))
    if len(head) < struct.calcsize(_HEADER) or not head.startswith(_MAGIC):
        raise ImageError(f"image {name}: not a qcow2 file; convert it with: qemu-img convert -O qcow2")
    fields = struct.unpack(_HEADER, head)
    version, backing, virtual_size, incompatible = fields[1], fields[2], fields[5], fields[13]
    if version not in {2, 3}:
        raise ImageError(f"image {name}: qcow2 version {version} is not known")
    if backing:
        raise ImageError(f"image {name}: leans on a backing file; flatten it with: qemu-img convert -O qcow2")
    if version == 3 and incompatible & _EXTERNAL_DATA:  # noqa: PLR2004 - only version 3 has feature bits
        raise ImageError(f"image {name}: keeps its data in another file; flatten it with: qemu-img convert -O qcow2")
    return int(virtual_size)


def _proved(path: Path, name: str) -> int:
    try:
        found: dict[str, Any] = json.loads(run(["qemu-img", "info", "--output=json", "-f", "qcow2", str(path)]))
        run(["qemu-img", "check", "-q", "-f", "qcow2", str(path)], timeout=300)
    except CommandError as error:
        raise ImageError(f"image {name}: corrupt: {error}") from error
    if found.get("backing-filename") or found.get("format-specific", {}).get("data", {}).get("data-file"):
        raise ImageError(f"image {name}: leans on another file; flatten it with: qemu-img convert -O qcow2")
    return int(found["virtual-size"])
