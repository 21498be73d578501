"""Turning libvirt's one exception into errors that name the object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sal.errors import HypervisorError
from sal.hypervisor.connection import binding


@contextmanager
def named(what: str, error_type: type[Exception] = HypervisorError) -> Iterator[None]:
    """Raise ``error_type`` with ``what`` in front when libvirt fails inside the block."""
    libvirt = binding()
    try:
        yield
    except libvirt.libvirtError as error:
        raise error_type(f"{what}: {error}") from error
