"""Tenants for the permission matrix: each an account with a cloudspace, a machine and disks, made without any node.

People are principals that stand in the lists of every tenant but the other one; what befell a tenant is its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from actors.cloud.models import Account, Ace, Cloudspace, Disk, ExternalNetwork, Image, Machine
from portalfw.auth.principal import GUEST, Principal

RIGHTS = ("R", "RCX", "ARCXDU")
LEVELS = ("account", "cloudspace", "machine")
#: What befell a tenant: fields of its documents that differ from those of a healthy one.
FATES: dict[str, dict[str, str]] = {
    "open": {},
    "other": {},
    "disabled account": {"account": "DISABLED"},
    "disabled cloudspace": {"cloudspace": "DISABLED"},
    "deploying cloudspace": {"cloudspace": "DEPLOYING"},
    "destroyed account": {"account": "DESTROYED"},
    "destroyed cloudspace": {"cloudspace": "DESTROYED"},
    "destroyed machine": {"machine": "DESTROYED"},
}
MISSING = 987_654
SECRET = "theirs"  # stands in every name of a tenant's documents
_numbers = itertools.count(1)


def people() -> Iterator[Principal]:
    """Yield everybody: guest, stranger, one for each right on each level, operators, administrator."""
    yield GUEST
    yield Principal("stranger", frozenset({"user"}))
    for level, right in itertools.product(LEVELS, RIGHTS):
        yield Principal(f"{level}-{right}", frozenset({"user"}))
        yield Principal(f"{level}-{right}-member", frozenset({"user", f"team-{level}-{right}"}))
    for group in ("level1", "level2", "level3", "admin"):
        yield Principal(group, frozenset({group}))


def acl(level: str) -> list[Ace]:
    """Return the entries of one level: for each right a user and a team."""
    users = [Ace(user_group_id=f"{level}-{right}", right=right) for right in RIGHTS]
    return users + [Ace(user_group_id=f"team-{level}-{right}", type="G", right=right) for right in RIGHTS]


def make_tenant(fate: str) -> dict[str, int]:
    """Make a tenant and return the ids of its objects by the wire names of arguments."""
    lists: dict[str, Any] = {level: [] if fate == "other" else acl(level) for level in LEVELS}
    states = {"account": "CONFIRMED", "cloudspace": "DEPLOYED", "machine": "RUNNING"} | FATES[fate]
    living = {kind: {"status": state, "live": state != "DESTROYED"} for kind, state in states.items()}
    name = f"{SECRET} {fate} {next(_numbers)}"
    account = Account.create(name=name, acl=lists["account"], **living["account"])
    network = ExternalNetwork.create(
        name=name, gid=1, network="10.9.0.0", subnetmask="255.255.255.0", gateway="10.9.0.1", account_id=account.id
    )
    image = Image.create(name=name, url="simulated:", gid=1, account_id=account.id, status="CREATED")
    space = Cloudspace.create(
        name=name,
        account_id=account.id,
        acl=lists["cloudspace"],
        gid=1,
        location="local",
        private_network="192.168.103.0/24",
        external_network_id=network.id,
        **living["cloudspace"],
    )
    machine = Machine.create(
        name=name,
        hostname="host",
        account_id=account.id,
        cloudspace_id=space.id,
        acl=lists["machine"],
        image_id=image.id,
        memory=128,
        vcpus=1,
        reference_id=f"reference {name}",
        **living["machine"],
    )
    disk = {"name": name, "size_max": 1, "account_id": account.id, "gid": 1}
    attached = Disk.create(type="B", machine_id=machine.id, status="ASSIGNED", **disk)
    detached = Disk.create(type="D", status="CREATED", **disk)
    return {
        "accountId": account.id,
        "cloudspaceId": space.id,
        "machineId": machine.id,
        "diskId": attached.id,
        "detachedDiskId": detached.id,
        "imageId": image.id,
        "externalnetworkId": network.id,
    }
