"""What the cloud's lists can be sorted and filtered by, for users and operators alike."""

from __future__ import annotations

from actors.cloud.models import Account, Cloudspace, Image, Machine, Stack
from portalfw.rest import Columns, NameOf

LIFE = ("status", "creation_time", "update_time")
TIMES = ("creation_time", "update_time")

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
