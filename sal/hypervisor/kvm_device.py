"""The access rights of ``/dev/kvm``."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path
from typing import Final

_DEVICE: Final = Path("/dev/kvm")
_MODE: Final = 0o660
_ALL: Final = stat.S_IROTH | stat.S_IWOTH
_GROUP: Final = "kvm"


def repair_kvm_device(device: Path = _DEVICE) -> bool:
    """Give the device the group and mode of udev's standard rule, where no udev did; return whether that was missing.

    QEMU's own user must be able to open it, or not see it at all: where it is there but closed, libvirt takes what it
    has learnt about QEMU for outdated at every call and asks again, 3.5 s each and sixteen times for one machine.
    """
    if os.geteuid() != 0 or not device.exists():
        return False
    try:
        group = grp.getgrnam(_GROUP).gr_gid
    except KeyError:
        return False
    found = device.stat()
    of_group = found.st_gid == group and found.st_mode & _MODE == _MODE
    if of_group or found.st_mode & _ALL == _ALL:
        return False
    os.chown(device, 0, group)
    device.chmod(_MODE)
    return True
