"""Answers as existing clients read them, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from portal import QUERIES, Portal

from actors.cloud.models import Cloudspace, Disk, Machine

TEXT, NUMBER, FLAG, LIST, OBJECT = str, int, bool, list, dict
LIVES = {"status": TEXT, "creationTime": NUMBER, "updateTime": NUMBER}
NIC = {
    **dict.fromkeys(["status", "macAddress", "referenceId", "deviceName", "type", "params", "guid", "ipAddress"], TEXT),
    "networkId": NUMBER,
}
ACL = {"status": TEXT, "canBeDeleted": FLAG, "right": TEXT, "type": TEXT, "userGroupId": TEXT}
SPACE = {
    **dict.fromkeys(["name", "location", "externalnetworkip", "publicipaddress", "mode", "type"], TEXT),
    **dict.fromkeys(["id", "accountId", "gid"], NUMBER),
    "acl": LIST,
    **LIVES,
}
SIZED = {"id": NUMBER, "name": TEXT, "memory": NUMBER, "vcpus": NUMBER, "storage": NUMBER, **LIVES}
FORWARD = {"id": NUMBER, "machineId": NUMBER} | dict.fromkeys(
    ["protocol", "localPort", "publicPort", "publicIp", "localIp", "machineName"], TEXT
)
NAMED = {"id": NUMBER, "name": TEXT, "description": TEXT}
DISK = {"id": NUMBER, "name": TEXT, "type": TEXT, "status": TEXT, "sizeMax": NUMBER, "accountId": NUMBER}
VM_ITEM = SIZED | {
    "stackId": NUMBER,
    "sizeId": NUMBER,
    "imageId": NUMBER,
    "referenceId": TEXT,
    "nics": LIST,
    "disks": LIST,
}
VM = SIZED | {
    **dict.fromkeys(["cloudspaceid", "sizeid", "imageid"], NUMBER),
    **dict.fromkeys(["hostname", "description", "osImage"], TEXT),
    **dict.fromkeys(["accounts", "interfaces", "disks", "acl"], LIST),
    "locked": FLAG,
}
NETWORK = {"id": NUMBER, "accountId": NUMBER, "dhcp": FLAG} | dict.fromkeys(
    ["name", "network", "gateway", "subnetmask"], TEXT
)
LOCATION = dict.fromkeys(["id", "guid", "gid"], NUMBER) | dict.fromkeys(["name", "locationCode", "flag"], TEXT)
SPACE_ITEM = SPACE | {"descr": TEXT, "accountName": TEXT, "accountAcl": OBJECT}
SPACE_DETAIL = SPACE | {"description": TEXT, "privatenetwork": TEXT, "resourceLimits": OBJECT, "secret": TEXT}
DISK_DETAIL = DISK | {"guid": NUMBER, "descr": TEXT, "iotune": OBJECT, "images": LIST, "pci_bus": NUMBER}
#: What clients read from each answer: more may be there, none of these may be missing.
SHAPES: list[tuple[str, list[str], dict[str, type]]] = [
    ("cloudapi/accounts/list", [], {"id": NUMBER, "name": TEXT, "acl": LIST, "resourceLimits": OBJECT, **LIVES}),
    ("cloudapi/locations/list", [], LOCATION),
    ("cloudapi/cloudspaces/list", [], SPACE_ITEM),
    ("cloudapi/cloudspaces/get", ["cloudspaceId"], SPACE_DETAIL),
    ("cloudapi/machines/list", ["cloudspaceId"], VM_ITEM),
    ("cloudapi/machines/get", ["machineId"], VM),
    ("cloudapi/disks/list", ["accountId"], DISK | {"description": TEXT}),
    ("cloudapi/disks/get", ["diskId"], DISK_DETAIL),
    (
        "cloudapi/images/list",
        ["accountId"],
        NAMED | {"size": NUMBER, "status": TEXT, "type": TEXT, "accountId": NUMBER},
    ),
    ("cloudapi/sizes/list", ["cloudspaceId"], NAMED | {"vcpus": NUMBER, "memory": NUMBER, "disks": LIST}),
    ("cloudapi/externalnetwork/list", ["accountId"], NETWORK),
    ("cloudapi/portforwarding/list", ["cloudspaceId"], FORWARD),
]


@pytest.fixture(scope="module")
def world(portal: Portal) -> dict[str, int]:
    account = portal.account()
    space = portal.cloudspace(account)
    machine = portal.machine(space, datadisks=[3], description="two\nlines")
    portal.ask("cloudbroker/machine/createPortForward", machineId=machine, localPort=22, destPort=2222, proto="tcp")
    disk = Disk.rows({"machine_id": machine})[0]["id"]
    return {"accountId": account, "cloudspaceId": space, "machineId": machine, "diskId": disk}


@pytest.mark.parametrize(("address", "arguments", "fields"), SHAPES)
def test_answers_have_what_clients_read(
    portal: Portal, world: dict[str, int], address: str, arguments: list[str], fields: dict[str, type]
) -> None:
    """Each answer has the fields that existing clients read, in the types that they demand; lists are never null."""
    answer = portal.ask(address, **{name: world[name] for name in arguments})
    first: dict[str, Any] = answer[0] if isinstance(answer, list) else answer
    assert {name: type(first.get(name)) for name in fields} == fields


def test_a_machine_as_clients_see_it(portal: Portal, world: dict[str, int]) -> None:
    """Interface 0 is the private one, there is one boot disk of the asked size, and a login."""
    found = portal.ask("cloudapi/machines/get", machineId=world["machineId"])
    assert found["interfaces"][0]["type"] == "bridge"
    assert {name: type(value) for name, value in found["interfaces"][0].items()} == NIC
    assert [(disk["type"], disk["sizeMax"]) for disk in found["disks"]] == [("B", 1), ("D", 3)]
    assert found["accounts"][0]["login"]
    assert found["accounts"][0]["password"]
    assert found["description"] == "two\nlines"
    assert set(ACL) <= set(portal.ask("cloudapi/cloudspaces/get", cloudspaceId=world["cloudspaceId"])["acl"][0])
    row = portal.ask("cloudapi/machines/list", cloudspaceId=world["cloudspaceId"])[0]
    assert row["disks"] == [disk["id"] for disk in found["disks"]]


def test_the_asked_private_network_is_used(portal: Portal) -> None:
    """A cloudspace uses the private network that was asked for, and its machines get addresses from the top."""
    space = portal.cloudspace(portal.account(), privatenetwork="10.5.0.0/24")
    assert portal.ask("cloudapi/cloudspaces/get", cloudspaceId=space)["privatenetwork"] == "10.5.0.0/24"
    machine = portal.machine(space)
    assert Machine.get(machine).nics[0].ip_address == "10.5.0.254"


@pytest.mark.parametrize("network", ["nonsense", "192.168.1.1/24", "8.8.8.0/24", "10.0.0.0/8", "192.168.1.0/30"])
def test_a_private_network_that_cannot_be(portal: Portal, network: str) -> None:
    """A network that is none, not private, too large or too small is refused with 400."""
    arguments = {"location": "local", "name": "never", "access": "admin", "privatenetwork": network}
    body = portal.refused(400, "cloudapi/cloudspaces/create", accountId=portal.account(), **arguments)
    assert body["detail"]["argument"] == "privatenetwork"


def test_a_cloudspace_name_is_taken_once_an_account(portal: Portal) -> None:
    """The name of a living cloudspace is refused in its account and fine in another."""
    account = portal.account()
    portal.cloudspace(account, name="twice")
    arguments = {"location": "local", "name": "twice", "access": "admin"}
    portal.refused(409, "cloudapi/cloudspaces/create", accountId=account, **arguments)
    portal.cloudspace(portal.account(), name="twice")


def test_the_first_start_makes_no_double(portal: Portal) -> None:
    """The first start's things are there once, size 1 is 512 MB with one processor, and a second start adds none."""
    from actors.cloud.first_start import seed

    listed = ["cloudapi/locations/list", "cloudapi/sizes/list", "cloudapi/images/list"]
    before = [portal.ask(address) for address in listed]
    seed(portal.runtime)
    assert [portal.ask(address) for address in listed] == before
    assert next((row["memory"], row["vcpus"]) for row in before[1] if row["id"] == 1) == (512, 1)
    network = portal.ask("cloudbroker/iaas/listExternalNetworks")[0]
    assert network["hostGateway"] is True
    assert network["free"] + network["used"] == 241


LISTS = {
    "cloudbroker/machine/list": 8,
    "cloudbroker/cloudspace/list": 6,
    "cloudbroker/account/list": 4,
    "cloudbroker/image/list": 4,
    "cloudbroker/iaas/listExternalNetworks": 3,
    "cloudbroker/node/list": 5,
    "cloudapi/cloudspaces/list": 5,
}


@pytest.mark.parametrize(("address", "most"), LISTS.items())
def test_lists_take_few_queries(portal: Portal, world: dict[str, int], address: str, most: int) -> None:
    """A list takes a fixed number of queries however many rows it has."""
    template = Machine.collection().find_one({"_id": world["machineId"]})
    space = Cloudspace.collection().find_one({"_id": world["cloudspaceId"]})
    assert template is not None
    assert space is not None
    extra = range(900_000, 900_020)
    Machine.collection().insert_many([template | {"_id": n, "name": f"copy {n}"} for n in extra])
    Cloudspace.collection().insert_many([space | {"_id": n, "name": f"copy {n}", "leases": []} for n in extra])
    try:
        # Others of the process ask now and then, too: what is asked each time is the list's own.
        found = min((_queries(portal, address) for _ in range(3)), key=len)
        assert len(found) <= most, found
    finally:
        Machine.collection().delete_many({"_id": {"$in": list(extra)}})
        Cloudspace.collection().delete_many({"_id": {"$in": list(extra)}})


def _queries(portal: Portal, address: str) -> list[str]:
    with QUERIES.counted() as found:
        portal.ask(address)
    return [query for query in found if "lease" not in query and "job" not in query]


PAGED = [
    ("cloudapi/accounts/list", []),
    ("cloudapi/cloudspaces/list", []),
    ("cloudapi/disks/list", ["accountId"]),
    ("cloudapi/externalnetwork/list", []),
    ("cloudapi/images/list", []),
    ("cloudapi/locations/list", []),
    ("cloudapi/machines/list", ["cloudspaceId"]),
    ("cloudapi/portforwarding/list", ["cloudspaceId"]),
    ("cloudapi/sizes/list", []),
    ("cloudbroker/account/list", []),
    ("cloudbroker/cloudspace/list", []),
    ("cloudbroker/computenode/list", []),
    ("cloudbroker/iaas/listExternalNetworks", []),
    ("cloudbroker/image/list", []),
    ("cloudbroker/machine/list", []),
    ("cloudbroker/machine/listPortForwards", ["machineId"]),
    ("cloudbroker/node/list", []),
]


@pytest.mark.parametrize(("address", "arguments"), PAGED)
def test_each_list_by_each_of_its_columns(
    portal: Portal, world: dict[str, int], address: str, arguments: list[str]
) -> None:
    """Each list sorts both ways by all columns that it says it does, finds its first row by each, and counts."""
    given = {name: world[name] for name in arguments}
    everything = portal.ask(address, **given)
    assert everything
    gathered = portal.runtime.registry.find(address).gathered
    assert gathered is not None
    for name in gathered.columns:
        if name in gathered.columns.sortable:
            ordered = [row[name] for row in portal.ask(address, **given, sort=name)]
            assert ordered == [row[name] for row in portal.ask(address, **given, sort=f"-{name}")][::-1], name
        value = everything[0][name][0] if isinstance(everything[0][name], list) else everything[0][name]
        wish = {name: f">={value}" if gathered.columns.kind(name) == "time" else value}
        if value not in ("", None):
            assert everything[0]["id"] in [row["id"] for row in portal.ask(address, **given, filter=wish)], wish
    assert portal.ask(address, **given, search="no such thing") == []
    table = portal.ask(address, **given, draw=1, start=0, length=1)
    assert (table["recordsTotal"], len(table["data"])) == (len(everything), 1)


def test_lists_are_paged(portal: Portal, world: dict[str, int]) -> None:
    """Limit and offset choose a part of an operators' list."""
    second = portal.machine(world["cloudspaceId"])
    both = portal.ask("cloudbroker/machine/list", cloudspaceId=world["cloudspaceId"])
    assert [row["id"] for row in both] == [world["machineId"], second]
    paged = portal.ask("cloudbroker/machine/list", cloudspaceId=world["cloudspaceId"], limit=1, offset=1)
    assert [row["id"] for row in paged] == [second]
