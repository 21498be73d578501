"""Accounts, for operators."""

from __future__ import annotations

import secrets
from typing import Annotated

from actors.cloud.accounts import Accounts
from actors.cloud.checks import resource_limits
from actors.cloud.directory import one
from actors.cloud.models import Account as Model
from actors.cloudapi.answers.accounts import AccountRow, account
from actors.cloudapi.arguments import MaxCpu, MaxDisk, MaxIps, MaxMemory, MaxTransfer
from actors.cloudapi.columns import ACCOUNTS
from actors.cloudbroker.arguments import OPERATORS, AccountId, Reason
from portalfw.auth.users import create_user, find_user
from portalfw.errors import InvalidError, NotFoundError
from portalfw.rest import Actor, Arg, Listing, method


class OperatorAccountRow(AccountRow):
    """An account as operators' lists show it."""

    cloudspaces: int  # how many live


class Account(Actor, app="cloudbroker"):
    """Who pays."""

    @method(right=OPERATORS, title="Create account", creates="accountId")
    def create(
        self,
        name: str,
        username: Annotated[str, Arg("User name", help="Administers it; made if an e-mail address is given.")],
        emailaddress: Annotated[str | None, Arg("E-mail address", help="Of a user who does not exist yet.")] = None,
        password: Annotated[str | None, Arg(help="Of a new user; random if empty.", secret=True)] = None,
        max_memory_capacity: MaxMemory = -1,
        max_vdisk_capacity: MaxDisk = -1,
        max_cpu_capacity: MaxCpu = -1,
        max_network_peer_transfer: MaxTransfer = -1,
        max_num_public_ip: MaxIps = -1,
    ) -> int:
        """Make an account and, if need be, the user who administers it. Returns its id."""
        limits = resource_limits(
            max_memory_capacity=max_memory_capacity,
            max_vdisk_capacity=max_vdisk_capacity,
            max_cpu_capacity=max_cpu_capacity,
            max_network_peer_transfer=max_network_peer_transfer,
            max_num_public_ip=max_num_public_ip,
        )
        _ensure_user(username, emailaddress, password)
        return int(self.service(Accounts).create(name, username, limits).id)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("account", "cloudspace"))
    def list_(self, listing: Annotated[Listing, ACCOUNTS]) -> list[OperatorAccountRow]:
        """List all accounts."""
        rows = listing.of(Model, {"live": True})
        counts = self.service(Accounts).cloudspaces([row["id"] for row in rows])
        return rows.answered({**account(row), "cloudspaces": counts.get(row["id"], 0)} for row in rows)

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("account:{account_id}",))
    def get(self, account_id: AccountId) -> AccountRow:
        """Show one account."""
        return account(one(Model, account_id))

    @method(right=OPERATORS, destructive=True)
    def delete(
        self,
        account_id: AccountId,
        reason: Reason = "",
        permanently: bool = False,  # noqa: ARG002 - no bin yet
    ) -> bool:
        """Delete an account that has no cloudspaces left."""
        self.service(Accounts).destroy(account_id, reason or f"Deleted by {self.call.principal.name}.")
        return True


def _ensure_user(username: str, emailaddress: str | None, password: str | None) -> None:
    try:
        find_user(username)
    except NotFoundError as error:
        if not emailaddress:
            raise InvalidError(
                f"User {username} does not exist; give an e-mail address to make that user.",
                detail={"argument": "emailaddress"},
            ) from error
        if "@" not in emailaddress:
            raise InvalidError(
                f"emailaddress {emailaddress!r} is none.", detail={"argument": "emailaddress"}
            ) from error
        create_user(username, password or secrets.token_urlsafe(24), groups=["user"], emails=[emailaddress])
