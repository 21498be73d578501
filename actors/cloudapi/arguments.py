"""Types of arguments that several methods take, with what their forms say."""

from __future__ import annotations

from typing import Annotated, Any

from portalfw.rest import Arg

AccountId = Annotated[int, Arg("Account", choices="cloudapi/accounts/list")]
CloudspaceId = Annotated[int, Arg("Cloudspace", choices="cloudapi/cloudspaces/list")]
ImageId = Annotated[int, Arg("Image", choices="cloudapi/images/list")]
SizeId = Annotated[int | None, Arg("Size", choices="cloudapi/sizes/list", help="Or give memory and vcpus.")]
Memory = Annotated[int | None, Arg("Memory (MiB)", help="With vcpus, instead of a size.")]
Vcpus = Annotated[int | None, Arg("vcpus", help="With memory, instead of a size.")]
DiskSize = Annotated[int, Arg("Disk size (GiB)", help="At least what the image needs.")]
DataDisks = Annotated[list[int] | None, Arg("Data disks (GiB)", help="A size for each.")]
Userdata = Annotated[
    str | dict[str, Any] | None, Arg("User data", help="cloud-init user data, a YAML mapping.", multiline=True)
]
ExternalNetworkId = Annotated[
    int | None, Arg("External network", choices="cloudapi/externalnetwork/list", wire="externalnetworkId")
]
PrivateNetwork = Annotated[str | None, Arg("Private network", help="CIDR; 192.168.103.0/24 if not given.")]
AllowedSizes = Annotated[
    list[int] | None, Arg("Allowed sizes", choices="cloudapi/sizes/list", wire="allowedVMSizes", help="All if empty.")
]
MaxMemory = Annotated[float, Arg("Memory limit (GB)", help="-1 is unlimited.")]
MaxDisk = Annotated[int, Arg("Disk limit (GB)", wire="maxVDiskCapacity", help="-1 is unlimited.")]
MaxCpu = Annotated[int, Arg("vcpu limit", wire="maxCPUCapacity", help="-1 is unlimited.")]
MaxTransfer = Annotated[int, Arg("Network transfer limit (GB)", help="-1 is unlimited.")]
MaxIps = Annotated[int, Arg("Public address limit", wire="maxNumPublicIP", help="-1 is unlimited.")]
Protocol = Annotated[str, Arg("Protocol", help="tcp or udp.")]
Include = Annotated[
    list[str] | None,
    Arg(
        "Include",
        help="cpu, steal, memory, network, vm-iops, vm-bandwidth, vdisk-iops, vdisk-bandwidth; cpu if not given.",
    ),
]
StatisticsFrom = Annotated[float | None, Arg("From", help="Epoch seconds; an hour before the end if not given.")]
StatisticsTill = Annotated[float | None, Arg("Till", help="Epoch seconds; now if not given.")]
