"""Disks, partitions, file systems, mounts and images: on real files, loop devices and mounts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sal.command import run
from sal.disks.devices import device_size, ensure_loop, loop_of, read_devices, remove_loop
from sal.disks.filesystems import ensure_filesystem, filesystem_size, grow_filesystem, read_filesystem
from sal.disks.mounts import MountSpec, ensure_fstab, ensure_mount, mounted_at, read_mounts, remove_fstab, remove_mount
from sal.disks.partitions import PartitionSpec, ensure_partitions, grow_last_partition, read_partitions
from sal.errors import CommandError, DiskError, ImageError
from sal.qemu_img import convert, ensure_image, read_image

MIB = 1 << 20
root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: loop devices and mounts need it")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Give a file that stands for an empty disk of 64 MiB."""
    file = tmp_path / "disk"
    file.touch()
    os.truncate(file, 64 * MIB)
    return file


@pytest.fixture
def device(disk: Path) -> Iterator[Path]:
    """Give the disk as a real block device."""
    try:
        assert len(ensure_loop(disk)) == 1
    except CommandError as error:
        pytest.skip(f"NO LOOP DEVICE: {error}")
    yield Path(str(loop_of(disk)))
    remove_loop(disk)


@root
def test_loop(disk: Path, device: Path) -> None:
    """A file is attached once, is a device of its size, and is detached."""
    assert ensure_loop(disk) == []
    assert next(one.size for one in read_devices() if one.path == str(device)) == device_size(device) == 64 * MIB
    assert [len(remove_loop(disk)), remove_loop(disk), loop_of(disk)] == [1, [], None]
    with pytest.raises(DiskError, match="none: not there"):
        ensure_loop(disk.with_name("none"))


@root
def test_mount(device: Path, tmp_path: Path) -> None:
    """A file system is made once, mounted once, mounted anew with other options, and unmounted."""
    assert [len(ensure_filesystem(device, "ext4", "data")), ensure_filesystem(device, "ext4", "data")] == [1, []]
    there = str(tmp_path / "a place")
    spec = MountSpec(str(device), there, "ext4", ["noatime"])
    try:
        assert [len(ensure_mount(spec)), ensure_mount(spec)] == [1, []]
        (Path(there) / "kept").write_text("yes")
        read_only = MountSpec(str(device), there, "ext4", ["ro", "noatime"])
        assert [len(ensure_mount(read_only)), ensure_mount(read_only)] == [1, []]
        with pytest.raises(OSError, match="Read-only"):
            (Path(there) / "kept").write_text("no")
        with pytest.raises(DiskError, match=f"{device} .ext4. is mounted there, not tmpfs"):
            ensure_mount(MountSpec("tmpfs", there, "tmpfs"))
    finally:
        unmounted = remove_mount(there)
    assert [len(unmounted), remove_mount(there)] == [1, []]
    assert mounted_at(there, read_mounts()) is None


def test_filesystem_on_another(disk: Path) -> None:
    """What is on a disk is never overwritten: not by another file system, nor by another label, nor by partitions."""
    ensure_filesystem(disk, "ext4", "data")
    before = disk.read_bytes()
    for refused in (
        lambda: ensure_filesystem(disk, "xfs", "data"),
        lambda: ensure_filesystem(disk, "ext4", "other"),
        lambda: ensure_partitions(disk, [PartitionSpec("a")]),
    ):
        with pytest.raises(DiskError, match="holds ext4 'data'"):
            refused()
    assert disk.read_bytes() == before


def test_filesystem_grows(disk: Path) -> None:
    """A file system fills a disk that was enlarged, once, and keeps its identity."""
    ensure_filesystem(disk)
    identity = read_filesystem(disk)
    assert grow_filesystem(disk) == []
    os.truncate(disk, 96 * MIB)
    assert [len(grow_filesystem(disk)), grow_filesystem(disk)] == [2, []]
    assert filesystem_size(disk) == device_size(disk) == 96 * MIB
    assert read_filesystem(disk) == identity


@pytest.mark.skipif(not shutil.which("sfdisk"), reason="NO SFDISK: apt-get install fdisk")
def test_partitions(disk: Path) -> None:
    """An empty disk is partitioned once, another wish is refused, and the last partition grows with the disk."""
    wanted = [PartitionSpec("boot", 8, "uefi"), PartitionSpec("data")]
    assert read_partitions(disk) is None
    assert [len(ensure_partitions(disk, wanted)), ensure_partitions(disk, wanted)] == [1, []]
    with pytest.raises(DiskError, match=r"another gpt table, of partitions \['boot', 'data'\]"):
        ensure_partitions(disk, [PartitionSpec("boot", 9, "uefi"), PartitionSpec("data")])
    with pytest.raises(DiskError, match="holds gpt"):
        ensure_filesystem(disk)
    assert grow_last_partition(disk) == []
    os.truncate(disk, 96 * MIB)
    assert [len(grow_last_partition(disk)), grow_last_partition(disk)] == [2, []]
    found = read_partitions(disk)
    assert found is not None
    assert [(one.name, one.size // MIB) for one in found.partitions] == [("boot", 8), ("data", 86)]


def test_fstab(tmp_path: Path) -> None:
    """What is mounted at boot is noted once, changed in its place, and taken out; all else stays as it was."""
    file = tmp_path / "fstab"
    assert [remove_fstab("/srv", file), file.exists()] == [[], False]
    file.write_text("# by hand\n/dev/sda1 / ext4 defaults 0 1\n\n")
    file.chmod(0o640)
    spec = MountSpec("LABEL=data", "/srv/a place", "ext4", ["nofail"])
    assert [len(ensure_fstab(spec, file)), ensure_fstab(spec, file)] == [1, []]
    assert file.read_text().endswith("\n\nLABEL=data /srv/a\\040place ext4 nofail 0 2\n")
    run(["findmnt", "--tab-file", str(file), "--target", "/srv/a place"])
    ensure_fstab(MountSpec("/dev/sdb", "/srv/a place", "xfs"), file)
    assert file.read_text().splitlines()[3:] == ["/dev/sdb /srv/a\\040place xfs defaults 0 0"]
    assert [len(remove_fstab("/srv/a place", file)), remove_fstab("/srv/a place", file)] == [1, []]
    assert file.read_text() == "# by hand\n/dev/sda1 / ext4 defaults 0 1\n\n"
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="NO QEMU-IMG: apt-get install qemu-utils")
def test_image(tmp_path: Path) -> None:
    """An image is made once, grows, never shrinks, is leant on by another, and is converted with what it leans on."""
    base, top, flat = tmp_path / "base", tmp_path / "top", tmp_path / "flat"
    assert [len(ensure_image(base, 2 * MIB)), ensure_image(base, 2 * MIB)] == [1, []]
    assert [len(ensure_image(base, 3 * MIB - 1)), ensure_image(base, 3 * MIB - 1)] == [1, []]
    with pytest.raises(ImageError, match="shrinking would cut off data"):
        ensure_image(base, MIB)
    assert [len(ensure_image(top, backing=base)), ensure_image(top, backing=base)] == [1, []]
    with pytest.raises(ImageError, match=f"is qcow2 on {base}, not qcow2 on its own"):
        ensure_image(top, 3 * MIB)
    convert(top, flat, "raw", source_form="qcow2")
    found = read_image(flat)
    assert found is not None
    assert (found.form, found.size, found.backing) == ("raw", 3 * MIB, None)
    assert sorted(tmp_path.iterdir()) == [base, flat, top]
    assert read_image(tmp_path / "none") is None
