"""What a killed process or a changed node leaves behind is brought to a steady state with a reason."""

from __future__ import annotations

import time
from typing import Any

import pytest
from portal import NOTHING, Portal, held, wait_for

from actors.cloud import states
from actors.cloud.drift import Drift
from actors.cloud.machines import DELETE_TIMEOUT
from actors.cloud.models import Cloudspace, Image, LifeCycleDocument, Machine, Stack
from actors.cloud.nodes import Nodes
from actors.cloud.reconcile import Reconciler
from portalfw.controller.documents import Node


@pytest.fixture(scope="module")
def space(portal: Portal) -> int:
    return portal.cloudspace(portal.account())


def leave(kind: type[LifeCycleDocument], identity: int, operation: str, previous: str, **values: Any) -> None:
    """Put an object into the middle of an operation whose process died."""
    row = states.transition(kind.collection_name(), operation)
    running = {
        "key": "gone",
        "name": operation,
        "owner": "a process that died",
        "previous": previous,
        "started": time.time(),
        "expires": time.time() + 900,
        "progress": 50,
        "step": "in the middle",
    }
    changes = {"status": row.via, "operation": running, **values}
    kind.collection().update_one({"_id": identity}, {"$set": changes})


def settled(portal: Portal, kind: type[LifeCycleDocument], identity: int) -> Any:
    """Let the reconciler look and return the object as soon as its operation is over."""
    portal.runtime.service(Reconciler).left_behind()
    return wait_for(lambda: found if (found := kind.get(identity)).operation is None else None, what="it is settled")


def test_a_creation_that_the_node_finished_is_finished(portal: Portal, space: int) -> None:
    """A machine left in DEPLOYING whose guest runs becomes RUNNING, with the reason."""
    machine = portal.machine(space)
    leave(Machine, machine, "create", "VIRTUAL")
    found = settled(portal, Machine, machine)
    assert found.status == "RUNNING"
    assert "stopped" in found.status_reason
    assert held(machine)["memory"]


def test_a_creation_that_the_node_never_saw_is_undone(portal: Portal, space: int) -> None:
    """A machine left in DEPLOYING that its node does not have ends in ERROR and holds nothing."""
    machine = portal.machine(space)
    node = Node.rows({"connected": True})[0]["id"]
    nodes = portal.runtime.service(Nodes)
    from actors.cloud.specs import machine_spec

    spec = machine_spec(Machine.get(machine), nodes.names)
    nodes.run(node, "libvirt/deletemachine", timeout=DELETE_TIMEOUT, machine=spec)
    leave(Machine, machine, "create", "VIRTUAL")
    found = settled(portal, Machine, machine)
    assert (found.status, found.live) == ("ERROR", False)
    assert held(machine) == NOTHING


@pytest.mark.parametrize(("operation", "previous", "running"), [("start", "HALTED", True), ("stop", "RUNNING", False)])
def test_the_node_says_how_a_start_or_stop_ended(
    portal: Portal, space: int, operation: str, previous: str, running: bool
) -> None:
    """A machine left in STARTING or STOPPING gets the state that its node tells."""
    machine = portal.machine(space)
    if not running:
        portal.ask("cloudapi/machines/stop", machineId=machine, force=True)
    leave(Machine, machine, operation, previous)
    assert settled(portal, Machine, machine).status == ("RUNNING" if running else "HALTED")


def test_a_half_done_delete_is_finished(portal: Portal, space: int) -> None:
    """A machine left in DESTROYING is deleted to the end."""
    machine = portal.machine(space)
    leave(Machine, machine, "destroy", "RUNNING")
    assert settled(portal, Machine, machine).status == "DESTROYED"
    assert held(machine) == NOTHING


@pytest.mark.parametrize(("operation", "end"), [("deploy", "DEPLOYED"), ("destroy", "DESTROYED")])
def test_a_half_done_cloudspace_is_finished(portal: Portal, operation: str, end: str) -> None:
    """A cloudspace left in DEPLOYING is deployed, one left in DESTROYING is deleted."""
    space = portal.cloudspace(portal.account())
    leave(Cloudspace, space, operation, "VIRTUAL" if operation == "deploy" else "DEPLOYED")
    assert settled(portal, Cloudspace, space).status == end


def test_an_image_left_in_creating_is_fetched(portal: Portal) -> None:
    """An image left in CREATING is fetched after all."""
    image = Image.get(Image.rows({"name": "tiny"})[0]["id"])
    leave(Image, image.id, "create", "VIRTUAL")
    assert settled(portal, Image, image.id).status == "CREATED"


def test_an_operation_under_way_is_left_alone(portal: Portal, space: int) -> None:
    """What a living process works on is not touched by the reconciler, until its time is over."""
    machine = portal.machine(space)
    leave(Machine, machine, "stop", "RUNNING")
    mine = {"operation.owner": portal.runtime.process_id}
    Machine.collection().update_one({"_id": machine}, {"$set": mine})
    portal.runtime.service(Reconciler).left_behind()
    assert Machine.get(machine).operation.key == "gone"
    Machine.collection().update_one({"_id": machine}, {"$set": {"operation.expires": time.time() - 1}})
    assert settled(portal, Machine, machine).status == "RUNNING"


def test_a_late_owner_cannot_overwrite(portal: Portal, space: int) -> None:
    """Whoever comes back to an operation that another has ended is refused and changes nothing."""
    from actors.cloud.operations import Operations
    from portalfw.errors import ConflictError

    machine = portal.machine(space)
    operation = portal.runtime.service(Operations).begin(Machine, machine, "stop")
    Machine.collection().update_one({"_id": machine}, {"$set": {"operation.owner": "dead"}})
    assert settled(portal, Machine, machine).status == "RUNNING"
    with portal.runtime.service(Operations).begin(Machine, machine, "stop") as another:
        with pytest.raises(ConflictError), operation:
            operation.end("HALTED", "too late")
        assert Machine.get(machine).operation.key == another.key
        another.end("RUNNING")
    assert Machine.get(machine).status_reason == ""


def test_what_an_absent_node_kept_is_cleaned_when_it_is_back(portal: Portal, space: int) -> None:
    """A machine given up while its node was away leaves nothing there once the node is back."""
    machine = portal.machine(space)
    Machine.collection().update_one({"_id": machine}, {"$set": {"status": "ERROR", "live": False}})
    portal.runtime.service(Reconciler).run()
    assert Machine.get(machine).on_node is False


def test_a_machine_that_went_off_by_itself_is_halted(portal: Portal, space: int) -> None:
    """A machine that its node lost is shown HALTED with the reason, and its memory is free."""
    machine = portal.machine(space)
    node = Node.rows({"connected": True})[0]
    nodes = portal.runtime.service(Nodes)
    nodes.run(node["id"], "libvirt/stopmachine", timeout=30, name=nodes.names.machine(machine), force=True)
    stack = Stack.rows({"reference_id": node["id"]})[0]
    portal.runtime.service(Drift).compare(stack, node, new=False)
    found = Machine.get(machine)
    assert found.status == "HALTED"
    assert "power was cut" in found.status_reason
    assert held(machine)["memory"] == []


def test_a_gateway_that_lags_is_brought_up_to_date(portal: Portal, space: int) -> None:
    """A change that no process brought to the gateway any more is brought by the reconciler."""
    Cloudspace.collection().update_one({"_id": space}, {"$inc": {"gateway_wanted": 1}})
    portal.runtime.service(Reconciler).run()
    found = Cloudspace.get(space)
    assert found.gateway_applied == found.gateway_wanted


def test_the_tables_of_states_are_sound() -> None:
    """No operation begins on the way, each state on the way is one operation's, and each end is last or can be left."""
    for kind, table in states.LIFE_CYCLES.items():
        via = [row.via for row in table.values()]
        assert len(via) == len(set(via)), kind
        for name, row in table.items():
            assert not row.from_ & states.transitional(kind), (kind, name)
            ends = {row.to, row.failed} - {states.PREVIOUS, *states.GONE}
            assert all(any(end in other.from_ for other in table.values()) for end in ends), (kind, name)
