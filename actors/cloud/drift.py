"""Drift: machines that changed on their node without being asked, and gateways that a node lost."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from actors.cloud.gateways import Gateways
from actors.cloud.models import Cloudspace, Machine, Stack
from actors.cloud.nodes import Nodes
from actors.cloud.placement import Placement
from portalfw.errors import PortalError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two comparisons of a node that stays connected
TIMEOUT = 30.0
STEADY = ["RUNNING", "HALTED", "PAUSED"]
#: libvirt's state of a domain, as the state that the machine has then.
MEANING = {"running": "RUNNING", "blocked": "RUNNING", "paused": "PAUSED", "suspended": "PAUSED"}
#: Why libvirt says a domain is off, in our words.
REASONS = {
    "shutdown": "The guest shut itself down.",
    "crashed": "The guest crashed.",
    "destroyed": "Its power was cut on its node, outside the portal.",
    "failed": "The hypervisor could not run it.",
}


class Drift:
    """Compares the machines of a node with what the node says, and corrects the documents."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._nodes = runtime.service(Nodes)
        self._gateways = runtime.service(Gateways)
        self._placement = runtime.service(Placement)

    def run(self) -> None:
        """Look at each connected node that came back, or was not looked at for :data:`EVERY` seconds."""
        stacks = {row["reference_id"]: row for row in Stack.rows()}
        for node in self._nodes.rows(connected=True, _id={"$in": list(stacks)}):
            stack = stacks[node["id"]]
            new = _mark(node) != stack["session"]
            if new or time.time() - stack["checked"] > EVERY:
                try:
                    self.compare(stack, node, new=new)
                except PortalError as error:
                    log.warning("Node %s could not be compared: %s", node["name"], error.message)

    @staticmethod
    def look_again(stack_id: int) -> None:
        """Have a stack's machines compared in the next round: something failed there, who knows how far it got."""
        Stack.collection().update_one({"_id": stack_id}, {"$set": {"checked": 0.0}})

    def compare(self, stack: dict[str, Any], node: dict[str, Any], *, new: bool) -> None:
        """Correct the machines of one node; after its return (``new``) also make its gateways again."""
        began = time.time()
        restarted = bool(stack["session"]) and stack["session"].partition(" ")[0] != node.get("boot_id")
        said = self._nodes.run(node["id"], "libvirt/listmachines", timeout=TIMEOUT)
        found = {self._nodes.names.machine_id(row["name"]): row for row in said}
        query = {"stack_id": stack["id"], "status": {"$in": STEADY}, "update_time": {"$lt": began}}
        for row in Machine.rows(query, fields=["status", "update_time", "memory"]):
            self._correct(row, found.get(row["id"]), stack["id"], restarted=restarted)
        self._mark_orphans(set(found), stack["id"])
        if new:
            for row in Cloudspace.rows({"stack_id": stack["id"], "status": "DEPLOYED"}, fields=["_id"]):
                self._gateways.deploy(row["id"])
        Stack.collection().update_one({"_id": stack["id"]}, {"$set": {"session": _mark(node), "checked": began}})

    def _correct(self, row: dict[str, Any], found: dict[str, Any] | None, stack_id: int, *, restarted: bool) -> None:
        status = MEANING.get(found["state"], "HALTED") if found else "HALTED"
        if status == row["status"]:
            return
        reason = _reason(status, found, restarted=restarted)
        unchanged = {"_id": row["id"], "status": row["status"], "update_time": row["update_time"]}
        changes = {"status": status, "status_reason": reason, "update_time": time.time()}
        if Machine.take(unchanged, {"$set": changes}) is None:
            return  # somebody is doing something with it
        log.warning("Machine %s: %s, was %s: %s", row["id"], status, row["status"], reason)
        if status == "HALTED":
            self._placement.release(row["id"])
        elif row["status"] == "HALTED":
            self._placement.claim(stack_id, row["id"], row["memory"])

    @staticmethod
    def _mark_orphans(found: set[int | None], stack_id: int) -> None:
        """Have domains removed whose machine is gone: the reconciler cleans what is marked ``on_node``."""
        gone = {"_id": {"$in": [machine for machine in found if machine]}, "live": False, "on_node": False}
        Machine.collection().update_many(gone | {"operation": None}, {"$set": {"on_node": True, "stack_id": stack_id}})


def _mark(node: dict[str, Any]) -> str:
    return f"{node.get('boot_id')} {node.get('session')}"


def _reason(status: str, found: dict[str, Any] | None, *, restarted: bool) -> str:
    if status != "HALTED":
        return "Found so on its node; it was changed outside the portal."
    if restarted:
        return "Its node was restarted."
    if found is None:
        return "Its node does not have it any more; starting it defines it again."
    return REASONS.get(found["reason"], f"Found off on its node ({found['reason']}).")
