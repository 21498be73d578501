"""Virtual machines and their disks on one node, by libvirt.

`Site` opens all of it; `Hypervisor` is the connection, `Machines` the machines, `Storage` the volumes of the site's
pool, `prove_kvm` the answer to whether the processor may be trusted with them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sal.hypervisor.accelerator import AcceleratorProof, prove_kvm, remembered_proof
    from sal.hypervisor.connection import Hypervisor
    from sal.hypervisor.machines import Machines
    from sal.hypervisor.site import Site
    from sal.hypervisor.spec import DiskSpec, MachineSpec, NicSpec, SeedSpec
    from sal.hypervisor.state import MachineState
    from sal.hypervisor.storage import Pool, Storage, Volume, list_pools, list_volumes

__all__ = [
    "AcceleratorProof",
    "DiskSpec",
    "Hypervisor",
    "MachineSpec",
    "MachineState",
    "Machines",
    "NicSpec",
    "Pool",
    "SeedSpec",
    "Site",
    "Storage",
    "Volume",
    "list_pools",
    "list_volumes",
    "prove_kvm",
    "remembered_proof",
]

_HOMES = {
    "accelerator": ("AcceleratorProof", "prove_kvm", "remembered_proof"),
    "connection": ("Hypervisor",),
    "machines": ("Machines",),
    "site": ("Site",),
    "spec": ("DiskSpec", "MachineSpec", "NicSpec", "SeedSpec"),
    "state": ("MachineState",),
    "storage": ("Pool", "Storage", "Volume", "list_pools", "list_volumes"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only that: the agent's reader of figures needs no more than the connection."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
