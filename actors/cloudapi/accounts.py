"""Accounts as their users see them."""

from __future__ import annotations

from typing import Any

from actors.cloud.accounts import Accounts as Service
from actors.cloud.models import Account
from actors.cloudapi import answers
from actors.cloudapi.arguments import AccountId
from portalfw.rest import Actor, method


class Accounts(Actor, app="cloudapi"):
    """Who pays for cloudspaces, and who may use them."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("account",))
    def list_(self) -> list[dict[str, Any]]:
        """List the accounts that you may see."""
        return [answers.account(row) for row in self.service(Service).visible(self.call.principal)]

    @method(right="account:R", readonly=True, http=("GET", "POST"), live=("account:{account_id}",))
    def get(self, account_id: AccountId) -> dict[str, Any]:
        """Show one account."""
        return answers.account(Account.rows({"_id": account_id})[0])
