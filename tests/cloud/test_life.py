"""Machines, cloudspaces and forwards through their lives, over REST."""

from __future__ import annotations

import pytest
from portal import NOTHING, Portal, held, wait_for

from actors.cloud.models import Cloudspace, Disk, ExternalNetwork, Machine


@pytest.fixture(scope="module")
def space(portal: Portal) -> int:
    return portal.cloudspace(portal.account())


def test_a_machine_is_made_stopped_started_and_deleted(portal: Portal, space: int) -> None:
    """A machine runs when create returns, obeys stop and start, and leaves nothing behind when deleted."""
    machine = portal.machine(space, name="web-1")
    assert portal.ask("cloudapi/machines/get", machineId=machine)["status"] == "RUNNING"
    assert portal.ask("cloudapi/machines/stop", machineId=machine, force=True) is True
    assert portal.ask("cloudapi/machines/get", machineId=machine)["status"] == "HALTED"
    assert held(machine)["memory"] == []
    assert portal.ask("cloudapi/machines/start", machineId=machine) is True
    assert portal.ask("cloudapi/machines/get", machineId=machine)["status"] == "RUNNING"
    assert portal.ask("cloudapi/machines/delete", machineId=machine, permanently=True) is True
    assert Machine.get(machine).status == "DESTROYED"
    assert held(machine) == NOTHING
    portal.refused(404, "cloudapi/machines/get", machineId=machine)
    assert machine not in [row["id"] for row in portal.ask("cloudapi/machines/list", cloudspaceId=space)]


def test_a_name_is_free_again_after_a_delete(portal: Portal, space: int) -> None:
    """Two living machines cannot share a name; once the first is gone its name can be used."""
    first = portal.machine(space, name="only one")
    assert (
        "only one" in portal.refused(409, "cloudapi/machines/create", **portal.wish(space, name="only one"))["message"]
    )
    portal.ask("cloudapi/machines/delete", machineId=first)
    portal.ask("cloudapi/machines/delete", machineId=portal.machine(space, name="only one"))


def test_the_wrong_state_is_named(portal: Portal, space: int) -> None:
    """Starting what runs and stopping what is halted answers 409 and names the state."""
    machine = portal.machine(space)
    body = portal.refused(409, "cloudapi/machines/start", machineId=machine)
    assert "RUNNING" in body["message"]
    assert body["detail"]["status"] == "RUNNING"
    portal.ask("cloudapi/machines/stop", machineId=machine, force=True)
    assert "HALTED" in portal.refused(409, "cloudapi/machines/stop", machineId=machine)["message"]
    portal.ask("cloudapi/machines/delete", machineId=machine)


def test_a_cloudspace_with_machines_stays(portal: Portal) -> None:
    """A cloudspace is deleted only when its machines are gone, and gives its address back then."""
    space = portal.cloudspace(portal.account())
    address, network = Cloudspace.get(space).external_ip, Cloudspace.get(space).external_network_id
    machine = portal.machine(space, name="keeps it")
    body = portal.refused(409, "cloudapi/cloudspaces/delete", cloudspaceId=space)
    assert "keeps it" in body["message"]
    assert Cloudspace.get(space).status == "DEPLOYED"
    portal.ask("cloudapi/machines/delete", machineId=machine)
    assert portal.ask("cloudapi/cloudspaces/delete", cloudspaceId=space, permanently=True) is True
    assert Cloudspace.get(space).status == "DESTROYED"
    assert address in ExternalNetwork.get(network).ips
    portal.refused(404, "cloudapi/cloudspaces/get", cloudspaceId=space)


def test_a_port_is_forwarded_once(portal: Portal, space: int) -> None:
    """A forward reaches the gateway, its port cannot be taken twice, and the machine's end removes it."""
    machine = portal.machine(space)
    address = Cloudspace.get(space).external_ip
    rule = {"cloudspaceId": space, "publicIp": address, "publicPort": 8080, "machineId": machine, "localPort": 80}
    assert portal.ask("cloudapi/portforwarding/create", **rule, protocol="tcp") is True
    listed = portal.ask("cloudapi/portforwarding/list", cloudspaceId=space)
    assert [(row["publicPort"], row["localPort"], row["machineId"]) for row in listed] == [("8080", "80", machine)]
    after = Cloudspace.get(space)
    assert after.gateway_applied == after.gateway_wanted
    assert "8080" in portal.refused(409, "cloudapi/portforwarding/create", **rule, protocol="tcp")["message"]
    assert portal.ask("cloudapi/portforwarding/create", **rule, protocol="udp") is True
    del rule["machineId"], rule["localPort"]
    assert portal.ask("cloudapi/portforwarding/deleteByPort", **rule, proto="udp") is True
    portal.refused(404, "cloudapi/portforwarding/deleteByPort", **rule, proto="udp")
    portal.ask("cloudapi/machines/delete", machineId=machine)
    assert portal.ask("cloudapi/portforwarding/list", cloudspaceId=space) == []


def test_a_machine_waits_for_its_cloudspace(portal: Portal) -> None:
    """A machine asked for right after its cloudspace waits until that is deployed."""
    space = portal.ask(
        "cloudapi/cloudspaces/create", accountId=portal.account(), location="127", name="in a hurry", access="admin"
    )
    assert portal.ask("cloudapi/cloudspaces/get", cloudspaceId=space)["publicipaddress"]
    machine = portal.machine(space)
    assert Machine.get(machine).status == "RUNNING"


def test_an_account_with_cloudspaces_stays(portal: Portal) -> None:
    """An account ends only when its cloudspaces are gone."""
    account = portal.account()
    space = portal.cloudspace(account, name="still here")
    assert "still here" in portal.refused(409, "cloudbroker/account/delete", accountId=account)["message"]
    portal.ask("cloudapi/cloudspaces/delete", cloudspaceId=space)
    assert portal.ask("cloudbroker/account/delete", accountId=account, reason="done") is True
    wait_for(lambda: account not in [row["id"] for row in portal.ask("cloudbroker/account/list")], what="it is gone")


def test_volumes_are_compared_with_what_the_cloud_knows(portal: Portal, space: int) -> None:
    """A disk's volume belongs to its machine; one whose disk is gone is nobody's, and a disk without one is missing."""
    machine = portal.machine(space)
    disk, *_ = Disk.rows({"machine_id": machine})

    def verdicts() -> dict[tuple[str, int | None], str]:
        rows = portal.ask("system/gridmanager/getVolumes", limit=1000)
        return {(row["kind"], row["owner_id"]): row["verdict"] for row in rows}

    node = portal.runtime.dal.node(1)
    told = node.run("libvirt/listpools")
    assert sum(len(pool["contents"]) for pool in told) == sum(pool["volumes"] for pool in told)
    found = next(row for row in portal.ask("system/gridmanager/getVolumes") if row["owner_id"] == disk["id"])
    assert (found["verdict"], found["owner"], found["machine_id"]) == ("OK", disk["name"], machine)
    assert verdicts()["image", Machine.get(machine).image_id] == "OK"
    Disk.collection().update_one({"_id": disk["id"]}, {"$set": {"status": "DESTROYED"}})
    assert verdicts()["disk", disk["id"]] == "ORPHAN"
    Disk.collection().insert_one(Disk.collection().find_one({"_id": disk["id"]}) | {"_id": 9999, "status": "ASSIGNED"})
    assert verdicts()["disk", 9999] == "ABSENT"
    Disk.collection().delete_one({"_id": 9999})
    Disk.collection().update_one({"_id": disk["id"]}, {"$set": {"status": disk["status"]}})
    portal.ask("cloudapi/machines/delete", machineId=machine, permanently=True)
    node.run("libvirt/listpools")
    assert ("disk", disk["id"]) not in verdicts()
