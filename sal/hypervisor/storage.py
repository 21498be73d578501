"""The disks of machines: volumes in one libvirt pool that belongs to the site."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from sal import image
from sal.errors import StorageError, VolumeMissingError
from sal.hypervisor.calls import named
from sal.hypervisor.connection import Hypervisor, binding
from sal.image import ImageFacts
from sal.names import checked

IMAGES: Final = Path("/var/lib/libvirt/images")
GIB: Final = 1 << 30
STATES: Final = {0: "INACTIVE", 1: "BUILDING", 2: "RUNNING", 3: "DEGRADED", 4: "INACCESSIBLE"}
"""States of pools by libvirt's numbers."""
_PART: Final = ".part"


@dataclass(frozen=True)
class Volume:
    """A volume; sizes in bytes, ``allocation`` is what it takes of the node's disk now."""

    name: str
    path: str
    capacity: int
    allocation: int


@dataclass(frozen=True)
class Pool:
    """A storage pool of the node; sizes in bytes, all 0 while it is not active."""

    name: str
    type: str
    path: str
    state: str
    capacity: int
    allocation: int
    available: int
    autostart: bool
    volumes: int


class Storage:
    """A site's pool and its volumes. The pool is made when the first volume needs it."""

    def __init__(self, hypervisor: Hypervisor, site: str) -> None:
        """Work on pool ``site`` of a hypervisor."""
        self.hypervisor = hypervisor
        self.site = checked(site, "pool")
        self.folder = IMAGES / site

    # -- facts

    def volumes(self) -> list[Volume]:
        """Return the pool's volumes by name; empty if there is no pool."""
        pool = self._pool()
        if pool is None:
            return []
        with named(f"pool {self.site}", StorageError):
            return sorted((_volume(one) for one in pool.listAllVolumes()), key=lambda volume: volume.name)

    def find(self, name: str) -> Volume | None:
        """Return a volume, None if there is none of that name."""
        found = self._lookup(name)
        return None if found is None else _volume(found)

    def get(self, name: str) -> Volume:
        """Return a volume; raise `VolumeMissingError` if there is none."""
        if found := self.find(name):
            return found
        raise VolumeMissingError(f"volume {name}: not in pool {self.site} of this node")

    def image_facts(self, name: str) -> ImageFacts | None:
        """Return digest and sizes of an imported image, from its file; None if there is none or it is simulated."""
        volume = self.find(name)
        if volume is None or self.hypervisor.simulated:
            return None
        path = Path(volume.path)
        return ImageFacts(image.digest(path), path.stat().st_size, volume.capacity)

    # -- operations

    def create(self, name: str, size: int) -> Volume:
        """Make an empty qcow2 volume of ``size`` bytes, unless there is one of that name."""
        return self.find(name) or self._create(name, size, "qcow2")

    def overlay(self, name: str, base: str, size: int) -> Volume:
        """Make a volume of at least ``size`` bytes that starts as a copy of the image ``base``, unless there is one."""
        if found := self.find(name):
            return found
        below = self.get(base)
        return self._create(name, max(size, below.capacity), "qcow2", backing=below.path)

    def write(self, name: str, content: bytes) -> Volume:
        """Make a raw volume that holds ``content``, replacing one of that name; only the hypervisor may read it."""
        self.delete(name)
        made = self._create(name, len(content), "raw")
        if not self.hypervisor.simulated:
            with named(f"volume {name}: writing", StorageError):
                stream = self.hypervisor.connection.newStream()
                self._lookup(name).upload(stream, 0, len(content))  # type: ignore[union-attr]
                stream.sendAll(lambda _stream, size, place: _next(content, place, size), [0])
                stream.finish()
        return made

    def import_image(self, name: str, source: Path, sha256: str | None = None) -> ImageFacts:
        """Copy a qcow2 file into the pool under ``name``, after looking into it. Raises `sal.errors.ImageError`.

        An image of that name with the same content stays; other content is an error, as machines may lean on it.
        """
        checked(name, "image")
        facts = image.inspect(source, name, sha256)
        present = self.image_facts(name)
        if present is not None and present.sha256 != facts.sha256:
            raise StorageError(
                f"image {name}: this node has another one of that name, sha256 {present.sha256}; delete it first"
            )
        if self.find(name) is None:
            if self.hypervisor.simulated:
                self._create(name, facts.virtual_size, "qcow2")
            else:
                self._copy(source, name)
        return facts

    def delete(self, name: str) -> bool:
        """Delete a volume; return whether there was one."""
        found = self._lookup(name)
        if found is None:
            return False
        with named(f"volume {name}: deleting", StorageError):
            found.delete(0)
        return True

    def remove_if_empty(self) -> bool:
        """Remove the pool and its folder if no volume is left; return whether it was removed."""
        pool = self._pool()
        if pool is None or self.volumes():
            return False
        with named(f"pool {self.site}: removing", StorageError):
            pool.destroy()
            pool.undefine()
        if not self.hypervisor.simulated and self.folder.is_dir():
            self.folder.rmdir()
        return True

    # -- how

    def _pool(self, *, make: bool = False) -> Any | None:
        pool = self.hypervisor.lookup("storagePoolLookupByName", self.site, "VIR_ERR_NO_STORAGE_POOL")
        with named(f"pool {self.site}", StorageError):
            if pool is None and make:
                pool = self.hypervisor.connection.storagePoolDefineXML(pool_xml(self.site, self.folder))
                if not self.hypervisor.simulated:
                    pool.build(0)
            if pool is not None and not pool.isActive():  # after a restart of the daemon
                pool.create(0)
        return pool

    def _lookup(self, name: str) -> Any | None:
        pool = self._pool()
        if pool is None:
            return None
        libvirt = binding()
        try:
            return pool.storageVolLookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_STORAGE_VOL:
                return None
            raise StorageError(f"volume {name}: {error}") from error

    def _create(self, name: str, size: int, form: str, backing: str | None = None) -> Volume:
        checked(name, "volume")
        pool = self._pool(make=True)
        with named(f"volume {name}: creating", StorageError):
            return _volume(pool.createXML(volume_xml(name, size, form, backing), 0))  # type: ignore[union-attr]

    def _copy(self, source: Path, name: str) -> None:
        pool = self._pool(make=True)
        target = self.folder / name
        part = target.with_name(name + _PART)
        try:
            shutil.copyfile(source, part)
            part.chmod(0o600)
            os.replace(part, target)  # noqa: PTH105 - whole or not at all
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StorageError(f"image {name}: cannot copy into {self.folder}: {error}") from error
        with named(f"pool {self.site}: reading again", StorageError):
            pool.refresh(0)  # type: ignore[union-attr]


def list_pools(hypervisor: Hypervisor) -> list[Pool]:
    """Return all storage pools of the node by name, whoever made them."""
    with named("storage pools", StorageError):
        found = hypervisor.connection.listAllStoragePools()
    return sorted((_pool_facts(one) for one in found), key=lambda pool: pool.name)


def list_volumes(hypervisor: Hypervisor, pool: str) -> list[Volume]:
    """Return the volumes of any pool of the node by name; none of one that is not active or not there."""
    with named(f"pool {pool}", StorageError):
        found = [one for one in hypervisor.connection.listAllStoragePools() if one.name() == pool and one.isActive()]
        return sorted((_volume(one) for each in found for one in each.listAllVolumes()), key=lambda one: one.name)


def pool_xml(name: str, folder: Path) -> str:
    """Return the definition of a pool that is a folder."""
    pool = ET.Element("pool", type="dir")
    ET.SubElement(pool, "name").text = name
    target = ET.SubElement(pool, "target")
    ET.SubElement(target, "path").text = str(folder)
    ET.SubElement(ET.SubElement(target, "permissions"), "mode").text = "0711"
    return ET.tostring(pool, encoding="unicode")


def volume_xml(name: str, size: int, form: str, backing: str | None = None) -> str:
    """Return the definition of a volume of ``size`` bytes; ``backing`` is the file that it starts as a copy of."""
    volume = ET.Element("volume")
    ET.SubElement(volume, "name").text = name
    ET.SubElement(volume, "capacity", unit="bytes").text = str(size)
    ET.SubElement(volume, "allocation", unit="bytes").text = str(size if form == "raw" else 0)
    target = ET.SubElement(volume, "target")
    ET.SubElement(target, "format", type=form)
    ET.SubElement(ET.SubElement(target, "permissions"), "mode").text = "0600"
    if backing:
        below = ET.SubElement(volume, "backingStore")
        ET.SubElement(below, "path").text = backing
        ET.SubElement(below, "format", type="qcow2")
    return ET.tostring(volume, encoding="unicode")


def _pool_facts(found: Any) -> Pool:
    name = found.name()
    with named(f"pool {name}", StorageError):
        definition = ET.fromstring(found.XMLDesc(0))  # noqa: S314 - libvirt's own
        state, capacity, allocation, available = found.info()
        return Pool(
            name=name,
            type=definition.get("type", ""),
            path=definition.findtext("target/path", ""),
            state=STATES.get(state, "UNKNOWN"),
            capacity=capacity,
            allocation=allocation,
            available=available,
            autostart=bool(found.autostart()),
            volumes=found.numOfVolumes() if found.isActive() else 0,
        )


def _volume(found: Any) -> Volume:
    _, capacity, allocation = found.info()
    return Volume(found.name(), found.path(), capacity, allocation)


def _next(content: bytes, place: list[int], size: int) -> bytes:
    start = place[0]
    place[0] = min(start + size, len(content))
    return content[start : place[0]]
