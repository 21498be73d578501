"""Accounts as their users see them."""

from __future__ import annotations

from typing import Annotated

from actors.cloud.accounts import Accounts as Service
from actors.cloud.models import Account
from actors.cloudapi.answers.accounts import AccountRow, account
from actors.cloudapi.arguments import AccountId
from actors.cloudapi.columns import ACCOUNTS
from portalfw.rest import Actor, Listing, method


class Accounts(Actor, app="cloudapi"):
    """Who pays for cloudspaces, and who may use them."""

    @method(right="login", readonly=True, http=("GET", "POST"), live=("account",))
    def list_(self, listing: Annotated[Listing, ACCOUNTS]) -> list[AccountRow]:
        """List the accounts that you may see."""
        rows = listing.of(Account, self.service(Service).visible(self.call.principal))
        return rows.answered(map(account, rows))

    @method(right="account:R", readonly=True, http=("GET", "POST"), live=("account:{account_id}",))
    def get(self, account_id: AccountId) -> AccountRow:
        """Show one account."""
        return account(Account.rows({"_id": account_id})[0])
