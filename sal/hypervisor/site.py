"""All of a site's virtualization on this node, opened with one call."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sal.hypervisor.accelerator import remembered_proof
from sal.hypervisor.connection import Hypervisor
from sal.hypervisor.machines import Machines
from sal.hypervisor.storage import Storage

PROOF: Final = "accelerator.json"


class Site:
    """One installation's machines and volumes on this node."""

    def __init__(self, uri: str, site: str, work: Path) -> None:
        """Work on hypervisor ``uri`` under the prefix ``site``; the proof of KVM is remembered in folder ``work``."""
        self.hypervisor = Hypervisor(uri)
        self.storage = Storage(self.hypervisor, site)
        self._work = work

    @property
    def simulated(self) -> bool:
        """Whether all of it only exists in libvirt's simulation."""
        return self.hypervisor.simulated

    @property
    def machines(self) -> Machines:
        """The site's machines, by KVM only where it has proved itself."""
        if self.simulated:
            return Machines(self.hypervisor, self.storage)
        return Machines(self.hypervisor, self.storage, remembered_proof(self._work / PROOF).domain_type)
