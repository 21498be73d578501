"""Accounts: who pays."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud.access import acl_of, held_by
from actors.cloud.checks import checked_name
from actors.cloud.directory import counted
from actors.cloud.models import Account, Cloudspace
from actors.cloud.operations import Operation, Operations
from portalfw.auth.principal import Principal
from portalfw.errors import ConflictError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime


class Accounts:
    """Makes, lists and ends accounts."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._operations = runtime.service(Operations)

    def create(self, name: str, administrator: str, limits: dict[str, float]) -> Account:
        """Make an account that ``administrator`` (a user's name) administers.

        :raises ConflictError: if the name is taken.
        """
        now = time.time()
        try:
            return Account.create(
                name=checked_name(name),
                acl=acl_of(administrator),
                resource_limits=limits,
                status="CONFIRMED",
                creation_time=now,
                update_time=now,
            )
        except mongoengine.NotUniqueError as error:
            raise ConflictError(f"There is an account {name} already.", detail={"argument": "name"}) from error

    def destroy(self, account_id: int, reason: str) -> None:
        """End an account that has no cloudspaces left.

        :raises NotFoundError: if it does not exist.
        :raises ConflictError: if cloudspaces of it live, naming them, or it is in a state that forbids this.
        """
        with self._operations.begin(Account, account_id, "destroy") as operation:
            self.remove(operation, reason)

    def remove(self, operation: Operation[Account], reason: str) -> None:
        """Do the work of :meth:`destroy` within its operation, begun first so that no cloudspace comes meanwhile."""
        account = operation.document
        left = Cloudspace.rows({"account_id": account.id, "live": True}, fields=["name"])
        if left:
            names = ", ".join(row["name"] for row in left[:10])
            raise ConflictError(
                f"Account {account.name} still has cloudspaces: {names}. Delete them first.",
                detail={"cloudspaces": [row["id"] for row in left]},
            )
        operation.end("DESTROYED", reason, live=False, deletion_time=time.time())

    def visible(self, principal: Principal) -> dict[str, Any]:
        """Return the query for the living accounts that a person has a right on; administrators see all."""
        query: dict[str, Any] = {"status": {"$in": ["CONFIRMED", "DISABLED"]}}
        return query if principal.is_admin else query | {"acl": held_by(principal)}

    def cloudspaces(self, account_ids: Collection[int]) -> dict[int, int]:
        """Return the numbers of living cloudspaces by account, with one query; none are left out."""
        return counted(Cloudspace, "account_id", account_ids)
