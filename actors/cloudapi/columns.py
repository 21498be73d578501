"""What the cloud's lists can be sorted and filtered by, for users and operators alike."""

from __future__ import annotations

from actors.cloud.models import (
    Account,
    Cloudspace,
    Disk,
    ExternalNetwork,
    Image,
    Location,
    Machine,
    PortForward,
    Size,
    Stack,
)
from portalfw.rest import Columns, NameOf

LIFE = ("status", "creation_time", "update_time")
TIMES = ("creation_time", "update_time")

ACCOUNTS = Columns(Account, "id", "name", *LIFE, times=TIMES, search=("name", "id"))
CLOUDSPACES = Columns(
    Cloudspace,
    *("id", "name", "account_id", "gid", "location", "mode", "type", "stack_id", *LIFE),
    times=TIMES,
    search=("name", "descr", "id", "publicipaddress"),
    descr="description",
    publicipaddress="external_ip",
    externalnetworkip="external_ip",
    externalnetworkId="external_network_id",
    privatenetwork="private_network",
    accountName=NameOf(Account, "account_id"),
)
MACHINES = Columns(
    Machine,
    *("id", "name", "hostname", "description", "cloudspace_id", "account_id", "image_id", "size_id", "stack_id"),
    *("memory", "vcpus", *LIFE),
    times=TIMES,
    search=("name", "hostname", "description", "id", "ipAddress"),
    ipAddress="nics.ip_address",
    cloudspaceName=NameOf(Cloudspace, "cloudspace_id"),
    accountName=NameOf(Account, "account_id"),
    imageName=NameOf(Image, "image_id"),
    nodeName=NameOf(Stack, "stack_id"),
)
DISKS = Columns(
    Disk,
    *("id", "name", "description", "type", "size_max", "account_id", "gid", "order", "machine_id", *LIFE),
    times=TIMES,
    search=("name", "description", "id", "machineName"),
    machineName=NameOf(Machine, "machine_id"),
)
IMAGES = Columns(
    Image,
    *("id", "name", "description", "type", "size", "username", "account_id", *LIFE),
    times=TIMES,
    search=("name", "description", "type", "id"),
    sort="accountId,type,name",
)
SIZES = Columns(Size, "id", "name", "description", "memory", "vcpus", search=("name", "description", "memory", "vcpus"))
LOCATIONS = Columns(Location, "id", "gid", "name", "location_code", guid="id", search=("name", "locationCode"))
EXTERNAL_NETWORKS = Columns(
    ExternalNetwork,
    *("id", "name", "network", "gateway", "subnetmask", "gid", "account_id"),
    search=("name", "network", "gateway", "id"),
)
PORT_FORWARDS = Columns(
    PortForward,
    *("id", "protocol", "local_port", "public_port", "public_ip", "local_ip", "machine_id", "cloudspace_id"),
    search=("publicPort", "localPort", "localIp", "machineName"),
    machineName=NameOf(Machine, "machine_id"),
)
