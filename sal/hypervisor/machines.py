"""Virtual machines on one node: make, start, stop, delete, look at."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from sal.errors import HypervisorError, MachineMissingError, ScreenError
from sal.hypervisor.calls import named
from sal.hypervisor.connection import Hypervisor, binding
from sal.hypervisor.domain_xml import NAMESPACE, console_log, domain_xml
from sal.hypervisor.seed import seed_files, seed_iso
from sal.hypervisor.spec import MachineSpec
from sal.hypervisor.state import MachineState, missing, state_of
from sal.hypervisor.storage import GIB, Storage

_PAUSE: Final = 0.1
Undo = Callable[[], object]


class Machines:
    """The machines of one site on a hypervisor."""

    def __init__(self, hypervisor: Hypervisor, storage: Storage, domain_type: str = "qemu") -> None:
        """``domain_type`` is ``kvm`` only where `sal.hypervisor.prove_kvm` has proved it."""
        self.hypervisor = hypervisor
        self.storage = storage
        self.domain_type = domain_type

    # -- facts

    def state(self, name: str) -> MachineState:
        """Return a machine's state with its reason; ``missing`` if there is none of that name."""
        domain = self._find(name)
        return missing(name) if domain is None else self._state(domain)

    def states(self) -> list[MachineState]:
        """Return the states of the site's machines, by name."""
        with named("listing machines"):
            domains = self.hypervisor.connection.listAllDomains()
            ours = [domain for domain in domains if domain.name().startswith(f"{self.storage.site}-")]
            return sorted((self._state(domain) for domain in ours), key=lambda state: state.name)

    def bridges(self, name: str) -> set[str]:
        """Return the bridges that a machine is plugged into; empty if there is no such machine."""
        domain = self._find(name)
        if domain is None:
            return set()
        with named(f"machine {name}"):
            tree = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt wrote it
        return {source.get("bridge", "") for source in tree.findall("devices/interface/source")}

    def screen(self, name: str) -> socket.socket:
        """Return a new connection to a running machine's screen, in which VNC (RFC 6143) is spoken without a password.

        Raises `ScreenError` for a machine that is off, simulated, or was started before it was given a screen;
        `MachineMissingError` if there is none of that name.
        """
        if self.hypervisor.simulated:
            raise ScreenError(f"machine {name}: it is simulated, and so has no screen")
        domain, libvirt = self._get(name), binding()
        if not domain.isActive():
            raise ScreenError(f"machine {name}: it is off; start it first")
        with named(f"machine {name}"):
            tree = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt wrote it
        if tree.find("devices/graphics[@type='vnc']") is None:
            raise ScreenError(f"machine {name}: it was started without a screen; stop it and start it again")
        with named(f"machine {name}: its screen cannot be opened", ScreenError):
            return socket.socket(fileno=domain.openGraphicsFD(0, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH))

    def console(self, name: str) -> str:
        """Return the terminal of this node that leads to a running machine's serial console.

        Raises `MachineMissingError` if there is none of that name, `HypervisorError` if it is off or simulated.
        """
        domain = self._get(name)
        with named(f"machine {name}"):
            tree = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt wrote it
        source = tree.find("devices/serial[@type='pty']/source")
        if source is None or not (path := source.get("path")):
            raise HypervisorError(f"machine {name}: its serial console leads nowhere; is it off?")
        return path

    # -- operations

    def create(self, spec: MachineSpec) -> MachineState:
        """Make a machine with its volumes and start it; what exists already stays. On failure nothing new is left."""
        made: list[Undo] = []
        try:
            self._make_volumes(spec, made)
            if self._find(spec.name) is None:
                made.append(partial(self.delete, spec.name))
            return self.start(spec)
        except Exception:
            for undo in reversed(made):
                undo()
            raise

    def define(self, spec: MachineSpec) -> bool:
        """Define the machine as asked; return whether anything had to change."""
        xml = self._xml(spec, "")
        mark = hashlib.sha256(xml.encode()).hexdigest()
        domain = self._find(spec.name)
        if domain is not None and _mark(domain) == mark:
            return False
        with named(f"machine {spec.name}: defining"):
            if domain is not None and domain.UUIDString() != spec.uuid and not domain.isActive():
                self._undefine(domain)  # another machine of that name was left behind
            defined = self.hypervisor.connection.defineXML(self._xml(spec, mark))
            defined.setAutostart(0)
        return True

    def start(self, spec: MachineSpec) -> MachineState:
        """Start a machine as the spec describes it, whatever definition the node kept; resume it if it was paused."""
        current = self.state(spec.name)
        if current.running and current.state != "paused":
            return current
        if current.state != "paused":
            self._remember(spec)
            self.define(spec)
        domain = self._get(spec.name)
        with named(f"machine {spec.name}: starting"):
            if current.state == "paused":
                domain.resume()
            else:
                domain.create()
        return self._state(domain)

    def stop(self, name: str, *, force: bool = False, timeout: float = 60) -> MachineState:
        """Stop a machine: press its power button, and cut its power after ``timeout`` seconds; with ``force`` at once.

        A machine that the node does not have is as stopped as can be: its state is ``missing``.
        """
        domain = self._find(name)
        if domain is None:
            return missing(name)
        with named(f"machine {name}: stopping"):
            if domain.isActive() and not force:
                _until(lambda: not _pressed(domain), timeout)
            if domain.isActive():
                _ignoring_ended(domain.destroy)
        return self._state(domain)

    def delete(self, name: str) -> bool:
        """Cut a machine's power and forget it with its seed and console log; return whether there was one.

        Its disks stay: they have lives of their own (`Storage.delete`).
        """
        domain = self._find(name)
        if domain is not None:
            with named(f"machine {name}: deleting"):
                if domain.isActive():
                    _ignoring_ended(domain.destroy)
                self._undefine(domain)
        self.storage.delete(f"{name}-seed")
        if not self.hypervisor.simulated:
            for log in Path(console_log(name)).parent.glob(f"{name}.*log*"):
                log.unlink(missing_ok=True)
        return domain is not None

    # -- how

    def _find(self, name: str) -> Any | None:
        return self.hypervisor.lookup("lookupByName", name, "VIR_ERR_NO_DOMAIN")

    def _get(self, name: str) -> Any:
        if (domain := self._find(name)) is None:
            raise MachineMissingError(f"machine {name}: not on this node")
        return domain

    def _state(self, domain: Any) -> MachineState:
        with named(f"machine {domain.name()}"):
            return state_of(domain.name(), *domain.state())

    def _undefine(self, domain: Any) -> None:
        libvirt = binding()
        flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        if not self.hypervisor.simulated:  # the simulated driver does not know these
            flags |= libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        domain.undefineFlags(flags)

    def _make_volumes(self, spec: MachineSpec, made: list[Undo]) -> None:
        for disk in spec.disks:
            if self.storage.find(disk.volume) is None:
                if disk.image:
                    self.storage.overlay(disk.volume, disk.image, disk.size * GIB)
                else:
                    self.storage.create(disk.volume, disk.size * GIB)
                made.append(partial(self.storage.delete, disk.volume))
        if spec.seed and self.storage.find(spec.seed_volume) is None:
            self.storage.write(spec.seed_volume, seed_iso(seed_files(spec, spec.seed)))
            made.append(partial(self.storage.delete, spec.seed_volume))

    def _remember(self, spec: MachineSpec) -> None:
        """Make a simulated machine's volumes again: that world ends with each process of the agent's that held it."""
        if self.hypervisor.simulated:
            for disk in spec.disks:
                self.storage.create(disk.volume, disk.size * GIB)

    def _xml(self, spec: MachineSpec, mark: str) -> str:
        paths = {disk.volume: self.storage.get(disk.volume).path for disk in spec.disks}
        if seed := self.storage.find(spec.seed_volume):
            paths[seed.name] = seed.path
        return domain_xml(spec, self.domain_type, paths, mark)


def _mark(domain: Any) -> str | None:
    tree = ET.fromstring(domain.XMLDesc(binding().VIR_DOMAIN_XML_INACTIVE))  # noqa: S314 - libvirt wrote it
    mark = tree.find(f"metadata/{{{NAMESPACE}}}spec")
    return None if mark is None else mark.get("digest")


def _pressed(domain: Any) -> bool:
    """Press the power button and return whether the machine is still on; a guest that boots misses first presses."""
    _ignoring_ended(domain.shutdown)
    return bool(domain.isActive())


def _ignoring_ended(call: Callable[[], object]) -> None:
    """Do something to a running machine; that it ended meanwhile is no failure."""
    libvirt = binding()
    try:
        call()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise


def _until(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait until a condition holds; return whether it did within ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True
