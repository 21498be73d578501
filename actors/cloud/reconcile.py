"""The reconciler: brings out what a dead process left in a transitional state, and what waits for its node."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from actors.cloud import disks
from actors.cloud.accounts import Accounts
from actors.cloud.cloudspaces import Cloudspaces
from actors.cloud.drift import Drift
from actors.cloud.gateways import Gateways
from actors.cloud.images import Images
from actors.cloud.machines import Machines
from actors.cloud.models import Account, Cloudspace, Image, LifeCycleDocument, Machine, Stack
from actors.cloud.nodes import Nodes
from actors.cloud.operations import Operation, Operations
from actors.cloud.placement import Placement
from actors.cloud.stacks import Stacks
from portalfw.duties import process_lease
from portalfw.errors import PortalError
from portalfw.extension import duty
from portalfw.store import Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

STATE_TIMEOUT = 30.0  # seconds for a look at a machine
FORGOTTEN = 30.0  # seconds after which a cloudspace that nobody deploys is deployed
STOPPED = "The portal was stopped in the middle of this"


@duty(every=5.0)
def reconcile(runtime: Runtime) -> None:
    """Keep stacks, finish or undo what was left behind, and compare machines with their nodes."""
    runtime.service(Reconciler).run()


class Reconciler:
    """Decides, for each object left behind, how it comes out; what the node says is true."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._runtime = runtime
        self._operations = runtime.service(Operations)
        self._nodes = runtime.service(Nodes)
        self._machines = runtime.service(Machines)
        self._cloudspaces = runtime.service(Cloudspaces)
        self._images = runtime.service(Images)
        self._accounts = runtime.service(Accounts)
        self._gateways = runtime.service(Gateways)
        self._placement = runtime.service(Placement)
        self._drift = runtime.service(Drift)
        self._stacks = runtime.service(Stacks)
        self._resolvers: dict[tuple[type[LifeCycleDocument], str], Callable[[Any], None]] = {
            (Machine, "create"): self._machine_created,
            (Machine, "start"): self._machine_as_found,
            (Machine, "stop"): self._machine_as_found,
            (Machine, "destroy"): lambda operation: self._machines.remove(operation, f"{STOPPED}; finished later."),
            (Cloudspace, "deploy"): self._cloudspaces.make_gateway,
            (Cloudspace, "destroy"): lambda operation: self._cloudspaces.remove(
                operation, f"{STOPPED}; finished later."
            ),
            (Image, "destroy"): lambda operation: self._images.remove(operation, f"{STOPPED}; finished later."),
            (Account, "destroy"): lambda operation: self._accounts.remove(operation, f"{STOPPED}; finished later."),
        }

    def run(self) -> None:
        """Do one round."""
        self._stacks.keep()
        self.left_behind()
        self._each(self._cloudspaces.deploy, self._forgotten_cloudspaces())
        self._each(self._gateways.apply, self._lagging_gateways())
        self._each(self._machines.clean_node, self._leftovers())
        self._drift.run()

    def left_behind(self) -> None:
        """Take over the operations whose process is gone or whose time is over, each in a greenlet of its own."""
        for kind in (Machine, Cloudspace, Image, Account):
            for row in kind.rows({"operation": {"$ne": None}}, fields=["operation"]):
                if self._dead(row["operation"]):
                    operation = self._operations.adopt(kind.get(row["id"]))
                    if operation is not None:
                        self._runtime.spawn(self._resolve, kind, operation)

    def _dead(self, operation: dict[str, Any]) -> bool:
        return operation["expires"] < time.time() or not Lease.held_by_anyone(process_lease(operation["owner"]))

    def _resolve(self, kind: type[LifeCycleDocument], operation: Operation[Any]) -> None:
        name = operation.document.operation.name
        log.warning("%s %s was left in %s; taking over.", kind.kind(), operation.document.id, operation.document.status)
        try:
            if (kind, name) == (Image, "create"):
                self._images.import_(operation)
                return
            with operation:
                self._resolvers[kind, name](operation)
        except PortalError as error:  # the operation ended with this reason on the object
            log.warning("%s %s: %s", kind.kind(), operation.document.id, error.message)

    def _machine_created(self, operation: Operation[Machine]) -> None:
        machine = operation.document
        there = machine.on_node and self._nodes.connected(self._nodes.of_stack(machine.stack_id))
        if there and self._state(machine)["state"] == "running":
            disks.assign(machine.id)
            operation.end("RUNNING", f"{STOPPED}; its node had finished.")
            return
        self._machines.undo(operation, f"{STOPPED}; it was not finished, and what there was has been taken back.")

    def _machine_as_found(self, operation: Operation[Machine]) -> None:
        machine = operation.document
        if not self._nodes.connected(self._nodes.of_stack(machine.stack_id)):
            operation.end(operation.previous, f"{STOPPED}, and its node is away; looked at again when it is back.")
            return
        running = self._state(machine)["state"] not in {"shutoff", "crashed", "missing"}
        if not running:
            self._placement.release(machine.id)
        operation.end("RUNNING" if running else "HALTED", f"{STOPPED}; its node says so.")

    def _state(self, machine: Machine) -> dict[str, Any]:
        node_id = self._nodes.of_stack(machine.stack_id)
        name = self._nodes.names.machine(machine.id)
        found: dict[str, Any] = self._nodes.run(node_id, "libvirt/machinestate", timeout=STATE_TIMEOUT, name=name)
        return found

    def _forgotten_cloudspaces(self) -> list[int]:
        long_ago = {"$lt": time.time() - FORGOTTEN}
        rows = Cloudspace.rows({"status": "VIRTUAL", "live": True, "update_time": long_ago}, fields=["_id"])
        return [row["id"] for row in rows]

    def _lagging_gateways(self) -> list[int]:
        lagging = {"$lt": ["$gateway_applied", "$gateway_wanted"]}
        rows = Cloudspace.rows({"status": "DEPLOYED", "$expr": lagging}, fields=["stack_id"])
        return [row["id"] for row in self._reachable(rows)]

    def _leftovers(self) -> list[Machine]:
        rows = Machine.rows({"live": False, "on_node": True, "operation": None}, fields=["stack_id"])
        return [Machine.get(row["id"]) for row in self._reachable(rows)]

    def _reachable(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return those whose node is there; there may be ten thousand nodes, and mostly nothing to ask them for."""
        if not rows:
            return []
        there = {node["id"] for node in self._nodes.rows(connected=True)}
        stacks = {row["id"] for row in Stack.rows(fields=["reference_id"]) if row["reference_id"] in there}
        return [row for row in rows if row["stack_id"] in stacks]

    @staticmethod
    def _each(action: Callable[[Any], object], items: Iterable[Any]) -> None:
        for item in items:
            try:
                action(item)
            except PortalError as error:  # one that cannot be helped now does not keep the others waiting
                log.warning("%s: %s", getattr(action, "__qualname__", action), error.message)
