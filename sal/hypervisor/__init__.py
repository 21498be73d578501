"""Virtual machines and their disks on one node, by libvirt.

`Site` opens all of it; `Hypervisor` is the connection, `Machines` the machines, `Storage` the volumes of the site's
pool, `prove_kvm` the answer to whether the processor may be trusted with them.
"""

from sal.hypervisor.accelerator import AcceleratorProof, prove_kvm, remembered_proof
from sal.hypervisor.connection import Hypervisor
from sal.hypervisor.machines import Machines
from sal.hypervisor.site import Site
from sal.hypervisor.spec import DiskSpec, MachineSpec, NicSpec, SeedSpec
from sal.hypervisor.state import MachineState
from sal.hypervisor.storage import Storage, Volume

__all__ = [
    "AcceleratorProof",
    "DiskSpec",
    "Hypervisor",
    "MachineSpec",
    "MachineState",
    "Machines",
    "NicSpec",
    "SeedSpec",
    "Site",
    "Storage",
    "Volume",
    "prove_kvm",
    "remembered_proof",
]
