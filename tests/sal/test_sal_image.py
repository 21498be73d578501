"""What may become a machine's disk, and what may not."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from sal_making import TOOL

from sal.errors import ImageError
from sal.image import inspect


def test_blank_image(blank_image: Path) -> None:
    """A whole qcow2 file is taken, with its digest and sizes."""
    found = inspect(blank_image, "blank")
    assert found.sha256 == hashlib.sha256(blank_image.read_bytes()).hexdigest()
    assert (found.size, found.virtual_size) == (blank_image.stat().st_size, 64 << 20)
    assert inspect(blank_image, "blank", found.sha256.upper()) == found


def test_other_digest(blank_image: Path) -> None:
    """A file with another digest is refused, naming the image and both digests."""
    with pytest.raises(ImageError, match=r"image i3: sha256 is [0-9a-f]{64}, expected 0000"):
        inspect(blank_image, "i3", "0" * 64)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, b"ELF\0", "not a qcow2 file"),
        (4, struct.pack(">I", 9), "version 9"),
        (8, struct.pack(">Q", 104), "backing file"),
        (72, struct.pack(">Q", 4), "data in another file"),
    ],
)
def test_header_refused(blank_image: Path, tmp_path: Path, place: int, value: bytes, reason: str) -> None:
    """A file of another form, or one that leans on other files, is refused by name."""
    content = bytearray(blank_image.read_bytes())
    content[place : place + len(value)] = value
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ImageError, match=f"image i3: .*{reason}"):
        inspect(tmp_path / "bad", "i3")


def test_too_short(tmp_path: Path) -> None:
    """A file that was cut off is refused by name, and so is none at all."""
    (tmp_path / "cut").write_bytes(b"QFI\xfb")
    with pytest.raises(ImageError, match="image i3: not a qcow2"):
        inspect(tmp_path / "cut", "i3")
    with pytest.raises(ImageError, match=r"image i3: .*is no file"):
        inspect(tmp_path / "none", "i3")


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="NO QEMU-IMG: apt-get install qemu-utils")
def test_proved_by_qemu(blank_image: Path, tmp_path: Path) -> None:
    """What only QEMU can see is seen: damaged tables, a real overlay, a real data file."""
    content = bytearray(blank_image.read_bytes())
    content[1 << 16 : (1 << 16) + 8] = struct.pack(">Q", 1 << 63 | 999 << 16)  # the L2 table lies beyond the end
    (tmp_path / "damaged").write_bytes(content)
    with pytest.raises(ImageError, match="image i3: corrupt"):
        inspect(tmp_path / "damaged", "i3")
    commands = [
        ["-b", str(blank_image), "-F", "qcow2", str(tmp_path / "overlay")],
        ["-o", f"data_file={tmp_path / 'data'}", str(tmp_path / "outside"), "1M"],
    ]
    for command, name in zip(commands, ("overlay", "outside"), strict=True):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *command], check=True)
        with pytest.raises(ImageError, match=r"image i3: .*(backing|another) file"):
            inspect(tmp_path / name, "i3")


def test_tool_without_apt(tmp_path: Path) -> None:
    """Where apt is missing, the tool says so in one line and ends with status 1."""
    done = subprocess.run(
        [sys.executable, str(TOOL), str(tmp_path / "x.qcow2")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("guest-image: apt-cache is not on this machine")
    assert len(done.stderr.splitlines()) == 1
