"""What fails, fails with a reason, in a named state, and takes nothing."""

from __future__ import annotations

import gevent
import pytest
from portal import NOTHING, Portal, held, wait_for

from actors.cloud.models import Cloudspace, ExternalNetwork, Image, Machine, Stack
from actors.cloud.networks import Networks
from portalfw.errors import UnavailableError


@pytest.fixture(scope="module")
def space(portal: Portal) -> int:
    return portal.cloudspace(portal.account())


def failed(portal: Portal, status: int, space: int, **arguments: object) -> Machine:
    """Ask for a machine that cannot be made; return it after checking that it is in ERROR and holds nothing."""
    body = portal.refused(status, "cloudapi/machines/create", **portal.wish(space, **arguments))
    machine = Machine.get(body["detail"]["machineId"])
    assert machine.status == "ERROR"
    assert machine.status_reason == body["message"]
    assert machine.operation is None
    assert held(machine.id) == NOTHING
    shown = portal.ask("cloudbroker/machine/get", machineId=machine.id)
    assert (shown["status"], shown["statusReason"]) == ("ERROR", body["message"])
    return machine


def test_two_callers_for_the_last_address(portal: Portal) -> None:
    """Of two cloudspaces made at once for the last address one gets it, the other is told that none is free."""
    network, account = portal.network(free=1), portal.account()
    answers = [
        gevent.spawn(
            portal.call,
            "cloudapi/cloudspaces/create",
            accountId=account,
            location="local",
            name=f"racer {number}",
            access="admin",
            externalnetworkId=network,
        )
        for number in range(2)
    ]
    gevent.joinall(answers, raise_error=True)
    assert sorted(answer.value.status_code for answer in answers) == [200, 503]
    loser = next(answer.value.json() for answer in answers if answer.value.status_code == 503)
    assert "no free address" in loser["message"]
    found = ExternalNetwork.get(network)
    assert found.ips == []
    assert len(found.taken) == 1


def test_each_address_is_taken_once(portal: Portal) -> None:
    """Of twenty who take an address at the same moment out of five, five get one each and fifteen are refused."""
    network, networks = portal.network(free=5), portal.runtime.service(Networks)
    takers = [gevent.spawn(networks.take_external, network, 10_000 + number) for number in range(20)]
    gevent.joinall(takers)
    got = [taker.value for taker in takers if taker.successful()]
    assert len(got) == len(set(got)) == 5
    assert {type(taker.exception) for taker in takers if not taker.successful()} == {UnavailableError}


def test_many_machines_at_once_share_no_address(portal: Portal) -> None:
    """Machines made at the same time get different private addresses and hardware addresses."""
    space = portal.cloudspace(portal.account())
    made = [gevent.spawn(portal.machine, space) for _ in range(4)]
    gevent.joinall(made, raise_error=True)
    nics = [Machine.get(greenlet.value).nics[0] for greenlet in made]
    assert len({nic.ip_address for nic in nics}) == len({nic.mac_address for nic in nics}) == 4
    after = Cloudspace.get(space)
    assert {lease.ip for lease in after.leases} == {nic.ip_address for nic in nics}
    assert after.gateway_applied == after.gateway_wanted


def test_no_free_private_address(portal: Portal) -> None:
    """When a private network is full the next machine says so and takes nothing."""
    space = portal.cloudspace(portal.account(), privatenetwork="192.168.77.0/28")
    for _ in range(4):  # 16 addresses less network, router, DHCP pool and broadcast
        portal.machine(space)
    assert "no free private address" in failed(portal, 503, space).status_reason


def test_no_node_with_room(portal: Portal, space: int) -> None:
    """A machine larger than every node's free memory is refused with the figures, and takes nothing."""
    machine = failed(portal, 503, space, sizeId=None, memory=1 << 20, vcpus=1)
    assert "1048576 MiB" in machine.status_reason


def test_the_name_of_a_failed_machine_is_free(portal: Portal, space: int) -> None:
    """A creation that failed does not keep its name from the next one."""
    failed(portal, 503, space, name="again", sizeId=None, memory=1 << 20, vcpus=1)
    assert Machine.get(portal.machine(space, name="again")).status == "RUNNING"


def test_an_image_that_cannot_be_fetched(portal: Portal, space: int) -> None:
    """A machine whose image its node cannot fetch ends in ERROR with the node's reason."""
    image = Image.create(name="lost", gid=1, status="CREATED", url="portal:there-is-none.qcow2", live=True)
    machine = failed(portal, 503, space, imageId=image.id)
    assert "there-is-none" in machine.status_reason


def test_an_image_from_nowhere(portal: Portal) -> None:
    """An image whose address nobody answers is refused before anything is made."""
    arguments = {"name": "nowhere", "gid": 1, "boottype": "bios", "imagetype": "Linux"}
    body = portal.refused(400, "cloudbroker/image/createImage", url="http://127.0.0.1:9/x.qcow2", **arguments)
    assert body["detail"]["argument"] == "url"
    portal.refused(400, "cloudbroker/image/createImage", url="file:///etc/passwd", **arguments)


def test_an_imported_image_that_is_none(portal: Portal) -> None:
    """An image that turns out not to be one ends in ERROR with the reason."""
    (portal.settings.state_folder / "images" / "text.qcow2").write_text("not an image")
    image = portal.ask("cloudbroker/image/createImage", name="text", url="portal:text.qcow2", gid=1, imagetype="Linux")
    wait_for(lambda: Image.get(image).status != "CREATING", what="the import ends")
    assert Image.get(image).status == "ERROR"
    assert "qcow2" in Image.get(image).status_reason
    body = portal.refused(
        400, "cloudapi/machines/create", **portal.wish(portal.cloudspace(portal.account()), imageId=image)
    )
    assert "ERROR" in body["message"]


def test_the_agent_is_away(portal: Portal) -> None:
    """Without its agent a node gets no work: a new machine is in ERROR at once, a halted one HALTED, with a reason."""
    space = portal.cloudspace(portal.account())
    halted = portal.machine(space)
    portal.ask("cloudapi/machines/stop", machineId=halted, force=True)
    portal.stop_agent()
    try:
        assert "away" in failed(portal, 503, space).status_reason
        assert "away" in portal.refused(503, "cloudapi/machines/start", machineId=halted)["message"]
        assert Machine.get(halted).status == "HALTED"
        assert "away" in Machine.get(halted).status_reason
        assert held(halted)["memory"] == []
    finally:
        portal.start_agent()


def test_failed_machines_go_with_their_cloudspace(portal: Portal) -> None:
    """Machines that could never be made do not keep their cloudspace from being deleted, and end with it."""
    space = portal.cloudspace(portal.account())
    machine = failed(portal, 503, space, sizeId=None, memory=1 << 20, vcpus=1)
    portal.ask("cloudapi/cloudspaces/delete", cloudspaceId=space)
    assert Machine.get(machine.id).status == "DESTROYED"


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"name": "x"}, "name"),
        ({"name": "a<b"}, "name"),
        ({"disksize": 0}, "disksize"),
        ({"disksize": 5000}, "disksize"),
        ({"datadisks": [5000]}, "datadisks"),
        ({"imageId": 4711}, "imageId"),
        ({"sizeId": 4711}, "sizeId"),
        ({"sizeId": None}, "sizeId"),
        ({"memory": 512, "vcpus": 1}, "sizeId"),
        ({"sizeId": None, "memory": 513, "vcpus": 1}, "memory"),
        ({"sizeId": None, "memory": 512, "vcpus": 0}, "vcpus"),
        ({"userdata": "- a list"}, "userdata"),
        ({"disksize": "much"}, "disksize"),
    ],
)
def test_wrong_arguments_are_named(portal: Portal, space: int, arguments: dict[str, object], argument: str) -> None:
    """A machine with a wrong argument is refused with 400, naming it, and nothing is written down."""
    before = Machine.collection().count_documents({})
    body = portal.refused(400, "cloudapi/machines/create", **portal.wish(space, **arguments))
    assert body["detail"]["argument"] == argument
    assert Machine.collection().count_documents({}) == before


def test_memory_is_never_promised_twice(portal: Portal, space: int) -> None:
    """Two machines that together exceed a node's memory cannot both be made at once."""
    stack = Stack.rows()[0]
    free = stack["memory"] - sum(claim["memory"] for claim in stack["claims"])
    memory = (free * 2 // 3) // 2 * 2
    wishes = [portal.wish(space, sizeId=None, memory=memory, vcpus=1) for _ in range(2)]
    answers = [gevent.spawn(portal.call, "cloudapi/machines/create", **wish) for wish in wishes]
    gevent.joinall(answers, raise_error=True)
    assert sorted(answer.value.status_code for answer in answers) == [200, 503]
