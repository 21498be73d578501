"""Cloudspaces: private networks with a gateway."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud.access import acl_of, held_by
from actors.cloud.checks import checked_name
from actors.cloud.directory import counted
from actors.cloud.gateways import Gateways
from actors.cloud.locations import find_location
from actors.cloud.models import Account, Cloudspace, Machine
from actors.cloud.networks import Networks, private_cidr
from actors.cloud.operations import Operation, Operations
from actors.cloud.placement import Placement
from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError, NotFoundError, PortalError, UnavailableError
from portalfw.progress import report

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

DEFAULT_NETWORK = "192.168.103.0/24"
DEPLOY_WAIT = 60.0  # seconds that whoever needs a gateway waits for it


class Cloudspaces:
    """Makes, deploys, lists and ends cloudspaces."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._runtime = runtime
        self._operations = runtime.service(Operations)
        self._networks = runtime.service(Networks)
        self._gateways = runtime.service(Gateways)
        self._placement = runtime.service(Placement)

    def create(
        self,
        *,
        account_id: int,
        location: str,
        name: str,
        access: str,
        limits: dict[str, float],
        external_network_id: int | None = None,
        private_network: str | None = None,
        allowed_vm_sizes: list[int] | None = None,
        type_: str = "vgw",
    ) -> Cloudspace:
        """Make a cloudspace with an external address and deploy its gateway in the background.

        :raises NotFoundError: if the account does not exist.
        :raises ConflictError: if the account has a living one of this name, or is not CONFIRMED.
        :raises InvalidError: for an argument that cannot be.
        :raises UnavailableError: if no external address is free; the cloudspace is then in state ERROR.
        """
        account = Account.get(account_id)
        if account.status != "CONFIRMED":
            raise ConflictError(f"Account {account_id} is {account.status}.", detail={"status": account.status})
        place = find_location(location)
        network = private_cidr(private_network or DEFAULT_NETWORK)
        external = self._networks.choose_external(place.gid, account_id, external_network_id)
        now = time.time()
        try:
            cloudspace = Cloudspace.create(
                name=checked_name(name),
                account_id=account_id,
                acl=acl_of(access),
                resource_limits=limits,
                allowed_vm_sizes=allowed_vm_sizes or [],
                gid=place.gid,
                location=place.location_code,
                private_network=network,
                external_network_id=external.id,
                type=type_,
                secret=secrets.token_hex(16),
                status="VIRTUAL",
                creation_time=now,
                update_time=now,
            )
        except mongoengine.NotUniqueError as error:
            raise ConflictError(
                f"Account {account.name} has a cloudspace {name} already.", detail={"argument": "name"}
            ) from error
        self._address(cloudspace)
        self._runtime.spawn(self._deploy_quietly, cloudspace.id)
        return cloudspace

    def deploy(self, cloudspace_id: int) -> str:
        """Deploy the gateway and return the state that the cloudspace has then.

        :raises ConflictError: if it is neither VIRTUAL nor in ERROR.
        :raises UnavailableError: if no node can carry the gateway; the state is ERROR then.
        """
        with self._operations.begin(Cloudspace, cloudspace_id, "deploy") as operation:
            self.make_gateway(operation)
        return "DEPLOYED"

    def make_gateway(self, operation: Operation[Cloudspace]) -> None:
        """Do the work of :meth:`deploy` within its operation; doing it again changes nothing."""
        cloudspace = operation.document
        if not cloudspace.external_ip:
            operation.keep(external_ip=self._networks.take_external(cloudspace.external_network_id, cloudspace.id))
        if cloudspace.stack_id is None:
            operation.step("choosing a node", 10)
            operation.keep(stack_id=self._placement.candidates(cloudspace.gid)[0]["id"])
        operation.step("making the gateway", 30)
        self._gateways.deploy(cloudspace.id)

    def destroy(self, cloudspace_id: int, reason: str) -> None:
        """End a cloudspace without machines: its gateway goes, its address is free again.

        :raises ConflictError: if machines live in it, naming them, or its state forbids this.
        """
        row = Cloudspace.get(cloudspace_id)
        if row.status == "DESTROYED":
            return
        if row.status in {"VIRTUAL", "DEPLOYING"}:
            self.wait_deployed(cloudspace_id, ready=frozenset({"DEPLOYED", "ERROR"}))
        with self._operations.begin(Cloudspace, cloudspace_id, "destroy") as operation:
            self.remove(operation, reason)

    def remove(self, operation: Operation[Cloudspace], reason: str) -> None:
        """Do the work of :meth:`destroy` within its operation; doing it again changes nothing."""
        cloudspace = operation.document
        machines = Machine.rows({"cloudspace_id": cloudspace.id, "live": True}, fields=["name", "status"])
        if machines:
            names = ", ".join(f"{row['name']} ({row['status']})" for row in machines[:10])
            raise ConflictError(
                f"Cloudspace {cloudspace.name} still has machines: {names}. Delete them first.",
                detail={"machines": [row["id"] for row in machines]},
            )
        if cloudspace.stack_id is not None:
            operation.step("removing the gateway", 30)
            self._gateways.remove(cloudspace)
        self._networks.release_external(cloudspace.external_network_id, cloudspace.id)
        _forget_failed_machines(cloudspace.id, reason)
        operation.end("DESTROYED", reason, live=False, deletion_time=time.time())

    def wait_deployed(
        self, cloudspace_id: int, timeout: float = DEPLOY_WAIT, ready: frozenset[str] = frozenset({"DEPLOYED"})
    ) -> Cloudspace:
        """Return the cloudspace as soon as it is in one of the ``ready`` states.

        :raises ConflictError: if it ends in another state, naming it.
        :raises UnavailableError: if it is still on its way after ``timeout`` seconds.
        """
        with self._runtime.bus.subscribe(f"cloudspace:{cloudspace_id}") as changes:
            limit = time.monotonic() + timeout
            while True:
                cloudspace = Cloudspace.get(cloudspace_id)
                if cloudspace.status in ready:
                    return cloudspace
                if cloudspace.status not in {"VIRTUAL", "DEPLOYING"}:
                    why = f" ({cloudspace.status_reason})" if cloudspace.status_reason else ""
                    raise ConflictError(
                        f"Cloudspace {cloudspace.name} is {cloudspace.status}{why}; this needs DEPLOYED.",
                        detail={"status": cloudspace.status},
                    )
                report(f"waiting for cloudspace {cloudspace.name}")
                left = limit - time.monotonic()
                if left <= 0:
                    raise UnavailableError(
                        f"Cloudspace {cloudspace.name} is still {cloudspace.status}; try again later."
                    )
                changes.get(min(left, 5.0))

    def visible(self, principal: Principal) -> dict[str, Any]:
        """Return the query for the living cloudspaces that a person reaches.

        These are those on whose own list it stands, or on that of their account or of a machine inside.
        """
        query: dict[str, Any] = {"live": True}
        if not principal.is_admin:
            mine = held_by(principal)
            accounts = [row["id"] for row in Account.rows({"acl": mine, "live": True}, fields=["_id"])]
            inside = Machine.collection().distinct("cloudspace_id", {"acl": mine, "live": True})
            query["$or"] = [{"acl": mine}, {"account_id": {"$in": accounts}}, {"_id": {"$in": inside}}]
        return query

    def machines(self, cloudspace_ids: Collection[int]) -> dict[int, int]:
        """Return the numbers of living machines by cloudspace, with one query; none are left out."""
        return counted(Machine, "cloudspace_id", cloudspace_ids)

    def _address(self, cloudspace: Cloudspace) -> None:
        """Give a new cloudspace its external address, so that it is readable from the moment create returns."""
        try:
            ip = self._networks.take_external(cloudspace.external_network_id, cloudspace.id)
        except (UnavailableError, NotFoundError) as error:
            gone = {"status": "ERROR", "status_reason": error.message, "live": False, "update_time": time.time()}
            Cloudspace.collection().update_one({"_id": cloudspace.id, "status": "VIRTUAL"}, {"$set": gone})
            error.detail = {"cloudspaceId": cloudspace.id, "status": "ERROR"}
            raise
        Cloudspace.collection().update_one({"_id": cloudspace.id}, {"$set": {"external_ip": ip}})

    def _deploy_quietly(self, cloudspace_id: int) -> None:
        try:
            self.deploy(cloudspace_id)
        except PortalError:  # nobody waits for it: the reason stands on the cloudspace
            return


def _forget_failed_machines(cloudspace_id: int, reason: str) -> None:
    """End the machines that could never be made in a cloudspace: they hold nothing and nobody can retry them there."""
    failed = {"cloudspace_id": cloudspace_id, "live": False, "status": "ERROR", "operation": None}
    changes = {"status": "DESTROYED", "status_reason": reason, "deletion_time": time.time()}
    Machine.collection().update_many(failed, {"$set": changes})
