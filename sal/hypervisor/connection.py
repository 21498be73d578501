"""The connection to libvirt, opened when first needed."""

from __future__ import annotations

import functools
from typing import Any, Final, Literal

from sal.errors import HypervisorError, HypervisorMissingError

Kind = Literal["qemu", "test"]
_INSTALL: Final = (
    "apt-get install libvirt-daemon-system libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils libvirt-dev"
)


@functools.cache
def binding() -> Any:
    """Return the libvirt module; raise `HypervisorMissingError` where it is not installed.

    Imported here and not at the top, so that a node without libvirt can still run everything else.
    """
    try:
        import libvirt
    except ImportError as error:
        raise HypervisorMissingError(
            f"libvirt's Python binding is missing; run: {_INSTALL} and pip install libvirt-python"
        ) from error
    # Without a handler libvirt prints every error on standard error, also those that are caught.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


@functools.cache
def _opened(uri: str) -> list[Any]:
    """Return the box of this process's connection to ``uri``.

    One connection a process is kept open: the world of the simulated driver lives only as long as a connection to it.
    """
    del uri
    return []


class Hypervisor:
    """A node's hypervisor by its address: ``qemu:///system``, or ``test:///default``, libvirt's own simulation."""

    def __init__(self, uri: str) -> None:
        """Remember the address; nothing is opened yet."""
        self.uri = uri

    @property
    def kind(self) -> Kind:
        """``qemu`` for real machines, ``test`` for simulated ones."""
        return "test" if self.uri.startswith("test:") else "qemu"

    @property
    def simulated(self) -> bool:
        """Whether machines only exist in libvirt's simulation, in this process."""
        return self.kind == "test"

    @property
    def connection(self) -> Any:
        """The open libvirt connection; opened again if the daemon went away. Raises `HypervisorError`."""
        box = _opened(self.uri)
        if box and not box[0].isAlive():
            box.clear()
        if not box:
            libvirt = binding()
            try:
                box.append(libvirt.open(self.uri))
            except libvirt.libvirtError as error:
                raise HypervisorError(
                    f"hypervisor {self.uri} does not answer: {error}; is libvirtd running?"
                ) from error
        return box[0]

    def warm_up(self) -> None:
        """Let libvirt learn about QEMU now, some seconds the first time, so that the first machine need not wait."""
        libvirt = binding()
        if not self.simulated:
            try:
                self.connection.getDomainCapabilities(None, "x86_64", "q35", "qemu")
            except libvirt.libvirtError as error:
                raise HypervisorError(f"hypervisor {self.uri} cannot tell about QEMU: {error}") from error

    def lookup(self, method: str, name: str, absent: str) -> Any | None:
        """Return what a ``...LookupByName`` call finds, None if there is no such thing.

        Params: ``absent`` is the name of libvirt's error code for "no such thing", such as ``VIR_ERR_NO_DOMAIN``.
        """
        libvirt = binding()
        try:
            return getattr(self.connection, method)(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == getattr(libvirt, absent):
                return None
            raise HypervisorError(f"{method} {name}: {error}") from error
