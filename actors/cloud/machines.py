"""Machines: made, started, stopped and ended."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud import disks
from actors.cloud.checks import checked_name
from actors.cloud.cloudspaces import Cloudspaces
from actors.cloud.drift import Drift
from actors.cloud.gateways import Gateways
from actors.cloud.images import Images
from actors.cloud.models import Cloudspace, Image, Machine, MachineAccount, Nic, PortForward
from actors.cloud.networks import Networks
from actors.cloud.nodes import Nodes
from actors.cloud.operations import Operation, Operations
from actors.cloud.placement import Placement
from actors.cloud.sizes import chosen_size
from actors.cloud.specs import checked_userdata, host_name, login_of, machine_spec, reference
from portalfw.errors import ConflictError, PortalError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

CREATE_TIMEOUT = 120.0  # seconds that a node may take for each
START_TIMEOUT = 60.0
GRACE = 30.0  # seconds that a guest gets to shut down before its power is cut
STOP_TIMEOUT = GRACE + 30.0
DELETE_TIMEOUT = 60.0


@dataclass(frozen=True)
class MachineWish:
    """What a caller asks of a new machine; either ``size_id``, or ``memory`` (MiB) and ``vcpus``."""

    cloudspace_id: int
    name: str
    image_id: int
    disk_size: int  # GiB
    size_id: int | None = None
    memory: int | None = None
    vcpus: int | None = None
    description: str = ""
    data_disks: list[int] = field(default_factory=list)
    userdata: str | dict[str, Any] | None = None


class Machines:
    """Takes machines through their lives."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._operations = runtime.service(Operations)
        self._cloudspaces = runtime.service(Cloudspaces)
        self._networks = runtime.service(Networks)
        self._placement = runtime.service(Placement)
        self._gateways = runtime.service(Gateways)
        self._images = runtime.service(Images)
        self._nodes = runtime.service(Nodes)
        self._drift = runtime.service(Drift)

    def create(self, wish: MachineWish) -> int:
        """Make a machine, start it and return its id.

        :raises InvalidError: for an argument that cannot be; nothing was made.
        :raises ConflictError: if the name is taken or the cloudspace is in a state that forbids it.
        :raises UnavailableError: no address, no room, node away; the machine is in state ERROR and holds nothing.
        :raises JobFailedError: if the node could not do it; idem.
        """
        cloudspace = Cloudspace.get(wish.cloudspace_id)
        image = self._images.usable(wish.image_id, cloudspace.account_id)
        disks.check_sizes(wish.disk_size, wish.data_disks, image.size)
        values = self._values(wish, cloudspace, image)
        cloudspace = self._cloudspaces.wait_deployed(wish.cloudspace_id)
        try:
            operation = self._operations.create(Machine, "create", **values)
        except mongoengine.NotUniqueError as error:
            raise ConflictError(
                f"Cloudspace {cloudspace.name} has a machine {values['name']} already.", detail={"argument": "name"}
            ) from error
        with operation:
            try:
                disks.model(
                    operation.document.id, cloudspace.account_id, cloudspace.gid, wish.disk_size, wish.data_disks
                )
                self._build(operation, cloudspace, image)
            except Exception:
                self.undo(operation, "The machine could not be made.")
                raise
        return int(operation.document.id)

    def start(self, machine_id: int) -> None:
        """Start a halted machine; errors as :meth:`create`, except that it stays HALTED."""
        with self._operations.begin(Machine, machine_id, "start") as operation:
            machine = operation.document
            self._placement.claim(machine.stack_id, machine.id, machine.memory)
            try:
                operation.step("starting", 30)
                self._run(operation, "libvirt/startmachine", START_TIMEOUT)
            except Exception:
                self._placement.release(machine.id)
                self._drift.look_again(machine.stack_id)
                raise

    def stop(self, machine_id: int, *, force: bool = False) -> None:
        """Stop a machine: by its power button, but after :data:`GRACE` seconds or with ``force`` by its power."""
        with self._operations.begin(Machine, machine_id, "stop") as operation:
            operation.step("stopping", 30)
            machine = operation.document
            name = self._nodes.names.machine(machine.id)
            node_id = self._nodes.of_stack(machine.stack_id)
            try:
                operation.run(node_id, "libvirt/stopmachine", timeout=STOP_TIMEOUT, name=name, force=force, grace=GRACE)
            except Exception:
                self._drift.look_again(machine.stack_id)
                raise
            self._placement.release(machine.id)

    def destroy(self, machine_id: int, reason: str) -> None:
        """End a machine for good: its domain, volumes, forwards and address go. One that is gone already stays so."""
        if Machine.get(machine_id).status == "DESTROYED":
            return
        with self._operations.begin(Machine, machine_id, "destroy") as operation:
            self.remove(operation, reason)

    def remove(self, operation: Operation[Machine], reason: str) -> None:
        """Do the work of :meth:`destroy` within its operation; doing it again changes nothing."""
        machine = operation.document
        if machine.on_node:
            operation.step("removing it from its node", 30)
            self._run(operation, "libvirt/deletemachine", DELETE_TIMEOUT)
            operation.keep(on_node=False)
        operation.step("freeing what it held", 70)
        self.give_back(machine, reason)
        operation.end("DESTROYED", reason, live=False, deletion_time=time.time())

    def undo(self, operation: Operation[Machine], reason: str) -> None:
        """Take back what a creation that failed has made; what its node cannot clean now is cleaned when it can."""
        machine = operation.document
        try:
            if machine.on_node:
                operation.step("taking back what was made", 90)
                self._run(operation, "libvirt/deletemachine", DELETE_TIMEOUT)
                operation.keep(on_node=False)
        except PortalError as error:
            log.warning("Machine %s: its node could not clean up yet: %s", machine.id, error.message)
        self.give_back(machine, reason)
        operation.end("ERROR", reason, live=False)

    def give_back(self, machine: Machine, reason: str) -> None:
        """Free what a machine holds off its node: forwards, address, memory, disks. Doing it again changes nothing."""
        PortForward.collection().delete_many({"machine_id": machine.id})
        self._networks.release_private(machine.cloudspace_id, machine.id)
        self._placement.release(machine.id)
        disks.destroy(machine.id, reason)
        cloudspace = Cloudspace.get(machine.cloudspace_id)
        if cloudspace.status == "DEPLOYED" and cloudspace.gateway_applied < cloudspace.gateway_wanted:
            try:
                self._gateways.apply(cloudspace.id)
            except PortalError as error:  # the reconciler sees the difference and tries again
                log.warning("Cloudspace %s: its gateway could not follow yet: %s", cloudspace.id, error.message)

    def clean_node(self, machine: Machine) -> None:
        """Remove what a gone machine left on its node, now that the node is there again."""
        spec = machine_spec(machine, self._nodes.names)
        node_id = self._nodes.of_stack(machine.stack_id)
        self._nodes.run(node_id, "libvirt/deletemachine", timeout=DELETE_TIMEOUT, machine=spec)
        Machine.collection().update_one({"_id": machine.id, "live": False}, {"$set": {"on_node": False}})

    def _build(self, operation: Operation[Machine], cloudspace: Cloudspace, image: Image) -> None:
        machine = operation.document
        operation.step("taking an address", 5)
        lease = self._networks.take_private(cloudspace.id, machine.id, machine.hostname)
        nic = Nic(
            network_id=cloudspace.id,
            device_name=f"{self._nodes.names.machine(machine.id)}n0",
            mac_address=lease["mac"],
            ip_address=lease["ip"],
        )
        operation.step("choosing a node", 10)
        # Until a cloudspace's network spans nodes, its machines live beside its gateway.
        self._placement.claim(cloudspace.stack_id, machine.id, machine.memory)
        operation.keep(stack_id=cloudspace.stack_id, nics=[nic.to_mongo().to_dict()])
        machine.nics = [nic]
        self._images.bring(operation, image, cloudspace.stack_id)
        operation.step("telling the gateway", 40)
        self._gateways.apply(cloudspace.id)
        operation.keep(on_node=True)
        operation.step("making disks and starting", 60)
        self._run(operation, "libvirt/createmachine", CREATE_TIMEOUT)
        disks.assign(machine.id)

    def _run(self, operation: Operation[Machine], script: str, timeout: float) -> Any:
        machine = operation.document
        spec = machine_spec(machine, self._nodes.names)
        return operation.run(self._nodes.of_stack(machine.stack_id), script, timeout=timeout, machine=spec)

    def _values(self, wish: MachineWish, cloudspace: Cloudspace, image: Image) -> dict[str, Any]:
        size_id, memory, vcpus = chosen_size(wish.size_id, wish.memory, wish.vcpus, list(cloudspace.allowed_vm_sizes))
        name = checked_name(wish.name)
        return {
            "name": name,
            "hostname": host_name(name),
            "description": wish.description,
            "account_id": cloudspace.account_id,
            "cloudspace_id": cloudspace.id,
            "image_id": image.id,
            "size_id": size_id,
            "memory": memory,
            "vcpus": vcpus,
            "accounts": [MachineAccount(**login_of(image))],
            "userdata": checked_userdata(wish.userdata),
            "reference_id": reference(),
        }
