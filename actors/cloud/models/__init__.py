"""The documents of a cloud."""

from actors.cloud.models.account import Account, Ace
from actors.cloud.models.cloudspace import Cloudspace, CloudspaceLease, PortForward
from actors.cloud.models.image import Image, Size
from actors.cloud.models.lifecycle import NOT_GONE, LifeCycleDocument, RunningOperation
from actors.cloud.models.machine import Disk, Machine, MachineAccount, Nic
from actors.cloud.models.network import ExternalNetwork, TakenAddress
from actors.cloud.models.place import Claim, Location, Stack

__all__ = [
    "NOT_GONE",
    "Account",
    "Ace",
    "Claim",
    "Cloudspace",
    "CloudspaceLease",
    "Disk",
    "ExternalNetwork",
    "Image",
    "LifeCycleDocument",
    "Location",
    "Machine",
    "MachineAccount",
    "Nic",
    "PortForward",
    "RunningOperation",
    "Size",
    "Stack",
    "TakenAddress",
]
