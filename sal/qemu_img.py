"""Disk images by qemu-img: what is in a file, and making, growing and converting one.

Whether an image from elsewhere may become a machine's disk is another question: see `sal.image`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sal.command import Command, apply, run
from sal.errors import ImageError

Format = Literal["qcow2", "raw", "vmdk", "vdi", "vpc"]
_LONG: Final = 3600.0
_SECTOR: Final = 512


@dataclass(frozen=True)
class DiskImage:
    """An image: ``size`` of its disk and ``allocated`` bytes of the file; ``backing`` is the file that it leans on."""

    form: str
    size: int
    allocated: int
    backing: str | None = None
    backing_form: str | None = None
    snapshots: tuple[str, ...] = ()


def read_image(path: Path, form: Format | None = None) -> DiskImage | None:
    """Return what is in an image, None if there is no such file.

    Params: ``form`` what it is known to be. Without it qemu-img guesses, which must not be done with a file that a
    guest can write to: a raw disk can be made to look like a qcow2 that leans on any file.
    """
    if not path.exists():
        return None
    known = ("-f", form) if form else ()
    return parse_image(run(["qemu-img", "info", "--output=json", "--force-share", *known, str(path.absolute())]))


def parse_image(text: str) -> DiskImage:
    """Read what ``qemu-img info --output=json`` prints."""
    found: dict[str, Any] = json.loads(text)
    return DiskImage(
        form=found["format"],
        size=found["virtual-size"],
        allocated=found.get("actual-size", 0),
        backing=found.get("backing-filename"),
        backing_form=found.get("backing-filename-format"),
        snapshots=tuple(one["name"] for one in found.get("snapshots", [])),
    )


def image_commands(
    path: str,
    size: int | None,
    found: DiskImage | None,
    form: Format = "qcow2",
    backing: str | None = None,
    backing_form: Format = "qcow2",
) -> list[Command]:
    """Return what is missing of an image with a disk of ``size`` bytes; one that is smaller grows.

    Params: ``backing`` the file that it starts as a copy of; then ``size`` may be None, for as much as that has.
    Raises `sal.errors.ImageError` if there is one of another format, on another file, or larger: nothing is cut off.
    """
    if size is None and backing is None:
        raise ImageError(f"image {path}: needs a size, as it has no backing file")
    if found is None:
        below = ("-b", backing, "-F", backing_form) if backing else ()
        return [Command(("qemu-img", "create", "-q", "-f", form, *below, path, *([str(size)] if size else [])))]
    if (found.form, found.backing) != (form, backing):
        there, wanted = _named(found.form, found.backing), _named(form, backing)
        raise ImageError(f"image {path}: is {there}, not {wanted}; nothing was changed")
    rounded = -(-size // _SECTOR) * _SECTOR if size else found.size
    if rounded < found.size:
        raise ImageError(f"image {path}: has {found.size} bytes, more than {size}; shrinking would cut off data")
    if rounded == found.size:
        return []
    return [Command(("qemu-img", "resize", "-q", "-f", form, path, str(rounded)))]


def ensure_image(
    path: Path,
    size: int | None = None,
    form: Format = "qcow2",
    backing: Path | None = None,
    backing_form: Format = "qcow2",
) -> list[str]:
    """Make an image, or let it grow; return what was changed. Params and errors as of `image_commands`."""
    below = str(backing.absolute()) if backing else None
    return apply(image_commands(str(path.absolute()), size, read_image(path, form), form, below, backing_form))


def convert(source: Path, target: Path, form: Format = "qcow2", *, source_form: Format, compress: bool = False) -> None:
    """Copy an image as another format, with all that it leans on, whole or not at all; a target is replaced.

    Params: ``compress`` for images that are kept and rarely read. May take an hour. Raises `sal.errors.CommandError`.
    """
    part = target.with_name(f".{target.name}.part")
    squeezed = ("-c",) if compress else ()
    try:
        files = (str(source.absolute()), str(part.absolute()))
        run(["qemu-img", "convert", "-q", "-f", source_form, "-O", form, *squeezed, *files], timeout=_LONG)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _named(form: str, backing: str | None) -> str:
    return f"{form} on {backing}" if backing else f"{form} on its own"
