"""Accounts as answers."""

from __future__ import annotations

from actors.cloudapi.answers.access import AclEntry, ResourceLimits, acl, limits
from actors.cloudapi.answers.life import Life, Row, life


class AccountRow(Life):
    """An account: who pays."""

    id: int
    name: str
    acl: list[AclEntry]
    resourceLimits: ResourceLimits
    sendAccessEmails: bool


def account(row: Row) -> AccountRow:
    """Return an account."""
    return {
        "id": row["id"],
        "name": row["name"],
        "acl": acl(row["acl"]),
        "resourceLimits": limits(row),
        "sendAccessEmails": row.get("send_access_emails", True),
        **life(row),
    }
