"""Who may do what: lists with inheritance, statuses, groups."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from portal import Portal

from actors.cloud.models import Account, Cloudspace, Disk, Machine


@pytest.fixture(scope="module")
def ann(portal: Portal) -> str:
    return portal.user("ann", "user")


@pytest.fixture(scope="module")
def bob(portal: Portal) -> str:
    return portal.user("bob", "user")


@pytest.fixture(scope="module")
def world(portal: Portal, ann: str) -> dict[str, int]:
    """Make what ann owns: an account, a cloudspace and a machine with a disk."""
    account = portal.account("ann")
    space = portal.cloudspace(account, ann, access="ann")
    machine = int(portal.ask("cloudapi/machines/create", ann, **portal.wish(space)))
    disk = Disk.rows({"machine_id": machine})[0]["id"]
    return {"accountId": account, "cloudspaceId": space, "machineId": machine, "diskId": disk}


CALLS = [
    ("cloudapi/accounts/get", "accountId"),
    ("cloudapi/cloudspaces/get", "cloudspaceId"),
    ("cloudapi/cloudspaces/delete", "cloudspaceId"),
    ("cloudapi/cloudspaces/deploy", "cloudspaceId"),
    ("cloudapi/machines/get", "machineId"),
    ("cloudapi/machines/start", "machineId"),
    ("cloudapi/machines/stop", "machineId"),
    ("cloudapi/machines/delete", "machineId"),
    ("cloudapi/disks/get", "diskId"),
    ("cloudapi/disks/list", "accountId"),
    ("cloudapi/portforwarding/list", "cloudspaceId"),
]


@pytest.mark.parametrize(("address", "argument"), CALLS)
def test_another_tenants_object_is_forbidden(
    portal: Portal, bob: str, world: dict[str, int], address: str, argument: str
) -> None:
    """Somebody without a right on an object is refused with 403, and a stranger without a token with 401."""
    portal.refused(403, address, bob, **{argument: world[argument]})
    portal.refused(401, address, "no such token", **{argument: world[argument]})


@pytest.mark.parametrize(("address", "argument"), CALLS)
def test_an_unknown_object_is_not_found(portal: Portal, bob: str, address: str, argument: str) -> None:
    """An object that never was is a 404, for everybody."""
    portal.refused(404, address, bob, **{argument: 987654})
    portal.refused(404, address, **{argument: 987654})


def test_lists_show_only_what_one_may_see(portal: Portal, ann: str, bob: str, world: dict[str, int]) -> None:
    """The owner's lists show the objects, another tenant's do not."""
    assert world["accountId"] in [row["id"] for row in portal.ask("cloudapi/accounts/list", ann)]
    assert world["cloudspaceId"] in [row["id"] for row in portal.ask("cloudapi/cloudspaces/list", ann)]
    machines = portal.ask("cloudapi/machines/list", ann, cloudspaceId=world["cloudspaceId"])
    assert [row["id"] for row in machines] == [world["machineId"]]
    assert portal.ask("cloudapi/accounts/list", bob) == []
    assert portal.ask("cloudapi/cloudspaces/list", bob) == []
    assert portal.ask("cloudapi/machines/list", bob, cloudspaceId=world["cloudspaceId"]) == []


def share(kind: type[Account | Cloudspace | Machine], identity: int, ace: dict[str, str]) -> None:
    """Add an entry to an access control list."""
    entry = {"type": "U", "status": "CONFIRMED", "explicit": True, **ace}
    kind.collection().update_one({"_id": identity}, {"$push": {"acl": entry}})


def test_rights_flow_downwards(portal: Portal, world: dict[str, int]) -> None:
    """R on the account lets one read a machine, not stop it; RCX on the machine lets one stop it, not see siblings."""
    reader, worker = portal.user("reader", "user"), portal.user("worker", "user")
    share(Account, world["accountId"], {"user_group_id": "reader", "right": "R"})
    assert portal.ask("cloudapi/machines/get", reader, machineId=world["machineId"])["id"] == world["machineId"]
    body = portal.refused(403, "cloudapi/machines/stop", reader, machineId=world["machineId"])
    assert "needs right X" in body["message"]
    share(Machine, world["machineId"], {"user_group_id": "worker", "right": "RCX"})
    assert portal.ask("cloudapi/machines/stop", worker, machineId=world["machineId"], force=True) is True
    assert portal.ask("cloudapi/machines/start", worker, machineId=world["machineId"]) is True
    portal.refused(403, "cloudapi/cloudspaces/get", worker, cloudspaceId=world["cloudspaceId"])
    assert world["cloudspaceId"] in [row["id"] for row in portal.ask("cloudapi/cloudspaces/list", worker)]
    sibling = portal.machine(world["cloudspaceId"])
    seen = portal.ask("cloudapi/machines/list", worker, cloudspaceId=world["cloudspaceId"])
    assert sibling not in [row["id"] for row in seen]


def test_a_group_can_be_given_a_right(portal: Portal, world: dict[str, int]) -> None:
    """An entry for a group counts for its members."""
    member = portal.user("member", "level3")
    share(Cloudspace, world["cloudspaceId"], {"user_group_id": "level3", "type": "G", "right": "R"})
    assert portal.ask("cloudapi/cloudspaces/get", member, cloudspaceId=world["cloudspaceId"])["id"]


def test_an_account_that_is_not_confirmed_can_only_be_read(portal: Portal, ann: str) -> None:
    """In a disabled account even its administrator may only read."""
    account = portal.account("ann")
    Account.collection().update_one({"_id": account}, {"$set": {"status": "DISABLED"}})
    assert portal.ask("cloudapi/accounts/get", ann, accountId=account)["status"] == "DISABLED"
    body = portal.refused(
        403, "cloudapi/cloudspaces/create", ann, accountId=account, location="local", name="none", access="ann"
    )
    assert "DISABLED" in body["message"]


def test_one_cannot_reach_through_ones_own_machine(portal: Portal, bob: str, world: dict[str, int]) -> None:
    """Naming one's own machine beside another's cloudspace opens nothing of that cloudspace."""
    own_space = portal.cloudspace(portal.account("bob"), bob, access="bob")
    own = int(portal.ask("cloudapi/machines/create", bob, **portal.wish(own_space)))
    mixed = {"cloudspaceId": world["cloudspaceId"], "machineId": own}
    portal.refused(404, "cloudapi/portforwarding/list", bob, **mixed)
    rule = {"publicIp": "", "publicPort": 99, "localPort": 99, "protocol": "tcp"}
    portal.refused(404, "cloudapi/portforwarding/create", bob, **mixed, **rule)


@pytest.mark.parametrize(
    "address", ["account/list", "machine/list", "node/list", "iaas/listExternalNetworks", "image/list"]
)
def test_operators_methods_are_for_operators(
    portal: Portal, bob: str, address: str, operator: Callable[[], str]
) -> None:
    """Users get 403 from the operators' methods, operators an answer, without being administrators."""
    portal.refused(403, f"cloudbroker/{address}", bob)
    assert isinstance(portal.ask(f"cloudbroker/{address}", operator), list)


@pytest.fixture(scope="module")
def operator(portal: Portal) -> str:
    return portal.user("operator", "level1")
